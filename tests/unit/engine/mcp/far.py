"""A web server on loopback that answers as a test says, and an old MCP server that knows one method after another."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.surface import Surface
from vivavoce.cli.serve import listen

Answer = Callable[[Request], Awaitable[Response]]


@asynccontextmanager
async def web(answer: Answer, certificate: Path | None = None) -> AsyncGenerator[str]:
    """Its URL, until the context ends; with a certificate and its key in one file, for `localhost` over TLS."""

    async def endpoint(request: Request) -> Response:
        return await answer(request)

    app = Starlette(routes=[Route("/{path:path}", endpoint, methods=["GET", "POST", "DELETE"])])
    listener = listen("127.0.0.1", 0)
    listener.listen()
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
        ssl_certfile=certificate,
    )
    server = Surface(config)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve(sockets=[listener]))
        try:
            place = "http://127.0.0.1" if certificate is None else "https://localhost"
            yield f"{place}:{listener.getsockname()[1]}"
        finally:
            server.end()
            await serving


class OldServer:
    """Speaks MCP as of 2025: a handshake, then requests in a session. `pages` of tools, and one tool that echoes."""

    def __init__(self, pages: int = 1, per_page: int = 1) -> None:
        self.pages = pages
        self.per_page = per_page
        self.more: dict[str, object] = {}
        """What else is told of each tool."""
        self.methods: list[str] = []
        self.headers: list[dict[str, str]] = []

    async def __call__(self, request: Request) -> Response:
        """One request."""
        self.headers.append(dict(request.headers))
        if request.method != "POST":
            self.methods.append(request.method)
            return Response(status_code=200 if request.method == "DELETE" else 405)
        message: dict[str, Any] = await request.json()
        self.methods.append(message["method"])
        match message["method"]:
            case "initialize":
                return self._result(
                    message,
                    {
                        "protocolVersion": "2025-06-18",
                        "capabilities": {"tools": {}},
                        "serverInfo": {"name": "old", "version": "1"},
                    },
                )
            case "notifications/initialized" | "notifications/cancelled":
                return Response(status_code=202)
            case "tools/list":
                return self._result(message, self._page(int(message.get("params", {}).get("cursor") or 0)))
            case "tools/call":
                said = {"content": [{"type": "text", "text": str(message["params"])}]}
                return self._result(message, {**said, "structuredContent": {"words": "a" * 40 + "!"}})
            case _:
                error = {"code": -32601, "message": "Method not found"}
                return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "error": error}, 400)

    def _page(self, number: int) -> dict[str, object]:
        tools = [
            {"name": f"echo_{number}_{place}", "inputSchema": {"type": "object"}, **self.more}
            for place in range(self.per_page)
        ]
        more = {"nextCursor": str(number + 1)} if number + 1 < self.pages else {}
        return {"tools": tools, **more}

    def _result(self, message: dict[str, object], result: dict[str, object]) -> Response:
        body = {"jsonrpc": "2.0", "id": message["id"], "result": result}
        return JSONResponse(body, headers={"mcp-session-id": "session-1"})
