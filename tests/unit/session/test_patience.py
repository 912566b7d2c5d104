"""How long a pause may last."""

import numpy as np
import pytest

from tests.unit.session.outcome import counting, of_kind
from vivavoce.audio.frame import Pcm, sample_count
from vivavoce.session.buffer import InputBuffer
from vivavoce.session.completeness import NEUTRAL
from vivavoce.session.conversation import Conversation
from vivavoce.session.effect import Begin, Cancel, Effect, Judge
from vivavoce.session.outbox import Outbox
from vivavoce.session.patience import JUDGE_AFTER_MS, Patience, together, wait_ms
from vivavoce.session.result import Draft, Failed, Judged
from vivavoce.session.scribe import Utterance
from vivavoce.session.turn import Pausing
from vivavoce.wire.config import SemanticVad, Transcription

AUTO = SemanticVad()
MS = sample_count(1)
PAUSE = Pausing(0, voiced_until=1000 * MS)


@pytest.mark.parametrize(("eagerness", "shortest", "longest"), [("low", 600, 8000), ("medium", 300, 4000)])
def test_the_surer_the_shorter_and_never_longer_than_documented(eagerness: str, shortest: int, longest: int) -> None:
    waits = [wait_ms(eagerness, tenth / 10) for tenth in range(11)]
    assert waits == sorted(waits, reverse=True)
    assert shortest <= waits[-1] <= shortest * 1.01 + 1
    assert waits[0] + 32 <= longest


def test_eagerness_is_how_long_one_waits() -> None:
    for probability in (0.05, 0.5, 0.95):
        low, medium, high = (wait_ms(eagerness, probability) for eagerness in ("low", "medium", "high"))
        assert low > medium > high
        assert wait_ms("auto", probability) == medium
    assert wait_ms("high", 0.0) + 32 <= 2000


def test_two_opinions_make_one() -> None:
    assert together(NEUTRAL, 0.8) == pytest.approx(0.8)
    assert together(0.8, NEUTRAL) == pytest.approx(0.8)
    assert together(0.8, 0.8) > 0.9
    assert together(0.9, 0.1) == pytest.approx(NEUTRAL)
    assert 0 < together(0.0, 0.0) < together(1.0, 1.0) < 1


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────


def utterance(draft: Draft | None = None, text: str = "", wish: Transcription | None = None) -> Utterance:
    """Something said from the beginning of the input on."""
    return Utterance("item_1", 1, wish, Conversation(), text=text, draft=draft)


def wait(said: Utterance | None) -> int:
    return Patience(Outbox(counting()), 0).wait_ms(AUTO, said, PAUSE.voiced_until)


def test_without_words_the_wait_is_neutral() -> None:
    assert wait(None) == wait(utterance()) == wait_ms("auto", NEUTRAL)


def test_words_decide_as_far_as_they_reach() -> None:
    assert wait(utterance(Draft("what time is it", PAUSE.voiced_until))) < 400
    assert wait(utterance(Draft("what time is the", PAUSE.voiced_until))) > 3000
    # The recogniser is behind: what it has of the sentence tells nothing of its end.
    assert wait(utterance(Draft("what time is it", PAUSE.voiced_until - 1))) == wait_ms("auto", NEUTRAL)


def test_a_transcriber_without_drafts_is_judged_by_what_is_certain() -> None:
    assert wait(utterance(text="what time is it")) < 400


def test_the_language_that_was_asked_for_is_the_one_that_is_read() -> None:
    draft = Draft("also um", PAUSE.voiced_until)
    assert wait(utterance(draft, wish=Transcription(language="de"))) == wait_ms("auto", NEUTRAL)
    assert wait(utterance(draft, wish=Transcription(languages=["en", "de"]))) > 3000
    assert wait(utterance(draft)) > 3000


# ── a turn model ────────────────────────────────────────────────────────────────────────────────────────


class Judgement:
    """A pause, and a turn model that wants 100 ms."""

    def __init__(self, window: int = 100 * MS) -> None:
        self.out = Outbox(counting())
        self.patience = Patience(self.out, window)
        self.buffer = InputBuffer()
        self.buffer.append(np.arange(1500 * MS, dtype=np.int16))

    def look(self, silent_ms: int, pause: Pausing = PAUSE) -> list[Effect]:
        self.patience.look(pause, pause.voiced_until + silent_ms * MS, self.buffer)
        return self.out.drain()

    def wait(self, pause: Pausing = PAUSE) -> int:
        return self.patience.wait_ms(AUTO, None, pause.voiced_until)


def judged(effects: list[Effect]) -> list[Pcm]:
    return [begin.work.samples for begin in of_kind(effects, Begin) if isinstance(begin.work, Judge)]


def test_a_pause_is_judged_once_by_its_last_sound() -> None:
    case = Judgement()
    assert case.look(JUDGE_AFTER_MS - 1) == []
    (samples,) = judged(case.look(JUDGE_AFTER_MS))
    assert np.array_equal(samples, case.buffer.between(1100 * MS, 1200 * MS))
    assert case.look(JUDGE_AFTER_MS + 32) == []


def test_how_it_sounded_shortens_or_lengthens_the_wait() -> None:
    case = Judgement()
    case.look(JUDGE_AFTER_MS)
    assert case.patience.owns(1)
    assert case.wait() == wait_ms("auto", NEUTRAL)
    case.patience.result(Judged(0.95))
    assert case.wait() == wait_ms("auto", 0.95)
    assert not case.patience.owns(1)
    assert case.wait(Pausing(0, PAUSE.voiced_until + 1)) == wait_ms("auto", NEUTRAL)


def test_a_turn_model_that_fails_leaves_the_words() -> None:
    case = Judgement()
    case.look(JUDGE_AFTER_MS)
    case.patience.result(Failed("gone"))
    assert case.wait() == wait_ms("auto", NEUTRAL)
    assert case.look(JUDGE_AFTER_MS + 32) == []


def test_a_new_pause_is_judged_anew_and_the_old_judgement_not_waited_for() -> None:
    case = Judgement()
    case.look(JUDGE_AFTER_MS)
    effects = case.look(JUDGE_AFTER_MS, Pausing(0, PAUSE.voiced_until + 100 * MS))
    assert of_kind(effects, Cancel) == [Cancel(1)]
    assert len(judged(effects)) == 1


def test_when_the_pause_is_over_nobody_judges_it() -> None:
    case = Judgement()
    case.look(JUDGE_AFTER_MS)
    case.patience.forget()
    assert case.out.drain() == [Cancel(1)]
    case.patience.forget()
    assert case.out.drain() == []


def test_without_a_turn_model_nothing_is_asked() -> None:
    assert Judgement(window=0).look(3000) == []


def test_a_turn_shorter_than_the_window_is_judged_as_far_as_it_is_kept() -> None:
    case = Judgement(window=sample_count(8000))
    (samples,) = judged(case.look(JUDGE_AFTER_MS))
    assert len(samples) == 1200 * MS
