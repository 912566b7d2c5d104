"""Over real sockets, since what is tested is what happens before there is a request."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from uvicorn.server import ServerState
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.unit.gateway.stand import KEY, OFFER, FakeAnswerer, settings
from vivavoce.gateway.app import gateway_app
from vivavoce.gateway.connection import connection_class
from vivavoce.gateway.identity import open_keyring
from vivavoce.gateway.settings import Limits
from vivavoce.store.memory import MemoryStore
from vivavoce.testing.clock import ManualClock
from vivavoce.transport.websocket import take

SHORT_S = 0.2
"""Where nothing is to arrive in time."""
LONG_S = 1.0
"""Where a whole request is, on a busy computer too."""


@asynccontextmanager
async def serving(head_s: float = 10.0, limits: Limits | None = None) -> AsyncGenerator[int]:
    """A gateway on a port of this computer, as uvicorn serves it, that waits `head_s` for the head of a request."""
    chosen, clock = settings(limits=limits), ManualClock()
    app = gateway_app(chosen, open_keyring(chosen), FakeAnswerer(), MemoryStore(clock), clock, take, page=None)
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, ws="websockets-sansio")
    config.load()
    state = ServerState()
    kind = connection_class(head_s)
    async with asyncio.timeout(20), app.router.lifespan_context(app):
        server = await asyncio.get_running_loop().create_server(
            lambda: kind(config=config, server_state=state, app_state={}), "127.0.0.1", 0
        )
        async with server:
            yield server.sockets[0].getsockname()[1]
            for connection in list(state.connections):
                connection.shutdown()
            await asyncio.gather(*state.tasks)


async def read_reply(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
    )
    return head, await reader.readexactly(length)


@pytest.mark.parametrize("begun", [b"", b"POST /v1/realtime/calls HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_a_peer_that_never_finishes_its_request_is_let_go(begun: bytes) -> None:
    async with serving(SHORT_S) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


async def test_letters_that_drip_in_do_not_prolong_the_wait() -> None:
    async with serving(SHORT_S) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        async with asyncio.TaskGroup() as group:
            dripping = group.create_task(drip(writer))
            assert await reader.read() == b""
            dripping.cancel()
        writer.close()


async def drip(writer: asyncio.StreamWriter) -> None:
    pause = asyncio.Event()
    while True:
        writer.write(b"x")
        try:
            async with asyncio.timeout(SHORT_S / 10):
                await pause.wait()
        except TimeoutError:
            continue


async def test_requests_on_one_connection_are_served_and_a_half_one_after_them_is_not_waited_for() -> None:
    async with serving(LONG_S) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            head, body = await read_reply(reader)
            assert head.startswith(b"HTTP/1.1 200")
            assert json.loads(body)["status"] == "ok"
        writer.write(b"GET /heal")
        assert await reader.read() == b""
        writer.close()


async def test_a_body_that_nobody_wants_is_not_listened_to_for_ever() -> None:
    async with serving(LONG_S) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /v1/realtime/calls HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\nv=0")
        head, _ = await read_reply(reader)
        assert head.startswith(b"HTTP/1.1 401")
        async with asyncio.TaskGroup() as group:
            dripping = group.create_task(drip(writer))
            assert await reader.read() == b""
            dripping.cancel()
        writer.close()


async def test_a_slow_body_is_bounded_by_its_own_limit_and_not_by_that_of_the_head() -> None:
    async with serving(LONG_S, Limits(body_s=1.5 * LONG_S)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST /v1/realtime/calls HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
        writer.write(f"{head}Content-Type: application/sdp\r\nContent-Length: {len(OFFER)}\r\n\r\nv=0".encode())
        reply, body = await read_reply(reader)
        assert reply.startswith(b"HTTP/1.1 408")
        assert json.loads(body)["error"]["code"] == "request_timeout"
        assert await reader.read() == b""
        writer.close()


async def test_what_is_not_http_is_refused_in_json() -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        head, body = await read_reply(reader)
        assert head.startswith(b"HTTP/1.1 400")
        assert json.loads(body)["error"]["code"] == "invalid_http"
        writer.close()


async def test_a_socket_stays_open_beyond_the_patience_for_heads() -> None:
    async with serving(LONG_S) as port:
        url = f"ws://127.0.0.1:{port}/v1/realtime?model=house"
        async with connect(url, additional_headers={"Authorization": f"Bearer {KEY}"}, proxy=None) as socket:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.5 * LONG_S):
                    await socket.recv()
            await socket.send("hello")
            assert await socket.recv() == "echo hello"


@pytest.mark.parametrize(
    ("query", "key", "status", "code"),
    [
        ("model=house", "sk-wrong-key-0000", 401, "invalid_api_key"),
        ("call_id=rtc_none", KEY, 404, "call_id_not_found"),
        ("model=gpt-x", KEY, 404, "model_not_found"),
    ],
)
async def test_a_socket_is_refused_in_http_with_json(query: str, key: str, status: int, code: str) -> None:
    async with serving() as port:
        url = f"ws://127.0.0.1:{port}/v1/realtime?{query}"
        with pytest.raises(InvalidStatus) as refused:
            await connect(url, additional_headers={"Authorization": f"Bearer {key}"}, proxy=None)
        assert refused.value.response.status_code == status
        assert json.loads(refused.value.response.body or b"")["error"]["code"] == code


async def test_a_browsers_subprotocols_are_answered_with_realtime_alone() -> None:
    async with serving() as port:
        url = f"ws://127.0.0.1:{port}/v1/realtime?model=house"
        offered = ["realtime", f"openai-insecure-api-key.{KEY}"]
        async with connect(url, subprotocols=offered, proxy=None) as socket:  # pyright: ignore[reportArgumentType]
            assert socket.subprotocol == "realtime"
            assert socket.response is not None
            assert KEY not in str(socket.response.headers)


async def test_a_body_that_turns_out_to_be_none_gets_one_refusal_and_is_nobody_elses_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /v1/realtime/calls HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\nv=0\r\n"
        )
        said = await reader.read()
        assert said.startswith(b"HTTP/1.1 400 ")
        assert said.count(b"HTTP/1.1") == 1
        assert json.loads(said.partition(b"\r\n\r\n")[2])["error"]["code"] == "invalid_http"
        writer.close()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_refusing_a_websocket_is_no_error_of_the_server(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as port:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{port}/v1/realtime?model=house")
        assert refused.value.response.status_code == 401
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_what_comes_behind_a_refusal_and_is_no_http_ends_the_connection_quietly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /v1/realtime/calls HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        head, _ = await read_reply(reader)
        assert b" 401 " in head
        writer.write(b'"""no length\r\n')
        assert await reader.read() == b""
        writer.close()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
