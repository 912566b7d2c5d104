"""What the gateway expects to stand behind a call.

The gateway decides who may start, hear and end a call. What a call *is* (engines on this computer, or a
provider upstream) is an `Answerer`'s business, and the gateway knows nothing of events, turns or sound.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from starlette.websockets import WebSocket

from vivavoce.gateway.allowance import Allowance
from vivavoce.telemetry.private import Private
from vivavoce.transport.interface import Transport
from vivavoce.wire.config import Session

Ids = Callable[[str], str]
"""Makes an identifier from a prefix: `ids("rtc")` gives `rtc_…`, at most 32 characters."""

Carry = Callable[[WebSocket], Transport]
"""Makes a transport of a WebSocket that has been accepted and not yet read from."""

Interpret = Callable[[Transport], Transport]
"""Puts the dialect of whoever is at its far end over a transport."""


def plain(transport: Transport) -> Transport:
    """The `Interpret` of those who speak GA."""
    return transport


class Model(Protocol):
    """A name that callers may ask for."""

    @property
    def id(self) -> str:
        """The name."""
        ...

    @property
    def owned_by(self) -> str:
        """Whose it is, as `GET /v1/models` shows it."""
        ...

    @property
    def created(self) -> int:
        """Unix seconds; 0 where nobody knows."""
        ...


@dataclass(frozen=True)
class CallRequest:
    """A WebRTC call to be answered. A `realtime` session always names one of the answerer's models.

    `session` holds only what the caller and its client secret asked for; `Answerer.effective` completes it.
    `allowance` is what its responses are charged to; None where they cost nothing. The answerer puts `interpret` over
    the transport before anything is read from it.
    """

    id: str
    offer: str
    session: Session
    identity: str
    safety_identifier: Private[str] | None = None
    allowance: Allowance | None = None
    interpret: Interpret = plain


@dataclass(frozen=True)
class SocketRequest:
    """A conversation over a WebSocket. `session` and `allowance` as in `CallRequest`."""

    id: str
    session: Session
    identity: str
    safety_identifier: Private[str] | None = None
    allowance: Allowance | None = None


class LiveCall(Protocol):
    """One call that runs, independently of the request that started it."""

    @property
    def id(self) -> str:
        """`rtc_…`, as given in the request."""
        ...

    async def connected(self) -> None:
        """Return when the caller is really there (text can be sent), or the call is over. Never raises."""
        ...

    async def ended(self) -> None:
        """Return when the call is over and has freed what it held. Never raises."""
        ...

    async def hangup(self, code: int = 1000) -> None:
        """End the call with a close code of WebSocket's. Returns when it is over; idempotent."""
        ...

    async def join(self, transport: Transport) -> None:
        """Let a second party (sideband) see all events and send any; return when it leaves or the call ends."""
        ...


class Answerer(Protocol):
    """Answers calls. An async context manager that owns every call: leaving it ends them."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def models(self) -> Sequence[Model]:
        """The names it answers to; the first is meant where a caller names none. Never empty."""
        ...

    def effective(self, session: Session, session_id: str, expires_at: int) -> Session:
        """The whole config that `session` would run under, as shown to whoever mints a client secret.

        Raises:
            RequestError: something in it that cannot be done here.
        """
        ...

    async def answer(self, request: CallRequest) -> tuple[LiveCall, str]:
        """The running call and its SDP answer. When it raises or is cancelled, nothing is left behind.

        Raises:
            OfferError: the offer cannot be answered.
            RequestError: something in the session that cannot be done here.
        """
        ...

    def converse(self, request: SocketRequest, transport: Transport) -> LiveCall:
        """The running call of a conversation over a transport that carries text.

        Raises:
            RequestError: something in the session that cannot be done here.
        """
        ...

    async def reconnect(self, offer: str) -> tuple[Transport, str]:
        """Another connection for a call that runs, and its SDP answer.

        Raises:
            OfferError: the offer cannot be answered.
        """
        ...
