"""The socket that `viva serve` listens on."""

import asyncio
import socket

import pytest

from vivavoce.cli.serve import listen
from vivavoce.errors import ConfigError


async def test_a_reply_leaves_at_once_though_it_is_small() -> None:
    listener = listen("127.0.0.1", 0)
    at_once: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def take(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        at_once.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async with asyncio.timeout(10), await asyncio.start_server(take, sock=listener):
        _, writer = await asyncio.open_connection(*listener.getsockname())
        assert await at_once != 0
        writer.close()
        await writer.wait_closed()


def test_a_taken_port_is_named() -> None:
    with listen("127.0.0.1", 0) as first:
        first.listen()
        port = first.getsockname()[1]
        with pytest.raises(ConfigError) as refused:
            listen("127.0.0.1", port)
    assert str(port) in refused.value.message
