"""When somebody began and stopped to speak, by their own sound."""

import numpy as np
import pytest

from vivavoce.audio.frame import Pcm, sample_count, silence
from vivavoce.session.timing import Stretches, Timing, Turn, loud


def tone(ms: int) -> Pcm:
    return (8000 * np.sin(np.arange(sample_count(ms)) * 0.2)).astype(np.int16)


def test_loud_stretches_are_found_to_ten_milliseconds() -> None:
    sound = np.concatenate([silence(sample_count(100)), tone(200), silence(sample_count(50)), tone(33)])
    assert loud(sound) == [
        (sample_count(100), sample_count(300)),
        (sample_count(350), len(sound)),
    ]
    assert loud(silence(0)) == []
    assert loud(silence(1000)) == []
    assert loud(tone(5)) == [(0, sample_count(5))]


def test_a_short_pause_does_not_divide_a_stretch_and_a_long_one_does() -> None:
    stretches = Stretches()
    stretches.push(loud(tone(100)), 10.0)
    stretches.push(loud(tone(100)), 10.3)
    assert stretches.start(10.5, 1.0) == pytest.approx(10.0)
    stretches.push(loud(tone(100)), 11.0)
    assert stretches.start(11.05, 1.0) == pytest.approx(11.0)
    assert stretches.end(11.05, 1.0) == pytest.approx(11.05)
    assert stretches.end(12.0, 1.0) == pytest.approx(11.1)
    assert stretches.end(20.0, 1.0) is None


def test_sound_that_was_never_spoken_does_not_count() -> None:
    timing = Timing()
    timing.spoke(tone(2000), 10.0)
    timing.hushed(10.5)
    timing.speech_stopped(11.0)
    assert timing.turns[-1].asked_at == pytest.approx(10.5)


def test_noise_of_long_ago_is_not_what_the_server_heard() -> None:
    timing = Timing()
    timing.spoke(tone(100), 10.0)
    timing.heard(loud(tone(100)), 19.9)
    timing.speech_started(20.0, over=True)
    assert timing.turns[-1].interrupted_at == 20.0
    timing.speech_stopped(40.0)
    assert timing.turns[-1].asked_at == 40.0


def test_stopping_the_assistant_by_hand_takes_no_time() -> None:
    timing = Timing()
    timing.interrupted(5.0)
    assert timing.turns[-1].barge_in_ms == 0
    timing.silenced(5.1)
    assert timing.turns[-1].barge_in_ms == pytest.approx(100)


def test_what_has_not_happened_has_no_figure() -> None:
    assert Turn(asked_at=1.0).answer_ms is None
    assert Turn(answered_at=1.0).answer_ms is None
    timing = Timing()
    timing.response_created("r")
    timing.sounded("r", 1.0)
    timing.silenced(1.0)
    timing.heard(loud(tone(10)), 1.0)
    assert timing.turns == ()


def test_an_answer_in_two_responses_is_heard_with_the_one_that_has_sound() -> None:
    timing = Timing()
    timing.asked(1.0)
    timing.response_created("calls a function")
    timing.response_created("says it")
    timing.sounded("says it", 3.0)
    assert timing.turns == (Turn(asked_at=1.0, answered_at=3.0),)
    timing.response_created("another")
    timing.sounded("another", 9.0)
    assert timing.turns == (Turn(asked_at=1.0, answered_at=3.0),)
