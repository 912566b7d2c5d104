"""Sound that is to be heard in full, though what carries it may break. Pure."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from vivavoce.audio.frame import Pcm

_REMEMBERED_S: Final = 10.0
"""For how long it is known when a sample was sent: longer than a dead connection is taken for a living one."""


class Reel:
    """What was given to play, how far it was played and when; the last of it is kept to be repeated."""

    def __init__(self, repeatable: int) -> None:
        """At most `repeatable` samples are played again."""
        self._repeatable = repeatable
        self._pieces: deque[Pcm] = deque()
        self._start = 0
        """The number of the first sample that is kept, counted from the start of the call."""
        self.end = 0
        """Samples of the call that were given."""
        self._times: deque[tuple[float, int]] = deque()
        self.played = 0
        """Samples of the call that have left."""

    def push(self, samples: Pcm) -> None:
        """More sound to be heard."""
        if len(samples):
            self._pieces.append(samples)
            self.end += len(samples)

    def reach(self, played: int, now: float) -> None:
        """So many samples have left in all."""
        self.played = min(played, self.end)
        if not self._times or self._times[-1][1] != self.played:
            self._times.append((now, self.played))
        while len(self._times) > 1 and self._times[1][0] < now - _REMEMBERED_S:
            self._times.popleft()
        while self._pieces and self._start + len(self._pieces[0]) <= self.played - self._repeatable:
            self._start += len(self._pieces.popleft())

    def clear(self) -> None:
        """Nothing more of it will be heard, nor repeated."""
        self._pieces.clear()
        self._times.clear()
        self._start = self.end = self.played

    def rewind(self, silent_since: float | None) -> None:
        """Go back to what was playing when the listener heard the last of it, as far as it is kept."""
        if silent_since is None:
            return
        then = self._times[0][1] if self._times else self.played
        for at, played in self._times:
            if at > silent_since:
                break
            then = played
        self.played = max(self._start, self.played - self._repeatable, min(then, self.played))
        self._times.clear()

    def rest(self) -> Iterator[Pcm]:
        """What is still to be heard."""
        at = self._start
        for piece in self._pieces:
            if at + len(piece) > self.played:
                yield piece[max(0, self.played - at) :]
            at += len(piece)
