"""The input audio buffer: sound that no item owns yet."""

from bisect import bisect_right
from typing import Final

import numpy as np

from vivavoce.audio.frame import Pcm, sample_count, silence

LONGEST_MS: Final = 330_000
"""Older sound than this is forgotten when nobody commits, so that a forgotten call cannot eat the machine."""


class InputBuffer:
    """Samples by their position in the session's whole input (the first sample ever is 0).

    Knows nothing of turns: others decide what to commit.
    """

    def __init__(self) -> None:
        self._chunks: list[Pcm] = []
        self._starts: list[int] = []
        self.start = 0
        self.end = 0

    def __len__(self) -> int:
        return self.end - self.start

    def append(self, samples: Pcm) -> None:
        """Add sound at the end."""
        if len(samples):
            self._chunks.append(samples)
            self._starts.append(self.end)
            self.end += len(samples)
            self.trim(self.end - sample_count(LONGEST_MS))

    def trim(self, position: int) -> None:
        """Forget everything before a position; what is not here yet cannot be forgotten."""
        if position <= self.start:
            return
        self.start = min(position, self.end)
        whole = bisect_right(self._starts, self.start) - 1
        if self.start == self.end:
            whole = len(self._chunks)
        del self._chunks[:whole], self._starts[:whole]

    def between(self, start: int, end: int) -> Pcm:
        """The samples from one position to another, as far as they are kept."""
        start, end = max(start, self.start), min(end, self.end)
        if start >= end:
            return silence(0)
        first = bisect_right(self._starts, start) - 1
        last = bisect_right(self._starts, end - 1)
        offset = self._starts[first]
        found = self._chunks[first] if last - first == 1 else np.concatenate(self._chunks[first:last])
        return found[start - offset : end - offset]

    def take(self, end: int) -> Pcm:
        """All that is kept before a position, in memory of its own; it is forgotten here."""
        samples = self.between(self.start, end).copy()
        self.trim(end)
        return samples

    def clear(self) -> None:
        """Forget everything; positions go on counting."""
        self.trim(self.end)
