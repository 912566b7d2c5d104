"""How one call reaches its server: by WebRTC, or by a WebSocket where UDP is shut.

A line can be opened again; each opening is a new session. It does not know what is said over it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from vivavoce.client.endpoint import Endpoint, Provider
from vivavoce.client.secret import Credential, Kind, Source
from vivavoce.client.signalling import Signalling
from vivavoce.client.state import Connecting, Minting, Negotiating
from vivavoce.errors import ConfigError
from vivavoce.transport.interface import Offering, Transport
from vivavoce.wire.config import RealtimeSession, Session

Step = Minting | Negotiating | Connecting
Progress = Callable[[Step], None]
"""Told of each step as it begins."""
Dial = Callable[[str, Mapping[str, str]], Awaitable[Transport]]
"""Opens a WebSocket by URL and headers."""


class Configured(Enum):
    """Whether the server was told the session's config while the call was placed."""

    ALREADY = "already"
    NOT_YET = "not yet"


@dataclass(frozen=True)
class Placed:
    """A connection that is being made.

    `call_id` is the server's name for the call, where it tells; `pings`: the server answers pings over it.
    """

    transport: Transport
    configured: Configured
    call_id: str | None = None
    pings: bool = False


class Line(Protocol):
    """One way to a server."""

    @property
    def renews(self) -> bool:
        """Whether each opening asks for a fresh secret."""
        ...

    async def open(self, session: Session, progress: Progress) -> Placed:
        """Place a call for a session of that config.

        Raises:
            ConfigError: something that no server could do.
            RefusedError: the server said no.
            TransportError: it could not be reached, or nothing could be agreed on.
        """
        ...


class MediaLine:
    """Calls over WebRTC."""

    def __init__(
        self, endpoint: Endpoint, source: Source, offering: Callable[[Credential], Offering], *, timeout_s: float
    ) -> None:
        self._endpoint = endpoint
        self._source = source
        self._offering = offering
        self._signalling = Signalling(endpoint, timeout_s)

    @property
    def renews(self) -> bool:
        """See `Line.renews`."""
        return self._source.fetches

    async def open(self, session: Session, progress: Progress) -> Placed:
        """See `Line.open`."""
        credential = await self._credential(session, progress)
        progress(Negotiating())
        # A client secret carries a config already; ours is put on top of it once the session has begun.
        sent = session if credential.kind is Kind.API_KEY else None
        offering = self._offering(credential)
        try:
            answer = await self._signalling.place(credential, await offering.offer(), sent)
        except BaseException:
            await offering.abandon()
            raise
        progress(Connecting())
        transport = await offering.accept(answer.sdp)
        configured = Configured.ALREADY if self._carried(sent) else Configured.NOT_YET
        return Placed(transport, configured, answer.call_id, answer.pings)

    async def _credential(self, session: Session, progress: Progress) -> Credential:
        mints = self._endpoint.provider is Provider.AZURE and self._source.kind is Kind.API_KEY
        if mints or self._source.fetches:
            progress(Minting())
        credential = await self._source.get()
        # Azure takes offers under client secrets only.
        return await self._signalling.mint(credential, session) if mints else credential

    def _carried(self, sent: Session | None) -> bool:
        return sent is not None or (self._endpoint.provider is Provider.AZURE and self._source.kind is Kind.API_KEY)


class SocketLine:
    """Calls over a WebSocket."""

    def __init__(self, endpoint: Endpoint, source: Source, dial: Dial) -> None:
        self._endpoint = endpoint
        self._source = source
        self._dial = dial

    @property
    def renews(self) -> bool:
        """See `Line.renews`."""
        return self._source.fetches

    async def open(self, session: Session, progress: Progress) -> Placed:
        """See `Line.open`."""
        model = session.model if isinstance(session, RealtimeSession) else None
        if isinstance(model, UnsetType):
            raise ConfigError("A conversation over a WebSocket needs a model; give one.")
        if self._source.fetches:
            progress(Minting())
        credential = await self._source.get()
        progress(Negotiating())
        transport = await self._dial(self._endpoint.websocket(model), self._endpoint.headers(credential))
        progress(Connecting())
        return Placed(transport, Configured.NOT_YET)


def update_of(session: Session) -> Session | None:
    """What of a config is sent once a session has begun; None when that is nothing.

    The model is fixed by then, and servers differ in what they do when told of it again.
    """
    bare = replace(session, model=UNSET) if isinstance(session, RealtimeSession) else session
    return None if bare == type(bare)() else bare
