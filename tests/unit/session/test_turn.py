"""When a turn begins and ends, by the detector's word alone."""

from collections.abc import Iterable

import pytest

from vivavoce.audio.frame import sample_count
from vivavoce.session.track import Window
from vivavoce.session.turn import INTERRUPTION_MS, ONSET_MS, Onset, Pause, Pausing, Quiet, Rising, Speaking, Turn
from vivavoce.wire.config import SemanticVad, ServerVad, TurnDetection

STEP = sample_count(32)
VAD = ServerVad(threshold=0.5)


def listen(
    turn: Turn,
    probabilities: Iterable[float],
    detection: TurnDetection = VAD,
    onset_ms: int = ONSET_MS,
    *,
    at: int = 0,
    pause_ms: int = 200,
) -> list[Onset | Pause]:
    """What happens in windows of 32 ms, beginning at a position."""
    found: list[Onset | Pause] = []
    for place, probability in enumerate(probabilities):
        window = Window(at + place * STEP, at + (place + 1) * STEP)
        change = turn.heard(probability, window, detection, onset_ms, lambda _: pause_ms)
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
    assert turn.heard(1.0, Window(0, sample_count(60)), VAD, ONSET_MS, lambda _: 200) == Onset(0)


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
    vad = ServerVad(threshold=threshold)
    assert [type(change) for change in listen(Turn(), [0.9] * 3 + [0.0] * 10, vad)][:2] == [Onset, Pause]


def test_settings_that_say_nothing_mean_the_services_own() -> None:
    assert listen(Turn(), [0.49] * 9, ServerVad()) == []
    assert listen(Turn(), [0.5] * 9, SemanticVad()) == [Onset(0)]


def test_how_long_a_pause_may_last_is_asked_in_every_silent_window_and_in_no_other() -> None:
    turn = Turn()
    asked: list[int] = []

    def pause_ms(voiced_until: int) -> int:
        asked.append(voiced_until)
        return 1000 if len(asked) < 3 else 50

    found = [
        turn.heard(probability, Window(place * STEP, (place + 1) * STEP), VAD, ONSET_MS, pause_ms)
        for place, probability in enumerate([0.9, 0.9, 0.9, 0.0, 0.0, 0.0, 0.0])
    ]
    assert found == [None, Onset(0), None, None, None, Pause(6 * STEP), None]
    assert asked == [3 * STEP] * 3


def test_whoever_goes_on_after_a_pause_has_the_floor_still() -> None:
    turn = Turn()
    listen(turn, [0.9, 0.9, 0.0])
    assert turn.floor == Pausing(0, voiced_until=2 * STEP)
    listen(turn, [0.9], at=3 * STEP)
    assert turn.floor == Speaking(0, voiced_until=4 * STEP)


def test_no_silence_at_all_is_enough_where_none_is_asked_for() -> None:
    assert listen(Turn(), [0.9, 0.9, 0.0], pause_ms=0) == [Onset(0), Pause(3 * STEP)]


@pytest.mark.parametrize("probabilities", [[], [0.9], [0.9, 0.9], [0.9, 0.9, 0.0]])
def test_after_a_reset_nobody_speaks(probabilities: list[float]) -> None:
    turn = Turn()
    listen(turn, probabilities)
    assert isinstance(turn.floor, [Quiet, Rising, Speaking, Pausing][len(probabilities)])
    turn.reset()
    assert turn.floor == Quiet()
    assert listen(turn, [0.9, 0.9], at=10 * STEP) == [Onset(10 * STEP)]
