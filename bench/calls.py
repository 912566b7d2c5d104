"""What a call costs our server, beside the least that it could cost: `./dev bench calls`.

Three servers answer the same calls, one after another, each in a process of its own:

* **viva serve**: our whole server, with engines that cost next to nothing, so that what is measured is ours. Callers
  talk without end and so does the agent: every turn is noticed, transcribed and kept, every answer is thought word
  by word and spoken at the pace of speech, captions and all other events travel over the data channel.
* **bare wrtc echo**: the WebRTC package that we build on, sending back what it hears, and nothing else. The floor.
* **bare aiortc echo**: the same on aiortc, the usual choice of Python servers. The yardstick.
* on request, **viva serve, real VAD**: ours with the Silero voice detector in place of a scripted one.

The callers live in one more process, the load. It sends Opus packets that were encoded once, beforehand, decodes
nothing, and notes when packets arrive. Everybody's voice, the agent's too, is one synthetic voice, so that all
codecs do the same work. Both directions are to carry 50 packets a second all the time; the column *talk* is what
really arrived.

Each line is measured in several rounds, the servers taking turns within each, so that whatever else the machine does
hits all of them; a round for which no time is left is left out, and that is said. CPU is user and system time of the
server's process and its children (read from `/proc`, so on Linux only) divided by the seconds of all calls. Other
figures are over all calls of all rounds; memory and threads are the median of the rounds, memory being the growth
since a first call had come and gone. Nothing here is asserted: times depend on the machine, and only ratios travel.
More: docs/explain/benchmarks.md.
"""

import argparse
import asyncio
import os
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import msgspec

from bench.stand.cell import SERVERS, Reading, Server, measure
from bench.stand.row import Row, cpu_ms, row
from bench.stand.table import table
from vivavoce.clock import Clock, SystemClock

CALLS: Final = (1, 10, 30)
CROWD: Final = {"aiortc": 10}
"""More calls than so many are tried only when asked for: at 30 aiortc collapses, which takes long and tells little."""
SECONDS: Final = 8.0
ROUNDS: Final = 2
LIMIT_S: Final = 170.0
FIRST_S: Final = 10.0
"""What a measurement is reckoned to take before it has been made once."""


@dataclass(frozen=True)
class Plan:
    """What to measure. `cells` are in the order of the table; `load` is the machine's load average beforehand."""

    cells: list[tuple[Server, int]]
    seconds: float
    rounds: int
    limit_s: float
    load: float


@dataclass(frozen=True)
class Generator:
    """What the load cost for each second of each call, and how late it was itself."""

    server: str
    calls: int
    cpu_ms: float
    late_p99_ms: float


