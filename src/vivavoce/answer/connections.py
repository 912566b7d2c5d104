"""One call's connections to tool servers: opened when first needed, shared by all that is asked, closed with the call.

Each is held by a task of its own, because what it holds must be opened and closed by the same task.
"""

import asyncio
from dataclasses import dataclass

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
        connection = await self._connection(address)
        try:
            return await connection.tools()
        except ToolConnectionError:
            self._drop(address)
            raise

    async def call(self, address: ToolAddress, name: str, arguments: str) -> str:
        """What a tool says.

        Raises:
            ToolError: it failed, or its server cannot be reached.
        """
        connection = await self._connection(address)
        try:
            return await connection.call(name, arguments)
        except ToolConnectionError:
            self._drop(address)
            raise

    def close(self) -> None:
        """Let go of all of them; their tasks end in the call's group."""
        for address in list(self._held):
            self._drop(address)

    async def _connection(self, address: ToolAddress) -> ToolConnection:
        held = self._held.get(address)
        if held is None:
            ready: asyncio.Future[ToolConnection] = asyncio.get_running_loop().create_future()
            held = _Held(self._tasks.create_task(self._hold(address, ready)), ready)
            self._held[address] = held
        # Shielded: one who asks and is cancelled must not spoil it for the others.
        return await asyncio.shield(held.ready)

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

    def _drop(self, address: ToolAddress) -> None:
        held = self._held.pop(address, None)
        if held is not None:
            held.task.cancel()


def _gone(why: str) -> ToolConnectionError:
    return ToolConnectionError(McpProtocolError(code=CONNECTION_CLOSED, message=why))
