"""What everybody keeps who reaches tool servers: a script, and MCP's own package over both transports of MCP."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import msgspec
import pytest

from tests.mcp_server import mcp_server
from vivavoce.engine.fake import Die, Hang, ScriptedToolServers, ToolStep
from vivavoce.engine.interface import ToolAddress, ToolConnectionError, ToolError, ToolServers
from vivavoce.engine.mcp.reach import Reach
from vivavoce.engine.mcp.servers import McpServers
from vivavoce.wire.item import McpListedTool, McpToolExecutionError

SCHEMA: dict[str, object] = {"type": "object", "properties": {"city": {"type": "string"}}}


@dataclass(frozen=True)
class Stand:
    """Somebody who reaches tool servers, and a weather server's address."""

    servers: ToolServers
    here: ToolAddress


@contextmanager
def scripted() -> Generator[Stand]:
    address = ToolAddress("https://weather.example/mcp")
    tool = McpListedTool(name="get_weather", input_schema=SCHEMA, description="Tells the weather.")
    script: dict[str, str | tuple[ToolStep, ...]] = {
        "get_weather": "It is sunny in Bern.",
        "ask_fate": (Die(ToolError(McpToolExecutionError(message="fate said no"))),),
        "wait": (Hang(),),
    }

    class Asked(ScriptedToolServers):
        async def answer(self, name: str, arguments: str) -> str:
            return await ScriptedToolServers({}, [script[name]]).answer(name, arguments)

    yield Stand(Asked({address.url: [tool]}), address)


@contextmanager
def streamable() -> Generator[Stand]:
    with mcp_server() as (url, _):
        yield Stand(McpServers(Reach.ALL), ToolAddress(url))


@contextmanager
def sse() -> Generator[Stand]:
    with mcp_server("sse") as (url, _):
        yield Stand(McpServers(Reach.ALL), ToolAddress(url))


@pytest.fixture(params=[scripted, streamable, sse], ids=lambda kind: kind.__name__, scope="module")
def stand(request: pytest.FixtureRequest) -> Generator[Stand]:
    kind: Callable[[], AbstractContextManager[Stand]] = request.param
    with kind() as opened:
        yield opened


async def test_tools_are_told_with_what_a_model_needs_to_know(stand: Stand) -> None:
    async with stand.servers as servers, servers.connect(stand.here) as connection:
        tool = (await connection.tools())[0]
    assert (tool.name, tool.description) == ("get_weather", "Tells the weather.")
    assert msgspec.convert(tool.input_schema, dict[str, object])["type"] == "object"
    assert "city" in str(tool.input_schema)


async def test_a_call_brings_the_words_of_the_tool(stand: Stand) -> None:
    async with stand.servers as servers, servers.connect(stand.here) as connection:
        assert await connection.call("get_weather", '{"city":"Bern"}') == "It is sunny in Bern."


async def test_a_tool_that_fails_spoils_nothing_else(stand: Stand) -> None:
    async with stand.servers as servers, servers.connect(stand.here) as connection:
        with pytest.raises(ToolError) as failed:
            await connection.call("ask_fate", "{}")
        assert isinstance(failed.value.error, McpToolExecutionError)
        assert await connection.call("get_weather", '{"city":"Bern"}')


async def test_a_call_that_nobody_waits_for_is_dropped_at_once(stand: Stand) -> None:
    async with stand.servers as servers, servers.connect(stand.here) as connection:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await connection.call("wait", "{}")
        assert await connection.call("get_weather", '{"city":"Bern"}')


async def test_calls_run_side_by_side(stand: Stand) -> None:
    async with stand.servers as servers, servers.connect(stand.here) as connection, asyncio.TaskGroup() as tasks:
        slow = tasks.create_task(connection.call("wait", "{}"))
        assert await connection.call("get_weather", '{"city":"Bern"}')
        slow.cancel()


async def test_a_server_that_is_not_there_is_told_of_by_its_own_error(stand: Stand) -> None:
    with pytest.raises(ToolConnectionError):
        async with stand.servers as servers, servers.connect(ToolAddress("http://127.0.0.1:9/mcp")):
            pass
