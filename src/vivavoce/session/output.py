"""The output audio buffer: sound on its way to the listener, where the server plays it.

One response is heard at a time. Another's sound waits until the first has been played to its end, so that two
voices never mix and the listener is told of one after the other.
"""

from collections import deque
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import Final

from vivavoce.audio.frame import Pcm
from vivavoce.session.effect import Flush, Play
from vivavoce.session.moves import Moves
from vivavoce.session.outbox import Outbox
from vivavoce.session.playout import Playout
from vivavoce.wire.event import OutputAudioBufferCleared, OutputAudioBufferStarted, OutputAudioBufferStopped


@dataclass(frozen=True, slots=True)
class Queued:
    """A response's sound waits for its turn."""


@dataclass(frozen=True, slots=True)
class Started:
    """It is the transport's turn to play it: `output_audio_buffer.started` has been sent."""


@dataclass(frozen=True, slots=True)
class Over:
    """Played out (`.stopped`) or dropped (`.cleared`)."""


Marker = Queued | Started | Over

MOVES: Final = Moves(
    "output audio buffer",
    Queued,
    {
        Queued: {"first in the queue": Started, "cleared": Over},
        Started: {"played out": Over, "cleared": Over},
        Over: {},
    },
)


@dataclass(slots=True)
class Reel:
    """One response's sound. `conversation_id` None is out of band; `held` is what the transport has not been given."""

    response_id: str
    conversation_id: str | None
    marker: Marker = field(default_factory=Queued)
    held: deque[tuple[str, Pcm]] = field(default_factory=deque[tuple[str, Pcm]])


class OutputBuffer:
    """All sound that was made and has not been heard to its end. Knows nothing of items but their names."""

    def __init__(self, out: Outbox) -> None:
        self._out = out
        self._playout = Playout()
        self._reels: dict[str, Reel] = {}

    @property
    def busy(self) -> bool:
        """Whether some response's sound has not come to its end."""
        return bool(self._reels)

    @property
    def sounding(self) -> bool:
        """Whether the listener hears something, as last reported."""
        return self._playout.current is not None

    def owner(self, item_id: str) -> str | None:
        """The response whose item still waits to be heard, in part at least; None when it was heard to its end."""
        current = self._playout.unheard(item_id)
        if current is not None:
            return current.response_id
        return next((reel.response_id for reel in self._reels.values() if item_id in dict(reel.held)), None)

    def add(self, response_id: str, conversation_id: str | None, item_id: str, samples: Pcm) -> None:
        """More sound of an item of a response."""
        if not len(samples):
            return
        reel = self._reels.setdefault(response_id, Reel(response_id, conversation_id))
        if next(iter(self._reels.values())) is reel:
            self._play(reel, item_id, samples)
        else:
            reel.held.append((item_id, samples))

    def played(self, total: int, running: Container[str]) -> None:
        """The transport has played so many samples in all. `running` are the responses that may make more."""
        self._playout.played(total)
        self.settle(running)

    def settle(self, running: Container[str]) -> None:
        """Go on to the next response's sound when one's has been heard to its end."""
        while (reel := self._first) is not None and reel.response_id not in running:
            if not self._playout.finished(reel.response_id):
                return
            reel.marker = MOVES.take(reel.marker, "played out", Over())
            self._out.send(OutputAudioBufferStopped(response_id=reel.response_id))
            self._end(reel)

    # ── stopping ───────────────────────────────────────────────────────────────────────────────────────

    def drop(self, unwanted: Callable[[Reel], bool]) -> list[str]:
        """Drop sound. What the transport has is flushed, to be told in `flushed`.

        Returns:
            Items of which nothing has been played nor ever will be.
        """
        first, dropped = self._first, list[str]()
        for reel in list(self._reels.values()):
            if not unwanted(reel):
                continue
            if reel is first:
                self._out.add(Flush())
            else:
                reel.marker = MOVES.take(reel.marker, "cleared", Over())
                dropped += [item_id for item_id, _ in reel.held]
                del self._reels[reel.response_id]
        return list(dict.fromkeys(dropped))

    def flushed(self, total: int, running: Container[str]) -> dict[str, int]:
        """The transport has dropped its queue, having played so many samples in all.

        Returns:
            Samples played of each item that will not be heard to its end.
        """
        reel = self._first
        self._playout.flushed(total)
        self.settle(running)
        if reel is None or self._first is not reel:
            return {}  # heard to its end before the flush came
        heard = {s.item_id: self._playout.heard(s.item_id) for s in self._playout.cut(total)}
        reel.marker = MOVES.take(reel.marker, "cleared", Over())
        self._out.send(OutputAudioBufferCleared(response_id=reel.response_id))
        self._end(reel)
        return heard

    # ── one after another ──────────────────────────────────────────────────────────────────────────────

    @property
    def _first(self) -> Reel | None:
        return next(iter(self._reels.values()), None)

    def _play(self, reel: Reel, item_id: str, samples: Pcm) -> None:
        self._playout.queue(reel.response_id, item_id, len(samples))
        self._out.add(Play(samples))
        if isinstance(reel.marker, Queued):
            reel.marker = MOVES.take(reel.marker, "first in the queue", Started())
            self._out.send(OutputAudioBufferStarted(response_id=reel.response_id))

    def _end(self, reel: Reel) -> None:
        """Its sound is over: the next one's begins."""
        del self._reels[reel.response_id]
        self._playout.forget(reel.response_id)
        following = self._first
        while following is not None and following.held:
            self._play(following, *following.held.popleft())
