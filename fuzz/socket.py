"""Bytes of strangers at the server's door: heads and bodies of requests, and WebSocket frames.

The connection is the one that uvicorn makes, the application the gateway with scripted engines behind it; only the
socket is missing. Nothing that arrives may raise into the event loop, be logged as a fault of ours, get a 5xx, or leave
a task behind.
"""

import asyncio
import logging
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Final, Never

import h11
import uvicorn
from uvicorn.server import ServerState

from fuzz import seed
from fuzz.target import Target
from vivavoce.answer.job import Engines
from vivavoce.answer.local import LocalAnswers
from vivavoce.clock import SystemClock
from vivavoce.engine.fake import ScriptedDetector, ScriptedSpeaker, ScriptedThinker, ScriptedTranscriber
from vivavoce.errors import OfferError
from vivavoce.gateway.app import gateway_app
from vivavoce.gateway.connection import Connection
from vivavoce.gateway.identity import open_keyring
from vivavoce.gateway.ids import new_id
from vivavoce.gateway.settings import Limits, Settings
from vivavoce.store.memory import MemoryStore
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.interface import Transport
from vivavoce.transport.websocket import take

END_S: Final = 10.0
"""Everything has ended so long after the connection was gone: a thread may still be reading a long message."""

UPGRADE: Final = (
    b"GET /v1/realtime?model=gpt-realtime HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Authorization: Bearer " + seed.KEY.encode() + b"\r\n\r\n"
)


class Refusing:
    """Answers no offer: the WebRTC engine is not what is tried here."""

    async def answer(self, offer: str) -> tuple[Transport, str]:
        """See `Answering.answer`."""
        raise OfferError(f"No offer of {len(offer)} characters is answered here.")


class Wire(asyncio.Transport):
    """A socket without a network."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__({"peername": ("127.0.0.1", 9), "sockname": ("127.0.0.1", 80)})
        self.loop = loop
        self.protocol: asyncio.Protocol | None = None
        self.written = bytearray()
        self.closing = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """An upgrade."""
        assert isinstance(protocol, asyncio.Protocol)
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who reads."""
        return self.protocol or asyncio.Protocol()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """What the server says."""
        if not self.closing:
            self.written += data

    def is_closing(self) -> bool:
        """Whether it has hung up."""
        return self.closing

    def close(self) -> None:
        """Hang up."""
        if not self.closing:
            self.closing = True
            self.loop.call_soon(self.lose)

    def abort(self) -> None:
        """Hang up at once."""
        self.close()

    def lose(self) -> None:
        """The connection is gone."""
        protocol, self.protocol = self.protocol, None
        if protocol is not None:
            self.closing = True
            protocol.connection_lost(None)

    def pause_reading(self) -> None:
        """Everything has been read."""

    def resume_reading(self) -> None:
        """Nothing more is there."""


class Faults(logging.Handler):
    """What the server says went wrong on its own side."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    @contextmanager
    def listening(self) -> Iterator[None]:
        """What is said meanwhile is kept here and goes nowhere else."""
        loggers = [logging.getLogger(name) for name in ("vivavoce", "uvicorn.error")]
        for logger in loggers:
            logger.addHandler(self)
            logger.propagate = False
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeHandler(self)
                logger.propagate = True

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        if "Invalid UTF-8" not in record.getMessage():  # uvicorn's way of noting a peer's fault
            self.said.append(f"{record.name}: {record.getMessage()} {record.__dict__.get('viva_fields', '')}")


class Door:
    """One server for all inputs."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.faults = Faults()
        self.loop.set_exception_handler(lambda _, context: self.faults.said.append(str(context)))
        clock = SystemClock()
        thinker = ScriptedThinker([], pause=endless)
        engines = Engines(ScriptedDetector(), ScriptedTranscriber([], pause=endless), thinker, ScriptedSpeaker())
        answers = LocalAnswers(engines, Refusing(), clock, new_id, models=("gpt-realtime",))
        often = 2**40  # no quota: what is tried here is reading
        limits = Limits(calls_per_minute=often, secrets_per_minute=often)
        settings = Settings(api_keys=(Secret(seed.KEY),), limits=limits)
        app = gateway_app(settings, open_keyring(settings), answers, MemoryStore(clock), clock, take, page=None)
        self.config = uvicorn.Config(app, ws="websockets-sansio", ws_max_size=65536, log_config=None, access_log=False)
        self.config.load()
        self._lifespan = app.router.lifespan_context(app)
        self.loop.run_until_complete(self._lifespan.__aenter__())

    def knock(self, *pieces: bytes) -> bytes:
        """Connect, send the pieces one after another, hang up; what the server said."""
        with self.faults.listening():
            return self.loop.run_until_complete(self._knock(pieces))

    async def _knock(self, pieces: tuple[bytes, ...]) -> bytes:
        before = asyncio.all_tasks()
        self.faults.said.clear()
        state = ServerState()
        wire = Wire(self.loop)
        connection = Connection(self.config, state, {}, self.loop)
        wire.protocol = connection
        connection.connection_made(wire)
        for piece in filter(None, pieces):  # asyncio hands over no empty one
            if not wire.closing and wire.protocol is not None:
                wire.protocol.data_received(piece)
            for _ in range(5):
                await asyncio.sleep(0)
        wire.lose()
        # A thread that still reads a long message is waited for.
        with suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                while left := asyncio.all_tasks() - before:
                    await asyncio.wait(left)
        left = asyncio.all_tasks() - before
        assert not left, f"still running after the connection was gone: {left}"
        assert not self.faults.said, self.faults.said
        return bytes(wire.written)


