"""Somebody who hears what is played, at the pace of sound."""

from collections import Counter, deque
from math import inf

import numpy as np

from vivavoce.audio.frame import RATE_HZ, Pcm


class Listener:
    """A loudspeaker on virtual time and the ear before it. Counts samples, and tells them apart by their value."""

    def __init__(self) -> None:
        self._queue: deque[Pcm] = deque()
        self._queued = 0
        self._played = 0.0
        self._taken = 0
        self._stalled_s = 0.0
        self._unread: list[Pcm] = []
        self._heard: Counter[int] = Counter()

    @property
    def played(self) -> int:
        """Samples that have been heard."""
        return int(self._played)

    @property
    def silent(self) -> bool:
        """Whether all that was given has been heard."""
        return self._played >= self._queued

    @property
    def heard(self) -> Counter[int]:
        """How often each sample value has been heard."""
        for samples in self._unread:
            values, counts = np.unique(samples, return_counts=True)
            self._heard.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
        self._unread.clear()
        return self._heard

    @property
    def waiting(self) -> Counter[int]:
        """How often each sample value waits to be heard."""
        left = np.concatenate([np.zeros(0, np.int16), *self._queue])
        values, counts = np.unique(left, return_counts=True)
        return Counter(dict(zip(values.tolist(), counts.tolist(), strict=True)))

    def play(self, samples: Pcm) -> None:
        """More sound, after what there is."""
        if len(samples):
            self._queue.append(samples)
            self._queued += len(samples)

    def stall(self, seconds: float) -> None:
        """Nothing is heard for so long, as when the process is busy; nothing is lost."""
        self._stalled_s += seconds

    def flush(self) -> int:
        """Drop what has not been heard; samples heard in all."""
        self._take()
        self._queue.clear()
        self._queued = self._taken
        self._played = float(self._taken)
        return self._taken

    def dry_after(self) -> float:
        """Seconds until all is heard; infinity when it is."""
        return inf if self.silent else self._stalled_s + (self._queued - self._played) / RATE_HZ

    def listen(self, seconds: float) -> bool:
        """Let time pass. True when the sound has just come to its end."""
        stalled = min(seconds, self._stalled_s)
        self._stalled_s -= stalled
        if self.silent:
            return False
        self._played += (seconds - stalled) * RATE_HZ
        if self._played > self._queued - 1e-6:
            self._played = float(self._queued)
        self._take()
        return self.silent

    def _take(self) -> None:
        while self._taken < int(self._played):
            head = self._queue.popleft()
            count = min(len(head), int(self._played) - self._taken)
            if count < len(head):
                self._queue.appendleft(head[count:])
            self._unread.append(head[:count])
            self._taken += count
