"""How far a call is, and which way it may go."""

from dataclasses import dataclass
from typing import Final

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


@dataclass(frozen=True, slots=True)
class Connected:
    """Both sides hear each other. `call_id` is the server's name for the call, where it tells."""

    call_id: str | None = None


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


State = New | Minting | Negotiating | Connecting | Connected | Closed | Failed

_ENDS: Final[dict[str, type]] = {"closed": Closed, "failed": Failed}

MOVES: Final = Moves(
    "client",
    New,
    {
        New: {"mint": Minting, "offer": Negotiating, **_ENDS},
        Minting: {"offer": Negotiating, **_ENDS},
        Negotiating: {"answered": Connecting, **_ENDS},
        Connecting: {"greeted": Connected, **_ENDS},
        Connected: _ENDS,
        Closed: {},
        Failed: {},
    },
)
