"""The processes of `./dev bench calls` end, whatever happens, and say why they failed."""

import asyncio
import os

import pytest

from bench.stand.cell import Server, measure
from bench.stand.process import started, usage_of


async def test_a_server_is_gone_when_nobody_needs_it() -> None:
    async with asyncio.timeout(30):
        async with started("bench.stand.echo_wrtc") as server:
            assert b"/v1/realtime/calls" in await server.line(20)
            assert usage_of(server.pid).cpu_s > 0
        with pytest.raises(ProcessLookupError):
            os.kill(server.pid, 0)


async def test_a_server_that_cannot_start_is_told_of_in_words() -> None:
    async with asyncio.timeout(30):
        said = await measure(Server("none", "none", "bench.stand.no_such_server", (), talks=False), 1, 1.0)
    assert isinstance(said, str)
    assert "no_such_server" in said


def test_a_process_that_is_gone_uses_nothing() -> None:
    assert usage_of(2**22 + 1).threads == 0
