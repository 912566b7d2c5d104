"""Reaches MCP servers. What it takes to speak with them is loaded when the first call wants one."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from types import ModuleType

from vivavoce.engine.interface import ToolAddress, ToolConnection
from vivavoce.engine.mcp.reach import Reach


class McpServers:
    """All MCP servers that `reach` allows."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._loaded: tuple[ModuleType, ssl.SSLContext] | None = None

    @asynccontextmanager
    async def connect(self, address: ToolAddress) -> AsyncGenerator[ToolConnection, None]:
        """A connection; see `connection.connect`.

        Raises:
            ToolError: the server cannot be reached, refuses, or speaks no MCP.
        """
        if self._loaded is None:
            self._loaded = await asyncio.to_thread(_load)
        module, context = self._loaded
        async with module.connect(address, self._reach, context) as connection:
            yield connection


def _load() -> tuple[ModuleType, ssl.SSLContext]:
    """Both take longer than any call of the process may be held up; so this runs in a thread."""
    return import_module("vivavoce.engine.mcp.connection"), ssl.create_default_context()
