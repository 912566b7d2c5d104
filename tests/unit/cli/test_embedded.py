"""A server in a process of its own, which ends with us however we end."""

import asyncio
import os
import sys

import pytest

from vivavoce.cli.embedded import Embedded, embedded
from vivavoce.errors import EngineError

PATIENCE_S = 20.0


def child(*lines: str) -> tuple[str, ...]:
    return (sys.executable, "-c", "\n".join(("import json, os, signal, sys", *lines)))


READY = 'print(json.dumps({"event": "ready", "url": f"http://127.0.0.1:{os.getpid()}", "key": "k"}), flush=True)'
STAY = "signal.pause()"
DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"


def process_of(server: Embedded) -> int:
    return int(server.base_url.rpartition(":")[2].removesuffix("/v1"))


def runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def test_it_is_there_when_entered_and_gone_when_left() -> None:
    async with asyncio.timeout(PATIENCE_S), embedded(child(READY, STAY)) as server:
        process = process_of(server)
        assert runs(process)
        assert server.key.reveal() == "k"
    assert not runs(process)


@pytest.mark.parametrize("failure", [RuntimeError, asyncio.CancelledError])
async def test_it_is_gone_when_we_fail_or_are_cancelled(failure: type[BaseException]) -> None:
    processes: list[int] = []

    async def fail() -> None:
        async with asyncio.timeout(PATIENCE_S), embedded(child(READY, STAY)) as server:
            processes.append(process_of(server))
            raise failure

    with pytest.raises(failure):
        await fail()
    assert not any(map(runs, processes))
    assert len(processes) == 1


@pytest.mark.slow
async def test_one_that_does_not_listen_is_made_to_leave() -> None:
    async with asyncio.timeout(PATIENCE_S), embedded(child(DEAF, READY, STAY)) as server:
        process = process_of(server)
    assert not runs(process)


async def test_one_that_has_died_is_no_trouble() -> None:
    async with asyncio.timeout(PATIENCE_S), embedded(child(READY)):
        pass


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("sys.exit('viva: the speaker is not installed')",), "the speaker is not installed"),
        (("sys.exit(3)",), "exit code 3"),
        (("print('hello', flush=True)",), "exit code 0"),
        (("print('{}', flush=True)",), "exit code 0"),
    ],
)
async def test_one_that_does_not_come_up_says_why(lines: tuple[str, ...], words: str) -> None:
    with pytest.raises(EngineError) as failed:
        async with asyncio.timeout(PATIENCE_S), embedded(child(*lines)):
            pass
    assert words in failed.value.message
