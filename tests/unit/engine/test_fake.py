"""Scripted engines keep to their scripts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import repeat

import numpy as np
import pytest

from vivavoce.audio.frame import Pcm, sample_count, silence
from vivavoce.engine.fake import (
    Die,
    Hang,
    Hear,
    HearStep,
    Said,
    Say,
    ScriptedDetector,
    ScriptedSpeaker,
    ScriptedThinker,
    ScriptedTranscriber,
    Span,
    ThinkStep,
    Wait,
    hearing,
    thinking,
)
from vivavoce.engine.interface import (
    Detector,
    Final,
    Mark,
    Partial,
    Prompt,
    Speaker,
    Speech,
    Thinker,
    Thought,
    ToolArguments,
    ToolCall,
    Transcriber,
    Transcribing,
    Words,
)
from vivavoce.errors import EngineError, Fault
from vivavoce.wire.config import Transcription

HELLO = Prompt(model="", instructions="", items=())


class Pauses:
    """Writes down how long it was asked to wait, and does not."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


async def sound(*lengths: int) -> AsyncIterator[Pcm]:
    for length in lengths:
        yield silence(length)


def test_they_are_engines() -> None:
    engines: tuple[Detector, Transcriber, Thinker, Speaker] = (
        ScriptedDetector(),
        ScriptedTranscriber([]),
        ScriptedThinker([]),
        ScriptedSpeaker(),
    )
    assert {engine.traits.name for engine in engines} == {"scripted"}


async def test_entering_is_counted() -> None:
    thinker = ScriptedThinker([])
    async with thinker as same:
        assert same is thinker
        assert thinker.entered == 1
    assert thinker.entered == 0


# ── detector ────────────────────────────────────────────────────────────────────────────────────────────


def test_probabilities_follow_the_position_in_the_stream() -> None:
    reports: list[tuple[float, int]] = []
    detector = ScriptedDetector([Span(150, 350, 0.9), Span(240, 260, 0.4)], window=100, otherwise=0.1)
    ear = detector.open(lambda probability, end: reports.append((probability, end)))
    for length in (99, 1, 250, 0, 150):
        ear.push(silence(length))
    assert reports == [(0.1, 100), (0.9, 200), (0.4, 300), (0.1, 400), (0.1, 500)]


def test_streams_do_not_share_their_position() -> None:
    reports: list[int] = []
    detector = ScriptedDetector(window=10)
    first, second = (detector.open(lambda _, end: reports.append(end)) for _ in range(2))
    first.push(silence(10))
    second.push(silence(10))
    assert reports == [10, 10]


def test_a_closed_ear_is_silent_even_when_it_is_closed_by_a_report() -> None:
    reports: list[int] = []
    ear = ScriptedDetector(window=10).open(lambda _, end: (reports.append(end), ear.close())[0])
    ear.push(silence(30))
    ear.push(silence(30))
    ear.close()
    assert reports == [10]


# ── transcriber ─────────────────────────────────────────────────────────────────────────────────────────


async def test_each_utterance_gets_the_next_text() -> None:
    transcriber = ScriptedTranscriber(["hello", ""])
    wish = Transcription(language="en")
    assert [text async for text in transcriber.transcribe(sound(10, 20), wish)] == [Final("hello")]
    assert [text async for text in transcriber.transcribe(sound(), None)] == [Final("")]
    assert transcriber.heard == [30, 0]
    assert transcriber.wishes == [wish, None]


