"""What every transcriber keeps: one that hears and one that is scripted."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import repeat

import numpy as np
import pytest
import pytest_asyncio

from tests.conformance.engine.spoken import frames, said, silence_after
from vivavoce.audio.frame import Pcm
from vivavoce.clock import SystemClock
from vivavoce.engine.espeak import open_speaker
from vivavoce.engine.fake import ScriptedTranscriber, hearing
from vivavoce.engine.interface import Draft, Final, Partial, Transcriber, Transcribing
from vivavoce.engine.pocketsphinx import open_transcriber

SENTENCE = "i would like to book a table for four people"
KEYWORDS = {"like", "book", "table", "four", "people"}


@asynccontextmanager
async def pocketsphinx() -> AsyncGenerator[Transcriber]:
    pytest.importorskip("pocketsphinx", reason="pocketsphinx has no wheel for this platform")
    async with open_transcriber({"processes": "2"}, SystemClock()) as transcriber:
        yield transcriber


@asynccontextmanager
async def scripted() -> AsyncGenerator[Transcriber]:
    async with ScriptedTranscriber(repeat(hearing(SENTENCE, word_ms=150))) as transcriber:
        yield transcriber


@pytest_asyncio.fixture(params=[pocketsphinx, scripted], ids=lambda one: one.__name__)
async def transcriber(request: pytest.FixtureRequest) -> AsyncGenerator[Transcriber]:
    opened: Callable[[], AbstractAsyncContextManager[Transcriber]] = request.param
    async with opened() as one:
        yield one


@pytest_asyncio.fixture
async def sound() -> AsyncGenerator[Pcm]:
    async with open_speaker({}, SystemClock()) as speaker:
        yield await said(speaker, SENTENCE)


async def heard(transcriber: Transcriber, sound: AsyncIterator[Pcm]) -> list[Transcribing]:
    async with asyncio.timeout(50):
        return [piece async for piece in transcriber.transcribe(sound, None)]


async def test_the_words_of_a_sentence_are_heard(transcriber: Transcriber, sound: Pcm) -> None:
    *_, last = await heard(transcriber, frames(sound))
    assert isinstance(last, Final)
    assert len(KEYWORDS & set(last.text.split())) >= 3


async def test_the_partials_joined_are_the_final_and_the_final_is_last(transcriber: Transcriber, sound: Pcm) -> None:
    *partials, last = await heard(transcriber, frames(sound))
    assert isinstance(last, Final)
    assert "".join(piece.delta for piece in partials if isinstance(piece, Partial)).strip() == last.text.strip()
    assert all(isinstance(piece, Partial | Draft) for piece in partials)


async def test_words_come_while_somebody_still_speaks(transcriber: Transcriber, sound: Pcm) -> None:
    assert transcriber.traits.partials
    async with asyncio.timeout(40):
        async for piece in transcriber.transcribe(silence_after(sound, sound), None):
            assert isinstance(piece, Partial | Draft)
            break


async def test_a_draft_is_of_more_and_more_of_the_sound_and_of_no_more_than_there_was(
    transcriber: Transcriber, sound: Pcm
) -> None:
    given = 0

    async def counted() -> AsyncGenerator[Pcm]:
        nonlocal given
        async for piece in frames(sound):
            given += len(piece)
            yield piece

    judged = 0
    async with asyncio.timeout(50):
        async for piece in transcriber.transcribe(counted(), None):
            if isinstance(piece, Draft):
                assert judged <= piece.samples <= given + 1  # a resampler rounds
                judged = piece.samples


async def test_two_calls_are_heard_at_once_and_not_mixed_up(transcriber: Transcriber, sound: Pcm) -> None:
    async with asyncio.TaskGroup() as tasks:
        both = [tasks.create_task(heard(transcriber, frames(sound))) for _ in range(2)]
    assert both[0].result()[-1] == both[1].result()[-1]


async def test_a_job_that_is_cancelled_makes_way_for_the_next(transcriber: Transcriber, sound: Pcm) -> None:
    for _ in range(3):
        async with asyncio.TaskGroup() as tasks:
            stuck = tasks.create_task(heard(transcriber, silence_after(sound[:24_000])))
            await asyncio.sleep(0)
            stuck.cancel()
    assert isinstance((await heard(transcriber, frames(sound)))[-1], Final)


async def test_one_big_piece_of_sound_is_heard_as_well(transcriber: Transcriber, sound: Pcm) -> None:
    async def whole() -> AsyncGenerator[Pcm]:
        yield sound

    *_, last = await heard(transcriber, whole())
    assert isinstance(last, Final)
    assert len(KEYWORDS & set(last.text.split())) >= 3


@pytest.mark.parametrize("silence", [np.zeros(0, np.int16), np.zeros(48_000, np.int16)], ids=["none", "digital"])
async def test_silence_is_an_empty_final(silence: Pcm) -> None:
    async with pocketsphinx() as transcriber:
        assert await heard(transcriber, frames(silence)) == [Final("")]
