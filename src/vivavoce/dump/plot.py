"""Draws a dump: as a line of blocks for a terminal, and as an SVG. Pure.

The SVG is written here: four panels of lines over one time axis need no library, and none comes along.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from vivavoce.dump.story import Figures, Story

BLOCKS: Final = "▁▂▃▄▅▆▇█"
WIDTH: Final = 960
HEIGHT: Final = 700
LEFT: Final = 70
TOP: Final = 60
PANEL: Final = 120
APART: Final = 30
"""Sizes in pixels: of the picture, its margins, a panel, and the space below it."""
_STYLE: Final = (
    "text{font:12px sans-serif;fill:#333}.gap{fill:#c00;fill-opacity:.12}.frame{fill:none;stroke:#ccc}"
    ".a{fill:none;stroke:#06c;stroke-width:1.5}.b{fill:none;stroke:#c60;stroke-width:1.5}"
    ".ka{fill:#06c}.kb{fill:#c60}.turn{stroke:#090;stroke-dasharray:3 3}"
)
Value = Callable[[Figures], float | None]


@dataclass(frozen=True)
class Line:
    """One figure over time."""

    name: str
    value: Value


@dataclass(frozen=True)
class Panel:
    """One or two lines of one unit. The scale reaches from `low` at least to `high`."""

    title: str
    lines: tuple[Line, ...]
    low: float = 0.0
    high: float = 1.0


def _times(factor: float, value: Value) -> Value:
    return lambda one: None if (found := value(one)) is None else factor * found


PANELS: Final = (
    Panel(
        "ms",
        (Line("round trip", lambda one: one.round_trip_ms), Line("jitter", lambda one: one.jitter_ms)),
        high=50,
    ),
    Panel(
        "%",
        (Line("lost", _times(100, lambda one: one.loss)), Line("made up", _times(100, lambda one: one.concealed))),
        high=5,
    ),
    Panel(
        "kbit/s",
        (
            Line("received", _times(0.001, lambda one: one.received_bps)),
            Line("sent", _times(0.001, lambda one: one.sent_bps)),
        ),
        high=50,
    ),
    Panel(
        "dB",
        (Line("assistant", lambda one: one.assistant_db), Line("user", lambda one: one.user_db)),
        low=-80,
        high=0,
    ),
)


def sparkline(values: Sequence[float | None], width: int = 60) -> str:
    """So many blocks at most; each shows the highest of its share, a blank that nothing was known."""
    if not values:
        return ""
    width = min(width, len(values))
    shares = [values[len(values) * i // width : len(values) * (i + 1) // width] for i in range(width)]
    peaks = [max((value for value in share if value is not None), default=None) for share in shares]
    known = [peak for peak in peaks if peak is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(" " if peak is None else BLOCKS[round((peak - low) * scale)] for peak in peaks)


def svg(story: Story) -> str:
    """The whole picture."""
    length = max(story.length_s, 1.0)
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22">{escape(_title(story))}</text>',
        *_gaps(story, length),
        *(part for place, panel in enumerate(PANELS) for part in _panel(story, panel, place, length)),
        *_axis(story, length),
        "</svg>",
    ]
    return "\n".join(body) + "\n"


def _title(story: Story) -> str:
    about = story.about
    return (
        f"{about.get('endpoint', '')} · {about.get('transport', '')} · {story.length_s:.0f} s · {len(story.gaps)} gaps"
    )


def _x(t: float, length: float) -> float:
    return LEFT + t / length * (WIDTH - 2 * LEFT)


def _bottom() -> int:
    return TOP + len(PANELS) * (PANEL + APART) - APART


def _gaps(story: Story, length: float) -> Iterator[str]:
    for gap in story.gaps:
        begin, end = _x(gap.begin, length), _x(story.length_s if gap.end is None else gap.end, length)
        why = escape(f"{gap.begin:.1f} s: {gap.moments[0].words if gap.moments else 'silence'}")
        yield (
            f'<rect class="gap" x="{begin:.1f}" y="{TOP}" width="{max(end - begin, 1):.1f}" height="{_bottom() - TOP}">'
            f"<title>{why}</title></rect>"
        )


def _panel(story: Story, panel: Panel, place: int, length: float) -> Iterator[str]:
    top = TOP + place * (PANEL + APART)
    values = [value for line in panel.lines for one in story.figures if (value := line.value(one)) is not None]
    low, high = panel.low, max([panel.high, *values])
    yield f'<rect class="frame" x="{LEFT}" y="{top}" width="{WIDTH - 2 * LEFT}" height="{PANEL}"/>'
    yield f'<text x="{LEFT - 6}" y="{top + 10}" text-anchor="end">{high:.0f} {panel.title}</text>'
    yield f'<text x="{LEFT - 6}" y="{top + PANEL}" text-anchor="end">{low:.0f}</text>'
    for order, line in enumerate(panel.lines):
        style = "ab"[order]
        yield f'<text class="k{style}" x="{LEFT + 8 + 90 * order}" y="{top - 5}">{line.name}</text>'
        for points in _stretches(story.figures, line.value):
            heights = [top + PANEL * (1 - (max(value, low) - low) / (high - low)) for _, value in points]
            way = " ".join(f"{_x(t, length):.1f},{y:.1f}" for (t, _), y in zip(points, heights, strict=True))
            yield f'<polyline class="{style}" points="{way}"/>'


def _stretches(figures: Sequence[Figures], value: Value) -> Iterator[list[tuple[float, float]]]:
    """Points that belong together: of one connection, with nothing unknown between."""
    points: list[tuple[float, float]] = []
    leg = None
    for one in figures:
        found = value(one)
        if points and (found is None or one.leg != leg):
            yield points
            points = []
        if found is not None:
            points.append((one.t, found))
        leg = one.leg
    if points:
        yield points


def _axis(story: Story, length: float) -> Iterator[str]:
    bottom = _bottom()
    for answer in story.answers:
        x = _x(answer.asked, length)
        wait = "" if answer.wait_ms is None else f" after {answer.wait_ms:.0f} ms"
        said = escape(f"{answer.how}{wait}: {answer.words[:200]}")
        yield f'<line class="turn" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"><title>{said}</title></line>'
    digits = 1 if length < 20 else 0
    for step in range(11):
        t = length * step / 10
        yield f'<text x="{_x(t, length):.1f}" y="{bottom + 18}" text-anchor="middle">{t:.{digits}f} s</text>'
    legend = "red: the sides did not hear each other · green: an answer was asked for"
    yield f'<text x="{LEFT}" y="{bottom + 40}">{legend}</text>'
