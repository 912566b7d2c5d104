"""How speech sounds after a network with loss: `./dev bench quality [--losses 5,10] [--runs N]`, as root.

Server and caller say the same text to each other, over WebRTC, through a router that drops a share of all UDP packets
each way. What each has heard is compared with the text, sentence by sentence:

* **ViSQOL** (speech mode, lattice model): what listeners would say of it, 1 to 5.
* **STOI**: how much could be understood, 0 to 1.

The first sentences do not count: by them both sides learn of the loss. The text is in the embedded speaker's voice, so
that it is the same everywhere. The table of `docs/explain/reliability.md` is drawn from what came of it.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np
import pystoi
from numpy.typing import NDArray
from scipy.signal import correlate, resample_poly
from visqol import VisqolApi

from bench.calls import machine, tell
from bench.stand.page import put, today
from tests.network.lab import CALLER_NS, SERVER, SERVER_NS, laboratory, missing
from tests.network.stage import Stage
from vivavoce.assembly import open_speaker
from vivavoce.audio.frame import RATE_HZ, Pcm, silence

LOSSES: Final = (0, 5, 10, 20, 30)
REPAIRS: Final = {"red": "", "fec": ", RED not read"}
"""How packets make up for those before them: by bringing them along whole (RED), or coarsely where a peer cannot read
that. Both kinds of call are placed at once."""
SENTENCES: Final = (
    "The birch canoe slid on the smooth planks.",
    "Glue the sheet to the dark blue background.",
    "It is easy to tell the depth of a well.",
    "These days a chicken leg is a rare dish.",
    "Rice is often served in round bowls.",
    "The juice of lemons makes fine punch.",
    "The box was thrown beside the parked truck.",
    "The hogs were fed chopped corn and garbage.",
)
"""Of the Harvard sentences, which telephones have been tried with since 1944."""
UNCOUNTED: Final = 2
PAUSE_MS: Final = 500
SCORED_HZ: Final = 16_000
SLACK: Final = RATE_HZ // 2
"""How far from its place a sentence is looked for: buffers stretch and shrink the pauses."""
LEAST_LEVEL_DB: Final = -6.0

Place = tuple[int, int]
"""Where a sentence begins and ends in the text, in samples."""


@dataclass(frozen=True)
class Score:
    """How a text was heard."""

    visqol: float
    stoi: float
    level_db: float
    """Beside that of the text."""


class Judge:
    """Compares what was heard with what was said."""

    def __init__(self, text: Pcm, places: list[Place]) -> None:
        self._text = text
        self._places = places
        self._visqol = VisqolApi()
        self._visqol.create(mode="speech", use_lattice_model=True)

    def score(self, heard: Pcm) -> Score:
        """The mean of all sentences that count."""
        late = self._late(heard)
        visqol, stoi, level = list[float](), list[float](), list[float]()
        for begin, end in self._places[UNCOUNTED:]:
            said = self._text[begin:end]
            first = max(0, begin + late - SLACK)
            near = heard[first : end + late + SLACK]
            at = first + _best(near, said)
            got = np.pad(heard[at : at + len(said)], (0, max(0, at + len(said) - len(heard))))
            a, b = _scored(said), _scored(got)
            visqol.append(self._visqol.measure_from_arrays(a, b, SCORED_HZ).moslqo)
            stoi.append(float(pystoi.stoi(a, b, SCORED_HZ)))
            level.append(20 * float(np.log10((np.std(b) + 1e-9) / np.std(a))))
        return Score(float(np.mean(visqol)), float(np.mean(stoi)), float(np.mean(level)))

    def _late(self, heard: Pcm) -> int:
        """By how many samples the text is heard late: that of most of its sentences."""
        return round(median(_best(heard, self._text[begin:end]) - begin for begin, end in self._places))


def _best(where: Pcm, what: Pcm) -> int:
    """Where it is the most like that."""
    return int(np.argmax(correlate(where.astype(np.float32), what.astype(np.float32), "valid", "fft")))


def _scored(samples: Pcm) -> NDArray[np.float64]:
    return np.asarray(resample_poly(samples.astype(np.float64) / 32768, SCORED_HZ, RATE_HZ), np.float64)


async def compose() -> tuple[Pcm, list[Place]]:
    """The text, and where its sentences are."""
    pieces, places, at = [silence(PAUSE_MS)], list[Place](), len(silence(PAUSE_MS))
    async with open_speaker() as speaker:
        for sentence in SENTENCES:
            spoken = np.concatenate([each.samples async for each in speaker.speak(sentence, "alloy", 1.0)])
            places.append((at, at + len(spoken)))
            pieces += [spoken, silence(PAUSE_MS)]
            at = sum(map(len, pieces))
    return np.concatenate(pieces), places


@dataclass(frozen=True)
class Reading:
    """What came of one call: the caller as the server heard him, and the other way round."""

    up: Score
    down: Score
    concealed: float


class Call:
    """One call. Its processes end with the stack."""

    def __init__(self, stage: Stage, stack: ExitStack, folder: Path, repair: str) -> None:
        self._up, self._down, said = folder / f"up-{repair}", folder / f"down-{repair}", str(folder / "said")
        self._repair = repair
        server = stack.enter_context(
            stage.process(SERVER_NS, "-m", "bench.stand.hall", SERVER, said, str(self._up), repair)
        )
        assert server.stdout is not None
        url = json.loads(server.stdout.readline())["url"].removesuffix("/realtime/calls")
        self._guest = stack.enter_context(
            stage.process(CALLER_NS, "-m", "bench.stand.guest", url, said, str(self._down), repair)
        )
        assert self._guest.stdout is not None
        assert self._guest.stdout.readline() == "ready\n"

    def begin(self) -> None:
        """Have them talk."""
        assert self._guest.stdin is not None
        self._guest.stdin.write("\n")
        self._guest.stdin.flush()

    def end(self) -> float:
        """Once they have talked, the share of what the caller heard that was made up."""
        assert self._guest.stdout is not None
        return json.loads(self._guest.stdout.readline())["concealed"] or 0.0

    def read(self, judge: Judge, concealed: float) -> Reading:
        """What came of it."""
        up, down = (judge.score(np.fromfile(path, np.int16)) for path in (self._up, self._down))
        for name, score in (("up", up), ("down", down)):
            if abs(score.level_db) > -LEAST_LEVEL_DB:
                tell(f"{self._repair}, {name}: {score.level_db:.1f} dB beside the text; is all of it there?")
        return Reading(up, down, concealed)


def play(loss: int, text: Pcm, judge: Judge) -> dict[str, Reading]:
    """A call of each kind, at once."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text.tofile(folder / "said")
        with laboratory() as lab, ExitStack() as stack:
            calls = {repair: Call(Stage(lab), stack, folder, repair) for repair in REPAIRS}
            if loss:
                lab.filter(f"meta l4proto udp numgen random mod 100 < {loss} counter drop")
            for call in calls.values():
                call.begin()
            ended = {repair: call.end() for repair, call in calls.items()}
        return {repair: call.read(judge, ended[repair]) for repair, call in calls.items()}


