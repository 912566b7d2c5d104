"""Tools of a real MCP server in a real call, read through the `openai` package with nothing let pass."""

import asyncio
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

import msgspec
import pytest
from openai.types.realtime import (
    ConversationItemDone,
    McpListToolsCompleted,
    McpListToolsFailed,
    RealtimeErrorEvent,
    RealtimeMcpApprovalRequest,
    RealtimeMcpListTools,
    RealtimeMcpToolCall,
    ResponseDoneEvent,
    ResponseMcpCallFailed,
    ResponseMcpCallInProgress,
    SessionCreatedEvent,
    SessionUpdatedEvent,
)

from tests.mcp_server import mcp_server
from tests.system.listener import Listener
from tests.system.sdk import MODEL, sdk
from tests.viva import engines, scripted_server
from vivavoce.engine.fake import ThinkStep
from vivavoce.engine.interface import ToolArguments, ToolCall
from vivavoce.engine.mcp.reach import Reach
from vivavoce.engine.mcp.servers import McpServers

KEY: Final = "sk-mcp-0123456789abcdef"


@pytest.fixture(scope="module")
def weather() -> Generator[str]:
    """The URL of a weather server."""
    with mcp_server() as (url, _):
        yield url


def calling(name: str, arguments: str = "{}") -> tuple[ThinkStep, ...]:
    """The thinker calls a tool."""
    return ToolCall(0, name), ToolArguments(0, arguments)


@asynccontextmanager
async def talking(url: str, *thought: str | Sequence[ThinkStep], **tool: object) -> AsyncGenerator[Listener]:
    """A written conversation with a server that may use the MCP server at that URL, whose tools are known."""
    script = replace(engines(thought=thought), tool_servers=McpServers(Reach.ALL))
    async with scripted_server(script) as viva, sdk(viva).realtime.connect(model=MODEL) as connection:
        heard = Listener(connection)
        await heard.until(SessionCreatedEvent)
        server = {"type": "mcp", "server_label": "weather", "server_url": url, "require_approval": "never", **tool}
        await send_tools(heard, server)
        yield heard


async def send_tools(heard: Listener, *tools: dict[str, object]) -> None:
    session = {"type": "realtime", "output_modalities": ["text"], "tools": tools}
    await heard.connection.send_raw(_json({"type": "session.update", "session": session}))
    await heard.until(SessionUpdatedEvent)


def _json(event: dict[str, object]) -> str:
    return msgspec.json.encode(event).decode()


async def listed(heard: Listener) -> RealtimeMcpListTools:
    while True:
        item = (await heard.until(ConversationItemDone)).item
        if isinstance(item, RealtimeMcpListTools):
            return item


async def answered(heard: Listener) -> ResponseDoneEvent:
    await heard.connection.response.create()
    return await heard.until(ResponseDoneEvent)


def call_in(done: ResponseDoneEvent) -> RealtimeMcpToolCall:
    assert done.response.output is not None
    (call,) = done.response.output
    assert isinstance(call, RealtimeMcpToolCall)
    return call


async def test_tools_are_listed_called_and_spoken_of(weather: str) -> None:
    async with talking(weather, calling("get_weather", '{"city":"Bern"}'), "Sunny, they say.") as heard:
        tools = await listed(heard)
        assert [tool.name for tool in tools.tools][:2] == ["get_weather", "book_table"]
        assert all(isinstance(tool.description, str) for tool in tools.tools)
        assert heard.all(McpListToolsCompleted)
        call = call_in(await answered(heard))
        assert (call.name, call.output, call.error) == ("get_weather", "It is sunny in Bern.", None)
        said = (await answered(heard)).response
        assert said.status == "completed"


async def test_keys_reach_the_server_and_nobody_else(weather: str) -> None:
    asks = calling("tell_header", '{"name":"authorization"}'), calling("tell_header", '{"name":"x-org"}')
    how = {"authorization": KEY, "headers": {"X-Org": "me"}}
    async with talking(weather, *asks, **how) as heard:
        await listed(heard)
        told = heard.last(SessionUpdatedEvent).model_dump_json()
        assert KEY not in told
        assert "<redacted>" in told
        assert call_in(await answered(heard)).output == f"Bearer {KEY}"
        assert call_in(await answered(heard)).output == "me"


async def test_a_tool_that_fails_is_told_of_and_the_session_lives(weather: str) -> None:
    async with talking(weather, calling("ask_fate"), "Never mind.") as heard:
        await listed(heard)
        call = call_in(await answered(heard))
        assert call.output is None
        assert call.error is not None
        assert call.error.type == "tool_execution_error"
        assert heard.all(ResponseMcpCallFailed)
        assert (await answered(heard)).response.status == "completed"


async def test_only_allowed_tools_are_there(weather: str) -> None:
    async with talking(weather, allowed_tools={"read_only": True}) as heard:
        assert [tool.name for tool in (await listed(heard)).tools] == ["get_weather"]


