"""Engines that play a part."""

from collections import Counter

import numpy as np
import pytest

from vivavoce.audio.frame import sample_count
from vivavoce.session.effect import Begin, Cancel, Feed, Finish, Job, Speak, Think, Transcribe
from vivavoce.session.result import Ended, Failed, Partial, Result, Spoken, Thought, Words
from vivavoce.session.result import Final as FinalText
from vivavoce.testing.agenda import Agenda
from vivavoce.testing.cast import CHARACTER, Break, Cast, Early, Hang, Hearing, Pace, Rest, Trouble
from vivavoce.testing.ear import WINDOW, Ear, voice

GONE = Failed("gone")
QUESTION = Think("", "", (), (), "auto", True, None, {})


def heard(*transcripts: Hearing, turns: int = 1) -> list[Result]:
    said: list[Result] = []
    cast = Cast(lambda _, __, result: said.append(result), transcripts=transcripts)
    for job in range(turns):
        cast.work(Begin(job, Transcribe(None)))
        cast.work(Feed(job, voice(1)))
        cast.work(Finish(job))
    return said


@pytest.mark.parametrize(
    ("hearing", "results"),
    [
        ("hello", [FinalText("hello")]),
        (GONE, [GONE]),
        (Hang(), []),
        (Early(GONE), [GONE]),
        ([Partial("a"), FinalText("ab")], [Partial("a"), FinalText("ab")]),
        ([Partial("a"), Hang(), FinalText("ab")], [Partial("a")]),
    ],
)
def test_a_transcriber_says_what_was_written_for_it(hearing: Hearing, results: list[Result]) -> None:
    assert heard(hearing) == results


def test_turns_that_nobody_wrote_anything_for_are_silent() -> None:
    assert heard("one", turns=2) == [FinalText("one"), FinalText("")]


def test_a_part_for_a_turn_that_was_given_up_is_left_for_the_next() -> None:
    said: list[Result] = []
    cast = Cast(lambda _, __, result: said.append(result), transcripts=["one", Early(FinalText("two"))])
    cast.work(Begin(1, Transcribe(None)))
    cast.work(Cancel(1))
    cast.work(Begin(2, Transcribe(None)))
    cast.work(Finish(2))
    cast.work(Begin(3, Transcribe(None)))
    cast.work(Finish(3))
    assert said == [FinalText("one"), FinalText("two")]


def test_an_early_end_that_nobody_waited_for_comes_at_the_end() -> None:
    said: list[Result] = []
    cast = Cast(lambda _, __, result: said.append(result), transcripts=["one", Early(FinalText("two"))])
    for job in (1, 2):
        cast.work(Begin(job, Transcribe(None)))
    for job in (1, 2):
        cast.work(Finish(job))
    assert said == [FinalText("one"), FinalText("two")]


def test_a_thinker_says_words_one_by_one_and_rests_where_it_should() -> None:
    said: list[tuple[float, Result]] = []
    cast = Cast(
        lambda delay, _, result: said.append((round(delay, 2), result)),
        replies=["Two words.", [Words("a"), Rest(2.0), Words("b"), Hang(), Words("c")], Hang()],
        pace=Pace(first_word=0.5, word=0.1),
    )
    for job in range(4):
        cast.work(Begin(job, QUESTION))
    assert said == [
        (0.5, Words("Two ")),
        (0.6, Words("words.")),
        (0.7, Thought()),
        (0.5, Words("a")),
        (2.6, Words("b")),
        (0.5, Words("Yes.")),
        (0.6, Thought()),
    ]
    assert cast.thoughts == [QUESTION] * 4


def spoken(text: str, trouble: Trouble = None, *, marked: bool = True) -> tuple[Cast, list[Result]]:
    said: list[Result] = []
    cast = Cast(lambda _, __, result: said.append(result), voice=[trouble], pace=Pace(marked=marked))
    cast.work(Begin(1, Speak(text, "ash", 1.0)))
    return cast, said


def test_every_word_has_a_sound_of_its_own() -> None:
    cast, said = spoken("Two words.")
    sound = np.concatenate([result.samples for result in said if isinstance(result, Spoken)])
    assert len(sound) == 10 * CHARACTER
    assert said[-1] == Ended()
    assert [mark for result in said if isinstance(result, Spoken) for mark in result.marks] == [
        (4, 4 * CHARACTER),
        (10, 10 * CHARACTER),
    ]
    for samples, words in [(3 * CHARACTER - 1, []), (3 * CHARACTER, ["Two"]), (10 * CHARACTER, ["Two", "words."])]:
        values, counts = np.unique(sound[:samples], return_counts=True)
        assert cast.words(Counter(dict(zip(values.tolist(), counts.tolist(), strict=True)))) == words


def test_a_voice_without_marks_says_the_same() -> None:
    _, said = spoken("Two words.", marked=False)
    assert all(result.marks == () for result in said if isinstance(result, Spoken))


@pytest.mark.parametrize(
    ("trouble", "pieces", "end"), [(Hang(), 0, None), (Hang(2), 2, None), (GONE, 0, GONE), (Break(GONE, 3), 3, GONE)]
)
def test_a_voice_may_break_in_the_middle(trouble: Trouble, pieces: int, end: Failed | None) -> None:
    _, said = spoken("Two words.", trouble)
    assert len([result for result in said if isinstance(result, Spoken)]) == pieces
    assert [result for result in said if not isinstance(result, Spoken)] == ([] if end is None else [end])


def test_who_works_is_known() -> None:
    cast, _ = spoken("Yes.")
    cast.work(Begin(2, QUESTION))
    assert cast.busy == {1, 2}
    cast.work(Cancel(1))
    cast.ended(2)
    assert cast.busy == set[Job]()


def test_an_ear_takes_loud_for_spoken() -> None:
    ear = Ear()
    assert ear.push(voice(WINDOW - 1)) == []
    assert ear.push(voice(1)) == [(1.0, WINDOW)]
    half = np.concatenate((voice(WINDOW // 2), np.zeros(WINDOW // 2 + 5, np.int16), voice(WINDOW)))
    assert ear.push(half) == [(0.5, 2 * WINDOW), ((WINDOW - 5) / WINDOW, 3 * WINDOW)]


def test_what_is_noted_for_one_moment_happens_in_order() -> None:
    agenda: Agenda[str] = Agenda()
    assert agenda.next == float("inf")
    for at, word in [(2.0, "c"), (1.0, "a"), (1.0, "b")]:
        agenda.note(at, lambda word=word: word)
    assert agenda.next == 1.0
    assert [agenda.take()() for _ in range(3)] == ["a", "b", "c"]
    with pytest.raises(IndexError):
        agenda.take()


def test_a_piece_is_a_tenth_of_a_second() -> None:
    _, said = spoken("Yes.")
    assert [len(result.samples) for result in said if isinstance(result, Spoken)] == [sample_count(100)] * 2 + [
        4 * CHARACTER - 2 * sample_count(100)
    ]