class Run:
    """All measurements of a plan."""

    def __init__(self, plan: Plan, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock
        self._readings: dict[tuple[str, int], list[Reading]] = {}
        self._took_s: dict[tuple[str, int], float] = {}
        self.troubles: list[str] = []

    async def go(self) -> None:
        """Measure everything, round by round, as far as the time goes."""
        plan = self._plan
        until = self._clock.now() + plan.limit_s
        for number in range(1, plan.rounds + 1):
            for server, calls in plan.cells:
                begun, key = self._clock.now(), (server.name, calls)
                if begun + self._took_s.get(key, FIRST_S) > until:
                    self.troubles.append(f"{server.title}, calls: {calls}: no time left for round {number}")
                    continue
                tell(f"round {number} of {plan.rounds}, calls: {calls}, {server.title}")
                self._note(server, calls, await measure(server, calls, plan.seconds / plan.rounds))
                self._took_s[key] = self._clock.now() - begun

    def _note(self, server: Server, calls: int, reading: Reading | str) -> None:
        if isinstance(reading, str):
            self.troubles.append(f"{server.title}, calls: {calls}: {reading}")
            return
        self._readings.setdefault((server.name, calls), []).append(reading)
        said = dict.fromkeys(reading.result.troubles)
        self.troubles += [f"{server.title}, calls: {calls}: {trouble}" for trouble in said]

    def rows(self) -> list[Row]:
        """The table."""
        return [
            row(server, calls, self._of(server.name, calls), cpu_ms(self._of("wrtc", calls)))
            for server, calls in self._plan.cells
        ]

    def generators(self) -> list[Generator]:
        """What the load cost."""
        found: list[Generator] = []
        for (server, calls), readings in self._readings.items():
            held_s = sum(reading.seconds * max(1, len(reading.result.lines)) for reading in readings)
            cpu_s = sum(reading.load.cpu_s for reading in readings)
            late_s = max(reading.load.late_p99_s for reading in readings)
            found.append(Generator(server, calls, cpu_s / held_s * 1000, late_s * 1000))
        return found

    def _of(self, server: str, calls: int) -> list[Reading]:
        return self._readings.get((server, calls), [])


# ── what is said of it ──────────────────────────────────────────────────────────────────────────────────


def notes(run: Run, plan: Plan) -> list[str]:
    """What a reader of the table must know."""
    load = run.generators()
    starved = any(each.starved for each in run.rows())
    late = max((each.late_p99_ms for each in load), default=0.0)
    costs = ", ".join(f"{each.cpu_ms:.1f} ({each.server} {each.calls})" for each in load)
    return [
        f"{plan.seconds:g} s measured for each line; rounds: {plan.rounds}; {machine()};"
        f" load average before it {plan.load:.1f}.",
        "good: every packet arrived, as many as were sent, none 250 ms after the one before it.",
        "offer→answer, connect: from sending the POST to its reply, and to session.created (echo: to an open channel).",
        f"CPU ms per call-second of the load itself, a process of its own: {costs}; its packets left up to"
        f" {late:.0f} ms late (p99).",
        *(
            ["*: less than 95 % of the sound came: the server was short of CPU, and what it used says little."]
            * starved
        ),
        "These figures are of this machine and this hour; only ratios between the lines travel.",
    ]


def machine() -> str:
    """This machine in few words."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"


def tell(words: str) -> None:
    """Say on standard error what is going on, so that standard output holds the table only."""
    print(f"bench: {words}", file=sys.stderr, flush=True)


def write(path: Path, run: Run, plan: Plan) -> None:
    """The same as JSON."""
    content = {
        "machine": machine(),
        "load_average_before": plan.load,
        "seconds": plan.seconds,
        "rounds": plan.rounds,
        "rows": [asdict(each) for each in run.rows()],
        "load": [asdict(each) for each in run.generators()],
        "troubles": run.troubles,
    }
    path.write_bytes(msgspec.json.format(msgspec.json.encode(content)) + b"\n")


# ── what was asked for ──────────────────────────────────────────────────────────────────────────────────


def counts(text: str) -> tuple[int, ...]:
    """`1,10,30` as numbers."""
    found = tuple(int(word) for word in text.split(","))
    if min(found) < 1:
        raise ValueError
    return found


def names(text: str) -> tuple[str, ...]:
    """`ours,wrtc` as names that exist."""
    found = tuple(text.split(","))
    if not set(found) <= set(SERVERS):
        raise ValueError
    return found


def positive(text: str) -> float:
    """A number of seconds or rounds."""
    if (found := float(text)) <= 0:
        raise ValueError
    return found


def options() -> argparse.ArgumentParser:
    """What can be asked for."""
    made = argparse.ArgumentParser(prog="./dev bench calls", description="What a call costs, side by side.")
    made.add_argument("--calls", type=counts, metavar="N,N", help="how many at once (default: 1,10,30; aiortc 1,10)")
    made.add_argument("--seconds", type=positive, default=SECONDS, help="measured for each line (default: %(default)g)")
    made.add_argument("--rounds", type=int, default=ROUNDS, help="that time is split into (default: %(default)d)")
    made.add_argument("--limit", type=positive, default=LIMIT_S, help="seconds for all of it (default: %(default)g)")
    made.add_argument("--servers", type=names, default=("ours", "wrtc", "aiortc"), help=f"some of {','.join(SERVERS)}")
    made.add_argument("--json", type=Path, metavar="FILE", help="write everything there, too")
    return made


def main() -> int:
    """Measure and print; 1 when a line could not be measured at all."""
    asked = options().parse_args()
    if not Path("/proc/self/stat").exists():
        tell("what processes use is read from /proc, which there is on Linux only")
        return 2
    cells = [
        (SERVERS[name], calls)
        for calls in asked.calls or CALLS
        for name in asked.servers
        if asked.calls or calls <= CROWD.get(name, calls)
    ]
    plan = Plan(cells, asked.seconds, max(1, asked.rounds), asked.limit, os.getloadavg()[0])
    run = Run(plan, SystemClock())
    asyncio.run(run.go())
    print(table(run.rows()), "", *notes(run, plan), sep="\n")
    for trouble in run.troubles[:20]:
        tell(f"trouble: {trouble}")
    if asked.json:
        write(asked.json, run, plan)
    return 1 if any(each.cpu_ms is None for each in run.rows()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
