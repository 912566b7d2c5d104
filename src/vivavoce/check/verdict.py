"""What one look has found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

Figure: TypeAlias = "str | int | float | bool | None | Sequence[Figure] | Mapping[str, Figure]"
"""What can stand in JSON."""
Figures = Mapping[str, Figure]


class Cause(Enum):
    """What a fault means to a script: each has an exit code of `viva`."""

    SETTING = "setting"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    NO_WAY = "no way"
    LOST = "lost"
    UNANSWERED = "unanswered"
    OURS = "ours"


def no_figures() -> Figures:
    """None were measured."""
    return {}


@dataclass(frozen=True)
class Passed:
    """It works. `words` say how, in a line."""

    words: str
    figures: Figures = field(default_factory=no_figures)


@dataclass(frozen=True)
class Poor:
    """It works, but not as well as it should."""

    found: str
    expected: str
    remedy: str
    figures: Figures = field(default_factory=no_figures)


@dataclass(frozen=True)
class Failed:
    """It does not work: what was seen, what was expected, and what to do."""

    cause: Cause
    found: str
    expected: str
    remedy: str
    figures: Figures = field(default_factory=no_figures)


@dataclass(frozen=True)
class Skipped:
    """There was nothing to look at."""

    why: str


@dataclass(frozen=True)
class Blocked:
    """It could not be looked at, because something before it failed."""

    by: str


Verdict = Passed | Poor | Failed | Skipped | Blocked


@dataclass(frozen=True)
class Finding:
    """The verdict on one hop, and how long the look took."""

    hop: str
    verdict: Verdict
    took_ms: float


def worst(findings: Sequence[Finding]) -> Finding | None:
    """What to mend first: the first that failed, else the first that is poor."""
    kinds: tuple[type[Verdict], ...] = (Failed, Poor)
    for kind in kinds:
        for finding in findings:
            if isinstance(finding.verdict, kind):
                return finding
    return None
