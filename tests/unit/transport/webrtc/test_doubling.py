"""When speech travels twice."""

from collections.abc import Iterable

import pytest

from vivavoce.transport.webrtc.doubling import Doubling, Faring

ROOM = 200_000.0
NARROW = 60_000.0


def looked(farings: Iterable[Faring], doubling: Doubling | None = None, start: float = 0.0) -> list[bool]:
    """What comes of looks two seconds apart."""
    doubling = doubling or Doubling()
    return [doubling.look(faring, start + 2.0 * at) for at, faring in enumerate(farings)]


def reported(*lost: float, carried_bps: float | None = ROOM, round_trip_s: float | None = 0.05) -> list[Faring]:
    return [Faring(reported=each, carried_bps=carried_bps, round_trip_s=round_trip_s) for each in lost]


def test_a_clean_line_costs_nothing_more() -> None:
    assert not any(looked(reported(0.0, 0.01, 0.02, 0.03)))
    assert not any(looked([Faring(), Faring(carried_bps=ROOM, received=1000, missed=-3)]))


def test_it_travels_twice_as_soon_as_the_peer_misses_some_and_once_when_it_has_missed_none_for_a_while() -> None:
    assert looked(reported(0.0, 0.05, 0.03, 0.0, 0.0, 0.0, 0.0, 0.0)) == [False, *[True] * 6, False]


def test_a_loss_on_the_way_back_tells_of_one_on_the_way_there_before_the_peer_does() -> None:
    farings = [Faring(received=got, missed=missed, carried_bps=ROOM) for got, missed in ((100, 0), (190, 10))]
    assert looked(farings) == [False, True]


def test_a_few_packets_prove_nothing() -> None:
    few = [Faring(received=20 + 4 * at, missed=at, carried_bps=ROOM) for at in range(3)]
    assert looked(few) == [False, False, False]


@pytest.mark.parametrize("carried_bps", [NARROW, None])
def test_a_network_that_cannot_carry_it_is_not_given_more(carried_bps: float | None) -> None:
    assert not any(looked(reported(0.2, 0.2, carried_bps=carried_bps)))


def test_packets_that_are_lost_because_there_are_too_many_are_not_sent_twice() -> None:
    doubling = Doubling()
    assert looked(reported(0.0, 0.1), doubling) == [False, True]
    assert looked(reported(0.1, 0.1, round_trip_s=0.9), doubling, 4.0) == [False, False]


def test_a_longer_way_is_no_queue_once_it_has_lasted_for_a_minute() -> None:
    doubling = Doubling()
    looked(reported(0.0), doubling)
    moved = looked(reported(*[0.1] * 31, round_trip_s=0.4), doubling, 2.0)
    assert moved == [*[False] * 29, True, True]
