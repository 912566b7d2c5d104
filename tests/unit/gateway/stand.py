"""A gateway with a fake behind it: calls that are real objects with real ends, but no sound and no WebRTC."""

import asyncio
import json
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient, WebSocketDenialResponse, WebSocketTestSession

from vivavoce.errors import OfferError, RequestError
from vivavoce.gateway.app import gateway_app
from vivavoce.gateway.identity import open_keyring
from vivavoce.gateway.interface import CallRequest, LiveCall, SocketRequest
from vivavoce.gateway.settings import Beta, Limits, SecretUse, Settings
from vivavoce.session.settings import effective
from vivavoce.store.memory import MemoryStore
from vivavoce.telemetry.secret import Secret
from vivavoce.testing.clock import ManualClock
from vivavoce.transport.interface import Opened, Text, Transport
from vivavoce.transport.memory import MemoryTransport, join
from vivavoce.transport.websocket import take
from vivavoce.wire.config import Session

KEY = "sk-of-anna-0123456789"
OTHER_KEY = "sk-of-bela-0123456789"
OFFER = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
DATA_ONLY = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
ANSWER = "v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"


@dataclass(frozen=True)
class FakeModel:
    id: str
    owned_by: str = "vivavoce"
    created: int = 1_790_000_000


MODELS = (FakeModel("house"), FakeModel("parrot"))


class FakeCall:
    """A call in which every party hears what any party says."""

    def __init__(self, id: str) -> None:
        self._id = id
        self._connected = asyncio.Event()
        self._over = asyncio.Event()
        self._parties: list[Transport] = []
        self.code: int | None = None

    @property
    def id(self) -> str:
        return self._id

    @property
    def parties(self) -> int:
        return len(self._parties)

    async def arrive(self) -> None:
        """The caller connects."""
        self._connected.set()

    async def connected(self) -> None:
        await self._connected.wait()

    async def ended(self) -> None:
        await self._over.wait()

    async def hangup(self, code: int = 1000) -> None:
        self.code = code
        for party in list(self._parties):
            await party.close(1000, "over")
        self._connected.set()
        self._over.set()

    async def join(self, transport: Transport) -> None:
        self._parties.append(transport)

        def deliver(arrived: object) -> None:
            if isinstance(arrived, Text):
                for party in self._parties:
                    party.send(f"heard {arrived.text}")

        try:
            await transport.run(deliver)
        finally:
            self._parties.remove(transport)


class FakeConversation(FakeCall):
    """A call with an echo of what is said; an event comes back as it is."""

    def __init__(self, id: str, transport: Transport) -> None:
        super().__init__(id)
        self._transport = transport

    async def run(self) -> None:
        def deliver(arrived: object) -> None:
            match arrived:
                case Opened():
                    self._connected.set()
                case Text("break"):
                    raise RequestError("The fake broke.", code=None)
                case Text(text):
                    self._transport.send(text if text.startswith("{") else f"echo {text}")
                case _:
                    pass

        try:
            await self._transport.run(deliver)
        except RequestError:
            await self._transport.close(1011)
        finally:
            self._connected.set()
            self._over.set()

    async def hangup(self, code: int = 1000) -> None:
        await self._transport.close(code)
        await self._over.wait()


class StubbornCall(FakeCall):
    """Does not end when told to."""

    async def hangup(self, code: int = 1000) -> None:
        await asyncio.Event().wait()


@dataclass
class FakeAnswerer:
    """Answers offers with sound in them. `troubles` are raised by the next answers, first come first served."""

    calls: list[FakeCall] = field(default_factory=list[FakeCall])
    call_requests: list[CallRequest] = field(default_factory=list[CallRequest])
    socket_requests: list[SocketRequest] = field(default_factory=list[SocketRequest])
    troubles: list[Exception] = field(default_factory=list[Exception])
    hold: asyncio.Event | None = None
    pick_up: Callable[[str], FakeCall] = FakeCall
    opened: int = 0
    closed: int = 0
    conversations: list["FakeConversation"] = field(default_factory=list["FakeConversation"])
    lines: list[MemoryTransport] = field(default_factory=list[MemoryTransport])
    """The callers' ends of connections that have no socket."""
    connects: bool = False
    """Calls have such connections at all."""
    tasks: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup)

    async def __aenter__(self) -> "FakeAnswerer":
        self.opened += 1
        await self.tasks.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.tasks.__aexit__(None, None, None)
        self.closed += 1

    def models(self) -> Sequence[FakeModel]:
        return MODELS

    def effective(self, session: Session, session_id: str, expires_at: int) -> Session:
        return effective(session, session_id, MODELS[0].id, expires_at)

    async def answer(self, request: CallRequest) -> tuple[LiveCall, str]:
        if self.hold is not None:
            await self.hold.wait()
        if self.troubles:
            raise self.troubles.pop(0)
        if "m=audio" not in request.offer:
            raise OfferError("There is no audio section in it.")
        self.effective(request.session, "sess_1", 0)
        call = self._pick_up(request)
        self.calls.append(call)
        self.call_requests.append(request)
        return call, ANSWER

    def _pick_up(self, request: CallRequest) -> FakeCall:
        if not self.connects:
            return self.pick_up(request.id)
        near, far = join()
        self.lines.append(far)
        call = FakeConversation(request.id, request.interpret(near))
        self.tasks.create_task(call.run())
        return call

    def converse(self, request: SocketRequest, transport: Transport) -> LiveCall:
        self.socket_requests.append(request)
        call = FakeConversation(request.id, transport)
        self.conversations.append(call)
        self.tasks.create_task(call.run())
        return call

    async def reconnect(self, offer: str) -> tuple[Transport, str]:
        if self.troubles:
            raise self.troubles.pop(0)
        if "m=audio" not in offer:
            raise OfferError("There is no audio section in it.")
        near, far = join()
        self.lines.append(far)
        return near, ANSWER


