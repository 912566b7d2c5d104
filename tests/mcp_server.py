"""A real MCP server, made with MCP's own package, in a process of its own: `python -m tests.mcp_server TRANSPORT`."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.types import ToolAnnotations

START_S: Final = 30.0

server = MCPServer("weather", log_level="ERROR")


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def get_weather(city: str) -> str:
    """Tells the weather."""
    return f"It is sunny in {city}."


@server.tool(annotations=ToolAnnotations(read_only_hint=False))
def book_table(people: int) -> dict[str, int]:
    """Books a table."""
    return {"people": people, "number": 7}


@server.tool()
def ask_fate() -> str:
    """Fails whenever it is asked."""
    raise ValueError("fate said no")


@server.tool()
async def wait() -> str:
    """Never answers."""
    await asyncio.Event().wait()
    return "at last"


@server.tool()
def write_book(letters: int) -> str:
    """Has much to say."""
    return "x" * letters


@server.tool()
def tell_header(name: str, context: Context[object]) -> str:
    """Tells what was in a header of the request."""
    return str((context.headers or {}).get(name.lower()))


def main(transport: str) -> None:
    """Serve on a free port of loopback and say where."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # whoever connects before the server is up waits for it
    port: int = listener.getsockname()[1]
    old = transport == "sse"
    app = server.sse_app() if old else server.streamable_http_app()
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{port}/{'sse' if old else 'mcp'}"}) + "\n")
    sys.stdout.flush()
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])


@contextmanager
def mcp_server(transport: str = "streamable") -> Generator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Its URL and its process, until the context ends."""
    command = [sys.executable, "-m", "tests.mcp_server", transport]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the MCP server did not start"
        yield str(json.loads(line)["url"]), process
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    main(*sys.argv[1:])
