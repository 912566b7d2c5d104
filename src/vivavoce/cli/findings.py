"""What `viva check` has found, for people and for machines."""

from collections.abc import Sequence
from typing import Final

from vivavoce.check.case import Order
from vivavoce.check.verdict import Blocked, Cause, Failed, Figure, Finding, Passed, Poor, Skipped, worst
from vivavoce.cli.exit_code import ExitCode
from vivavoce.cli.terminal import Ink, Terminal

VERSION: Final = 1
"""Of the JSON; it grows when a name in it changes its meaning or goes."""

NO_BREAK: Final = "\u00a0"

CODES: Final = {
    Cause.SETTING: ExitCode.USAGE,
    Cause.UNREACHABLE: ExitCode.UNREACHABLE,
    Cause.REFUSED: ExitCode.REFUSED,
    Cause.NO_WAY: ExitCode.NO_WAY,
    Cause.LOST: ExitCode.LOST,
    Cause.UNANSWERED: ExitCode.UNANSWERED,
    Cause.OURS: ExitCode.FAULT,
}


def code_of(findings: Sequence[Finding]) -> ExitCode:
    """How the command ends: by the first that failed; if none did, by whether all was well."""
    first = worst(findings)
    match first and first.verdict:
        case Failed(cause=cause):
            return CODES[cause]
        case Poor():
            return ExitCode.POOR
        case _:
            return ExitCode.DONE


def print_finding(terminal: Terminal, finding: Finding) -> None:
    """One line: what was looked at, how it is, how long it took. What was not looked at is told of at the end."""
    shown = _shown(finding)
    if shown is not None:
        mark, words, ink = shown
        took = f" · {finding.took_ms:.0f}{NO_BREAK}ms" if finding.took_ms >= 1 else ""
        terminal.entry(mark, finding.hop, words + took, ink)


def print_end(terminal: Terminal, findings: Sequence[Finding]) -> None:
    """What to mend first, or that nothing is to be mended."""
    blocked = [each.hop for each in findings if isinstance(each.verdict, Blocked)]
    if blocked:
        terminal.entry("–", "not tried", f"{', '.join(blocked)}: they need what fails", Ink.QUIET)
    terminal.line()
    wrong = [each for each in findings if isinstance(each.verdict, Failed | Poor)]
    first = worst(findings)
    if first is None or not isinstance(first.verdict, Failed | Poor):
        terminal.line("All is well.", Ink.ASSISTANT)
        return
    verdict = first.verdict
    fails = isinstance(verdict, Failed)
    ink = Ink.WRONG if fails else Ink.CUT
    terminal.line(f"{first.hop} {'fails' if fails else 'could be better'}.", ink)
    terminal.row("found", verdict.found)
    terminal.row("wanted", verdict.expected)
    terminal.row("do", verdict.remedy)
    others = [each.hop for each in wrong if each is not first]
    if others:
        terminal.line(f"Then look at: {', '.join(others)}.", Ink.QUIET)


def as_json(order: Order, findings: Sequence[Finding]) -> dict[str, Figure]:
    """All of it. The page `docs/guide/check.md` says what each name means."""
    first = worst(findings)
    return {
        "version": VERSION,
        "base_url": order.base_url,
        "model": order.model,
        "exit_code": int(code_of(findings)),
        "first": None if first is None else first.hop,
        "hops": [_hop(finding) for finding in findings],
    }


def _hop(finding: Finding) -> dict[str, Figure]:
    shared: dict[str, Figure] = {"name": finding.hop, "took_ms": round(finding.took_ms, 1)}
    match finding.verdict:
        case Passed(words, figures):
            return {**shared, "outcome": "passed", "words": words, "figures": figures}
        case Poor(found, expected, remedy, figures):
            told: dict[str, Figure] = {"found": found, "expected": expected, "remedy": remedy}
            return {**shared, "outcome": "poor", **told, "figures": figures}
        case Failed(cause, found, expected, remedy, figures):
            told = {"cause": cause.value, "found": found, "expected": expected, "remedy": remedy}
            return {**shared, "outcome": "failed", **told, "figures": figures}
        case Skipped(why):
            return {**shared, "outcome": "skipped", "why": why}
        case Blocked(by):
            return {**shared, "outcome": "blocked", "by": by}


def _shown(finding: Finding) -> tuple[str, str, Ink] | None:
    match finding.verdict:
        case Passed(words):
            return "✓", words, Ink.ASSISTANT
        case Poor(found):
            return "!", found, Ink.CUT
        case Failed(found=found):
            return "✗", found, Ink.WRONG
        case Skipped(why):
            return "–", why, Ink.QUIET
        case Blocked():
            return None
