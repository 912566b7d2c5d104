"""The input audio buffer: sound that no item owns yet."""

from collections import deque
from typing import Final

import numpy as np

from vivavoce.audio.frame import Pcm, sample_count, silence

LONGEST_MS: Final = 300_000
"""Older sound than this is forgotten when nobody commits, so that a forgotten call cannot eat the machine."""


class InputBuffer:
    """Samples by their position in the session's whole input (the first sample ever is 0).

    Knows nothing of turns: others decide what to commit.
    """

    def __init__(self) -> None:
        self._chunks: deque[Pcm] = deque()
        self.start = 0
        self.end = 0

    def __len__(self) -> int:
        return self.end - self.start

    def append(self, samples: Pcm) -> None:
        """Add sound at the end."""
        self._chunks.append(samples)
        self.end += len(samples)
        self.trim(self.end - sample_count(LONGEST_MS))

    def trim(self, position: int) -> None:
        """Forget everything before a position."""
        while self._chunks and self.start + len(self._chunks[0]) <= position:
            self.start += len(self._chunks.popleft())
        if self._chunks and self.start < position:
            self._chunks[0] = self._chunks[0][position - self.start :]
            self.start = position

    def peek(self) -> Pcm:
        """All that is kept."""
        return np.concatenate(self._chunks) if self._chunks else silence(0)

    def take(self) -> Pcm:
        """All that is kept; the buffer is empty afterwards."""
        samples = self.peek()
        self.clear()
        return samples

    def clear(self) -> None:
        """Forget everything; positions go on counting."""
        self._chunks.clear()
        self.start = self.end
