"""The transports that must be interchangeable, each as a connected pair."""

import asyncio
from asyncio import TaskGroup
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from tests.conformance.transport.listener import PATIENCE_S
from tests.surface import Surface
from vivavoce.transport.interface import SoundPath, Transport
from vivavoce.transport.memory import join
from vivavoce.transport.pacer import Pacer
from vivavoce.transport.webrtc.answerer import WebRtcAnswerer
from vivavoce.transport.webrtc.offerer import WebRtcOfferer
from vivavoce.transport.websocket import WebSocketTransport, dial, take

TURNS: Final = 5
Pair = tuple[Transport, Transport]
"""The end that called, and the end that was called."""
Connect = Callable[[], AbstractAsyncContextManager[Pair]]


@asynccontextmanager
async def webrtc_pair() -> AsyncGenerator[Pair]:
    async with Pacer() as pacer:
        offerer = WebRtcOfferer(pacer)
        far, answer = await WebRtcAnswerer(pacer).answer(await offerer.offer())
        near = await offerer.accept(answer)
        try:
            yield near, far
        finally:
            await near.close()
            await far.close()


class SocketServer:
    """A real server on loopback whose every WebSocket becomes one far end."""

    def __init__(self) -> None:
        self._taken: asyncio.Queue[WebSocketTransport] = asyncio.Queue()
        self._done = asyncio.Event()
        app = Starlette(routes=[WebSocketRoute("/", self._serve)])
        config = uvicorn.Config(
            app,
            host="127.0.0.1",
            port=0,
            log_level="critical",
            lifespan="off",
            ws_max_size=2**25,
            ws="websockets-sansio",
        )
        self.server = Surface(config)

    async def _serve(self, accepted: WebSocket) -> None:
        await accepted.accept()
        self._taken.put_nowait(take(accepted))
        # The framework's connection lives as long as its handler; the test runs the transport.
        await self._done.wait()

    @asynccontextmanager
    async def up(self) -> AsyncGenerator[str]:
        async with TaskGroup() as tasks:
            serving = tasks.create_task(self.server.serve())
            async with asyncio.timeout(PATIENCE_S):
                await self.server.settled.wait()
            host, port = self.server.servers[0].sockets[0].getsockname()
            try:
                yield f"ws://{host}:{port}/"
            finally:
                self._done.set()
                self.server.end()
                await serving

    async def taken(self) -> WebSocketTransport:
        async with asyncio.timeout(PATIENCE_S):
            return await self._taken.get()


@asynccontextmanager
async def websocket_pair() -> AsyncGenerator[Pair]:
    server = SocketServer()
    async with server.up() as url:
        near = await dial(url, {})
        far = await server.taken()
        try:
            yield near, far
        finally:
            await near.close()
            await far.close()


@asynccontextmanager
async def memory_pair(sound: SoundPath) -> AsyncGenerator[Pair]:
    near, far = join(sound)

    async def pass_time() -> None:
        """A frame goes by whenever everybody has had a turn: nobody waits for a clock."""
        while True:
            near.advance()
            far.advance()
            for _ in range(TURNS):
                await asyncio.sleep(0)

    async with TaskGroup() as tasks:
        passing = tasks.create_task(pass_time())
        yield near, far
        passing.cancel()


_PAIRS: dict[str, Connect] = {
    "webrtc": webrtc_pair,
    "websocket": websocket_pair,
    "memory-media": lambda: memory_pair(SoundPath.MEDIA),
    "memory-text": lambda: memory_pair(SoundPath.TEXT),
}


@pytest.fixture(params=sorted(_PAIRS))
def connect(request: pytest.FixtureRequest) -> Connect:
    return _PAIRS[str(request.param)]


# The pair in memory may run beside busy neighbours: nothing of it can come too late on its way.
@pytest.fixture(params=[pytest.param("webrtc", marks=pytest.mark.realtime), "memory-media"])
def connect_with_sound(request: pytest.FixtureRequest) -> Connect:
    return _PAIRS[str(request.param)]


@pytest.fixture(params=["websocket", "memory-text"])
def connect_without_sound(request: pytest.FixtureRequest) -> Connect:
    return _PAIRS[str(request.param)]
