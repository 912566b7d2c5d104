"""How a process of the stand knows that nobody needs it any more."""

import asyncio
import os
import sys


async def gone() -> None:
    """Return when whoever started this process has closed its standard input, or has died."""
    loop = asyncio.get_running_loop()
    closed = asyncio.Event()
    source = sys.stdin.fileno()

    def look() -> None:
        if not os.read(source, 4096):
            closed.set()

    loop.add_reader(source, look)
    try:
        await closed.wait()
    finally:
        loop.remove_reader(source)
