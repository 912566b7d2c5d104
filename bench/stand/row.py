"""What measurements say together: one line of the table."""

from dataclasses import dataclass
from statistics import median
from typing import Final

from bench.stand.cell import Reading, Server
from bench.stand.load import PERIOD_S, Line, percentile

COUNT_TOLERANCE: Final = 0.02
EDGE_PACKETS: Final = 2
LEAST_TALK: Final = 0.95
WORST_GAP_S: Final = 0.25
"""No jitter buffer hides a gap like this."""


@dataclass(frozen=True)
class Row:
    """One server with so many calls. `None` where there was nothing to measure."""

    server: str
    calls: int
    good: int = 0
    cpu_ms: float | None = None
    ratio: float | None = None
    talk: float | None = None
    answer_p50_ms: float | None = None
    connect_p50_ms: float | None = None
    connect_p95_ms: float | None = None
    gap_p99_ms: float | None = None
    memory_mb: float | None = None
    threads: int | None = None

    @property
    def starved(self) -> bool:
        """Whether so little sound came that what the server used says little."""
        return self.talk is not None and self.talk < LEAST_TALK


def is_good(line: Line, seconds: float) -> bool:
    """Whether a caller heard all it should have: every packet, as many as were sent, none far too late."""
    expected = seconds / PERIOD_S
    right = abs(line.received - expected) <= COUNT_TOLERANCE * expected + EDGE_PACKETS
    return right and line.missing == 0 and max(line.gaps_s, default=WORST_GAP_S) < WORST_GAP_S


def cpu_ms(readings: list[Reading]) -> float | None:
    """CPU milliseconds of the server for each second of each call."""
    call_s = sum(reading.seconds * len(reading.result.lines) for reading in readings)
    return sum(reading.cpu_s for reading in readings) / call_s * 1000 if call_s else None


def row(server: Server, calls: int, readings: list[Reading], floor_ms: float | None) -> Row:
    """What several rounds say together.

    Args:
        server: which one.
        calls: how many were wanted.
        readings: one for each round that could be measured.
        floor_ms: what the bare echo on our own WebRTC package cost, where that is known.
    """
    lines = [line for reading in readings for line in reading.result.lines]
    cost = cpu_ms(readings)
    if cost is None:
        return Row(server.name, calls)
    expected = sum(reading.seconds * len(reading.result.lines) for reading in readings) / PERIOD_S
    connects = [each for reading in readings for each in reading.result.connect_s]
    return Row(
        server=server.name,
        calls=calls,
        good=min(sum(is_good(line, reading.seconds) for line in reading.result.lines) for reading in readings),
        cpu_ms=cost,
        ratio=cost / floor_ms if floor_ms else None,
        talk=sum(line.received for line in lines) / expected,
        answer_p50_ms=median(each for reading in readings for each in reading.result.answer_s) * 1000,
        connect_p50_ms=median(connects) * 1000,
        connect_p95_ms=percentile(connects, 95) * 1000,
        gap_p99_ms=percentile([gap for line in lines for gap in line.gaps_s], 99) * 1000,
        memory_mb=median(reading.memory_bytes / max(1, len(reading.result.lines)) for reading in readings) / 1e6,
        threads=int(median(reading.threads for reading in readings)),
    )
