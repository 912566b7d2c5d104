"""When silence means that a connection is broken."""

import pytest

from vivavoce.client.pulse import (
    CHECKED_S,
    FLOW_S,
    GRACE_S,
    PINGED_S,
    STEADY_S,
    STRANDED_S,
    UPLOAD_PER_S,
    Alive,
    Dead,
    Pulse,
    Sign,
    Silent,
)
from vivavoce.transport.interface import Link


def flowing(seconds: float) -> tuple[Pulse, float]:
    """A connection to a server that answers no pings and has sent packets without pause, and the time."""
    pulse, now, packets = Pulse(0.0, pings=False), 0.0, 0
    while now < seconds:
        pulse.look(Link(packets_received=packets, checks_answered=int(now / 2.5)), now)
        packets, now = packets + 25, now + 0.5
    return pulse, now - 0.5


def test_a_server_that_answers_pings_is_missed_within_a_second() -> None:
    pulse = Pulse(0.0, pings=True)
    for tenths in range(0, 30, 3):
        pulse.sign(Sign.PONG, tenths / 10)
    assert pulse.verdict(2.7 + PINGED_S - 0.01) == Alive()
    assert pulse.verdict(2.7 + PINGED_S + 0.01) == Silent(2.7)
    assert PINGED_S <= 1.0 - 0.1


def test_it_may_come_back_by_itself() -> None:
    pulse = Pulse(0.0, pings=True)
    assert pulse.verdict(1.5) == Silent(0.0)
    pulse.sign(Sign.TEXT, 1.6)
    assert pulse.verdict(1.6) == Alive()


def test_it_is_not_waited_for_for_ever() -> None:
    pulse = Pulse(0.0, pings=True)
    assert pulse.verdict(PINGED_S + GRACE_S - 0.01) == Silent(0.0)
    assert pulse.verdict(PINGED_S + GRACE_S + 0.01) == Dead(0.0)


def test_a_ping_that_waits_behind_a_long_message_is_waited_for() -> None:
    pulse = Pulse(0.0, pings=True)
    assert pulse.verdict(PINGED_S + 1.9, ahead=2 * UPLOAD_PER_S) == Alive()
    assert pulse.verdict(PINGED_S + 2.1, ahead=2 * UPLOAD_PER_S) == Silent(0.0)


@pytest.mark.parametrize("pings", [True, False])
def test_a_connection_whose_address_has_gone_is_not_waited_for_to_fall_silent(pings: bool) -> None:
    pulse = Pulse(0.0, pings=pings)
    pulse.stranded = True
    assert pulse.verdict(0.1) == Silent(0.0)
    pulse.stranded = False
    assert pulse.verdict(0.2) == Alive()
    pulse.stranded = True
    assert pulse.verdict(STRANDED_S) == Dead(0.0)


def test_packets_that_came_without_pause_are_missed_soon() -> None:
    pulse, last = flowing(STEADY_S + 2)
    assert pulse.verdict(last + FLOW_S - 0.01) == Alive()
    assert pulse.verdict(last + FLOW_S) == Silent(last)


def test_sound_that_only_ends_is_no_broken_connection() -> None:
    pulse, last = flowing(STEADY_S + 2)
    assert pulse.verdict(last + 1.5) == Silent(last)
    for later in range(2, 60, 2):
        pulse.look(Link(packets_received=225, checks_answered=8 + later), last + later)
        assert pulse.verdict(last + later + 1.9) == Alive()


def test_it_is_broken_when_no_check_is_answered_either() -> None:
    pulse, last = flowing(STEADY_S + 2)
    assert pulse.verdict(last + CHECKED_S - 0.01) == Silent(last)
    assert pulse.verdict(last + CHECKED_S) == Dead(last)


def test_a_connection_that_dies_young_is_missed_too() -> None:
    pulse = Pulse(0.0, pings=False)
    for tenths in range(0, 100, 2):
        pulse.look(Link(checks_answered=3), tenths / 10)
    assert pulse.verdict(CHECKED_S - 0.01) == Alive()
    assert pulse.verdict(CHECKED_S) == Dead(0.0)


def test_sound_with_gaps_says_nothing_when_there_is_one_more() -> None:
    pulse = Pulse(0.0, pings=False)
    for second in range(0, 20, 2):
        pulse.sign(Sign.PACKET, float(second))
    assert pulse.verdict(19.9) == Alive()


def test_a_server_of_which_nothing_can_be_known_is_taken_for_alive() -> None:
    pulse = Pulse(0.0, pings=False)
    pulse.look(Link(), 1.0)
    assert pulse.verdict(3600.0) == Alive()
