"""One call's connections to tool servers: opened when first needed, shared by all that is asked, closed with the call.

Each is held by a task of its own, because what it holds must be opened and closed by the same task.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from vivavoce.engine.interface import (
    ToolAddress,
    ToolConnection,
    ToolConnectionError,
    ToolError,
    ToolServers,
)
from vivavoce.telemetry.log import Log
from vivavoce.wire.item import McpListedTool, McpProtocolError

log = Log("answer")

CONNECTION_CLOSED = -32000
"""What MCP's own client says of a connection that is gone."""


T = TypeVar("T")
Request = Callable[[ToolConnection], Awaitable[T]]


@dataclass(frozen=True, slots=True)
class _Held:
    """A connection, or what will become of the attempt to make one."""

    task: asyncio.Task[None]
    ready: "asyncio.Future[ToolConnection]"


class Connections:
    """Tool servers as one call uses them."""

    def __init__(self, tasks: asyncio.TaskGroup, servers: ToolServers) -> None:
        self._tasks = tasks
        self._servers = servers
        self._held: dict[ToolAddress, _Held] = {}

    async def tools(self, address: ToolAddress) -> tuple[McpListedTool, ...]:
        """All tools of a server.

        Raises:
            ToolError: it cannot be reached or does not tell them.
        """
        return await self._ask(address, lambda connection: connection.tools())

    async def call(self, address: ToolAddress, name: str, arguments: str) -> str:
        """What a tool says.

        Raises:
            ToolError: it failed, or its server cannot be reached.
        """
        return await self._ask(address, lambda connection: connection.call(name, arguments))

    def close(self) -> None:
        """Let go of all of them; their tasks end in the call's group."""
        for address, held in list(self._held.items()):
            self._drop(address, held)

    async def _ask(self, address: ToolAddress, request: Request[T]) -> T:
        held = self._held.get(address)
        if held is None:
            ready: asyncio.Future[ToolConnection] = asyncio.get_running_loop().create_future()
            held = self._held[address] = _Held(self._tasks.create_task(self._hold(address, ready)), ready)
        # Shielded: one who asks and is cancelled must not spoil it for the others.
        connection = await asyncio.shield(held.ready)
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(_outcome(request(connection)))
            # A connection that breaks may take its requests with it without a word.
            await asyncio.wait((asked, held.task), return_when=asyncio.FIRST_COMPLETED)
            if not asked.done():
                asked.cancel()
        outcome = _gone("The connection broke.") if asked.cancelled() else asked.result()
        if isinstance(outcome, ToolConnectionError):
            self._drop(address, held)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _hold(self, address: ToolAddress, ready: "asyncio.Future[ToolConnection]") -> None:
        try:
            async with self._servers.connect(address) as connection:
                ready.set_result(connection)
                await asyncio.Event().wait()
        except ToolError as error:
            self._settle(ready, error)
        except Exception as error:  # an adapter is somebody else's code: whatever it raises ends its connection only
            log.failure("tool_server_raised", error)
            self._settle(ready, _gone(f"The connection failed ({type(error).__name__})."))
        finally:
            self._settle(ready, _gone("The call has ended."))
            held = self._held.get(address)
            if held is not None and held.ready is ready:
                del self._held[address]

    def _settle(self, ready: "asyncio.Future[ToolConnection]", error: ToolError) -> None:
        if not ready.done():
            ready.set_exception(error)
            ready.exception()  # somebody may have stopped waiting, and nobody is to be told of it twice

    def _drop(self, address: ToolAddress, held: _Held) -> None:
        if self._held.get(address) is held:
            del self._held[address]
        held.task.cancel()


async def _outcome(request: Awaitable[T]) -> T | Exception:
    """What came of it, as a value: a failure must not end the group that it runs in."""
    try:
        return await request
    except Exception as error:  # an adapter is somebody else's code
        return error


def _gone(why: str) -> ToolConnectionError:
    return ToolConnectionError(McpProtocolError(code=CONNECTION_CLOSED, message=why))
