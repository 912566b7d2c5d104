"""Whose sound is being heard, as an agent wants to know it: by response, item and content part.

Over WebRTC sound comes in one stream without names, and the server tells when it begins and ends to play a response.
Over a WebSocket each piece is named as it is made, long before it is heard. Either way sound goes in here when it is
heard and comes out named. Knows nothing of agents and of time.
"""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import chain
from typing import Final

from vivavoce.audio.frame import Pcm, sample_count
from vivavoce.session.timing import loud

EARLY: Final = sample_count(200)
"""Samples that may be heard before the server's word that it has begun arrives: sound and words travel apart."""
LATE: Final = sample_count(500)
"""Samples that may follow its word that it has ended: sound waits to be played out, words do not."""

REMEMBERED: Final = 64
"""Answers whose parts are kept."""


@dataclass(frozen=True, slots=True)
class Part:
    """A spoken part of an item."""

    response_id: str
    item_id: str
    content_index: int


@dataclass(frozen=True, slots=True)
class Heard:
    """Sound of a part."""

    part: Part
    samples: Pcm


@dataclass(frozen=True, slots=True)
class Ended:
    """A part was heard to its end."""

    part: Part


@dataclass(frozen=True, slots=True)
class Cut:
    """A part was being heard, and is not any more."""

    part: Part


News = Heard | Ended | Cut


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing is heard."""


@dataclass(frozen=True, slots=True)
class Sounding:
    """The server plays a response."""

    response_id: str


@dataclass(frozen=True, slots=True)
class Fading:
    """The server has played a response to its end; at most so many samples of it are still to come."""

    response_id: str
    left: int


@dataclass(slots=True)
class Queued:
    """Sound that was named before it is heard; `whole` once no more will come."""

    part: Part
    samples: int = 0
    whole: bool = False


class Voice:
    """The spoken parts of a session. `begun` tells which items the listener has begun to hear."""

    def __init__(self, begun: Callable[[], Collection[str]]) -> None:
        self._begun = begun
        self._parts: dict[str, list[Part]] = {}
        self._state: Quiet | Sounding | Fading = Quiet()
        self._early: deque[Pcm] = deque()
        self._queue: deque[Queued] = deque()

    @property
    def part(self) -> Part | None:
        """What is being heard."""
        if self._queue:
            return self._queue[0].part
        return None if isinstance(self._state, Quiet) else self._of(self._state.response_id)

    # ── what the server says ───────────────────────────────────────────────────────────────────────────

    def begin(self, part: Part) -> None:
        """A part is being made."""
        parts = self._parts.setdefault(part.response_id, [])
        if part not in parts:
            parts.append(part)
        while len(self._parts) > REMEMBERED:  # of answers that were never heard
            del self._parts[next(iter(self._parts))]

    def started(self, response_id: str) -> list[News]:
        """The server begins to play a response."""
        news = self._fade()
        self._state = Sounding(response_id)
        early, self._early = self._early, deque()
        while early and not loud(early[0]):
            early.popleft()
        for samples in early:
            news += self.sound(samples)
        return news

    def stopped(self, response_id: str) -> list[News]:
        """It has played a response to its end."""
        if self._state == Sounding(response_id):
            self._state = Fading(response_id, LATE)
        return []

    def cleared(self) -> list[News]:
        """What was being heard, or was going to be, was dropped."""
        part = self.part
        if part is not None:
            self._parts.pop(part.response_id, None)
        self._state = Quiet()
        self._queue.clear()
        return [] if part is None else [Cut(part)]

    def lost(self) -> tuple[list[News], list[str]]:
        """Its session is over: what becomes of what was heard, and the items of which nothing more will be."""
        news = self._fade() if isinstance(self._state, Fading) else []
        parts = [*(queued.part for queued in self._queue), *chain(*self._parts.values())]
        news += self.cleared()
        self._parts.clear()
        return news, list(dict.fromkeys(part.item_id for part in parts))

    def queued(self, part: Part, samples: int) -> None:
        """So many samples of a part will be heard after all others."""
        if not self._queue or self._queue[-1].part != part:
            self._queue.append(Queued(part))
        self._queue[-1].samples += samples

    def finished(self, part: Part) -> list[News]:
        """No more of it will be queued. Of a part that was never queued this says nothing: see `stopped`."""
        for queued in self._queue:
            if queued.part == part:
                queued.whole = True
        return self._over()

    # ── what is heard ──────────────────────────────────────────────────────────────────────────────────

    def sound(self, samples: Pcm) -> list[News]:
        """Something is heard, be it silence."""
        if self._queue:
            return self._named(samples)
        match self._state:
            case Quiet():
                self._early.append(samples)
                while len(self._early) > 1 and sum(map(len, self._early)) > EARLY:
                    self._early.popleft()
                return []
            case Sounding(response_id):
                part = self._of(response_id)
                return [] if part is None else [Heard(part, samples)]
            case Fading(response_id, left):
                part = self._of(response_id)
                if part is None or left <= 0 or not loud(samples):
                    return self._fade()
                self._state = Fading(response_id, left - len(samples))
                return [Heard(part, samples)]

    def _named(self, samples: Pcm) -> list[News]:
        news: list[News] = []
        while len(samples) and self._queue:
            first = self._queue[0]
            piece, samples = samples[: first.samples], samples[first.samples :]
            if len(piece):
                news.append(Heard(first.part, piece))
            first.samples -= len(piece)
            over = self._over()
            if not over and not first.samples:
                break  # sound ran ahead of what was named; more of this part will come
            news += over
        return news

    def _over(self) -> list[News]:
        """Let go of what was heard to its end."""
        news: list[News] = []
        while self._queue and not self._queue[0].samples and (self._queue[0].whole or len(self._queue) > 1):
            part = self._queue.popleft().part
            if part in (parts := self._parts.get(part.response_id, [])):
                parts.remove(part)
            news.append(Ended(part))
        return news

    def _fade(self) -> list[News]:
        """Nothing more of the response that was heard to its end will come."""
        if isinstance(self._state, Quiet):
            return []
        ended = [Ended(part) for part in self._parts.pop(self._state.response_id, [])]
        self._state = Quiet()
        return [*ended]

    def _of(self, response_id: str) -> Part | None:
        """The part that is being heard of a response: the last that was begun, where it has several."""
        parts = self._parts.get(response_id, [])
        begun = self._begun() if len(parts) > 1 else ()
        return next((part for part in reversed(parts) if part.item_id in begun), parts[0] if parts else None)
