"""The transcriber's own ways: its children, its queue, long sound, other languages."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from tests.conformance.engine.spoken import frames, quiet, said, silence_after
from tests.unit.engine.processes import gone
from vivavoce.audio.frame import Pcm
from vivavoce.clock import SystemClock
from vivavoce.engine.espeak import Espeak
from vivavoce.engine.interface import Final
from vivavoce.engine.pocketsphinx import Pocketsphinx, open_transcriber
from vivavoce.errors import ConfigError, EngineError, Fault
from vivavoce.wire.config import Transcription

pytest.importorskip("pocketsphinx", reason="pocketsphinx has no wheel for this platform")

SENTENCE = "book a table for four people please"


@pytest_asyncio.fixture
async def sound() -> AsyncGenerator[Pcm]:
    async with Espeak() as speaker:
        yield await said(speaker, SENTENCE)


async def final(transcriber: Pocketsphinx, sound: AsyncIterator[Pcm], wish: Transcription | None = None) -> str:
    async with asyncio.timeout(50):
        pieces = [piece async for piece in transcriber.transcribe(sound, wish)]
    assert isinstance(pieces[-1], Final)
    return pieces[-1].text


def right(text: str) -> bool:
    return len({"book", "table", "four", "people"} & set(text.split())) >= 3


async def test_words_are_plain_lower_case_without_fillers_or_variants(sound: Pcm) -> None:
    async with Pocketsphinx(processes=1) as transcriber:
        text = await final(transcriber, frames(sound))
    assert right(text)
    assert all(word.isascii() and word.replace("'", "").isalpha() and word.islower() for word in text.split(" "))


@pytest.mark.parametrize("level", [0, 8, 40])
async def test_a_quiet_room_says_nothing_and_costs_no_search(level: int) -> None:
    noise = np.rint(np.random.default_rng(1).normal(0, level, 24_000 * 4)).astype(np.int16)
    async with Pocketsphinx(processes=1) as transcriber:
        assert await final(transcriber, frames(noise)) == ""


async def test_a_long_silence_before_the_words_does_not_harm_them(sound: Pcm) -> None:
    async with Pocketsphinx(processes=1) as transcriber:
        assert right(await final(transcriber, frames(np.concatenate((quiet(3_000), sound)))))


async def test_one_utterance_leaves_no_trace_in_the_next(sound: Pcm) -> None:
    loud = np.rint(np.random.default_rng(2).normal(0, 6_000, 24_000)).astype(np.int16)
    async with Pocketsphinx(processes=1) as transcriber:
        before = await final(transcriber, frames(sound))
        await final(transcriber, frames(loud[:12_000]))
        assert await final(transcriber, frames(sound)) == before


async def test_long_sound_is_cut_at_pauses_and_others_get_their_turn(sound: Pcm) -> None:
    async with Pocketsphinx(processes=1, stretch_s=1) as transcriber, asyncio.TaskGroup() as tasks:
        long = tasks.create_task(final(transcriber, frames(np.tile(sound, 4))))
        await asyncio.sleep(0)
        short = await final(transcriber, frames(sound))
        assert right(short)
        # The short one came in the middle of the long one, not after it.
        assert not long.done()
        assert (await long).split().count("people") >= 3


async def test_a_caller_who_falls_silent_does_not_keep_the_child_from_others(sound: Pcm) -> None:
    listening = asyncio.Event()

    async def unending() -> AsyncGenerator[Pcm]:
        async for piece in silence_after(sound):
            yield piece
            listening.set()

    async with Pocketsphinx(processes=1, idle_s=0.2) as transcriber, asyncio.TaskGroup() as tasks:
        stuck = tasks.create_task(final(transcriber, unending()))
        await listening.wait()
        assert right(await final(transcriber, frames(sound)))
        assert not stuck.done()
        stuck.cancel()


async def test_a_caller_who_lost_the_child_goes_on_where_he_was(sound: Pcm) -> None:
    go_on, started = asyncio.Event(), asyncio.Event()

    async def halting() -> AsyncGenerator[Pcm]:
        yield sound
        started.set()
        await go_on.wait()
        yield sound

    async with Pocketsphinx(processes=1, idle_s=0.1) as transcriber, asyncio.TaskGroup() as tasks:
        halted = tasks.create_task(final(transcriber, halting()))
        await started.wait()
        await final(transcriber, frames(sound))
        go_on.set()
        assert (await halted).split().count("people") >= 1
        assert right(await halted)


async def test_a_full_queue_refuses(sound: Pcm) -> None:
    async with Pocketsphinx(processes=1, waiting=1) as transcriber, asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(final(transcriber, silence_after(sound))) for _ in range(2)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(EngineError, match="busy"):
            await final(transcriber, frames(sound))
        for task in running:
            task.cancel()


async def test_a_child_killed_in_the_middle_fails_its_job_only(sound: Pcm) -> None:
    async with Pocketsphinx(processes=1) as transcriber:
        (killed,) = transcriber.pids

        async def fatal() -> AsyncGenerator[Pcm]:
            yield sound[:24_000]
            os.kill(killed, signal.SIGKILL)
            yield sound[24_000:]

        with pytest.raises(EngineError, match="signal 9"):
            await final(transcriber, fatal())
        assert right(await final(transcriber, frames(sound)))
        assert transcriber.pids != (killed,)


async def test_a_child_that_hangs_is_killed_and_replaced(sound: Pcm) -> None:
    async with Pocketsphinx(processes=1, patience_s=1.0) as transcriber:
        (hung,) = transcriber.pids
        os.kill(hung, signal.SIGSTOP)
        with pytest.raises(EngineError, match="did not answer"):
            await final(transcriber, frames(sound))
        await gone(hung)
        assert transcriber.pids == ()


async def test_a_child_that_hangs_is_killed_even_when_its_caller_has_left(sound: Pcm) -> None:
    async with Pocketsphinx(processes=1, patience_s=1.0) as transcriber:
        (hung,) = transcriber.pids
        os.kill(hung, signal.SIGSTOP)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await final(transcriber, frames(sound))
        await gone(hung)


async def test_leaving_takes_the_children_along(sound: Pcm) -> None:
    async with Pocketsphinx(processes=2) as transcriber:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(2):
                tasks.create_task(final(transcriber, frames(sound)))
        pids = transcriber.pids
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize("wish", [Transcription(language="de"), Transcription(languages=["fr", "it"])])
async def test_another_language_is_refused_as_the_callers_fault(wish: Transcription) -> None:
    async with Pocketsphinx(processes=1) as transcriber:
        with pytest.raises(EngineError) as caught:
            await final(transcriber, frames(quiet(100)), wish)
        assert caught.value.fault is Fault.CALLER


@pytest.mark.parametrize("wish", [Transcription(language="en-GB"), Transcription(languages=["fr", "en"])])
async def test_english_in_any_dress_is_welcome(wish: Transcription) -> None:
    async with Pocketsphinx(processes=1) as transcriber:
        assert await final(transcriber, frames(quiet(100)), wish) == ""


@pytest.mark.parametrize("options", [{"language": "en"}, {"processes": "0"}, {"waiting": "many"}])
def test_options_that_make_no_sense_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        open_transcriber(options, SystemClock())
