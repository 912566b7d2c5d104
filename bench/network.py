"""What bad networks do to a call, beside other clients: `./dev bench network [--runs N] [ROW …]`, as root.

Each row of `tests/network` is played so often by our client, and once by each of the others; one call is in
the networks at a time. What came of it is kept in `docs/explain/network.json`, and the table of
`docs/explain/reliability.md` is drawn from that: a run of some rows, or of one client, renews just these.

* **viva**: `vivavoce.connect()`.
* **page**: the web page, in Chromium.
* **aiortc**: WebRTC by the usual Python package, as its examples do it.
* **openai**: the `openai` package over its WebSocket, its reconnecting switched on. Its silence is that of the server's
  answers, since sound comes before it is due.
"""

import argparse
import os
import sys
from collections import Counter
from statistics import median
from typing import Final

import msgspec

from bench.calls import machine, tell
from bench.stand.page import EXPLAIN, put, today
from tests.network.lab import laboratory, missing
from tests.network.relays import RELAYS
from tests.network.rows import ROWS
from tests.network.stage import RETURN_S, Outcome, Row, Stage
from tests.network.udp_shut import SHUT

CLIENTS: Final = {
    "viva": "tests.network.talker",
    "page": "tests.network.page",
    "aiortc": "bench.stand.plain_webrtc",
    "openai": "bench.stand.plain_websocket",
}
OF_PAGE: Final = frozenset(
    ["blip-1", "blip-2", "outage-5", "outage-25", "switch-0", "switch-1"]
    + ["make-before-break", "rebinding", "loss-30", "thin-40", "restart"]
)
"""Rows in which nothing is asked of the caller that a page cannot be told."""
OURS: Final = "viva"
EVERY: Final = (*ROWS, *RELAYS, *SHUT)
KEPT: Final = EXPLAIN / "network.json"


class Play(msgspec.Struct, frozen=True):
    """What became of a call; see `Outcome`. Where none could be made, `ended` is `no call`."""

    gap_s: float | None
    ended: str
    kept: bool | None = None


class Cell(msgspec.Struct, frozen=True):
    """What a client did in a row: on which day, on which machine, under which load average."""

    day: str
    machine: str
    load: float
    plays: list[Play]


Figures = dict[str, dict[str, Cell]]
"""By row, then by client."""


def play(row: Row, client: str) -> Play:
    """Once."""
    with laboratory() as lab:
        try:
            outcome: Outcome = row.play(Stage(lab, CLIENTS[client]))
        except AssertionError as error:
            tell(f"{row.name}, {client}: {error}")
            return Play(None, "no call")
    gap_s = outcome.gap_s
    return Play(None if gap_s is None else round(gap_s, 2), outcome.ended, outcome.kept)


def measure(rows: list[Row], clients: list[str], runs: int, figures: Figures) -> None:
    """Play everything; what is done is written at once."""
    for client in clients:
        for row in rows:
            if client == "page" and row.name not in OF_PAGE:
                continue
            load, plays = os.getloadavg()[0], list[Play]()
            for number in range(runs if client == OURS else 1):
                plays.append(play(row, client))
                tell(f"{row.name}, {client}, run {number + 1}: {cell(plays[-1:], None)}")
            figures.setdefault(row.name, {})[client] = Cell(today(), machine(), round(load, 1), plays)
            KEPT.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=1) + b"\n")


# ── what is said of it ──────────────────────────────────────────────────────────────────────────────────


def table(figures: Figures) -> str:
    """All rows, in Markdown."""
    lines = [
        "| what happens | silence, median | worst | how it ended | the page | aiortc | openai, WebSocket |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in EVERY:
        by = figures.get(row.name, {})
        if OURS not in by:
            continue
        plays = by[OURS].plays
        gaps = [each.gap_s for each in plays if each.gap_s is not None]
        middle = median(gaps) if gaps else None
        others = [cell(by[name].plays, middle) if name in by else "–" for name in CLIENTS if name != OURS]
        worst = seconds(max(gaps)) if len(gaps) == len(plays) else f"nothing within {RETURN_S:.0f} s"
        lines.append(f"| {' | '.join([row.what, seconds(middle), worst, endings(plays), *others])} |")
    return "\n".join([*lines, "", *notes(figures)])


def notes(figures: Figures) -> list[str]:
    """Where and when it was measured."""
    cells = [cell for by in figures.values() for cell in by.values()]
    ours = Counter(len(by[OURS].plays) for by in figures.values() if OURS in by)
    days = ", ".join(sorted({cell.day for cell in cells}))
    loads = [cell.load for cell in cells]
    machines = "; ".join(sorted({cell.machine for cell in cells}))
    return [
        f"{days}; {machines}; load average {min(loads):.1f} to {max(loads):.1f}."
        f" Runs of a row: {', '.join(map(str, sorted(ours)))}; one of each other client."
    ]


def endings(plays: list[Play]) -> str:
    """How calls ended, the commonest first."""
    counts = Counter(each.ended for each in plays)
    words = [name if len(counts) == 1 else f"{name} ({count})" for name, count in counts.most_common()]
    forgotten = sum(each.kept is False for each in plays)
    return ", ".join(words) + (f"; {forgotten} of {len(plays)} did not tell all of it within 8 s" if forgotten else "")


def cell(plays: list[Play], ours: float | None) -> str:
    """What another client did, in few words, and how many times longer than ours it took."""
    (last,) = plays
    if last.gap_s is None:
        return "no call" if last.ended == "no call" else f"nothing within {RETURN_S:.0f} s"
    times = f" ({last.gap_s / ours:.1f} ×)" if ours and last.ended != "failed" and last.gap_s else ""
    said = {"failed": ", over", "same connection": "", "same session": ""}.get(last.ended, f", {last.ended}")
    return f"{seconds(last.gap_s)}{times}{said}{', all forgotten' if last.kept is False else ''}"


def seconds(value: float | None) -> str:
    """A time."""
    return "–" if value is None else "none" if value == 0 else f"{value:.1f} s"


def options() -> argparse.ArgumentParser:
    """What can be asked for."""
    names = [row.name for row in EVERY]
    made = argparse.ArgumentParser(prog="./dev bench network", description="What bad networks do to a call.")
    made.add_argument("rows", nargs="*", metavar="ROW", help=f"some of {', '.join(names)} (default: all)")
    made.add_argument("--runs", type=int, default=3, help="of our client, for each row (default: %(default)d)")
    made.add_argument("--clients", default=",".join(CLIENTS), help="some of %(default)s")
    return made


def main() -> int:
    """Measure, keep, and draw the table."""
    asked = options().parse_args()
    clients = asked.clients.split(",")
    unknown = [name for name in asked.rows if name not in {row.name for row in EVERY}]
    unknown += [name for name in clients if name not in CLIENTS]
    if unknown:
        tell(f"there is no {', '.join(unknown)}")
        return 2
    if (lacking := missing()) is not None:
        tell(f"no laboratory: {lacking}")
        return 2
    figures = msgspec.json.decode(KEPT.read_bytes(), type=Figures) if KEPT.exists() else {}
    rows = [row for row in EVERY if not asked.rows or row.name in asked.rows]
    measure(rows, clients, max(1, asked.runs), figures)
    put("network", table(figures))
    print(table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