@dataclass
class Stand:
    """A gateway that is up, and what surrounds it."""

    client: TestClient
    answerer: FakeAnswerer
    clock: ManualClock
    store: MemoryStore

    def post(self, path: str, *, key: str | None = KEY, content: bytes | str = b"", **headers: str) -> "Reply":
        """Headers are named with underscores: `content_type`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            named.setdefault("authorization", f"Bearer {key}")
        return Reply.of(self.client.post(path, content=content, headers=named))

    def get(self, path: str, *, key: str | None = KEY) -> "Reply":
        return Reply.of(self.client.get(path, headers={} if key is None else {"authorization": f"Bearer {key}"}))

    def call(self, *, key: str = KEY, offer: str = OFFER, path: str = "/v1/realtime/calls") -> "Reply":
        return self.post(path, key=key, content=offer, content_type="application/sdp")

    def mint(self, body: str = "", *, key: str = KEY, **headers: str) -> "Reply":
        return self.post("/v1/realtime/client_secrets", key=key, content=body, **headers)

    def secret(self, body: str = "", *, key: str = KEY) -> str:
        reply = self.mint(body, key=key)
        assert reply.status == 200, reply.body
        value = reply.json()["value"]
        assert isinstance(value, str)
        return value

    def arrive(self, call: FakeCall) -> None:
        assert self.client.portal is not None
        self.client.portal.call(call.arrive)

    def end(self, call: FakeCall) -> None:
        assert self.client.portal is not None
        self.client.portal.call(call.hangup)

    def running(self) -> object:
        """How many calls the server says it has."""
        return self.get("/healthz", key=None).json()["calls"]

    def refusal(self, path: str, *, subprotocols: Sequence[str] = (), **headers: str) -> "Reply":
        """The HTTP reply to a WebSocket handshake that must fail."""
        with pytest.raises(WebSocketDenialResponse) as refused, self.socket(path, subprotocols=subprotocols, **headers):
            pass
        return Reply.of(refused.value)

    def part(self, socket: WebSocketTestSession, code: int = 1006) -> None:
        """Be gone, by default without a word, and let the server notice. Leaving a `socket` cancels its handler."""
        socket.close(code)
        self.running()

    def socket(self, path: str, *, subprotocols: Sequence[str] = (), **headers: str) -> WebSocketTestSession:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.websocket_connect(path, subprotocols=list(subprotocols) or None, headers=named)


@dataclass(frozen=True)
class Reply:
    """An HTTP reply, its JSON with types that can be checked."""

    status: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, reply: Response) -> "Reply":
        return cls(reply.status_code, dict(reply.headers), reply.content)

    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str | None, str | None]:
        """Status, code and param of a refusal, whose shape is checked on the way."""
        assert self.headers["content-type"] == "application/json"
        body = self.json()
        assert body.keys() == {"error"}
        error = body["error"]
        assert error.keys() == {"message", "type", "param", "code"}
        assert isinstance(error["message"], str)
        assert isinstance(error["type"], str)
        return self.status, error["code"], error["param"]


def settings(
    *,
    bind: str = "127.0.0.1",
    keys: tuple[str, ...] = (KEY, OTHER_KEY),
    origins: tuple[str, ...] | None = None,
    use: SecretUse = SecretUse.REUSABLE,
    limits: Limits | None = None,
    beta: Beta = Beta.TRANSLATED,
    keep_s: int = 60,
) -> Settings:
    keyring = tuple(Secret(key) for key in keys)
    return Settings(bind, keyring, origins, use, limits or Limits(), beta, keep_detached_s=keep_s)


@contextmanager
def standing(
    chosen: Settings | None = None,
    *,
    page: Path | None = None,
    beside: Stand | None = None,
    store_of: Callable[[ManualClock], MemoryStore] = MemoryStore,
) -> Generator[Stand]:
    """A gateway with its lifespan on, until the context ends; `beside` another it shares clock and store."""
    chosen = chosen or settings()
    answerer = FakeAnswerer()
    clock = ManualClock() if beside is None else beside.clock
    store = store_of(clock) if beside is None else beside.store
    app = gateway_app(chosen, open_keyring(chosen), answerer, store, clock, take, page=page)
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        yield Stand(client, answerer, clock, store)
