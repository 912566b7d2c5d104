"""Explains the file that `viva talk --dump` has written: `viva check --read FILE`."""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from vivavoce.cli.exit_code import ExitCode
from vivavoce.cli.terminal import Ink, Terminal
from vivavoce.dump.advice import advice, worst
from vivavoce.dump.plot import sparkline, svg
from vivavoce.dump.reader import read
from vivavoce.dump.story import Figures, Gap, Story, number, story, words
from vivavoce.errors import ConfigError

_ROWS: Final[Sequence[tuple[str, str, Callable[[Figures], float | None]]]] = (
    ("round trip", "{:.0f} ms", lambda one: one.round_trip_ms),
    ("jitter", "{:.0f} ms", lambda one: one.jitter_ms),
    ("lost", "{:.1%}", lambda one: one.loss),
    ("made up", "{:.1%}", lambda one: one.concealed),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of reading."""
    group = parser.add_argument_group("in place of looking: explain a call that was written down")
    group.add_argument("--read", metavar="FILE", help="the file that `viva talk --dump` or connect(dump=…) has written")
    group.add_argument("--plot", metavar="SVG", help="draw it, too; for --read")


def explain(options: argparse.Namespace, terminal: Terminal) -> int:
    """Show what a file tells; the exit code.

    Raises:
        ConfigError: it is no dump, or the picture cannot be written.
    """
    told = story(read(options.read))
    show(told, terminal)
    if options.json:
        print(json.dumps({**asdict(told), "advice": advice(told)}))
    if options.plot is not None:
        try:
            Path(options.plot).write_text(svg(told), encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"--plot {options.plot} cannot be written: {error.strerror}.") from error
        terminal.row("plot", options.plot, Ink.QUIET)
    return ExitCode.DONE


def show(told: Story, terminal: Terminal) -> None:
    """All of it, the advice last."""
    _show_about(told, terminal)
    terminal.line()
    for moment in sorted((*told.states, *told.connections), key=lambda moment: moment.t):
        terminal.row(f"{moment.t:.2f} s", f"{moment.what.lower()}  {moment.words}".rstrip())
    for gap in told.gaps:
        _show_gap(gap, terminal)
    _show_figures(told, terminal)
    for answer in told.answers:
        wait = "never heard" if answer.wait_ms is None else f"heard after {answer.wait_ms:.0f} ms"
        cut = " · interrupted" if answer.interrupted else ""
        terminal.row(
            f"{answer.asked:.2f} s", f"{answer.how} · {wait} · {answer.status or 'no end'}{cut}", Ink.ASSISTANT
        )
        if answer.words:
            terminal.row("", answer.words[:200], Ink.QUIET)
    for one in told.refused:
        terminal.row(f"{one.t:.2f} s", f"refused: {one.what}: {one.words}", Ink.WRONG)
    terminal.line()
    for fault in told.faults:
        terminal.row("file", fault, Ink.CUT)
    for sentence in advice(told):
        terminal.row("→", sentence)


def _show_about(told: Story, terminal: Terminal) -> None:
    about = told.about
    when = datetime.fromtimestamp(number(about, "at") or 0.0, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    version = words(about, "packages", "vivavoce")
    terminal.line(f"{words(about, 'endpoint')} · {words(about, 'transport')} · {told.length_s:.1f} s · {when}")
    terminal.line(f"vivavoce {version} · Python {words(about, 'python')} · {words(about, 'platform')}", Ink.QUIET)


def _show_gap(gap: Gap, terminal: Terminal) -> None:
    length = "without an end" if gap.end is None else f"of {gap.end - gap.begin:.2f} s"
    terminal.row(f"{gap.begin:.2f} s", f"a gap {length} · {gap.outcome}".rstrip(" ·"), Ink.CUT)
    before = ""
    for moment in gap.moments:
        why = "for the same reason" if moment.words == before else moment.words
        terminal.row("", f"{moment.t:.2f} s  {moment.what} · {why}".rstrip(" ·"), Ink.QUIET)
        before = moment.words


def _show_figures(told: Story, terminal: Terminal) -> None:
    for name, form, value in _ROWS:
        top = worst(told.figures, value)
        if top is not None:
            peak = form.format(value(top) or 0.0)
            terminal.row(name, f"{sparkline([value(one) for one in told.figures])}  at worst {peak} at {top.t:.0f} s")
    scores = [one.mos for one in told.figures if one.mos is not None]
    if scores:
        terminal.row("MOS", f"{min(scores):.1f} at worst, {sum(scores) / len(scores):.1f} on average (estimated)")
