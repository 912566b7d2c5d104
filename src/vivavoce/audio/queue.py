"""Samples that wait to be played."""

from collections import deque

import numpy as np

from vivavoce.audio.frame import Pcm, silence


class SampleQueue:
    """First in, first out, by the sample: pieces of any length go in and out. Not for two threads at once."""

    def __init__(self) -> None:
        self._pieces: deque[Pcm] = deque()
        self._length = 0

    def __len__(self) -> int:
        """Samples that wait."""
        return self._length

    def push(self, samples: Pcm) -> None:
        """Add samples at the end."""
        if len(samples):
            self._pieces.append(samples)
            self._length += len(samples)

    def take(self, count: int) -> Pcm:
        """The first `count` samples, or all if there are fewer."""
        parts: list[Pcm] = []
        missing = min(count, self._length)
        self._length -= missing
        while missing:
            head = self._pieces.popleft()
            if len(head) > missing:
                self._pieces.appendleft(head[missing:])
                head = head[:missing]
            parts.append(head)
            missing -= len(head)
        return np.concatenate([silence(0), *parts])

    def clear(self) -> None:
        """Drop what waits."""
        self._pieces.clear()
        self._length = 0