async def test_an_approval_is_asked_for_and_then_the_call_is_made(weather: str) -> None:
    ask = calling("book_table", '{"people":2}')
    async with talking(weather, ask, ask, "As you wish.", require_approval="always") as heard:
        await listed(heard)
        for approve in (True, False):
            done = (await answered(heard)).response
            assert done.output is not None
            (request,) = done.output
            assert isinstance(request, RealtimeMcpApprovalRequest)
            assert (request.name, request.arguments) == ("book_table", '{"people":2}')
            await heard.connection.send_raw(
                _json(
                    {
                        "type": "conversation.item.create",
                        "previous_item_id": request.id,
                        "item": {
                            "type": "mcp_approval_response",
                            "approval_request_id": request.id,
                            "approve": approve,
                        },
                    }
                )
            )
            further = await heard.until(ResponseDoneEvent)
            if approve:
                call = call_in(further)
                assert call.approval_request_id == request.id
                assert call.output is not None
                assert '"people": 2' in call.output
            else:
                assert further.response.status == "completed"
        assert not heard.all(RealtimeErrorEvent)


async def test_a_server_that_is_not_there_costs_nothing_but_its_tools() -> None:
    async with talking("http://127.0.0.1:9/mcp", "Hello.") as heard:
        assert (await listed(heard)).tools == []
        assert heard.all(McpListToolsFailed)
        assert (await heard.until(RealtimeErrorEvent)).error.code == "mcp_list_tools_failed"
        assert (await answered(heard)).response.status == "completed"


async def test_a_server_that_dies_in_mid_call_fails_the_call_and_not_the_session() -> None:
    with mcp_server() as (url, process):
        async with talking(url, calling("wait"), calling("get_weather"), "Gone.") as heard:
            await listed(heard)
            await heard.connection.response.create()
            await heard.until(ResponseMcpCallInProgress)
            process.kill()
            for _ in range(2):  # the call that ran, and one that comes too late
                call = call_in(await heard.until(ResponseDoneEvent))
                assert call.output is None
                assert call.error is not None
                await heard.connection.response.create()
            assert (await heard.until(ResponseDoneEvent)).response.status == "completed"


async def test_a_call_that_is_cancelled_or_hung_up_on_leaves_nothing(weather: str) -> None:
    wait = calling("wait")
    async with talking(weather, wait, wait) as heard:
        await listed(heard)
        for _ in range(2):
            await heard.connection.response.create()
            await heard.until(ResponseMcpCallInProgress)
            if not heard.all(ResponseMcpCallFailed):
                await heard.connection.response.cancel()
                assert (await heard.until(ResponseDoneEvent)).response.status == "cancelled"
        async with asyncio.timeout(5):
            await heard.connection.close()


async def test_an_unknown_approval_is_an_error_that_says_which_field(weather: str) -> None:
    async with talking(weather) as heard:
        item = {"type": "mcp_approval_response", "approval_request_id": "item_nobody", "approve": True}
        await heard.connection.send_raw(_json({"type": "conversation.item.create", "item": item}))
        assert (await heard.until(RealtimeErrorEvent)).error.param == "item.approval_request_id"


async def test_private_servers_stay_private_where_the_operator_says_so(weather: str) -> None:
    script = replace(engines(), tool_servers=McpServers(Reach.PUBLIC))
    async with scripted_server(script) as viva, sdk(viva).realtime.connect(model=MODEL) as connection:
        heard = Listener(connection)
        await heard.until(SessionCreatedEvent)
        await send_tools(heard, {"type": "mcp", "server_label": "weather", "server_url": weather})
        assert "private network" in (await heard.until(RealtimeErrorEvent)).error.message


async def test_a_server_without_the_extra_says_what_to_install() -> None:
    async with scripted_server(engines()) as viva, sdk(viva).realtime.connect(model=MODEL) as connection:
        heard = Listener(connection)
        await heard.until(SessionCreatedEvent)
        tools = [{"type": "mcp", "server_label": "weather", "server_url": "https://weather.example/mcp"}]
        session = {"type": "realtime", "tools": tools}
        await heard.connection.send_raw(_json({"type": "session.update", "session": session}))
        error = (await heard.until(RealtimeErrorEvent)).error
        assert error.param == "session.tools[0].type"
        assert "vivavoce[mcp]" in error.message


async def test_a_browser_uses_a_key_that_only_its_backend_knows(weather: str) -> None:
    server = {"type": "mcp", "server_label": "weather", "server_url": weather, "require_approval": "never"}
    script = replace(
        engines(thought=[calling("tell_header", '{"name":"authorization"}')]), tool_servers=McpServers(Reach.ALL)
    )
    session = {"type": "realtime", "output_modalities": ["text"], "tools": [{**server, "authorization": KEY}]}
    async with scripted_server(script) as viva, sdk(viva) as backend:
        secret = await backend.realtime.client_secrets.create(extra_body={"session": session})
        assert KEY not in secret.model_dump_json()
        browser = backend.with_options(api_key=secret.value)
        async with browser.realtime.connect(model=MODEL) as connection:
            heard = Listener(connection)
            await listed(heard)
            assert KEY not in heard.last(SessionCreatedEvent).model_dump_json()
            assert call_in(await answered(heard)).output == f"Bearer {KEY}"
