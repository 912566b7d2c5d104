"""One connection to one MCP server, through MCP's own package.

Importing this takes most of a second; `servers` does it when the server starts.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Final, TypeVar, cast

import httpx2
import msgspec
from mcp import Client, MCPError
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import (
    CONNECTION_CLOSED,
    INTERNAL_ERROR,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    Implementation,
    TextContent,
    Tool,
)

from vivavoce.engine.interface import ToolAddress, ToolConnectionError, ToolError
from vivavoce.engine.mcp.door import CONNECT_S, Door, client
from vivavoce.engine.mcp.reach import Reach
from vivavoce.wire.item import McpHttpError, McpListedTool, McpProtocolError, McpToolExecutionError

MOST_TOOLS: Final = 256
"""Tools of one server. A model that is offered more chooses badly, and every prompt pays for each."""
LIST_BYTES: Final = 512 * 1024
"""Length of all of them as JSON."""
FAREWELL_S: Final = 1.0
"""For a polite end. The call that used the connection waits for it."""
_MESSAGE_CHARS: Final = 500
_OTHER_TRANSPORT: Final = frozenset({400, 404, 405})
"""What a server of the older transport says to the newer one, by MCP's rules of backward compatibility."""

T = TypeVar("T")
Way = Callable[[ToolAddress, Door], AbstractAsyncContextManager[Client]]


class McpConnection:
    """A server that has answered once."""

    def __init__(self, server: Client, door: Door) -> None:
        self._server = server
        self._door = door

    async def tools(self) -> tuple[McpListedTool, ...]:
        """All its tools, all pages of them.

        Raises:
            ToolError: it does not tell them, or too many.
        """
        found: list[McpListedTool] = []
        cursor: str | None = None
        while True:
            page = await self._ask(self._server.list_tools(cursor=cursor))
            found += map(_listed, page.tools)
            if len(found) > MOST_TOOLS or len(_encoded(found)) > LIST_BYTES:
                raise _broken(f"It has more than {MOST_TOOLS} tools, or more than {LIST_BYTES} bytes of them.")
            cursor = page.next_cursor
            if cursor is None:
                return tuple(found)

    async def call(self, name: str, arguments: str) -> str:
        """What a tool says to the JSON text of an object.

        Raises:
            ToolError: it failed, or the server did.
        """
        given = msgspec.json.decode(arguments, type=dict[str, object])
        request = CallToolRequest(params=CallToolRequestParams(name=name, arguments=given))
        # Not by `call_tool`, which holds the result to a schema of the stranger's: one pattern in it can take for ever.
        result = await self._ask(self._server.session.send_request(request, CallToolResult))
        said = _said(result)
        if result.is_error:
            raise ToolError(McpToolExecutionError(message=said or "The tool failed and did not say why."))
        return said

    async def _ask(self, request: Coroutine[Any, Any, T]) -> T:
        self._door.refusal = None
        try:
            return await request
        except Exception as error:  # the package raises what its parts raise: HTTP, JSON, validation
            raise translated(error, self._door.refusal) from error


@asynccontextmanager
async def connect(address: ToolAddress, reach: Reach, context: ssl.SSLContext) -> AsyncGenerator[McpConnection, None]:
    """A connection over whichever transport the server speaks.

    Raises:
        ToolError: it cannot be reached, refuses, or speaks no MCP.
    """
    async with asyncio.timeout(None) as bound, AsyncExitStack() as stack:
        connection = await _enter(stack, address, reach, context)
        try:
            yield connection
        finally:
            bound.reschedule(asyncio.get_running_loop().time() + FAREWELL_S)


async def _enter(stack: AsyncExitStack, address: ToolAddress, reach: Reach, context: ssl.SSLContext) -> McpConnection:
    old_first = httpx2.URL(address.url).path.rstrip("/").endswith("/sse")
    ways: tuple[Way, Way] = (_sse, _streamable) if old_first else (_streamable, _sse)
    first: ToolError | None = None
    for way in ways:
        door = Door(reach, context)
        try:
            async with asyncio.timeout(CONNECT_S):
                return McpConnection(await stack.enter_async_context(way(address, door)), door)
        except TimeoutError as error:
            raise _gone(f"It did not answer within {CONNECT_S:.0f} s.") from error
        except Exception as error:  # as in `_ask`
            first = first or translated(error, door.refusal)
            if door.refusal not in _OTHER_TRANSPORT:
                break
    raise first or _gone("It cannot be reached.")


