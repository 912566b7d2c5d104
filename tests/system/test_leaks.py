"""Calls come and go in one process, which holds both sides; afterwards it is as it was."""

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final, Literal

import httpx2
import pytest

import vivavoce
from tests.viva import Viva, engines, scripted_server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is read from /proc")

Way = Literal["webrtc", "websocket"]
WARM: Final = 10
"""Calls until everything is loaded that later ones share."""
BLOCKS_PER_CALL: Final = 30
"""Of Python's memory. Limits by the minute remember a call for so long; a session kept by mistake has hundreds."""
BYTES_PER_CALL: Final = 12_000
"""Of the process. What the WebRTC engine keeps of a call that has not been let go of is a hundred times as much."""


@dataclass(frozen=True)
class Held:
    """What a process holds between two calls."""

    tasks: int
    threads: int
    files: int  # sockets included
    blocks: int
    resident_bytes: int


def held() -> Held:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Held(
        tasks=len(asyncio.all_tasks()),
        threads=len(os.listdir("/proc/self/task")),
        files=len(os.listdir("/proc/self/fd")),
        blocks=sys.getallocatedblocks(),
        resident_bytes=pages * os.sysconf("SC_PAGE_SIZE"),
    )


@pytest.fixture(autouse=True)
def _only_what_calls_hold() -> Iterator[None]:
    """Log records are kept by pytest; what is there already need not be searched for garbage after each call."""
    logging.disable()
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    logging.disable(logging.NOTSET)


async def come_and_go(viva: Viva, ways: Sequence[Way], calls: int) -> list[Held]:
    """What is held after each of so many calls."""
    seen: list[Held] = []
    async with httpx2.AsyncClient() as http:
        for number in range(calls):
            way = ways[number % len(ways)]
            async with vivavoce.connect(base_url=f"{viva.url}/v1", api_key=viva.key, transport=way):
                pass
            while await viva.calls(http):
                pass
            seen.append(held())
    return seen


def growth(figures: Sequence[int]) -> float:
    """For each call, from the first third of them to the last. Medians: one figure says little of memory."""
    third = len(figures) // 3
    return (median(figures[-third:]) - median(figures[:third])) / (len(figures) - third)


def check(seen: Sequence[Held]) -> None:
    for name in ("tasks", "threads", "files"):
        figures = [getattr(each, name) for each in seen]
        assert median(figures[-5:]) <= median(figures[:5]), f"{name} left behind: {figures}"
    assert growth([each.blocks for each in seen]) <= BLOCKS_PER_CALL


async def test_fifty_calls_leave_nothing_behind() -> None:
    async with scripted_server(engines()) as viva:
        seen = await come_and_go(viva, ("webrtc", "websocket"), 50)
    check(seen[WARM:])


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", ["webrtc", "websocket"])
async def test_hundreds_of_calls_take_no_memory(way: Way) -> None:
    async with scripted_server(engines()) as viva:
        seen = await come_and_go(viva, (way,), 300)
    check(seen[WARM:])
    assert growth([each.resident_bytes for each in seen[100:]]) <= BYTES_PER_CALL
