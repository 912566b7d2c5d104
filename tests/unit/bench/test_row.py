"""What the figures of `./dev bench calls` count as good, and how they are shown."""

import pytest

from bench.stand.cell import SERVERS, Reading
from bench.stand.load import End, Line, Result
from bench.stand.row import Row, is_good, row
from bench.stand.table import table

STEADY = Line(received=200, missing=0, gaps_s=[0.02] * 199)


def reading(*lines: Line, cpu_s: float = 0.4, seconds: float = 4.0) -> Reading:
    result = Result(list(lines), [0.01] * len(lines), [0.05] * len(lines), [])
    end = End(seconds=seconds, cpu_s=0.1, late_p99_s=0.001, sent=200)
    return Reading(cpu_s, seconds, memory_bytes=3_000_000, threads=9, load=end, result=result)


def test_a_call_that_was_heard_as_it_was_sent_is_good() -> None:
    assert is_good(STEADY, 4.0)


def test_a_call_that_lost_a_packet_is_not_good() -> None:
    assert not is_good(Line(received=199, missing=1, gaps_s=[0.02] * 197 + [0.04]), 4.0)


def test_a_call_of_which_too_little_was_heard_is_not_good_though_nothing_was_lost() -> None:
    assert not is_good(Line(received=150, missing=0, gaps_s=[0.027] * 149), 4.0)


def test_a_call_with_a_hole_that_everybody_hears_is_not_good() -> None:
    assert not is_good(Line(received=200, missing=0, gaps_s=[0.018] * 198 + [0.4]), 4.0)


def test_a_call_that_heard_nothing_is_not_good() -> None:
    assert not is_good(Line(received=0, missing=0, gaps_s=[]), 4.0)


def test_cpu_is_told_for_each_second_of_each_call_and_beside_the_floor() -> None:
    made = row(SERVERS["ours"], 2, [reading(STEADY, STEADY, cpu_s=0.4), reading(STEADY, STEADY, cpu_s=0.8)], 50.0)
    assert made.cpu_ms == pytest.approx(75.0)
    assert made.ratio == pytest.approx(1.5)
    assert made.talk == 1.0
    assert made.memory_mb == pytest.approx(1.5)


def test_the_worst_round_says_how_many_calls_are_good() -> None:
    bad = Line(received=10, missing=0, gaps_s=[0.4] * 9)
    assert row(SERVERS["ours"], 2, [reading(STEADY, STEADY), reading(STEADY, bad)], None).good == 1


def test_a_server_that_answered_nobody_has_a_line_of_dashes() -> None:
    assert row(SERVERS["aiortc"], 30, [reading()], 20.0) == Row("aiortc", 30)
    last = table([Row("aiortc", 30)]).splitlines()[-1]
    assert last.split() == ["bare", "aiortc", "echo", "30", "0/30", *["-"] * 9]


def test_a_server_that_ran_out_of_cpu_is_marked() -> None:
    starved = row(SERVERS["ours"], 1, [reading(Line(received=100, missing=0, gaps_s=[0.04] * 99))], 50.0)
    assert "2.00*" in table([starved])
