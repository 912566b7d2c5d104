"""The load: a process of its own that holds calls with a server and reports what its callers met.

It reads a `Job` as one line of JSON when it is ready for one, and says how far it is as `Report`s, a line each.
A first call warms the server up and is ended again; then calls are placed one after another, all speak and listen for
a while, and end. It stops at once when its standard input closes.
"""

import asyncio
import resource
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import httpx2
import msgspec
from aiortc import RTCCertificate

from bench.stand import parent
from bench.stand.caller import PATIENCE_S, Caller, SetUp
from bench.stand.voice import opus_packets
from vivavoce.clock import SystemClock

PERIOD_S: Final = 0.02
PHASES: Final = 4
"""Callers do not speak in step: each quarter of them has its own moment in the 20 ms."""
RAMP_S: Final = 20.0
"""Placing all calls takes no longer; whoever is not there by then does not count as good."""
WARM_S: Final = 0.6
LISTEN_S: Final = 5.0
"""How long callers wait for the other side to be heard before the measurement begins."""
SETTLE_S: Final = 0.7
TROUBLE: Final = (TimeoutError, OSError, ValueError, AssertionError, httpx2.HTTPError)


class Job(msgspec.Struct):
    """What to do. `talks`: see `Caller`."""

    url: str
    headers: dict[str, str]
    calls: int
    seconds: float
    talks: bool


class Line(msgspec.Struct):
    """What one caller heard in the measured time. Times in seconds."""

    received: int
    missing: int
    gaps_s: list[float]


class Warm(msgspec.Struct, tag=True):
    """The server has held and ended a call."""


class Begin(msgspec.Struct, tag=True):
    """All calls that could be placed are up; the measured time begins."""


class End(msgspec.Struct, tag=True):
    """The measured time is over; the calls still run."""

    seconds: float
    cpu_s: float
    late_p99_s: float
    sent: int


class Result(msgspec.Struct, tag=True):
    """Everything that was met."""

    lines: list[Line]
    answer_s: list[float]
    connect_s: list[float]
    troubles: list[str]


Report = Warm | Begin | End | Result


@dataclass
class Speech:
    """Sends everybody's packets on one clock."""

    packets: list[bytes]
    callers: list[Caller] = field(default_factory=list[Caller])
    late_s: list[float] = field(default_factory=list[float])
    sent: int = 0

    async def run(self) -> None:
        """For ever."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        tick = 0
        while True:
            tick += 1
            due = begun + tick * PERIOD_S / PHASES
            await asyncio.sleep(due - loop.time())
            self.late_s.append(loop.time() - due)
            for place, caller in enumerate(self.callers):
                if place % PHASES == tick % PHASES:
                    # Everybody is somewhere else in the voice.
                    number = tick // PHASES + 7 * place
                    try:
                        await caller.say(self.packets[number % len(self.packets)])
                        self.sent += 1
                    except ConnectionError:
                        pass  # the other side hung up; its count tells


class Load:
    """One job."""

    def __init__(self, job: Job, packets: list[bytes], http: httpx2.AsyncClient) -> None:
        self._job = job
        self._http = http
        self._clock = SystemClock()
        self._certificate = RTCCertificate.generateCertificate()
        self._speech = Speech(packets)
        self._result = Result([], [], [], [])

    async def run(self) -> None:
        """Do it."""
        async with asyncio.TaskGroup() as tasks:
            speaking = tasks.create_task(self._speech.run())
            await self._warm_up()
            await self._ramp_up()
            await self._measure()
            speaking.cancel()
        await self._clear()
        report(self._result)

    async def _warm_up(self) -> None:
        await self._place()
        await asyncio.sleep(WARM_S)
        await self._clear()
        self._result = Result([], [], [], [])
        await asyncio.sleep(WARM_S / 2)
        report(Warm())

    async def _ramp_up(self) -> None:
        try:
            async with asyncio.timeout(RAMP_S):
                for _ in range(self._job.calls):
                    await self._place()
        except TimeoutError:
            self._result.troubles.append(f"not all calls were placed within {RAMP_S:.0f} s")
        with suppress(TimeoutError):  # whoever hears nothing counts as not good
            async with asyncio.timeout(LISTEN_S):
                for caller in self._speech.callers:
                    await caller.hear()
        await asyncio.sleep(SETTLE_S)

    async def _measure(self) -> None:
        callers = self._speech.callers
        starts = [len(caller.heard.at) for caller in callers]
        self._speech.late_s.clear()
        self._speech.sent = 0
        report(Begin())
        begun, cpu_s = self._clock.now(), own_cpu_s()
        await asyncio.sleep(self._job.seconds)
        seconds, cpu_s = self._clock.now() - begun, own_cpu_s() - cpu_s
        report(End(seconds, cpu_s, percentile(self._speech.late_s, 99), self._speech.sent))
        self._result.lines = [line(caller, start) for caller, start in zip(callers, starts, strict=True)]
        self._result.troubles += [error for caller in callers for error in caller.errors]

    async def _place(self) -> None:
        caller = Caller(self._clock, self._certificate, talks=self._job.talks)
        try:
            set_up: SetUp = await caller.place(self._http, self._job.url, self._job.headers)
        except TROUBLE as trouble:
            self._result.troubles.append(f"a call could not be placed: {type(trouble).__name__} {trouble}".strip())
            await hung_up(caller)
            return
        except BaseException:
            await hung_up(caller)
            raise
        self._result.answer_s.append(set_up.answer_s)
        self._result.connect_s.append(set_up.connect_s)
        self._speech.callers.append(caller)

    async def _clear(self) -> None:
        callers, self._speech.callers = self._speech.callers, []
        async with asyncio.TaskGroup() as tasks:
            for caller in callers:
                tasks.create_task(hung_up(caller))


async def hung_up(caller: Caller) -> None:
    """End a call; what goes wrong there is nobody's concern any more."""
    try:
        async with asyncio.timeout(PATIENCE_S / 2):
            await caller.hang_up()
    except TROUBLE:
        pass


def line(caller: Caller, start: int) -> Line:
    """What a caller heard since its packet number `start`."""
    at, numbers = caller.heard.at[start:], caller.heard.numbers[start:]
    gaps = [later - earlier for earlier, later in zip(at, at[1:], strict=False)]
    # In 16 bits; packets that overtook one another count as there.
    first = numbers[0] if numbers else 0
    places = {(number - first + 0x8000) & 0xFFFF for number in numbers}
    missing = max(places) - min(places) + 1 - len(places) if places else 0
    return Line(len(at), missing, [round(gap, 5) for gap in gaps])


def percentile(values: list[float], percent: float) -> float:
    """The value that so many percent do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0


def own_cpu_s() -> float:
    """User and system seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def report(message: Report) -> None:
    """Tell whoever started this process."""
    print(msgspec.json.encode(message).decode(), flush=True)


async def main(job: Job, packets: list[bytes]) -> None:
    async with httpx2.AsyncClient(timeout=PATIENCE_S, trust_env=False) as http, asyncio.TaskGroup() as tasks:
        working = tasks.create_task(Load(job, packets, http).run())
        watching = tasks.create_task(parent.gone())
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
        working.cancel()
        watching.cancel()


if __name__ == "__main__":
    prepared = opus_packets()
    if line_read := sys.stdin.buffer.readline():
        asyncio.run(main(msgspec.json.decode(line_read, type=Job), prepared))
