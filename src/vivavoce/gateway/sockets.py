"""WebSockets: a conversation of its own, or a second party on a WebRTC call."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from typing import Final, TypeVar

from starlette.websockets import WebSocket

from vivavoce.errors import RequestError, VivaError
from vivavoce.gateway.beta import AZURE_PREVIEW, speaks_beta
from vivavoce.gateway.caller import Caller, Reception, safety_identifier
from vivavoce.gateway.cors import origin_refused
from vivavoce.gateway.credential import select_subprotocol
from vivavoce.gateway.desk import Desk
from vivavoce.gateway.interface import Answerer, Carry, Ids, Interpret, SocketRequest, plain
from vivavoce.gateway.origin import Origins, is_same_origin
from vivavoce.gateway.registry import Registry
from vivavoce.gateway.reply import as_request_error, error_reply, server_error
from vivavoce.gateway.settings import Beta
from vivavoce.telemetry.log import Log
from vivavoce.transport.interface import Transport
from vivavoce.wire.codec import encode
from vivavoce.wire.config import RealtimeSession, Session, TranscriptionSession
from vivavoce.wire.event import Error, ErrorBody

T = TypeVar("T")

_BETA_CLOSE: Final = 4000
_DENIAL: Final = "websocket.http.response"
_CLOSE_CODES: Final = {401: 3000, 403: 3003, 429: 1013, 500: 1011, 503: 1013}
"""For servers that cannot refuse in HTTP; the first two are registered for this."""

_log = Log("gateway.sockets")


@dataclass(frozen=True)
class Visit:
    """What an admitted WebSocket will do, and what its handshake is answered with."""

    talk: Callable[[Transport], Awaitable[None]]
    headers: dict[str, str]


@dataclass(frozen=True)
class Sideband:
    """Join a call that runs."""

    call_id: str


@dataclass(frozen=True)
class Conversation:
    """Start a conversation of its own."""

    session: Session


def purpose(model: str | None, call_id: str | None, intent: str | None) -> Sideband | Conversation:
    """What a WebSocket is for, by its query. `model` beside `call_id` is ignored, as at OpenAI.

    Raises:
        RequestError: not exactly one of the three, or an unknown intent.
    """
    match model, call_id, intent:
        case _, str(), None:
            return Sideband(call_id)
        case str(), None, None:
            return Conversation(RealtimeSession(model=model))
        case None, None, "transcription":
            return Conversation(TranscriptionSession())
        case None, None, None:
            raise RequestError(
                "The URL says nothing of what to open: add ?model=, ?call_id= or ?intent=transcription.",
                code="missing_required_parameter",
                param="model",
            )
        case str(), None, "transcription":
            raise RequestError(
                "You must not provide a model parameter for transcription sessions. Leave it out of the URL and name "
                "the model in session.audio.input.transcription.model.",
                code="invalid_value",
                param="model",
            )
        case None, None, _:
            raise RequestError("The only intent is transcription.", code="invalid_value", param="intent")
        case _:
            raise RequestError(
                "The URL asks for several things at once: give one of model, call_id and intent.",
                code="invalid_value",
                param="intent",
            )


class Sockets:
    """The endpoint `WS /v1/realtime`. All refusals but one come before the upgrade, as HTTP."""

    def __init__(
        self,
        answerer: Answerer,
        reception: Reception,
        desk: Desk,
        registry: Registry,
        origins: Origins,
        carry: Carry,
        ids: Ids,
        beta: Beta,
    ) -> None:
        self._answerer = answerer
        self._reception = reception
        self._desk = desk
        self._registry = registry
        self._origins = origins
        self._carry = carry
        self._ids = ids
        self._beta = beta

    async def open(self, socket: WebSocket) -> None:
        """Serve one WebSocket from its handshake to its end."""
        async with AsyncExitStack() as stack:
            visit = await admitted(socket, self._admit(socket, stack))
            if visit is not None:
                await accept(socket, visit.headers)
                await self._serve(visit, self._carry(socket))

    async def recognise(self, socket: WebSocket) -> Caller:
        """Who opens it, and whether the page that they do it from may.

        Raises:
            RequestError: nobody who may.
            StoreError: a secret cannot be looked up.
        """
        origin = socket.headers.get("origin")
        if origin is not None and not self._may_come_from(origin, socket.headers.get("host", "")):
            raise origin_refused(origin)
        return await self._reception.recognise(socket)

    def _interpret(self, socket: WebSocket, caller: Caller) -> Interpret | None:
        """How to understand a client; None for one of the beta where nobody does."""
        if not speaks_beta(socket):
            return plain
        return self._desk.interpreting(caller) if self._beta is Beta.TRANSLATED else None

    async def _admit(self, socket: WebSocket, stack: AsyncExitStack) -> Visit:
        caller = await self.recognise(socket)
        interpret = self._interpret(socket, caller)
        if interpret is None:
            return Visit(self._dismiss_beta, {})
        query = socket.query_params
        model = query.get("model", query.get("deployment"))  # Azure's word for it
        match purpose(model, query.get("call_id"), query.get("intent")):
            case Sideband(call_id):
                entry = self._registry.find(call_id, caller)
                stack.enter_context(self._registry.sideband(entry))
                return Visit(lambda carrier: entry.call.join(interpret(carrier)), {})
            case Conversation(given):
                let_in = stack.enter_context(ExitStack())
                return await self._admit_conversation(socket, caller, given, interpret, let_in)

    async def _admit_conversation(
        self, socket: WebSocket, caller: Caller, given: Session, interpret: Interpret, let_in: ExitStack
    ) -> Visit:
        end_user = self._desk.end_user(caller, safety_identifier(socket))
        place = await self._desk.enter(caller)
        let_in.callback(place.leave)
        session = await self._desk.settle(caller, given)
        allowance = self._desk.allowance(caller)
        request = SocketRequest(self._ids("rtc"), session, caller.identity, end_user, allowance)
        lifeline = self._desk.lifeline()

        async def talk(carrier: Transport) -> None:
            transport = lifeline.over(carrier)
            call = self._answerer.converse(request, interpret(transport))
            entry = self._registry.add(call, caller, place, lifeline)
            let_in.pop_all()  # the registry leaves the place
            await self._registry.lend(entry, transport, transport.first)

        path = "/openai/v1/realtime" if socket.url.path == AZURE_PREVIEW else socket.url.path
        return Visit(talk, {"Location": f"{path}/calls/{request.id}", **lifeline.headers()})

    async def _serve(self, visit: Visit, transport: Transport) -> None:
        try:
            await visit.talk(transport)
        except Exception as error:
            # The edge of a connection: the others live on, and this one is told that it was our fault.
            _log.failure("socket_broke", error)
            await transport.close(1011, "internal error")
        finally:
            await transport.close()

    def _may_come_from(self, origin: str, host: str) -> bool:
        return self._origins.allows(origin) or is_same_origin(origin, host)

    async def _dismiss_beta(self, carrier: Transport) -> None:
        """As the live service since May 2026: an error event, then close code 4000."""
        body = ErrorBody(
            type="invalid_request_error",
            code="beta_api_shape_disabled",
            message="The Realtime Beta API is not supported here. Leave out the OpenAI-Beta header and the subprotocol "
            "openai-beta.realtime-v1, and use the event names of the GA API.",
            param=None,
            event_id=None,
        )
        carrier.send(encode(Error(event_id=self._ids("event"), error=body)))
        await carrier.close(_BETA_CLOSE, "invalid_request_error.beta_api_shape_disabled")


async def admitted(socket: WebSocket, admission: Awaitable[T]) -> T | None:
    """What a handshake comes to; None when it has been refused."""
    try:
        return await admission
    except VivaError as error:
        await refuse(socket, as_request_error(error))
    except Exception as error:
        # The edge of a request, as in `Guard`.
        _log.failure("handshake_broke", error)
        await refuse(socket, server_error(500))
    return None


async def accept(socket: WebSocket, headers: Mapping[str, str]) -> None:
    """Finish the handshake."""
    named = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await socket.accept(select_subprotocol(socket.scope["subprotocols"]), named)


async def refuse(socket: WebSocket, error: RequestError) -> None:
    """Refuse before the upgrade, with the status and JSON of any other request, if the server can do so.

    If it cannot, the socket is opened and closed at once: a close code says more than a failed handshake.
    """
    if _DENIAL in socket.scope.get("extensions", {}):
        await socket.send_denial_response(error_reply(error))
        # uvicorn writes an error down for a handler that returns before its refused connection is gone.
        await asyncio.sleep(0)
        return
    await socket.accept(select_subprotocol(socket.scope["subprotocols"]))
    await socket.close(_CLOSE_CODES.get(error.status, 1008), error.code or error.type)
