"""What WebSockets do beyond what every transport does: refusals, limits, and ends of many kinds."""

import asyncio
import json
import socket as sockets
from asyncio import TaskGroup
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect as plain_connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from tests.conformance.transport.conftest import SocketServer
from tests.conformance.transport.listener import PATIENCE_S, Listener, listening
from tests.proxy import proxying
from vivavoce.errors import ConfigError, Fault, Never, NewSecret, Next, RefusedError, Retry, TransportError
from vivavoce.telemetry.secret import Secret
from vivavoce.transport import websocket
from vivavoce.transport.interface import Closed, ClosedBy, Inbound
from vivavoce.transport.websocket import LARGEST_TEXT, dial, take

PROTOCOL = Subprotocol("realtime")
Answer = Callable[[ServerConnection, Request], Response | None]


@asynccontextmanager
async def server(
    handle: Callable[[ServerConnection], Awaitable[None]],
    answer: Answer | None = None,
    subprotocols: Sequence[Subprotocol] | None = None,
) -> AsyncGenerator[str]:
    async with serve(
        handle, "127.0.0.1", 0, process_request=answer, close_timeout=1, subprotocols=subprotocols
    ) as serving:
        host, port = serving.sockets[0].getsockname()
        yield f"ws://{host}:{port}/v1/realtime"


async def until_closed(connection: ServerConnection) -> None:
    await connection.wait_closed()


# ── a client and its way ────────────────────────────────────────────────────────────────────────────────


async def echo(connection: ServerConnection) -> None:
    await connection.send(await connection.recv())


async def test_a_proxy_is_gone_through_and_told_who_asks() -> None:
    async with server(echo) as url, proxying("hunter2") as proxy:
        way = Secret(proxy.url.replace("//", "//me:hunter2@"))
        near = await dial(url, {}, proxy=way)
        async with listening(near) as (here,):
            near.send("hello")
            await here.until(lambda: here.texts == ["hello"])
        assert proxy.asked == [urlsplit(url).netloc]


async def test_a_proxy_that_refuses_is_told_as_such() -> None:
    async with server(echo) as url, proxying("hunter2") as proxy:
        with pytest.raises(TransportError) as refused:
            await dial(url, {}, proxy=Secret(proxy.url.replace("//", "//me:wrong@")))
    assert (refused.value.fault, refused.value.next) == (Fault.CALLER, Never())
    assert "wrong" not in refused.value.message


async def test_no_proxy_of_the_environment_is_taken_that_nobody_has_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "ws_proxy", "socks_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with server(echo) as url:
        await (await dial(url, {})).close()


# ── a client is refused, or finds nobody ────────────────────────────────────────────────────────────────


def refusing(status: HTTPStatus, body: str, headers: Mapping[str, str]) -> Answer:
    def answer(_connection: ServerConnection, _request: Request) -> Response:
        return Response(status, "no", Headers(headers), body.encode())

    return answer


@pytest.mark.parametrize(
    ("status", "body", "headers", "fault", "advice", "code"),
    [
        (
            401,
            {"error": {"message": "bad", "code": "invalid_api_key"}},
            {},
            Fault.CALLER,
            NewSecret(),
            "invalid_api_key",
        ),
        (403, {"error": {"message": "no", "code": None}}, {}, Fault.CALLER, Never(), None),
        (429, {"error": {"message": "slow"}}, {"Retry-After": "17"}, Fault.PROVIDER, Retry(17.0), None),
        (429, "busy", {"Retry-After": "Fri, 20 Nov 2026"}, Fault.PROVIDER, Retry(1.0), None),
        (503, ["?"], {}, Fault.PROVIDER, Retry(1.0), None),
        (501, {"error": "what"}, {}, Fault.PROVIDER, Never(), None),
    ],
)
async def test_a_refusal_says_whose_fault_it_is_and_what_to_do(
    status: int, body: object, headers: Mapping[str, str], fault: Fault, advice: Next, code: str | None
) -> None:
    async with server(until_closed, refusing(HTTPStatus(status), json.dumps(body), headers)) as url:
        with pytest.raises(RefusedError) as refused:
            await dial(url, {})
    assert (refused.value.status, refused.value.code) == (status, code)
    assert (refused.value.fault, refused.value.next) == (fault, advice)


