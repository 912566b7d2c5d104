"""When a turn begins and ends, by the detector's word alone."""

from collections.abc import Iterable

import pytest

from vivavoce.audio.frame import sample_count
from vivavoce.session.track import Window
from vivavoce.session.turn import INTERRUPTION_MS, ONSET_MS, Onset, Pause, Quiet, Rising, Speaking, Turn
from vivavoce.wire.config import SemanticVad, ServerVad, TurnDetection

STEP = sample_count(32)
VAD = ServerVad(threshold=0.5, silence_duration_ms=200)


def listen(
    turn: Turn, probabilities: Iterable[float], detection: TurnDetection = VAD, onset_ms: int = ONSET_MS, at: int = 0
) -> list[Onset | Pause]:
    """What happens in windows of 32 ms, beginning at a position."""
    found: list[Onset | Pause] = []
    for place, probability in enumerate(probabilities):
        window = Window(at + place * STEP, at + (place + 1) * STEP)
        change = turn.heard(probability, window, detection, onset_ms)
        if change is not None:
            found.append(change)
    return found


def test_speech_begins_where_it_was_first_heard() -> None:
    assert listen(Turn(), [0, 0, 0.9, 0.9]) == [Onset(2 * STEP)]


def test_a_click_takes_no_floor() -> None:
    turn = Turn()
    assert listen(turn, [0, 0.9, 0, 0.9, 0]) == []
    assert turn.floor == Quiet()


def test_one_window_may_be_long_enough() -> None:
    turn = Turn()
    assert turn.heard(1.0, Window(0, sample_count(60)), VAD, ONSET_MS) == Onset(0)


def test_a_cough_does_not_interrupt_though_it_would_take_a_free_floor() -> None:
    assert listen(Turn(), [0.9, 0.9, 0], onset_ms=ONSET_MS) == [Onset(0)]
    assert listen(Turn(), [0.9, 0.9, 0], onset_ms=INTERRUPTION_MS) == []
    assert listen(Turn(), [0.9, 0.9, 0.9], onset_ms=INTERRUPTION_MS) == [Onset(0)]


def test_a_turn_ends_after_the_silence_that_was_asked_for() -> None:
    assert listen(Turn(), [0.9] * 4 + [0.0] * 10) == [Onset(0), Pause(4 * STEP + 7 * STEP)]


def test_a_voice_that_wavers_is_one_turn() -> None:
    # Below what began it, but not far below.
    assert listen(Turn(), [0.9, 0.9] + [0.4] * 40) == [Onset(0)]
    assert len(listen(Turn(), [0.9, 0.9] + [0.34] * 40)) == 2


def test_a_pause_begins_anew_with_every_word() -> None:
    assert listen(Turn(), [0.9, 0.9] + [0.0, 0.0, 0.0, 0.9] * 5) == [Onset(0)]


@pytest.mark.parametrize("threshold", [0.0, 0.05, 0.15])
def test_even_the_lowest_threshold_lets_a_turn_end(threshold: float) -> None:
    vad = ServerVad(threshold=threshold, silence_duration_ms=200)
    assert [type(change) for change in listen(Turn(), [0.9] * 3 + [0.0] * 10, vad)][:2] == [Onset, Pause]


@pytest.mark.parametrize(("eagerness", "pause_ms"), [("low", 1500), ("medium", 900), ("auto", 900), ("high", 500)])
def test_an_eager_listener_waits_less(eagerness: str, pause_ms: int) -> None:
    vad = SemanticVad(eagerness=eagerness)  # pyright: ignore[reportArgumentType] - parametrized
    _, pause = listen(Turn(), [0.9, 0.9] + [0.0] * 60, vad)
    assert pause_ms <= (pause.at - 2 * STEP) / sample_count(1) < pause_ms + 32


def test_settings_that_say_nothing_mean_the_services_own() -> None:
    assert listen(Turn(), [0.49] * 9, ServerVad()) == []
    assert listen(Turn(), [0.5] * 9, SemanticVad()) == [Onset(0)]
    _, pause = listen(Turn(), [0.9, 0.9] + [0.0] * 60, ServerVad())
    assert 200 <= (pause.at - 2 * STEP) / sample_count(1) < 232
    _, pause = listen(Turn(), [0.9, 0.9] + [0.0] * 60, SemanticVad())
    assert 900 <= (pause.at - 2 * STEP) / sample_count(1) < 932


def test_other_settings_hold_from_the_next_window_on() -> None:
    turn = Turn()
    listen(turn, [0.9, 0.9, 0.0])
    assert listen(turn, [0.0], ServerVad(silence_duration_ms=50), at=3 * STEP) == [Pause(4 * STEP)]


@pytest.mark.parametrize("probabilities", [[], [0.9], [0.9, 0.9]])
def test_after_a_reset_nobody_speaks(probabilities: list[float]) -> None:
    turn = Turn()
    listen(turn, probabilities)
    assert isinstance(turn.floor, [Quiet, Rising, Speaking][len(probabilities)])
    turn.reset()
    assert turn.floor == Quiet()
    assert listen(turn, [0.9, 0.9], at=10 * STEP) == [Onset(10 * STEP)]
