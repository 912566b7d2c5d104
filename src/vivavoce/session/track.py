"""Which stretch of the session's input a report of the detector is about.

The detector counts only what it was given, and its word comes later than the sound: by a window when the sound
arrives at the pace of speech, by minutes when a client sends a file at once. What a turn is made of is decided by
these positions, never by when the word came.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """Samples `start` to `end` of the session's input."""

    start: int
    end: int


class Track:
    """Positions of one call's input. `position` is its end, `judged` how far the detector's word goes."""

    def __init__(self) -> None:
        self.position = 0
        self.judged = 0
        self._listened = 0
        self._skipped = 0
        self._gap_at = 0

    def listen(self, samples: int) -> None:
        """So many samples went to the detector."""
        self.position += samples
        self._listened += samples

    def skip(self, samples: int) -> None:
        """So many samples did not: turn detection is off. What is still to come about those before is stale."""
        self.position += samples
        self._skipped += samples
        self._gap_at = self._listened
        self.judged = self.position

    def forget(self, position: int) -> None:
        """Nobody asks any more about sound before a position."""
        self.judged = max(self.judged, position)

    def judge(self, heard: int) -> Window | None:
        """The stretch that the detector's next word is about; None when nobody asks about it any more.

        Args:
            heard: samples that the detector has been given up to the end of the stretch.
        """
        if heard <= self._gap_at:
            return None
        start, end = self.judged, min(heard + self._skipped, self.position)
        if end <= start:
            return None
        self.judged = end
        return Window(start, end)
