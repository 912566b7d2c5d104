"""Connections to tool servers that live as long as a call."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Self

import pytest

from vivavoce.answer.connections import Connections
from vivavoce.engine.fake import Die, Hang, ScriptedToolServers, ToolStep, Wait
from vivavoce.engine.interface import ToolAddress, ToolConnectionError, ToolError
from vivavoce.errors import EngineError
from vivavoce.wire.item import McpListedTool, McpProtocolError, McpToolExecutionError

LOOK = McpListedTool(name="look", input_schema={})
HERE = ToolAddress("https://here.example/mcp", (("Authorization", "Bearer sk-here-012345"),))
GONE = ToolConnectionError(McpProtocolError(code=-32000, message="it is gone"))


@asynccontextmanager
async def connections(servers: ScriptedToolServers) -> AsyncGenerator[Connections]:
    async with asyncio.TaskGroup() as tasks:
        opened = Connections(tasks, servers)
        try:
            yield opened
        finally:
            opened.close()


def servers(*script: str | Sequence[ToolStep]) -> ScriptedToolServers:
    return ScriptedToolServers({HERE.url: [LOOK]}, script)


async def test_all_that_is_asked_of_a_server_goes_over_one_connection_that_ends_with_the_call() -> None:
    far = servers("one", "two")
    async with connections(far) as opened:
        assert await opened.tools(HERE) == (LOOK,)
        assert await opened.call(HERE, "look", "{}") == "one"
        assert await opened.call(HERE, "look", "{}") == "two"
        assert far.addresses == [HERE]
        assert far.connected == 1
    assert far.connected == 0


async def test_two_who_ask_at_once_wait_for_the_same_connection() -> None:
    far = servers("one", "two")
    async with connections(far) as opened, asyncio.TaskGroup() as tasks:
        tasks.create_task(opened.call(HERE, "look", "{}"))
        tasks.create_task(opened.call(HERE, "look", "{}"))
    assert len(far.addresses) == 1


async def test_another_key_is_another_connection() -> None:
    far = servers("one", "two")
    async with connections(far) as opened:
        await opened.call(HERE, "look", "{}")
        await opened.call(ToolAddress(HERE.url), "look", "{}")
    assert len(far.addresses) == 2


async def test_a_server_that_cannot_be_reached_is_tried_again_the_next_time() -> None:
    far = servers()
    async with connections(far) as opened:
        for _ in range(2):
            with pytest.raises(ToolConnectionError):
                await opened.tools(ToolAddress("https://nowhere.example"))
    assert len(far.addresses) == 2


async def test_a_connection_that_broke_is_made_anew_and_one_whose_tool_failed_is_kept() -> None:
    failed = ToolError(McpToolExecutionError(message="no"))
    far = servers((Die(failed),), (Die(GONE),), "back")
    async with connections(far) as opened:
        for kind in (ToolError, ToolConnectionError):
            with pytest.raises(kind):
                await opened.call(HERE, "look", "{}")
        assert len(far.addresses) == 1
        assert await opened.call(HERE, "look", "{}") == "back"
        assert len(far.addresses) == 2


async def test_what_is_no_error_of_ours_is_handed_on() -> None:
    async with connections(servers((Die(EngineError("odd")),))) as opened:
        with pytest.raises(EngineError, match="odd"):
            await opened.call(HERE, "look", "{}")


async def test_who_is_cancelled_cancels_only_what_they_asked() -> None:
    begun = asyncio.Event()

    async def pause(_: float) -> None:
        begun.set()

    far = ScriptedToolServers({HERE.url: [LOOK]}, [(Wait(1.0), Hang()), "here"], pause)
    async with connections(far) as opened, asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(opened.call(HERE, "look", "{}"))
        await begun.wait()
        waiting.cancel()
        assert await opened.call(HERE, "look", "{}") == "here"
        assert far.abandoned == 1
        assert len(far.addresses) == 1


class Falling:
    """A tool server whose connection falls apart when it is told to."""

    def __init__(self) -> None:
        self.fall = asyncio.Event()
        self.asked = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    @asynccontextmanager
    async def connect(self, address: ToolAddress) -> AsyncGenerator["Falling"]:
        async def apart() -> None:
            await self.fall.wait()
            raise OSError("the line is cut")

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(apart())
            yield self

    async def tools(self) -> tuple[McpListedTool, ...]:
        self.asked.set()
        await asyncio.Event().wait()
        return ()

    async def call(self, name: str, arguments: str) -> str:
        raise NotImplementedError


async def test_a_connection_that_breaks_takes_nobody_with_it() -> None:
    far = Falling()
    async with asyncio.TaskGroup() as tasks:
        opened = Connections(tasks, far)
        waiting = tasks.create_task(_refusal(opened))
        await far.asked.wait()
        far.fall.set()
        assert isinstance(await waiting, ToolConnectionError)
        opened.close()


async def _refusal(opened: Connections) -> BaseException:
    with pytest.raises(ToolError) as refused:
        await opened.tools(HERE)
    return refused.value


async def test_a_call_that_ends_while_a_connection_is_made_leaves_nothing() -> None:
    far = ScriptedToolServers({HERE.url: [LOOK]}, [(Wait(60.0), "late")])
    async with asyncio.TaskGroup() as tasks:
        opened = Connections(tasks, far)
        asking = tasks.create_task(opened.call(HERE, "look", "{}"))
        await asyncio.sleep(0)
        asking.cancel()
        opened.close()
    assert far.connected == 0