async def test_a_refusal_does_not_repeat_the_key() -> None:
    body = json.dumps({"error": {"message": "Incorrect API key provided: sk-test-abcdef1234567890.", "code": 7}})
    async with server(until_closed, refusing(HTTPStatus.UNAUTHORIZED, body, {})) as url:
        with pytest.raises(RefusedError) as refused:
            await dial(url, {"Authorization": "Bearer sk-test-abcdef1234567890"})
    assert "abcdef" not in refused.value.message
    assert "Incorrect API key" in refused.value.message


async def test_headers_and_subprotocols_reach_the_server_and_no_log() -> None:
    seen: list[str | None] = []

    def note(connection: ServerConnection, request: Request) -> None:
        seen.append(request.headers["Authorization"])

    async with server(until_closed, note, [PROTOCOL]) as url:
        # That no record holds the key is checked after every test.
        transport = await dial(url, {"Authorization": "Bearer sk-test-abcdef12345"}, subprotocols=[PROTOCOL])
        await transport.close()
    assert seen == ["Bearer sk-test-abcdef12345"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "127.0.0.1", ""])
async def test_a_url_of_another_kind_is_the_callers_mistake(url: str) -> None:
    with pytest.raises(ConfigError):
        await dial(url, {})


async def test_where_nobody_listens_there_is_no_connection() -> None:
    with sockets.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(TransportError) as failed:
            await dial(f"ws://127.0.0.1:{port}/", {})
    assert failed.value.fault is Fault.NETWORK
    assert isinstance(failed.value.next, Retry)


async def test_a_server_that_accepts_and_says_nothing_is_given_up() -> None:
    with sockets.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        with pytest.raises(TransportError):
            await dial(f"ws://127.0.0.1:{mute.getsockname()[1]}/", {}, open_s=0.2)


async def test_something_that_is_no_web_server_is_no_connection() -> None:
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org ESMTP\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as mail:
        port = mail.sockets[0].getsockname()[1]
        with pytest.raises(TransportError):
            await dial(f"ws://127.0.0.1:{port}/", {})


# ── how a client's connection ends ──────────────────────────────────────────────────────────────────────


async def end_of(handle: Callable[[ServerConnection], Awaitable[None]]) -> Closed:
    async with server(handle) as url, listening(await dial(url, {})) as (near,):
        return await near.closed()


async def test_the_servers_own_words_arrive() -> None:
    async def handle(connection: ServerConnection) -> None:
        await connection.close(4001, "session expired")

    assert await end_of(handle) == Closed(ClosedBy.PEER, 4001, "session expired")


async def test_a_connection_that_breaks_is_lost() -> None:
    async def handle(connection: ServerConnection) -> None:
        connection.transport.abort()

    ended = await end_of(handle)
    assert (ended.by, ended.code) == (ClosedBy.LOST, 1006)


async def test_a_message_beyond_all_measure_ends_it() -> None:
    async def handle(connection: ServerConnection) -> None:
        await connection.send("x" * (websocket.LARGEST_DIALLED + 1))
        await connection.wait_closed()

    ended = await end_of(handle)
    assert (ended.by, ended.code) == (ClosedBy.US, 1009)


async def test_a_binary_message_ends_it() -> None:
    async def handle(connection: ServerConnection) -> None:
        await connection.send(b"RIFF")
        await connection.wait_closed()

    ended = await end_of(handle)
    assert (ended.by, ended.code) == (ClosedBy.US, 1003)


