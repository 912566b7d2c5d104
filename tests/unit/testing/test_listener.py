"""A listener on virtual time."""

from math import inf

import numpy as np
import pytest

from vivavoce.audio.frame import RATE_HZ, Pcm
from vivavoce.testing.listener import Listener


def sound(seconds: float, value: int = 1) -> Pcm:
    return np.full(int(seconds * RATE_HZ), value, np.int16)


def test_sound_is_heard_at_its_own_pace() -> None:
    listener = Listener()
    assert (listener.silent, listener.dry_after(), listener.listen(1.0)) == (True, inf, False)
    listener.play(sound(1.0))
    assert listener.dry_after() == pytest.approx(1.0)
    assert not listener.listen(0.25)
    assert (listener.played, listener.silent) == (RATE_HZ // 4, False)
    assert listener.listen(5.0)
    assert (listener.played, listener.silent) == (RATE_HZ, True)


def test_many_small_steps_come_to_the_same_end() -> None:
    listener = Listener()
    listener.play(sound(1.0))
    ends = [listener.listen(1 / 30) for _ in range(30)]
    assert ends == [False] * 29 + [True]


def test_what_was_heard_can_be_told_apart() -> None:
    listener = Listener()
    listener.play(sound(0.5, 1))
    listener.play(sound(0.5, 2))
    listener.listen(0.75)
    assert listener.heard == {1: RATE_HZ // 2, 2: RATE_HZ // 4}
    listener.listen(0.75)
    assert listener.heard == {1: RATE_HZ // 2, 2: RATE_HZ // 2}


def test_a_flush_drops_what_was_not_heard() -> None:
    listener = Listener()
    listener.play(sound(1.0, 1))
    listener.listen(0.5)
    assert listener.flush() == RATE_HZ // 2
    assert listener.silent
    listener.play(sound(0.5, 2))
    listener.listen(1.0)
    assert listener.heard == {1: RATE_HZ // 2, 2: RATE_HZ // 2}
    assert listener.played == RATE_HZ


def test_a_stall_delays_and_loses_nothing() -> None:
    listener = Listener()
    listener.play(sound(1.0))
    listener.stall(0.5)
    assert listener.dry_after() == pytest.approx(1.5)
    listener.listen(0.7)
    assert listener.played == pytest.approx(0.2 * RATE_HZ, abs=1)
    assert listener.listen(0.81)


def test_no_sound_is_nothing_to_hear() -> None:
    listener = Listener()
    listener.play(sound(0))
    assert listener.silent