Readings = dict[tuple[int, str], list[Reading]]
"""By loss and by repair."""


def table(readings: Readings, load: float) -> str:
    """All of it, in Markdown."""
    lines = [
        "| loss each way | heard by the server: ViSQOL | STOI | heard by the caller: ViSQOL | STOI | made up |",
        "|---|---|---|---|---|---|",
    ]
    for (loss, repair), calls in readings.items():
        up = [call.up for call in calls]
        down = [call.down for call in calls]
        figures = [
            f"{median(each.visqol for each in way):.2f} | {median(each.stoi for each in way):.3f}" for way in (up, down)
        ]
        made_up = median(call.concealed for call in calls)
        lines.append(f"| {loss} %{REPAIRS[repair]} | {' | '.join(figures)} | {made_up:.1%} |")
    runs = ", ".join(map(str, sorted({len(calls) for calls in readings.values()})))
    return "\n".join(
        [*lines, "", f"{today()}; {machine()}; load average {load:.1f}. Medians of {runs} calls of each kind."]
    )


def options() -> argparse.ArgumentParser:
    """What can be asked for."""
    made = argparse.ArgumentParser(prog="./dev bench quality", description="How speech sounds after a lossy network.")
    made.add_argument("--losses", default=",".join(map(str, LOSSES)), help="in percent (default: %(default)s)")
    made.add_argument("--runs", type=int, default=1, help="calls of a kind for each of them (default: %(default)d)")
    return made


def main() -> int:
    """Measure, and draw the table when all of it was measured."""
    asked = options().parse_args()
    if (lacking := missing()) is not None:
        tell(f"no laboratory: {lacking}")
        return 2
    load = os.getloadavg()[0]
    text, places = asyncio.run(compose())
    judge = Judge(text, places)
    readings: Readings = {}
    losses = tuple(map(int, asked.losses.split(",")))
    calls = [loss for loss in losses for _ in range(asked.runs)]
    for at, loss in enumerate(calls, 1):
        tell(f"{at} of {len(calls)}: loss {loss} %, for {2 * len(text) / RATE_HZ:.0f} s and some")
        for repair, reading in play(loss, text, judge).items():
            readings.setdefault((loss, repair), []).append(reading)
            tell(f"loss {loss} %, {repair}: {reading}")
    drawn = table(readings, load)
    if losses == LOSSES:
        put("quality", drawn)
    print(drawn)
    return 0


if __name__ == "__main__":
    sys.exit(main())
