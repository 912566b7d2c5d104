"""Coming back to a call whose connection was lost: docs/reference/resumption.md."""

import asyncio
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Final

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from vivavoce.errors import RequestError
from vivavoce.gateway.admission import Knock
from vivavoce.gateway.body import read_body
from vivavoce.gateway.caller import Caller, Reception
from vivavoce.gateway.calls import late
from vivavoce.gateway.desk import Desk
from vivavoce.gateway.interface import Answerer, Carry
from vivavoce.gateway.offer import BodyKind, OfferReader
from vivavoce.gateway.registry import Entry, Registry, unknown_call
from vivavoce.gateway.settings import Limits
from vivavoce.gateway.sockets import Sockets, accept, admitted
from vivavoce.telemetry.log import Log
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.interface import SoundPath, Transport
from vivavoce.transport.resumable import Leg, Resumable
from vivavoce.wire.codec import EVENT_ID_CHARS
from vivavoce.wire.resumption import (
    LAST_EVENT,
    LAST_EVENT_ID,
    LAST_EVENT_PROTOCOL,
    RESUME,
    RESUME_PROTOCOL,
    SILENT_MS,
)

_SILENT_DIGITS: Final = 9

_log = Log("gateway.returning")


@dataclass(frozen=True)
class Return:
    """What somebody who comes back says of it."""

    token: Secret | None
    last_event_id: str | None
    silent_s: float | None

    @classmethod
    def of(cls, connection: HTTPConnection) -> "Return":
        """As the headers say, or the subprotocols of a WebSocket.

        Raises:
            RequestError: a header that cannot be.
        """
        token = _said(connection, RESUME, RESUME_PROTOCOL)
        last = _said(connection, LAST_EVENT_ID, LAST_EVENT_PROTOCOL)
        if last is not None and len(last) > EVENT_ID_CHARS:
            raise RequestError(f"{LAST_EVENT_ID} is too long.", code="invalid_value", param=LAST_EVENT_ID)
        silent = connection.headers.get(SILENT_MS)
        if silent is not None and not (silent.isascii() and silent.isdigit() and len(silent) <= _SILENT_DIGITS):
            raise RequestError(f"{SILENT_MS} must be a number of milliseconds.", code="invalid_value", param=SILENT_MS)
        return cls(None if token is None else Secret(token), last, None if silent is None else int(silent) / 1000)


def _said(connection: HTTPConnection, header: str, protocol: str) -> str | None:
    said = connection.headers.get(header)
    if said is not None:
        return said.strip() or None
    offered: list[str] = connection.scope.get("subprotocols", [])
    return next((each.removeprefix(protocol) for each in offered if each.startswith(protocol)), None)


@dataclass(frozen=True)
class Found:
    """A call that somebody may come back to. `place` is its path."""

    place: str
    entry: Entry
    transport: Resumable
    wish: Return
    caller: Caller

    def fence(self) -> dict[str, str]:
        """Take the call from the connection there is. To be followed by an `attach` of the transport's.

        Returns:
            The headers that tell a client how to go on, and how to come back once more.

        Raises:
            RequestError: somebody has come back by the same token meanwhile, or the call has ended (404).
        """
        lifeline = self.entry.lifeline
        if self.transport.over or self.wish.token is None or not lifeline.accepts(self.wish.token):
            raise unknown_call()
        last_read = self.transport.fence()
        told = {} if last_read is None else {LAST_EVENT: last_read}
        return {"Location": self.place} | lifeline.headers() | told


class Returning:
    """`POST` and `WS` of `/v1/realtime/calls/{call_id}/resume`."""

    def __init__(
        self,
        answerer: Answerer,
        reception: Reception,
        desk: Desk,
        registry: Registry,
        sockets: Sockets,
        carry: Carry,
        limits: Limits,
    ) -> None:
        self._answerer = answerer
        self._reception = reception
        self._desk = desk
        self._registry = registry
        self._sockets = sockets
        self._carry = carry
        self._limits = limits

    async def post(self, request: Request) -> Response:
        """201 and the SDP answer of another connection for the same call."""
        caller = await self._reception.recognise(request)
        reader = OfferReader.of(request.headers.get("content-type"), self._limits)
        if reader.kind is not BodyKind.RAW:
            raise RequestError(
                "Send the SDP offer itself, as application/sdp: the session is as it was.",
                code="unsupported_content_type",
                status=415,
            )
        found = await self._find(request, caller, SoundPath.MEDIA)
        knock = await self._desk.knock(caller)
        try:
            offer = reader.read(await read_body(request, reader.limit_bytes, self._limits.body_s))
            carrier, sdp = await self._answer(offer.sdp, found.entry.call.id)
            try:
                told = found.fence()
                self._attach(found, carrier, knock)
            except RequestError:
                await carrier.close(1011)
                raise
        except BaseException:
            knock.leave()
            raise
        return Response(sdp.encode(), status_code=201, media_type=BodyKind.RAW.value, headers=told)

    async def open(self, socket: WebSocket) -> None:
        """Go on over this WebSocket, until it is over."""
        with ExitStack() as stack:
            back = await admitted(socket, self._admit(socket, stack))
            if back is None:
                return
            found, knock, told = back
            await accept(socket, told)
            carrier = self._carry(socket)
            try:
                leg = self._attach(found, carrier, knock)
            except RequestError as error:
                await carrier.close(1011, error.code or "")
            else:
                await self._registry.lend(found.entry, found.transport, leg)

    async def _admit(self, socket: WebSocket, stack: ExitStack) -> tuple[Found, Knock, dict[str, str]]:
        caller = await self._sockets.recognise(socket)
        found = await self._find(socket, caller, SoundPath.TEXT)
        knock = await self._desk.knock(caller)
        stack.callback(knock.leave)
        return found, knock, found.fence()  # before the handshake is answered: the reply says what was read last

    async def _find(self, connection: HTTPConnection, caller: Caller, sound: SoundPath) -> Found:
        wish = Return.of(connection)
        entry, transport = self._registry.find_lost(connection.path_params["call_id"], caller, wish.token)
        found = Found(connection.url.path.rpartition("/")[0], entry, transport, wish, caller)
        if transport.traits.sound is not sound:
            raise RequestError(
                "A call comes back by what it was lost by: WebRTC or WebSocket. Start a new one to change.",
                code="transport_changed",
                status=409,
            )
        if not transport.holds(wish.last_event_id):
            # Nobody can come back to it any more, so that it need not hold its place.
            with suppress(TimeoutError):
                await self._registry.end(entry)
            raise RequestError(
                "Events after the one in Last-Event-ID are no longer kept, and the call has been ended. Start a new "
                "one, with what was said as its history.",
                code="events_lost",
                param=LAST_EVENT_ID,
                status=410,
            )
        return found

    async def _answer(self, offer: str, call_id: str) -> tuple[Transport, str]:
        try:
            async with asyncio.timeout(self._limits.answer_s):
                return await self._answerer.reconnect(offer)
        except TimeoutError:
            _log.warning("answer_took_too_long", call_id=call_id, limit_s=self._limits.answer_s)
            raise late() from None

    def _attach(self, found: Found, carrier: Transport, knock: Knock) -> Leg:
        leg = found.transport.attach(carrier, found.wish.last_event_id, found.wish.silent_s)
        if leg is None:
            # Between two steps of this request the call ended, somebody else came back, or what the client lacks was
            # forgotten: whoever tries again learns which.
            raise unknown_call()
        self._registry.follow(found.entry, found.caller, leg, knock)
        _log.info("call_returned", call_id=found.entry.call.id, identity=found.caller.identity)
        return leg
