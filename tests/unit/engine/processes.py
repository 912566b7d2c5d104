"""Watching processes that are not our own children any more."""

import asyncio
import os


async def gone(pid: int) -> None:
    """Return when the process has ended, at most ten seconds from now."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(handle, ended.set)
    try:
        async with asyncio.timeout(10):
            await ended.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)
