"""How far a call is, and which way it may go."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from vivavoce.client.policy import Step
from vivavoce.errors import VivaError
from vivavoce.session.moves import Moves
from vivavoce.transport.interface import ClosedBy


@dataclass(frozen=True, slots=True)
class New:
    """Nothing has been done yet."""


@dataclass(frozen=True, slots=True)
class Minting:
    """A client secret is being fetched."""


@dataclass(frozen=True, slots=True)
class Negotiating:
    """The server is being asked for a connection."""


@dataclass(frozen=True, slots=True)
class Connecting:
    """The server has agreed; the way to it is being made, and the session begun."""


class Kept(Enum):
    """What a call came back to."""

    SAME = "same session"
    NEW = "new session"  # which was told the config and the conversation as it was heard


@dataclass(frozen=True, slots=True)
class Restored:
    """A call has come back.

    Attributes:
        session: what it came back to.
        complete: whether all of the conversation is there. It is not when something that was said could not be told
            again: speech that nobody had written down, a picture that was not kept, an answer that was cut by the loss.
        gap_s: for how many seconds neither side could hear the other.
    """

    session: Kept
    complete: bool
    gap_s: float


@dataclass(frozen=True, slots=True)
class Connected:
    """Both sides hear each other. `call_id` is the server's name for the call, where it tells.

    `restored` tells how it came to be so, if the connection had been lost.
    """

    call_id: str | None = None
    restored: Restored | None = None


@dataclass(frozen=True, slots=True)
class Disrupted:
    """The server has fallen silent. The connection still stands and may come back by itself.

    `since` is when it was last heard of, in monotonic seconds.
    """

    since: float


@dataclass(frozen=True, slots=True)
class Restoring:
    """The connection is lost and another is being made: `step` is what is being done about it, the `number`th thing."""

    since: float
    step: Step
    number: int


@dataclass(frozen=True, slots=True)
class Closed:
    """It is over. `code` and `reason` are those of a WebSocket, where there is one."""

    by: ClosedBy
    code: int = 1000
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """It could not be made, or broke."""

    error: VivaError


State = New | Minting | Negotiating | Connecting | Connected | Disrupted | Restoring | Closed | Failed

_ENDS: Final[dict[str, type]] = {"closed": Closed, "failed": Failed}

MOVES: Final = Moves(
    "client",
    New,
    {
        New: {"mint": Minting, "offer": Negotiating, **_ENDS},
        Minting: {"offer": Negotiating, **_ENDS},
        Negotiating: {"answered": Connecting, **_ENDS},
        Connecting: {"greeted": Connected, **_ENDS},
        Connected: {"silent": Disrupted, "lost": Restoring, "moved": Connected, **_ENDS},
        Disrupted: {"heard": Connected, "back": Connected, "lost": Restoring, **_ENDS},
        Restoring: {"step": Restoring, "back": Connected, **_ENDS},
        Closed: {},
        Failed: {},
    },
)