async def test_partial_texts_come_at_their_samples() -> None:
    pauses = Pauses()
    transcriber = ScriptedTranscriber([hearing("hello there", word_ms=100, final_s=0.3)], pauses)
    step = sample_count(50)
    heard_at: list[tuple[Transcribing, int]] = []
    async for text in transcriber.transcribe(sound(*[step] * 6), None):
        heard_at.append((text, transcriber.heard[0] // step))
    assert heard_at == [(Partial("hello"), 2), (Partial(" there"), 4), (Final("hello there"), 6)]
    assert pauses.seconds == [0.3]


async def test_sound_that_ends_early_ends_all_hearing() -> None:
    transcriber = ScriptedTranscriber([hearing("hello there", word_ms=100)], Pauses())
    texts = [text async for text in transcriber.transcribe(sound(10), None)]
    assert texts == [Partial("hello"), Partial(" there"), Final("hello there")]


@pytest.mark.parametrize("steps", [(Hear(5), Die()), (Hear(), Partial("he"), Die(RuntimeError("broken")))])
async def test_a_transcriber_may_die(steps: Sequence[HearStep]) -> None:
    transcriber = ScriptedTranscriber([steps])
    with pytest.raises((EngineError, RuntimeError)):
        _ = [text async for text in transcriber.transcribe(sound(10), None)]


# ── thinker ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_answer_comes_word_by_word_at_its_times() -> None:
    pauses = Pauses()
    thinker = ScriptedThinker([thinking("It is five.", first_s=0.5, word_s=0.1)], pauses)
    steps = [step async for step in thinker.think(HELLO)]
    assert steps == [Words("It"), Words(" is"), Words(" five."), Thought(output_tokens=3)]
    assert pauses.seconds == [0.5, 0.1, 0.1]
    assert thinker.prompts == [HELLO]
    assert thinker.abandoned == 0


async def test_plain_texts_are_answers_too() -> None:
    thinker = ScriptedThinker(["Yes.", ""], Pauses())
    assert [step async for step in thinker.think(HELLO)] == [Words("Yes."), Thought(output_tokens=1)]
    assert [step async for step in thinker.think(HELLO)] == [Thought(output_tokens=0)]


@pytest.mark.parametrize(
    "steps",
    [
        (ToolCall(0, "lamp"), ToolArguments(0, "{}")),
        (ToolCall(0, "lamp"), ToolArguments(0, "{}"), Thought()),
        (ToolCall(0, "lamp"), ToolArguments(0, "{}"), Thought(), Words("never")),
    ],
)
async def test_an_answer_has_exactly_one_end(steps: Sequence[ThinkStep]) -> None:
    thinker = ScriptedThinker([steps])
    assert [step async for step in thinker.think(HELLO)] == [ToolCall(0, "lamp"), ToolArguments(0, "{}"), Thought()]


async def test_a_script_that_is_over_says_so() -> None:
    thinker = ScriptedThinker(["Yes."], Pauses())
    _ = [step async for step in thinker.think(HELLO)]
    with pytest.raises(EngineError) as failed:
        _ = [step async for step in thinker.think(HELLO)]
    assert failed.value.fault is Fault.CALLER


async def test_an_endless_script_never_is() -> None:
    thinker = ScriptedThinker(repeat("Yes."), Pauses())
    for _ in range(100):
        assert (await anext(aiter(thinker.think(HELLO)))) == Words("Yes.")


async def test_a_thinker_may_die_in_any_way() -> None:
    thinker = ScriptedThinker([(Words("It"), Die()), (Die(RuntimeError("broken")),)])
    answer = aiter(thinker.think(HELLO))
    assert await anext(answer) == Words("It")
    with pytest.raises(EngineError):
        await anext(answer)
    with pytest.raises(RuntimeError):
        await anext(aiter(thinker.think(HELLO)))
    assert thinker.abandoned == 0


async def test_a_hanging_thinker_ends_only_when_it_is_cancelled() -> None:
    thinker = ScriptedThinker([(Hang(),)])
    asked = asyncio.Event()

    async def ask() -> None:
        asked.set()
        async for _ in thinker.think(HELLO):
            pass

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        asking = group.create_task(ask())
        await asked.wait()
        assert not asking.done()
        asking.cancel()
    assert thinker.abandoned == 1


# ── speaker ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_every_word_has_its_time_and_its_mark() -> None:
    speaker = ScriptedSpeaker(ms_per_character=10, ms_per_word=100)
    pieces = [piece async for piece in speaker.speak(" Good  day. ", "alloy", 1.0)]
    assert [len(piece.samples) for piece in pieces] == [sample_count(140), sample_count(140)]
    assert [piece.marks for piece in pieces] == [(Mark(5, sample_count(140)),), (Mark(11, sample_count(280)),)]
    assert speaker.samples(" Good  day. ") == sample_count(280)
    assert speaker.said == [Said(" Good  day. ", "alloy", 1.0)]


async def test_faster_speech_is_shorter() -> None:
    speaker = ScriptedSpeaker(ms_per_character=10)
    pieces = [piece async for piece in speaker.speak("Good", "alloy", 2.0)]
    assert [len(piece.samples) for piece in pieces] == [sample_count(20)]
    assert speaker.samples("Good", 2.0) == sample_count(20)


async def test_the_tone_runs_on_from_word_to_word() -> None:
    speaker = ScriptedSpeaker(ms_per_character=7, tone_hz=300, level=1000)
    in_words = np.concatenate([piece.samples async for piece in speaker.speak("Good day", "", 1.0)])
    whole = np.concatenate([piece.samples async for piece in speaker.speak("Goodday", "", 1.0)])
    assert in_words.dtype == np.int16
    assert np.array_equal(in_words, whole)
    assert 990 <= np.abs(in_words).max() <= 1000


async def test_nothing_to_say_makes_no_sound() -> None:
    assert [piece async for piece in ScriptedSpeaker().speak("  ", "", 1.0)] == []


async def test_a_speaker_may_wait_and_die_between_words() -> None:
    pauses = Pauses()
    speaker = ScriptedSpeaker([(Wait(0.5), Say(1), Wait(0.25), Say(1), Die())], pause=pauses)
    speech = aiter(speaker.speak("one two three", "", 1.0))
    marks: list[Speech] = [await anext(speech), await anext(speech)]
    assert [piece.marks[0].text_end for piece in marks] == [3, 7]
    with pytest.raises(EngineError):
        await anext(speech)
    assert pauses.seconds == [0.5, 0.25]


async def test_words_that_the_script_does_not_mention_are_said_at_the_end() -> None:
    speaker = ScriptedSpeaker([(Say(1), Wait(0.1)), ()], pause=Pauses())
    for _ in range(2):
        pieces = [piece async for piece in speaker.speak("one two three", "", 1.0)]
        assert [piece.marks[0].text_end for piece in pieces] == [3, 7, 13]


async def test_an_utterance_that_nobody_hears_out_is_counted() -> None:
    speaker = ScriptedSpeaker()
    speech = speaker.speak("one two", "", 1.0)
    await anext(speech)
    await speech.aclose()
    assert speaker.abandoned == 1
