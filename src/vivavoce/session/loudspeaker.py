"""What the listener's loudspeaker plays, and when, as far as is known here."""

from collections import deque
from typing import Final

from vivavoce.audio.echo import LONGEST
from vivavoce.audio.frame import RATE_HZ, Pcm, silence

JITTER: Final = RATE_HZ * 60 // 1000
"""Sound that is later than that is not late by chance."""
PATIENCE_S: Final = 0.3
"""Only a network that brings it so late for so long has lost some; before, it may still catch up."""


def sample_at(now: float) -> int:
    """A moment as a number of samples."""
    return round(now * RATE_HZ)


class Loudspeaker:
    """A queue that is played from the moment at which it gets something, without gaps."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[int, Pcm]] = deque()
        self._end = 0

    def play(self, samples: Pcm, now: float) -> None:
        """More sound, to be heard after what there is."""
        start = max(self._end, sample_at(now))
        self._pieces.append((start, samples))
        self._end = start + len(samples)

    def stop(self, now: float) -> None:
        """What would be heard later will not be."""
        end = sample_at(now)
        while self._end > end and self._pieces:
            start, samples = self._pieces.pop()
            if start < end:
                self._pieces.append((start, samples[: end - start]))
            self._end = min(self._end, max(start, end))

    def between(self, start: int, end: int) -> Pcm | None:
        """What is heard in that time; None when nothing has been for so long that no echo is left. Asked in order."""
        while self._pieces and self._pieces[0][0] + len(self._pieces[0][1]) <= start - LONGEST:
            self._pieces.popleft()
        if not self._pieces or self._pieces[0][0] >= end:
            return None
        heard = silence(end - start)
        for at, samples in self._pieces:
            if at >= end:
                break
            first, last = max(at, start), min(at + len(samples), end)
            if first < last:
                heard[first - start : last - start] = samples[first - at : last - at]
        return heard


class Pace:
    """When sound was recorded that arrives unevenly: by its place in the stream, whose first sample has a moment.

    What comes early shows that the moment was earlier. What comes late is late, unless it stays so: then some of the
    stream is missing.
    """

    def __init__(self) -> None:
        self._position = 0
        self._offset: int | None = None
        self._late_since: float | None = None

    def take(self, samples: int, now: float) -> int:
        """So many samples have arrived; the moment, in samples, after the last of them."""
        self._position += samples
        offset = sample_at(now) - self._position
        late = 0 if self._offset is None else offset - self._offset
        if self._offset is None or late <= 0:
            self._offset, self._late_since = offset, None
        elif late <= JITTER:
            # Follows clocks that are not quite alike.
            self._offset, self._late_since = self._offset + late // 64, None
        elif self._late_since is None:
            self._late_since = now
        elif now - self._late_since >= PATIENCE_S:
            self._offset, self._late_since = offset, None
        return self._position + self._offset
