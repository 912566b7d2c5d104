"""How one call reaches its server: by WebRTC, or by a WebSocket where UDP is shut.

A line can be opened again; each opening is a new session. It does not know what is said over it.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from vivavoce.client.address import Address, source
from vivavoce.client.endpoint import Endpoint, Provider
from vivavoce.client.secret import Credential, Kind, Source
from vivavoce.client.signalling import Claim, Signalling, Terms
from vivavoce.client.state import Connecting, Minting, Negotiating
from vivavoce.errors import ConfigError, TransportError
from vivavoce.transport.interface import Offering, Transport
from vivavoce.wire.config import RealtimeSession, Session

Step = Minting | Negotiating | Connecting
Progress = Callable[[Step], None]
"""Told of each step as it begins."""
RESUME_S: Final = 8.0
"""How long the server may take to agree that a session goes on, once it can be reached."""


class Dialled(Transport, Protocol):
    """A WebSocket that was opened."""

    @property
    def handshake(self) -> Mapping[str, str]:
        """Headers of the reply by which it was; their names in small letters."""
        ...


Dial = Callable[[str, Mapping[str, str]], Awaitable[Dialled]]
"""Opens a WebSocket by URL and headers."""
Claims = Callable[[], Claim]
"""What is to be said to come back to a session, as things are now."""


class Configured(Enum):
    """Whether the server was told the session's config while the call was placed."""

    ALREADY = "already"
    NOT_YET = "not yet"


@dataclass(frozen=True)
class Placed:
    """A connection that is being made.

    `withdraw` tells the server that a call is not wanted any more which cannot be told so itself; `answered_s` is how
    long it took to agree that a session goes on.
    """

    transport: Transport
    configured: Configured
    terms: Terms = Terms()
    withdraw: Callable[[], Awaitable[None]] | None = None
    answered_s: float = 0.0


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

    async def address(self) -> Address | None:
        """This machine's address on the way to the server, as far as can be known."""
        ...

    async def resume(self, claims: Claims) -> Placed:
        """Come back to a session, as soon as its server can be reached, which is waited for some seconds.

        Raises:
            RefusedError: the server said no.
            TransportError: it was reached, and nothing has come of it.
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
        withdraw = self._signalling.ends(credential, answer.terms.call_id)
        return Placed(transport, configured, answer.terms, withdraw)

    async def address(self) -> Address | None:
        """See `Line.address`."""
        return await source(self._endpoint.base.hostname or "")

    async def resume(self, claims: Claims) -> Placed:
        """See `Line.resume`."""
        async with self._signalling.reached() as http, in_time():
            credential = await self._source.get()
            offering = self._offering(credential)
            try:
                offer = await offering.offer()
                asked_at = asyncio.get_running_loop().time()
                answer = await self._signalling.resume(http, credential, claims(), offer)
            except BaseException:
                await offering.abandon()
                raise
            answered_s = asyncio.get_running_loop().time() - asked_at
            transport = await offering.accept(answer.sdp)
            return Placed(transport, Configured.ALREADY, answer.terms, answered_s=answered_s)

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

    def __init__(self, endpoint: Endpoint, source: Source, dial: Dial, *, timeout_s: float) -> None:
        self._endpoint = endpoint
        self._source = source
        self._dial = dial
        self._signalling = Signalling(endpoint, timeout_s)

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
        terms = Terms.of(transport.handshake)
        return Placed(transport, Configured.NOT_YET, terms, self._signalling.ends(credential, terms.call_id))

    async def address(self) -> Address | None:
        """See `Line.address`."""
        return await source(self._endpoint.base.hostname or "")

    async def resume(self, claims: Claims) -> Placed:
        """See `Line.resume`."""
        async with self._signalling.reached(), in_time():
            credential, claim = await self._source.get(), claims()
            headers = {**self._endpoint.headers(credential), **claim.headers()}
            transport = await self._dial(self._endpoint.websocket_resumption(claim.call_id), headers)
            return Placed(transport, Configured.ALREADY, Terms.of(transport.handshake))


@asynccontextmanager
async def in_time() -> AsyncGenerator[None]:
    """Bound the time in which a session is to go on.

    Raises:
        TransportError: it has run out.
    """
    try:
        async with asyncio.timeout(RESUME_S):
            yield
    except TimeoutError as error:
        raise TransportError(
            f"The server was reached, but the session did not go on within {RESUME_S:.0f} s."
        ) from error


def update_of(session: Session) -> Session | None:
    """What of a config is sent once a session has begun; None when that is nothing.

    The model is fixed by then, and servers differ in what they do when told of it again.
    """
    bare = replace(session, model=UNSET) if isinstance(session, RealtimeSession) else session
    return None if bare == type(bare)() else bare
