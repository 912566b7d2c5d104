"""Rows as text, in columns."""

from typing import Final

from bench.stand.cell import SERVERS
from bench.stand.row import Row

HEAD: Final = (
    ("server", "", ""),
    ("calls", "", ""),
    ("good", "", "calls"),
    ("CPU", "ms per", "call-s"),
    ("ratio", "to wrtc", "echo"),
    ("talk", "at the", "listener"),
    ("offer→", "answer", "p50 ms"),
    ("connect", "p50", "ms"),
    ("connect", "p95", "ms"),
    ("audio", "gap p99", "ms"),
    ("memory", "MB per", "call"),
    ("peak", "threads", ""),
)


def table(rows: list[Row]) -> str:
    """The whole table, without a final line end."""
    body = [_cells(each) for each in rows]
    head = [list(words) for words in zip(*HEAD, strict=True)]
    widths = [max(map(len, column)) for column in zip(*head, *body, strict=True)]
    return "\n".join(_line(cells, widths) for cells in (*head, ["─" * width for width in widths], *body))


def _line(cells: list[str], widths: list[int]) -> str:
    name, *figures = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join((name.strip().ljust(widths[0]), *figures)).rstrip()


def _cells(row: Row) -> list[str]:
    return [
        SERVERS[row.server].title,
        str(row.calls),
        f"{row.good}/{row.calls}",
        _figure(row.cpu_ms, 1),
        _figure(row.ratio, 2) + ("*" if row.starved else ""),
        "-" if row.talk is None else f"{row.talk:.0%}",
        _figure(row.answer_p50_ms, 0),
        _figure(row.connect_p50_ms, 0),
        _figure(row.connect_p95_ms, 0),
        _figure(row.gap_p99_ms, 0),
        _figure(row.memory_mb, 1),
        _figure(row.threads, 0),
    ]


def _figure(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
