"""A small HTTP proxy: it answers CONNECT (RFC 9110, section 9.3.6), and wants a password if told so."""

import asyncio
import base64
from asyncio import IncompleteReadError, StreamReader, StreamWriter, TaskGroup
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """`asked` is where it was asked to connect to, in order; `to` overrides where it really does, by name."""

    port: int = 0
    password: str | None = None
    to: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])
    asked: list[str] = field(default_factory=list[str])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except IncompleteReadError:  # somebody who only looks whether the port is open
            writer.close()
            return
        method, target, _ = head.split(" ", 2)
        assert method == "CONNECT", head
        self.asked.append(target)
        words = "" if self.password is None else base64.b64encode(f"me:{self.password}".encode()).decode()
        if words and f"proxy-authorization: basic {words}".lower() not in head.lower():
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        else:
            host, _, port = target.rpartition(":")
            host, number = self.to.get(target, (host.strip("[]"), int(port)))
            far_reader, far_writer = await asyncio.open_connection(host, number)
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            async with TaskGroup() as tasks:
                tasks.create_task(_pass_on(reader, far_writer))
                tasks.create_task(_pass_on(far_reader, writer))
        writer.close()


async def _pass_on(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def proxying(password: str | None = None) -> AsyncGenerator[Proxy]:
    """A proxy on loopback."""
    proxy = Proxy(password=password)
    serving: set[asyncio.Task[None]] = set()
    async with TaskGroup() as tasks:

        def serve(reader: StreamReader, writer: StreamWriter) -> None:
            task = tasks.create_task(proxy.serve(reader, writer))
            serving.add(task)
            task.add_done_callback(serving.discard)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        proxy.port = server.sockets[0].getsockname()[1]
        async with server:
            yield proxy
        for task in serving:
            task.cancel()