async def test_a_server_that_does_not_read_is_left_and_leaving_takes_no_longer_than_it_may() -> None:
    stuck = asyncio.Event()

    async def handle(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await stuck.wait()

    async with server(handle) as url, listening(await dial(url, {}, close_s=0.2)) as (near,):
        for _ in range(40):
            near.transport.send("x" * 2**20)
        ended = await near.closed()
        assert (ended.by, ended.code) == (ClosedBy.US, 1013)
        await near.ended()
        stuck.set()


async def test_hanging_up_on_a_server_that_does_not_read_is_bounded() -> None:
    stuck = asyncio.Event()

    async def handle(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await stuck.wait()

    async with server(handle) as url, listening(await dial(url, {}, close_s=0.2)) as (near,):
        near.transport.send("x" * 2**23)
        async with asyncio.timeout(PATIENCE_S / 2):
            await near.transport.close(1000, "bye")
        await near.ended()
        assert near.delivered[-1] == Closed(ClosedBy.US, 1000, "bye")
        stuck.set()


async def test_a_code_that_may_not_travel_is_replaced() -> None:
    codes: list[int | None] = []

    async def handle(connection: ServerConnection) -> None:
        await connection.wait_closed()
        codes.append(connection.close_code)

    async with server(handle) as url, listening(await dial(url, {})) as (near,):
        await near.transport.close(1006, "x" * 500)
        await near.ended()
    assert codes == [1000]


# ── how a server's connection ends ──────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def called() -> AsyncGenerator[tuple[str, Callable[[TaskGroup], Awaitable[Listener]]]]:
    """A server's URL, and how to get a listener on whoever calls it."""
    there = SocketServer()

    async def listener(tasks: TaskGroup) -> Listener:
        far = Listener(await there.taken())
        far.start(tasks)
        return far

    async with there.up() as url:
        yield url, listener


async def test_a_server_ends_a_caller_that_sends_binary() -> None:
    async with called() as (url, listener), plain_connect(url) as caller, TaskGroup() as tasks:
        far = await listener(tasks)
        await caller.send(b"RIFF")
        await far.ended()
        assert far.delivered[-1] == Closed(ClosedBy.US, 1003, "A binary message; events are JSON as text.")
        await caller.wait_closed()
        assert caller.close_code == 1003


async def test_a_server_ends_a_caller_whose_message_is_too_large() -> None:
    async with called() as (url, listener), plain_connect(url) as caller, TaskGroup() as tasks:
        far = await listener(tasks)
        await caller.send("é" * (LARGEST_TEXT // 2))
        await far.until(lambda: len(far.texts) == 1)
        await caller.send("é" * (LARGEST_TEXT // 2) + "!")
        await far.ended()
        assert len(far.texts) == 1
        await caller.wait_closed()
        assert caller.close_code == 1009


async def test_a_server_learns_that_a_caller_vanished() -> None:
    async with called() as (url, listener), plain_connect(url) as caller, TaskGroup() as tasks:
        far = await listener(tasks)
        caller.transport.abort()
        ended = await far.closed()
        assert (ended.by, ended.code) == (ClosedBy.LOST, 1006)
        await far.ended()


async def test_a_server_hears_a_callers_goodbye_even_one_without_a_code() -> None:
    async with called() as (url, listener), TaskGroup() as tasks:
        caller = await plain_connect(url)
        far = await listener(tasks)
        caller.protocol.send_close()
        caller.transport.write(b"".join(caller.protocol.data_to_send()))
        assert (await far.closed()).by is ClosedBy.PEER
        await far.ended()


async def test_a_server_leaves_a_caller_that_does_not_read() -> None:
    async with called() as (url, listener), plain_connect(url, max_queue=1) as caller, TaskGroup() as tasks:
        far = await listener(tasks)
        caller.transport.pause_reading()
        for _ in range(40):
            far.transport.send("x" * 2**20)
        ended = await far.closed()
        assert (ended.by, ended.code) == (ClosedBy.US, 1013)
        caller.transport.abort()
        await far.ended()


async def test_what_is_too_large_is_not_sent_and_nothing_ends() -> None:
    async with called() as (url, listener), plain_connect(url) as caller, TaskGroup() as tasks:
        far = await listener(tasks)
        with pytest.raises(TransportError):
            far.transport.send("x" * (LARGEST_TEXT + 1))
        far.transport.send("still here")
        async with asyncio.timeout(PATIENCE_S):
            assert await caller.recv() == "still here"
        await far.transport.close()
        await far.ended()


class Framework:
    """A web framework's socket that has gone and says so by an exception of its own."""

    class Rude(Exception):
        pass

    def __init__(self) -> None:
        self.disconnected = asyncio.Event()

    async def receive(self) -> Mapping[str, object]:
        await self.disconnected.wait()
        return {"type": "websocket.disconnect", "code": 1006}

    async def send_text(self, data: str) -> None:
        raise self.Rude

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        raise self.Rude


async def test_a_frameworks_own_exceptions_stay_below() -> None:
    gone = Framework()
    async with listening(take(gone)) as (far,):
        far.transport.send("into the void")
        gone.disconnected.set()
        assert (await far.closed()).by is ClosedBy.LOST
        await far.ended()
    unread, delivered = take(Framework()), list[Inbound]()
    await unread.close()
    await unread.run(delivered.append)
    assert delivered[-1] == Closed(ClosedBy.US)
