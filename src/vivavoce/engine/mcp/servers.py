"""Reaches MCP servers. What it takes to speak with them is loaded when the server starts, before it has calls."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from types import ModuleType
from typing import Self

from vivavoce.engine.interface import ToolAddress, ToolConnection
from vivavoce.engine.mcp.reach import Reach
from vivavoce.errors import EngineError, Fault


class McpServers:
    """All MCP servers that `reach` allows."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._loaded: tuple[ModuleType, ssl.SSLContext] | None = None

    async def __aenter__(self) -> Self:
        self._loaded = self._loaded or await asyncio.to_thread(_load)
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    @asynccontextmanager
    async def connect(self, address: ToolAddress) -> AsyncGenerator[ToolConnection, None]:
        """A connection; see `connection.connect`.

        Raises:
            ToolError: the server cannot be reached, refuses, or speaks no MCP.
        """
        if self._loaded is None:
            raise EngineError("the tool servers are not open; enter them first", fault=Fault.OURS)
        module, context = self._loaded
        async with module.connect(address, self._reach, context) as connection:
            yield connection


def _load() -> tuple[ModuleType, ssl.SSLContext]:
    """Takes most of a second, and holds the interpreter for up to 60 ms at once, even from a thread."""
    return import_module("vivavoce.engine.mcp.connection"), ssl.create_default_context()
