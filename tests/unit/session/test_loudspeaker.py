"""What the listener's loudspeaker plays when, and when his microphone's sound was recorded."""

import numpy as np

from vivavoce.audio.echo import LONGEST
from vivavoce.audio.frame import RATE_HZ, Pcm
from vivavoce.session.loudspeaker import PATIENCE_S, Loudspeaker, Pace


def tone(value: int, ms: int) -> Pcm:
    return np.full(ms * RATE_HZ // 1000, value, np.int16)


def heard(loudspeaker: Loudspeaker, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """Value and milliseconds of what is played in a stretch."""
    samples = loudspeaker.between(start_ms * 24, end_ms * 24)
    assert samples is not None
    edges = [0, *(np.flatnonzero(np.diff(samples)) + 1).tolist(), len(samples)]
    return [(int(samples[a]), (b - a) // 24) for a, b in zip(edges, edges[1:], strict=False)]


def test_sound_is_played_from_when_it_comes_and_one_after_another() -> None:
    loudspeaker = Loudspeaker()
    loudspeaker.play(tone(1, 100), 1.0)
    loudspeaker.play(tone(2, 50), 1.01)
    loudspeaker.play(tone(3, 50), 1.3)
    assert heard(loudspeaker, 980, 1400) == [(0, 20), (1, 100), (2, 50), (0, 150), (3, 50), (0, 50)]


def test_what_was_to_be_played_later_is_forgotten() -> None:
    loudspeaker = Loudspeaker()
    loudspeaker.play(tone(1, 100), 1.0)
    loudspeaker.play(tone(2, 100), 1.0)
    loudspeaker.stop(1.05)
    loudspeaker.stop(1.2)
    loudspeaker.play(tone(3, 10), 1.06)
    assert heard(loudspeaker, 1000, 1080) == [(1, 50), (0, 10), (3, 10), (0, 10)]


def test_it_is_silent_before_it_plays_and_when_no_echo_can_be_left() -> None:
    loudspeaker = Loudspeaker()
    loudspeaker.play(tone(1, 100), 1.0)
    assert loudspeaker.between(900 * 24, 1000 * 24) is None
    last = 1100 * 24 + LONGEST
    assert loudspeaker.between(last - 480, last) is not None
    assert loudspeaker.between(last, last + 480) is None


def test_sound_that_comes_late_was_recorded_when_it_should_have_come() -> None:
    pace = Pace()
    moments = [pace.take(480, now) for now in (1.02, 1.2, 1.2, 1.2, 1.1)]
    assert moments == [24_480, 24_960, 25_440, 25_920, 26_400]


def test_sound_that_stays_late_has_a_gap_before_it() -> None:
    pace = Pace()
    pace.take(480, 1.02)
    now, moment = 3.0, 0
    while now < 3.0 + PATIENCE_S + 0.05:
        moment = pace.take(480, now)
        now += 0.02
    assert moment == round((now - 0.02) * RATE_HZ)


def test_sound_that_comes_early_was_never_late() -> None:
    pace = Pace()
    pace.take(480, 1.5)
    assert pace.take(480, 1.1) == round(1.1 * RATE_HZ)
