"""What every speaker keeps: one that speaks and one that is scripted."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import numpy as np
import pytest
import pytest_asyncio

from vivavoce.audio.meter import measure
from vivavoce.clock import SystemClock
from vivavoce.engine.espeak import open_speaker
from vivavoce.engine.fake import ScriptedSpeaker
from vivavoce.engine.interface import Mark, Speaker, Speech

SENTENCE = "It costs $42.50, i.e. more than the naïve café owner hoped."


@asynccontextmanager
async def espeak() -> AsyncGenerator[Speaker]:
    async with open_speaker({}, SystemClock()) as speaker:
        yield speaker


@asynccontextmanager
async def scripted() -> AsyncGenerator[Speaker]:
    async with ScriptedSpeaker() as speaker:
        yield speaker


@pytest_asyncio.fixture(params=[espeak, scripted], ids=lambda one: one.__name__)
async def speaker(request: pytest.FixtureRequest) -> AsyncGenerator[Speaker]:
    opened: Callable[[], AbstractAsyncContextManager[Speaker]] = request.param
    async with opened() as one:
        yield one


async def said(speaker: Speaker, text: str, voice: str = "alloy", speed: float = 1.0) -> list[Speech]:
    async with asyncio.timeout(20):
        return [piece async for piece in speaker.speak(text, voice, speed)]


def length(pieces: list[Speech]) -> int:
    return sum(len(piece.samples) for piece in pieces)


async def test_a_sentence_becomes_audible_sound_of_a_plausible_length(speaker: Speaker) -> None:
    pieces = await said(speaker, SENTENCE)
    assert 1.5 < length(pieces) / 24_000 < 12
    level = measure(np.concatenate([piece.samples for piece in pieces]))
    assert -40 < level.rms_db < -6


async def test_marks_count_whole_words_forwards_up_to_the_end(speaker: Speaker) -> None:
    pieces = await said(speaker, SENTENCE)
    marks = [mark for piece in pieces for mark in piece.marks]
    assert marks == sorted(marks, key=lambda mark: (mark.text_end, mark.at_sample))
    assert all(mark.text_end == len(SENTENCE) or SENTENCE[mark.text_end] == " " for mark in marks)
    assert len({mark.text_end for mark in marks}) == len(marks) >= 8
    assert marks[-1] == Mark(len(SENTENCE), length(pieces))


async def test_a_mark_comes_with_the_sound_in_which_its_word_ends(speaker: Speaker) -> None:
    given = 0
    for piece in await said(speaker, SENTENCE):
        assert all(0 < mark.at_sample <= given + len(piece.samples) for mark in piece.marks)
        given += len(piece.samples)


async def test_twice_the_speed_takes_about_half_the_time(speaker: Speaker) -> None:
    slow, fast = length(await said(speaker, SENTENCE, speed=0.75)), length(await said(speaker, SENTENCE, speed=1.5))
    assert 1.6 < slow / fast < 2.4


async def test_the_slowest_speed_takes_four_times_as_long_word_for_word(speaker: Speaker) -> None:
    usual, slow = await said(speaker, SENTENCE), await said(speaker, SENTENCE, speed=0.25)
    assert 3.6 < length(slow) / length(usual) < 4.4
    before = [mark.text_end for piece in usual for mark in piece.marks]
    after = [mark for piece in slow for mark in piece.marks]
    assert [mark.text_end for mark in after] == before
    assert after[-1] == Mark(len(SENTENCE), length(slow))


async def test_a_voice_that_it_does_not_have_speaks_all_the_same(speaker: Speaker) -> None:
    assert length(await said(speaker, "Hello.", voice="nobody")) > 4_800


async def test_nothing_to_say_is_silence(speaker: Speaker) -> None:
    assert await said(speaker, "") == []


async def test_two_calls_may_speak_at_once(speaker: Speaker) -> None:
    alone = length(await said(speaker, SENTENCE))
    async with asyncio.TaskGroup() as tasks:
        both = [tasks.create_task(said(speaker, SENTENCE)) for _ in range(2)]
    assert [length(one.result()) for one in both] == [alone, alone]


async def test_speech_that_nobody_listens_to_any_more_leaves_the_next_unharmed(speaker: Speaker) -> None:
    async def first(text: str) -> None:
        async for _ in speaker.speak(text, "alloy", 1.0):
            break

    await first(" ".join([SENTENCE] * 20))
    pieces = await said(speaker, "Hello there.")
    assert 0 < length(pieces) / 24_000 < 3
