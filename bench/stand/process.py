"""One process of the stand: started, listened to, measured by `/proc`, and ended whatever happens."""

import asyncio
import os
import sys
import tempfile
from asyncio.subprocess import PIPE
from asyncio.subprocess import Process as Child
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

FAREWELL_S: Final = 5.0

_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_LINE_BYTES: Final = 2**25
_LAST_WORDS: Final = 400


@dataclass(frozen=True)
class Usage:
    """What a process and its children have used and hold."""

    cpu_s: float
    memory_bytes: int
    threads: int


class Process:
    """One that runs. What it says on standard error is kept, and shown only if it fails."""

    def __init__(self, child: Child, said: IO[bytes]) -> None:
        self._child = child
        self._said = said

    @property
    def pid(self) -> int:
        """Its number."""
        return self._child.pid

    async def tell(self, line: bytes) -> None:
        """Give it one line to read."""
        assert self._child.stdin is not None
        self._child.stdin.write(line + b"\n")
        await self._child.stdin.drain()

    async def line(self, patience_s: float) -> bytes:
        """The next line that it prints.

        Raises:
            TimeoutError: none came.
            EOFError: it ended instead; says what it said last.
        """
        assert self._child.stdout is not None
        async with asyncio.timeout(patience_s):
            if line := await self._child.stdout.readline():
                return line
            code = await self._child.wait()
        self._said.seek(0)
        raise EOFError(f"it ended with exit code {code}: {self._said.read().decode(errors='replace')[-_LAST_WORDS:]}")

    async def end(self) -> None:
        """Have it end: asked by a closed standard input, and killed if that is not enough."""
        if self._child.stdin is not None:
            self._child.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await self._child.wait()
                return
        with suppress(ProcessLookupError):
            self._child.kill()
        await self._child.wait()


@asynccontextmanager
async def started(module: str, *arguments: str) -> AsyncGenerator[Process]:
    """A module of this repository as a process of its own; gone when the block is left."""
    with tempfile.TemporaryFile() as said:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments, stdin=PIPE, stdout=PIPE, stderr=said, limit=_LINE_BYTES
        )
        process = Process(child, said)
        try:
            yield process
        finally:
            await asyncio.shield(process.end())


def usage_of(pid: int) -> Usage:
    """What a process and all its descendants have used by now; zero of a process that is gone."""
    cpu_s, memory_bytes, threads = 0.0, 0, 0
    for each in _family(pid):
        with suppress(OSError):
            # The name in brackets may hold blanks; after it, field 3 of proc(5) comes first.
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            # utime, stime, and what children used that were waited for.
            cpu_s += sum(map(int, fields[11:15])) / _TICKS_PER_S
            threads += int(fields[17])
            memory_bytes += int(Path(f"/proc/{each}/statm").read_text().split()[1]) * _PAGE_BYTES
    return Usage(cpu_s, memory_bytes, threads)


def _family(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        with suppress(OSError):
            for task in Path(f"/proc/{each}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found
