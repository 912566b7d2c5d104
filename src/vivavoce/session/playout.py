"""What the listener has really heard, by the transport's count of samples that have left."""

from dataclasses import dataclass


@dataclass(slots=True)
class Stretch:
    """Samples `start` to `end` of everything ever played belong to one item of one response."""

    response_id: str
    item_id: str
    start: int
    end: int


class Playout:
    """Which item each played sample belonged to. Knows nothing of time."""

    def __init__(self) -> None:
        self._stretches: list[Stretch] = []
        self._queued = 0
        self._played = 0

    @property
    def total(self) -> int:
        """Samples played since the start, as last reported."""
        return self._played

    @property
    def current(self) -> Stretch | None:
        """What is playing, or is next: the first stretch not yet played to its end."""
        return next((stretch for stretch in self._stretches if stretch.end > self._played), None)

    def queue(self, response_id: str, item_id: str, samples: int) -> None:
        """So many samples of an item were given to the transport."""
        last = self._stretches[-1] if self._stretches else None
        if last is not None and last.item_id == item_id and last.end == self._queued:
            last.end += samples
        else:
            self._stretches.append(Stretch(response_id, item_id, self._queued, self._queued + samples))
        self._queued += samples

    def played(self, total: int) -> None:
        """The transport's count has reached `total`."""
        self._played = min(max(self._played, total), self._queued)

    def flushed(self, total: int) -> None:
        """The transport has dropped its queue at `total`, which may be less than it reported before.

        What was sent while a connection broke is played again, and counts as heard only then.
        """
        self._played = min(total, self._queued)

    def cut(self, total: int) -> list[Stretch]:
        """The queue was dropped at `total`; the stretches that were not heard to their end."""
        self.flushed(total)
        unheard = [stretch for stretch in self._stretches if stretch.end > self._played]
        for stretch in unheard:
            stretch.start = min(stretch.start, self._played)
            stretch.end = self._played
        self._queued = self._played
        return unheard

    def heard(self, item_id: str) -> int:
        """Samples of an item that have been played."""
        mine = (stretch for stretch in self._stretches if stretch.item_id == item_id)
        return sum(max(0, min(stretch.end, self._played) - stretch.start) for stretch in mine)

    def unheard(self, item_id: str) -> Stretch | None:
        """What is playing or still to be played of an item."""
        waiting = (stretch for stretch in self._stretches if stretch.end > self._played)
        return next((stretch for stretch in waiting if stretch.item_id == item_id), None)

    def finished(self, response_id: str) -> bool:
        """Whether all that was queued of a response has been played."""
        return all(stretch.end <= self._played for stretch in self._stretches if stretch.response_id == response_id)

    def forget(self, response_id: str) -> None:
        """Drop the record of a response that has been played and whose items need no more truncation."""
        self._stretches = [stretch for stretch in self._stretches if stretch.response_id != response_id]
