"""A server of our own for one command, in a process of its own, which ends with it."""

import asyncio
import json
import os
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import IO, Final

from vivavoce.errors import EngineError, Fault, Never
from vivavoce.telemetry.secret import Secret

READY_S: Final = 40.0
"""How long loading the engines may take."""
LEAVE_S: Final = 8.0
"""How long it may take to leave when asked to."""
COMMAND: Final = (sys.executable, "-m", "vivavoce.cli.main", "serve", "--port", "0", "--ready-json")


@dataclass(frozen=True)
class Embedded:
    """Where it answers, and the key that opens it."""

    base_url: str
    key: Secret


@asynccontextmanager
async def embedded(command: Sequence[str] = COMMAND) -> AsyncGenerator[Embedded]:
    """A running server. It has left when the context is left, however that happens.

    Raises:
        EngineError: it did not come up; the message has its last words.
    """
    environment = {name: value for name, value in os.environ.items() if name != "VIVA_API_KEYS"}
    with tempfile.TemporaryFile() as said:
        # A session of its own: Ctrl-C at the terminal is for us, and we end it in good order.
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=said, env=environment, start_new_session=True
        )
        try:
            yield await _ready(process, said)
        finally:
            await _end(process)


async def _ready(process: Process, said: IO[bytes]) -> Embedded:
    """What it announces when it listens."""
    if process.stdout is None:
        raise TypeError("the process was started without a pipe")
    try:
        async with asyncio.timeout(READY_S):
            line = await process.stdout.readline()
        ready = json.loads(line)
        return Embedded(f"{ready['url']}/v1", Secret(str(ready["key"])))
    except TimeoutError:
        why = f"it was not ready within {READY_S:.0f} s"
    except (ValueError, KeyError, TypeError):
        await process.wait()
        said.seek(0)
        last = said.read().decode(errors="replace").strip().splitlines()[-1:]
        why = last[0].removeprefix("viva: ") if last else f"it ended with exit code {process.returncode}"
    raise EngineError(f"The server on this computer did not start: {why}", fault=Fault.OURS, next=Never())


async def _end(process: Process) -> None:
    """Ask it to leave; make it."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(LEAVE_S):
            await process.wait()
    except TimeoutError:
        pass
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
