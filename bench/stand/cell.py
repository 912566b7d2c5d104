"""One measurement: one server, so many calls, so many seconds."""

import asyncio
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from bench.stand.load import RAMP_S, Begin, End, Job, Report, Result, Warm
from bench.stand.process import Process, Usage, started, usage_of

START_S: Final = 20.0
STEP_S: Final = 15.0
"""Longer than any step of the load may take by its own bounds, apart from the ramp and the measured time."""
LOOK_S: Final = 0.25

Kind = TypeVar("Kind", Warm, Begin, End, Result)


@dataclass(frozen=True)
class Server:
    """A server that can be measured."""

    name: str
    title: str
    module: str
    arguments: tuple[str, ...]
    talks: bool


SERVERS: Final = {
    server.name: server
    for server in (
        Server("ours", "viva serve", "bench.stand.ours", (), talks=True),
        Server("silero", "viva serve, real VAD", "bench.stand.ours", ("--detector", "silero"), talks=True),
        Server("wrtc", "bare wrtc echo", "bench.stand.echo_wrtc", (), talks=False),
        Server("aiortc", "bare aiortc echo", "bench.stand.echo_aiortc", (), talks=False),
    )
}


@dataclass(frozen=True)
class Reading:
    """What one measurement gave: the server's use of the machine, and what the callers met."""

    cpu_s: float
    seconds: float
    memory_bytes: int
    threads: int
    load: End
    result: Result


class _Ready(msgspec.Struct):
    url: str
    headers: dict[str, str]


class _Failed(Exception):
    pass


@dataclass
class _Peak:
    """The most threads and memory seen while the calls ran."""

    threads: int = 0
    memory_bytes: int = 0

    async def watch(self, pid: int) -> None:
        while True:
            usage = usage_of(pid)
            self.threads = max(self.threads, usage.threads)
            self.memory_bytes = max(self.memory_bytes, usage.memory_bytes)
            await asyncio.sleep(LOOK_S)


async def measure(server: Server, calls: int, seconds: float) -> Reading | str:
    """A reading, or in words why there is none. Bounded in time; leaves no process behind."""
    failed: BaseException
    try:
        # Both at once, since most of starting is importing; the callers end first, as callers do.
        async with started(server.module, *server.arguments) as process, started("bench.stand.load") as load:
            ready = msgspec.json.decode(await process.line(START_S), type=_Ready)
            job = Job(ready.url, ready.headers, calls, seconds, server.talks)
            await load.tell(msgspec.json.encode(job))
            return await _read(process, load, seconds)
    except* (TimeoutError, EOFError, OSError, _Failed) as failures:
        failed = failures.exceptions[0]
    return f"it could not be measured: {str(failed) or 'a step took too long'}"


async def _read(process: Process, load: Process, seconds: float) -> Reading:
    pid = process.pid
    await _next(load, Warm, START_S + STEP_S)
    before = usage_of(pid)
    peak = _Peak()
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(peak.watch(pid))
        await _next(load, Begin, RAMP_S + STEP_S)
        begun: Usage = usage_of(pid)
        end = await _next(load, End, seconds + STEP_S)
        ended = usage_of(pid)
        watching.cancel()
    result = await _next(load, Result, STEP_S)
    return Reading(
        cpu_s=ended.cpu_s - begun.cpu_s,
        seconds=end.seconds,
        memory_bytes=peak.memory_bytes - before.memory_bytes,
        threads=peak.threads,
        load=end,
        result=result,
    )


async def _next(load: Process, kind: type[Kind], patience_s: float) -> Kind:
    report = msgspec.json.decode(await load.line(patience_s), type=Report)
    if not isinstance(report, kind):
        raise _Failed(f"the load said {type(report).__name__} where {kind.__name__} was due")
    return report
