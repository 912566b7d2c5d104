"""When silence means that a connection is broken."""

from collections.abc import Callable
from random import Random

import pytest

from vivavoce.client.pulse import (
    CHECKED_S,
    FLOW_S,
    GRACE_S,
    PATIENT_S,
    PING_S,
    PINGED_S,
    STEADY_S,
    STRANDED_S,
    UPLOAD_PER_S,
    URGENT_S,
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


TRIP_S = 0.05


class Line:
    """A server that answers each ping at once, and a network that loses some of both."""

    def __init__(self) -> None:
        self.pulse = Pulse(0.0, pings=True)
        self.now = 0.0
        self._ticks = 0
        self._arrivals: list[float] = []

    def go_on(self, seconds: float, passes: Callable[[], bool]) -> int:
        """Let time pass; how often the server was taken for silent."""
        alarms, before = 0, Alive()
        for _ in range(round(seconds / URGENT_S)):
            self._ticks += 1
            self.now = self._ticks * URGENT_S
            while self._arrivals and self._arrivals[0] <= self.now:
                self.pulse.sign(Sign.BYTES, self._arrivals.pop(0))
            verdict = self.pulse.verdict(self.now)
            alarms += isinstance(verdict, Silent) and before == Alive()
            before = verdict
            if self.pulse.urgent(self.now) or self._ticks % round(PING_S / URGENT_S) == 0:
                self.pulse.pinged()
                if passes() and passes():
                    self._arrivals.append(self.now + TRIP_S)
        return alarms


@pytest.mark.parametrize("loss", [0.05, 0.1, 0.2, 0.3])
def test_loss_while_nobody_speaks_is_not_taken_for_silence(loss: float) -> None:
    line, chance = Line(), Random(8)
    assert line.go_on(600.0, lambda: chance.random() >= loss) == 0


@pytest.mark.parametrize(("loss", "within_s"), [(0.0, PINGED_S), (0.05, 1.2), (0.1, 1.5), (0.2, 2.3), (0.5, PATIENT_S)])
def test_the_more_is_lost_the_longer_silence_is_waited_out(loss: float, within_s: float) -> None:
    line, chance = Line(), Random(8)
    line.go_on(60.0, lambda: chance.random() >= loss)
    line.go_on(TRIP_S + within_s + URGENT_S, lambda: False)
    assert line.pulse.verdict(line.now) == Silent(line.pulse.last)


def test_an_outage_says_nothing_of_what_is_lost_otherwise() -> None:
    line = Line()
    for _ in range(20):
        line.go_on(3.0, lambda: False)
        line.go_on(3.0, lambda: True)
    assert line.pulse.patience_s == PINGED_S


def test_a_ping_that_is_not_answered_is_followed_by_others_at_once_but_not_for_ever() -> None:
    pulse = Pulse(0.0, pings=True)
    assert not pulse.urgent(PING_S)
    assert pulse.urgent(PING_S + URGENT_S)
    assert not pulse.urgent(PINGED_S + URGENT_S), "they would only pile up"
    assert not Pulse(0.0, pings=False).urgent(PING_S + URGENT_S)


def test_whatever_arrives_shows_that_the_server_lives() -> None:
    pulse = Pulse(0.0, pings=True)
    pulse.look(Link(bytes_received=100), 0.1)
    assert pulse.last == 0.0, "it may have come before"
    pulse.look(Link(bytes_received=140), 0.8)
    assert pulse.verdict(1.6) == Alive()
    pulse.look(Link(bytes_received=140), 1.8)
    assert pulse.verdict(1.8) == Silent(0.8)


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
