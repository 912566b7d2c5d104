"""Which answers the server is making, and whether one may be asked for.

Only one response at a time may write the conversation; others run beside it out of band.
"""

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum
from typing import Final, assert_never

from msgspec import UnsetType

from vivavoce.session.moves import Moves
from vivavoce.wire.config import Response

REMEMBERED: Final = 256
"""Responses that are remembered after their end, so that news that comes twice or late changes nothing."""


class Kind(Enum):
    """Where a response writes."""

    IN_BAND = "in band"
    OUT_OF_BAND = "out of band"


class Fate(Enum):
    """What becomes of the sound of a response that still comes in."""

    HEARD = "heard"
    STOPPING = "stopping"  # no more should come; what does is heard
    UNHEARD = "unheard"


@dataclass(frozen=True, slots=True)
class Free:
    """Nothing has been asked for that the server has not begun."""


@dataclass(frozen=True, slots=True)
class Awaiting:
    """A `response.create` is on its way."""

    event_id: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """The server refused because of a response of its own that has not ended yet."""


Request = Free | Awaiting | Blocked

MOVES: Final = Moves(
    "request",
    Free,
    {
        Free: {"asked": Awaiting},
        Awaiting: {"asked": Awaiting, "begun": Free, "refused": Free, "busy": Blocked},
        Blocked: {"asked": Awaiting, "begun": Free, "ended": Free},
    },
)


@dataclass(slots=True)
class Reply:
    """One response. `formats` is what its sound is coded in, where it has a format of its own."""

    kind: Kind
    fate: Fate = Fate.HEARD
    format_name: str | None = None


class Replies:
    """All responses of a call, running ones and the last that ended."""

    def __init__(self) -> None:
        self.request: Request = Free()
        self._running: dict[str, Reply] = {}
        self._ended: OrderedDict[str, Reply] = OrderedDict()

    @property
    def active(self) -> str | None:
        """Id of the response that is writing the conversation."""
        return next((id for id, reply in self._running.items() if reply.kind is Kind.IN_BAND), None)

    @property
    def running(self) -> bool:
        """Whether any response is being made."""
        return bool(self._running)

    def get(self, response_id: str) -> Reply | None:
        """A response that is being made, or has lately ended."""
        return self._running.get(response_id) or self._ended.get(response_id)

    def begin(self, response: Response) -> Kind | None:
        """The server has begun a response; None when that was known."""
        id = response.id
        if not isinstance(id, str) or self.get(id) is not None:
            return None
        reply = Reply(_kind(response), format_name=_format(response))
        self._running[id] = reply
        if reply.kind is Kind.IN_BAND and not isinstance(self.request, Free):
            self.request = MOVES.take(self.request, "begun", Free())
        return reply.kind

    def end(self, response: Response) -> Kind | None:
        """The server has ended a response; None when that was known."""
        id = response.id
        if not isinstance(id, str) or id in self._ended:
            return None
        reply = self._running.pop(id, None) or Reply(_kind(response))
        self._ended[id] = reply
        while len(self._ended) > REMEMBERED:
            self._ended.popitem(last=False)
        if isinstance(self.request, Blocked):
            self.request = MOVES.take(self.request, "ended", Free())
        return reply.kind

    def asked(self, event_id: str) -> None:
        """A `response.create` for the conversation is being sent."""
        self.request = MOVES.take(self.request, "asked", Awaiting(event_id))

    def refused(self, event_id: str, code: str | None) -> bool:
        """The server refuses a request; True if it was the last `response.create` and asking again will not help."""
        match self.request:
            case Awaiting(awaited) if awaited == event_id:
                if code == "conversation_already_has_active_response":
                    self.request = MOVES.take(self.request, "busy", Blocked())
                    return False
                self.request = MOVES.take(self.request, "refused", Free())
                return True
            case Awaiting() | Free() | Blocked():
                return False
            case _:
                assert_never(self.request)

    @property
    def stoppable(self) -> bool:
        """Whether the conversation's response runs and nobody has asked for its end."""
        return any(reply.kind is Kind.IN_BAND and reply.fate is Fate.HEARD for reply in self._running.values())

    def cancel(self) -> None:
        """A `response.cancel` for the conversation's response is being sent."""
        self._turn(Fate.STOPPING)

    def mute(self) -> None:
        """Nothing more will be heard of the response that is writing the conversation."""
        self._turn(Fate.UNHEARD)

    def _turn(self, fate: Fate) -> None:
        for reply in self._running.values():
            if reply.kind is Kind.IN_BAND:
                reply.fate = fate


def _kind(response: Response) -> Kind:
    return Kind.OUT_OF_BAND if response.conversation_id is None else Kind.IN_BAND


def _format(response: Response) -> str | None:
    audio = response.audio
    output = audio if isinstance(audio, UnsetType) else audio.output
    format = output if isinstance(output, UnsetType) else output.format
    return None if isinstance(format, UnsetType) else format.type
