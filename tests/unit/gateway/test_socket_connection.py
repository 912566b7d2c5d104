"""Over real sockets, as uvicorn serves them."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import CloseCode

from tests.surface import Surface
from vivavoce.gateway.socket_connection import WRITE_BYTES, SocketConnection

LARGEST = 3 * WRITE_BYTES


async def echo(connection: WebSocket) -> None:
    """Sends back every text, and of what is none its length."""
    await connection.accept()
    try:
        while True:
            message = await connection.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            await connection.send_text(f"{len(message['bytes'])} bytes" if text is None else text)
    except WebSocketDisconnect:
        return


@asynccontextmanager
async def connected(handler: Callable[[WebSocket], Awaitable[None]] = echo) -> AsyncGenerator[ClientConnection]:
    listener = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[WebSocketRoute("/", handler)])
    config = uvicorn.Config(
        app, lifespan="off", log_config=None, ws=SocketConnection, ws_max_size=LARGEST, ws_per_message_deflate=False
    )
    server = Surface(config)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listener]))
        try:
            url = f"ws://127.0.0.1:{listener.getsockname()[1]}/"
            async with connect(url, max_size=None, compression=None) as client:
                yield client
        finally:
            server.end()


@pytest.mark.parametrize(
    "text",
    ["", "short", "line\r\nby\nline\r", "бар \U0001f44b" * 70_000, "x" * (WRITE_BYTES + 1), "y" * LARGEST],
    ids=["empty", "short", "lines", "other letters", "two fragments", "the longest"],
)
async def test_a_text_comes_back_as_it_was(text: str) -> None:
    async with connected() as client:
        await client.send(text)
        assert await client.recv() == text


async def test_letters_may_be_cut_between_fragments() -> None:
    async with connected() as client:
        data = "бар".encode()
        await client.send((data[at : at + 1] for at in range(len(data))), text=True)
        assert await client.recv() == "бар"


async def test_a_long_text_goes_out_in_pieces_between_which_pings_are_answered() -> None:
    async with connected() as client:
        await client.send("z" * LARGEST)
        pong = await client.ping()
        pieces = [len(piece) async for piece in client.recv_streaming()]
        assert len(pieces) == LARGEST // WRITE_BYTES
        await pong


async def test_nothing_is_kept_of_a_binary_message() -> None:
    async with connected() as client:
        await client.send(b"abc")
        assert await client.recv() == "0 bytes"


@pytest.mark.parametrize(
    ("sent", "code"), [(b"\xff" * 8, CloseCode.INVALID_DATA), (b"x" * (LARGEST + 1), CloseCode.MESSAGE_TOO_BIG)]
)
async def test_what_is_no_text_or_too_much_of_it_ends_the_connection(sent: bytes, code: CloseCode) -> None:
    async with connected() as client:
        await client.send(sent, text=True)
        await client.wait_closed()
        assert client.close_code == code


async def test_a_server_that_leaves_says_so_after_a_long_text() -> None:
    async def talk(connection: WebSocket) -> None:
        await connection.accept()
        await connection.send_text("x" * LARGEST)
        await connection.close(4000, "enough")

    async with connected(talk) as client:
        assert await client.recv() == "x" * LARGEST
        await client.wait_closed()
        assert (client.close_code, client.close_reason) == (4000, "enough")
