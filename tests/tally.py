"""Adds up the reports of several pytest runs into one closing line, in pytest's own words.

`./dev test` runs pytest twice (what needs the wall clock runs after the rest), so neither run's last line tells the
whole truth. Usage: `python tests/tally.py REPORT.xml …`; exits with 1 when anything failed, when nothing
ran, or when a report is missing, as it is after a crash.
"""

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

OUTCOMES = ("failed", "errors", "passed", "skipped", "xfailed")
"""In pytest's order."""


def outcome(case: ElementTree.Element) -> str:
    """What became of one test."""
    if case.find("failure") is not None:
        return "failed"
    if case.find("error") is not None:
        return "errors"
    skipped = case.find("skipped")
    if skipped is None:
        return "passed"
    return "xfailed" if skipped.get("type") == "pytest.xfail" else "skipped"


def tally(reports: list[Path]) -> tuple[Counter[str], float]:
    """Outcomes counted over all reports, and the seconds they took together."""
    counts: Counter[str] = Counter()
    seconds = 0.0
    for report in reports:
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):
            seconds += float(suite.get("time", "0"))
            counts.update(outcome(case) for case in suite.iter("testcase"))
    return counts, seconds


def closing_line(counts: Counter[str], seconds: float) -> str:
    """One line, framed like pytest's."""
    parts = [f"{counts[name]} {name}" for name in OUTCOMES if counts[name]] or ["no tests ran"]
    if counts["errors"] == 1:
        parts = [part.replace("1 errors", "1 error") for part in parts]
    minutes = f" (0:{int(seconds) // 60:02}:{int(seconds) % 60:02})" if seconds >= 60 else ""
    return f" {', '.join(parts)} in {seconds:.2f}s{minutes} ".center(100, "=")


def main(arguments: list[str]) -> int:
    """Print the line; the exit code says whether every run was whole and green."""
    reports = [Path(argument) for argument in arguments]
    missing = [report for report in reports if not report.exists()]
    counts, seconds = tally([report for report in reports if report.exists()])
    for report in missing:
        counts["errors"] += 1
        sys.stdout.write(f"ERROR {report}: this run ended without a report\n")
    sys.stdout.write(closing_line(counts, seconds) + "\n")
    return int(bool(counts["failed"] or counts["errors"] or not counts["passed"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
