"""MCP servers of every kind, at real sockets: what they tell, and what their failures are called on the wire."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse

from tests.unit.engine.mcp.far import Answer, OldServer, web
from vivavoce.engine.interface import ToolAddress, ToolConnection, ToolConnectionError, ToolError
from vivavoce.engine.mcp.connection import MOST_TOOLS
from vivavoce.engine.mcp.door import DOCUMENT_BYTES
from vivavoce.engine.mcp.reach import Reach
from vivavoce.engine.mcp.servers import McpServers
from vivavoce.errors import EngineError, Fault
from vivavoce.wire.item import McpHttpError, McpProtocolError

KEY = "sk-mcp-0123456789abcdef"


@asynccontextmanager
async def connected(
    url: str, *headers: tuple[str, str], reach: Reach = Reach.ALL
) -> AsyncGenerator[ToolConnection, None]:
    """A connection of somebody who has just been loaded."""
    async with McpServers(reach) as servers, servers.connect(ToolAddress(url, headers)) as connection:
        yield connection


async def refusal(url: str, reach: Reach = Reach.ALL) -> ToolError:
    """Why somebody cannot connect there."""
    with pytest.raises(ToolError) as refused:
        async with connected(url, reach=reach):
            pass
    return refused.value


async def refused_by(answer: Answer) -> ToolError:
    async with web(answer) as url:
        return await refusal(f"{url}/mcp")


async def test_a_server_of_last_year_is_understood() -> None:
    server = OldServer()
    async with web(server) as url, connected(f"{url}/mcp") as connection:
        assert [tool.name for tool in await connection.tools()] == ["echo_0_0"]
        assert "'city': 'Bern'" in await connection.call("echo_0_0", '{"city":"Bern"}')
    assert server.methods[-1] == "DELETE"  # a session that was opened is closed


async def test_keys_go_with_every_request() -> None:
    server = OldServer()
    keys = (("Authorization", f"Bearer {KEY}"), ("X-Org", "me"))
    async with web(server) as url, connected(f"{url}/mcp", *keys) as connection:
        await connection.tools()
    sent = {(headers.get("authorization"), headers.get("x-org")) for headers in server.headers}
    assert sent == {(f"Bearer {KEY}", "me")}


async def test_all_pages_of_tools_are_read() -> None:
    server = OldServer(pages=3, per_page=2)
    async with web(server) as url, connected(f"{url}/mcp") as connection:
        names = [tool.name for tool in await connection.tools()]
    assert names == [f"echo_{page}_{place}" for page in range(3) for place in range(2)]


async def test_a_server_with_tools_without_end_is_given_up() -> None:
    server = OldServer(pages=10**9, per_page=MOST_TOOLS // 2)
    async with web(server) as url, connected(f"{url}/mcp") as connection:
        with pytest.raises(ToolError) as refused:
            await connection.tools()
    assert isinstance(refused.value.error, McpProtocolError)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
async def test_an_http_error_is_one_on_the_wire(status: int) -> None:
    async def answer(request: Request) -> Response:
        return PlainTextResponse("no", status)

    error = (await refused_by(answer)).error
    assert isinstance(error, McpHttpError)
    assert error.code == status


async def _page(request: Request) -> Response:
    return PlainTextResponse("<h1>Welcome</h1>")


async def _other_json(request: Request) -> Response:
    return JSONResponse({"hello": "world"})


async def _refuses_in_words(request: Request) -> Response:
    message = await request.json()
    error = {"code": -32000 - 99, "message": "not today"}
    return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "error": error}, 403)


@pytest.mark.parametrize("answer", [_page, _other_json, _refuses_in_words])
async def test_what_is_no_mcp_server_breaks_the_protocol(answer: Answer) -> None:
    error = (await refused_by(answer)).error
    assert isinstance(error, McpProtocolError)
    assert len(error.message) <= 500


async def test_a_server_that_is_not_there_cannot_be_reached() -> None:
    async with web(_page) as url:
        pass
    gone = await refusal(f"{url}/mcp")
    assert isinstance(gone, ToolConnectionError)
    assert isinstance(gone.error, McpProtocolError)


async def test_a_private_address_is_not_asked_where_only_public_ones_may_be() -> None:
    server = OldServer()
    async with web(server) as url:
        gone = await refusal(f"{url}/mcp", Reach.PUBLIC)
    assert "private network" in gone.message
    assert server.methods == []


async def test_a_redirect_leads_nowhere_else() -> None:
    elsewhere = OldServer()
    async with web(elsewhere) as other:

        async def answer(request: Request) -> Response:
            return RedirectResponse(f"{other}/mcp", 307)

        await refused_by(answer)
    assert elsewhere.methods == []


async def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    async def endless(request: Request) -> Response:
        async def pieces():
            for _ in range(10 * DOCUMENT_BYTES // 65536):
                yield b" " * 65536

        return StreamingResponse(pieces(), media_type="application/json")

    async with asyncio.timeout(10):
        assert isinstance((await refused_by(endless)).error, McpProtocolError)


async def test_a_compressed_answer_is_not_unpacked() -> None:
    async def packed(request: Request) -> Response:
        return Response(b"\x1f\x8b", headers={"content-encoding": "gzip", "content-type": "application/json"})

    assert isinstance(await refused_by(packed), ToolConnectionError)


async def test_a_schema_that_takes_for_ever_holds_nobody_up() -> None:
    server = OldServer()
    slow = {"type": "object", "properties": {"words": {"type": "string", "pattern": "^(a+)+$"}}}
    server.more = {"outputSchema": slow}
    async with web(server) as url, connected(f"{url}/mcp") as connection:
        await connection.tools()
        async with asyncio.timeout(5):
            assert await connection.call("echo_0_0", "{}")


async def test_who_was_not_loaded_reaches_nobody() -> None:
    with pytest.raises(EngineError) as refused:
        async with McpServers(Reach.ALL).connect(ToolAddress("https://tools.example/mcp")):
            pass
    assert refused.value.fault is Fault.OURS