@asynccontextmanager
async def _streamable(address: ToolAddress, door: Door) -> AsyncGenerator[Client, None]:
    async with (
        client(dict(address.headers), door) as http,
        Client(streamable_http_client(address.url, http_client=http), cache=None, client_info=_WHO) as server,
    ):
        yield server


@asynccontextmanager
async def _sse(address: ToolAddress, door: Door) -> AsyncGenerator[Client, None]:
    def http(
        headers: dict[str, str] | None = None,
        timeout: httpx2.Timeout | None = None,
        auth: httpx2.Auth | None = None,
    ) -> httpx2.AsyncClient:
        return client(headers or {}, door)

    transport = sse_client(address.url, headers=dict(address.headers), httpx_client_factory=http)
    async with Client(transport, cache=None, client_info=_WHO, mode="legacy") as server:
        yield server


_WHO: Final = Implementation(name="vivavoce", version="1")


# ── from theirs to ours ─────────────────────────────────────────────────────────────────────────────────


def translated(error: Exception, refusal: int | None) -> ToolError:
    """What went wrong, as the wire says it. `refusal` is an HTTP status that was an error."""
    causes = list(_causes(error))
    if refusal is not None and not any(isinstance(cause, MCPError) and _is_own(cause) for cause in causes):
        return ToolConnectionError(McpHttpError(code=refusal, message=f"The MCP server answered HTTP {refusal}."))
    for cause in causes:
        if isinstance(cause, httpx2.HTTPError):
            return _gone(f"The MCP server cannot be reached: {str(cause) or type(cause).__name__}.")
    for cause in causes:
        if isinstance(cause, MCPError):
            said = McpProtocolError(code=cause.code, message=cause.message[:_MESSAGE_CHARS])
            return ToolConnectionError(said) if cause.code == CONNECTION_CLOSED else ToolError(said)
    return _broken(f"The MCP server does not speak as it should ({type(causes[0]).__name__}).")


def _is_own(error: MCPError) -> bool:
    """Whether the server said it, rather than the package in its place."""
    return error.message not in ("Server returned an error response", "Not Found", "Session terminated")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The failures in a failure."""
    if isinstance(error, BaseExceptionGroup):
        for each in cast("BaseExceptionGroup[BaseException]", error).exceptions:
            yield from _causes(each)
    else:
        yield error


def _gone(why: str) -> ToolConnectionError:
    return ToolConnectionError(McpProtocolError(code=CONNECTION_CLOSED, message=why))


def _broken(why: str) -> ToolError:
    return ToolError(McpProtocolError(code=INTERNAL_ERROR, message=why))


def _listed(tool: Tool) -> McpListedTool:
    hints = None if tool.annotations is None else tool.annotations.model_dump(by_alias=True, exclude_none=True)
    # The agents SDK does not read a list with a tool that has no description.
    description = tool.description or ""
    return McpListedTool(name=tool.name, description=description, input_schema=tool.input_schema, annotations=hints)


def _encoded(tools: list[McpListedTool]) -> bytes:
    try:
        return msgspec.json.encode(tools)
    except (msgspec.MsgspecError, OverflowError, TypeError, ValueError, RecursionError) as error:
        raise _broken("The schema of one of its tools cannot be sent on.") from error


def _said(result: CallToolResult) -> str:
    """The texts of a result; what is no text, as JSON."""
    parts = [
        part.text if isinstance(part, TextContent) else part.model_dump_json(by_alias=True, exclude_none=True)
        for part in result.content
    ]
    if not parts and result.structured_content is not None:
        return msgspec.json.encode(result.structured_content).decode()
    return "\n".join(parts)