async def endless(_: float) -> Never:
    """Time that does not pass."""
    await asyncio.Event().wait()
    raise AssertionError


@cache
def door() -> Door:
    """Opened when first knocked at."""
    return Door()


def request(data: bytes) -> None:
    """Anything in place of a request, in two pieces: replies are HTTP, none of them a 5xx."""
    cut = len(data) // 2
    said = door().knock(data[:cut], data[cut:])
    if not said or b" 101 " in said[:20]:
        return
    reader = h11.Connection(h11.CLIENT, max_incomplete_event_size=2**20)
    method = "HEAD" if data.lstrip(b"\r\n")[:5] == b"HEAD " else "GET"
    reader.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    reader.send(h11.EndOfMessage())
    reader.receive_data(said)
    reader.receive_data(b"")
    event = reader.next_event()
    if isinstance(event, h11.Response):
        assert event.status_code < 500, bytes(said)


def frames(data: bytes) -> None:
    """What a peer sends after the handshake: frames, well formed or not.

    The first byte says whether the rest are raw bytes; else each frame is a byte for its first eight bits, two for its
    length, and its payload.
    """
    said = door().knock(UPGRADE, data[1:] if data[:1] < b"0" else framed(data[1:]))
    assert said.startswith(b"HTTP/1.1 101 "), said[:100]


def framed(data: bytes) -> bytes:
    """Frames, masked."""
    built = bytearray()
    while len(data) >= 3:
        size = data[1] << 8 | data[2]
        payload, first = data[3 : 3 + size], data[0]
        data = data[3 + size :]
        length = bytes([0x80 | len(payload)]) if len(payload) < 126 else struct.pack("!BH", 0xFE, len(payload))
        built += bytes([first]) + length + bytes(4) + payload
    return bytes(built)


def told(*texts: bytes, first: int = 0x81) -> bytes:
    """An input of `frames`."""
    return b"f" + b"".join(struct.pack("!BH", first, len(text)) + text for text in texts)


def conversations() -> list[bytes]:
    """Frames of a conversation, and odd ones."""
    split = struct.pack("!BH", 0x01, 4) + b'{"ty' + struct.pack("!BH", 0x80, 4) + b'pe":'
    ping, close = told(b"ping", first=0x89), told(struct.pack("!H", 1000) + b"bye", first=0x88)
    return [told(*seed.client_events()), told(b"\x00\x01", first=0x82), ping, close, b"f" + split, b"\x00\x81\x80"]


def head(method: bytes, path: bytes, *fields: bytes, body: bytes = b"") -> bytes:
    """A request by somebody who may."""
    lines = [method + b" " + path + b" HTTP/1.1", b"Host: localhost", b"Authorization: Bearer " + seed.KEY.encode()]
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, *fields, b"", b""]) + body


def requests() -> list[bytes]:
    """One of each kind."""
    secret = seed.packed({"expires_after": {"anchor": "created_at", "seconds": 600}, "session": seed.SESSION})
    sdp, form = b"Content-Type: application/sdp", b"Content-Type: multipart/form-data; boundary=seam"
    chunked = head(b"POST", b"/v1/realtime/calls", sdp, b"Transfer-Encoding: chunked") + b"4\r\nv=0\n\r\n0\r\n\r\n"
    two = b'--seam\r\nContent-Disposition: form-data; name="sdp"\r\n\r\nv=0\r\n--seam--\r\n'
    return [
        UPGRADE,
        head(b"GET", b"/v1/models"),
        head(b"GET", b"/v1/models/gpt-realtime"),
        head(b"GET", b"/healthz"),
        head(b"HEAD", b"/healthz"),
        head(b"OPTIONS", b"/v1/realtime/calls", b"Origin: http://localhost", b"Access-Control-Request-Method: POST"),
        head(b"POST", b"/v1/realtime/calls?model=gpt-realtime", sdp, body=seed.offers()[0]),
        head(b"POST", b"/v1/realtime/calls", form, body=two),
        head(b"POST", b"/v1/realtime/calls/rtc_1/hangup"),
        head(b"POST", b"/v1/realtime/client_secrets", b"Content-Type: application/json", body=secret),
        head(b"POST", b"/v1/realtime/client_secrets", b"OpenAI-Safety-Identifier: anna", b"Expect: 100-continue"),
        chunked,
        head(b"GET", b"/v1/models") * 2,
        # Found: both were written down as errors of the server.
        b"POST /v1/realtime/calls HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n",
        UPGRADE.replace(b"Bearer sk", b"Bearer no"),
    ]


HTTP_WORDS: Final = (
    *(b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"Expect: 100-continue\r\n", b"HTTP/1.0", b"PUT "),
    *(b"Origin: null\r\n", b"Sec-WebSocket-Protocol: realtime, ", b"openai-insecure-api-key.", b"%00", b"%ff", b"/../"),
    *(
        b"\r\n",
        b"\n",
        b" ",
        b"Connection: close\r\n",
        b"?call_id=rtc_1",
        b"?intent=transcription",
        b"\xe9",
        b"Upgrade: h2c\r\n",
    ),
)

TARGETS: Final = (
    Target("request", request, requests, (), HTTP_WORDS, longest=4096, smoke=500),
    Target("frames", frames, conversations, (), seed.json_words(), longest=4096, smoke=300),
)
