"""The speaker's own ways: its child, its voices, its words in time."""

import asyncio
import os
import signal

import numpy as np
import pytest

from tests.unit.engine.processes import gone
from vivavoce.audio.frame import Pcm
from vivavoce.clock import SystemClock
from vivavoce.engine.espeak import LONGEST_TEXT, TONES, Espeak, open_speaker
from vivavoce.engine.interface import Speech
from vivavoce.errors import ConfigError, EngineError, Fault

LONG = "This sentence is repeated until it has become quite long. " * 60


async def said(speaker: Espeak, text: str, voice: str = "alloy", speed: float = 1.0) -> list[Speech]:
    async with asyncio.timeout(40):
        return [piece async for piece in speaker.speak(text, voice, speed)]


def joined(pieces: list[Speech]) -> Pcm:
    return np.concatenate([piece.samples for piece in pieces])


def difference(one: list[Speech], other: list[Speech]) -> float:
    """How much of the sound differs, 0 for none. The breath in a voice is noise and never the same twice."""
    a, b = joined(one).astype(float), joined(other).astype(float)
    size = min(len(a), len(b))
    return float(np.sqrt(np.mean((a[:size] - b[:size]) ** 2) / np.mean(a**2)))


async def test_the_first_piece_is_a_short_one() -> None:
    async with Espeak() as speaker:
        first, second, *_ = await said(speaker, LONG)
        assert 0 < len(first.samples) <= 2_400
        assert 0 < len(second.samples) <= 2_400


async def test_each_voice_sounds_like_itself_and_unlike_the_others() -> None:
    async with Espeak() as speaker:
        voices = {voice: await said(speaker, "Good morning.", voice) for voice in TONES}
        again = {voice: await said(speaker, "Good morning.", voice) for voice in TONES}
    assert len(voices) == 10
    for voice, sound in voices.items():
        assert difference(sound, again[voice]) < 0.2, voice
        for other in set(TONES) - {voice}:
            assert difference(sound, voices[other]) > 0.4, (voice, other)


async def test_an_unknown_voice_is_the_default_one() -> None:
    async with Espeak() as speaker:
        assert difference(await said(speaker, "Hello.", "somebody"), await said(speaker, "Hello.", "alloy")) < 0.2


async def test_the_words_of_a_pause_are_marked_where_they_are_spoken() -> None:
    text = "Stop. Go on now."
    async with Espeak() as speaker:
        pieces = await said(speaker, text)
    sound = joined(pieces)
    marks = {text[: mark.text_end]: mark.at_sample for piece in pieces for mark in piece.marks}
    assert list(marks) == ["Stop.", "Stop. Go", "Stop. Go on", text]
    # The mark of the first sentence lies after the pause that follows it.
    pause = sound[marks["Stop."] - 2_400 : marks["Stop."] - 480].astype(float)
    assert np.sqrt(np.mean(pause**2)) < np.sqrt(np.mean(sound.astype(float) ** 2)) / 4


async def test_zero_characters_and_markup_are_only_text() -> None:
    async with Espeak() as speaker:
        text = "One\0two <b>three</b> [[h@l'oU]] four"
        pieces = await said(speaker, text)
        assert [mark for piece in pieces for mark in piece.marks][-1].text_end == len(text)


async def test_text_beyond_the_limit_is_the_callers_fault() -> None:
    async with Espeak() as speaker:
        with pytest.raises(EngineError) as caught:
            await said(speaker, "a" * (LONGEST_TEXT + 1))
        assert caught.value.fault is Fault.CALLER


async def test_speech_cut_short_stops_the_work_of_the_child() -> None:
    async with Espeak() as speaker:
        whole = sum(len(piece.samples) for piece in await said(speaker, LONG))
        async with asyncio.TaskGroup() as tasks:
            others = [tasks.create_task(said(speaker, LONG)) for _ in range(20)]
            await asyncio.sleep(0)
            for other in others:
                other.cancel()
        assert sum(len(piece.samples) for piece in await said(speaker, LONG)) == whole
        assert len(speaker.pids) == 1


async def test_more_than_may_be_under_way_is_refused_and_then_there_is_room_again() -> None:
    async with Espeak(waiting=2) as speaker, asyncio.TaskGroup() as tasks:
        busy = [tasks.create_task(said(speaker, LONG)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(EngineError, match="busy"):
            await said(speaker, "Me too.")
        await asyncio.wait(busy)
        assert await said(speaker, "Me too.")


async def test_a_killed_child_fails_what_it_was_saying_and_the_next_is_said_by_another() -> None:
    async with Espeak() as speaker:
        (killed,) = speaker.pids
        os.kill(killed, signal.SIGSTOP)
        async with asyncio.TaskGroup() as tasks:
            doomed = tasks.create_task(
                asyncio.wait_for(asyncio.gather(said(speaker, LONG), return_exceptions=True), 10)
            )
            await asyncio.sleep(0)
            os.kill(killed, signal.SIGKILL)
        (error,) = doomed.result()
        assert isinstance(error, EngineError)
        assert await said(speaker, "Hello again.")
        assert speaker.pids != (killed,)


async def test_a_child_that_hangs_is_killed_and_replaced() -> None:
    async with Espeak(patience_s=0.3) as speaker:
        (hung,) = speaker.pids
        os.kill(hung, signal.SIGSTOP)
        with pytest.raises(EngineError, match="did not answer"):
            await said(speaker, "Hello?")
        await gone(hung)
    async with Espeak() as speaker:
        assert await said(speaker, "Hello.")


async def test_a_child_that_hangs_is_killed_even_when_its_caller_has_left() -> None:
    async with Espeak(patience_s=0.3) as speaker:
        (hung,) = speaker.pids
        os.kill(hung, signal.SIGSTOP)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await said(speaker, "Hello?")
        await gone(hung)


async def test_leaving_takes_the_child_along() -> None:
    async with Espeak() as speaker:
        (pid,) = speaker.pids
        speech = speaker.speak(LONG, "alloy", 1.0)
        await anext(speech)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    await speech.aclose()
    with pytest.raises(EngineError, match="not running"):
        await said(speaker, "Anybody?")


async def test_another_language_may_be_chosen_for_all_voices() -> None:
    english, german = open_speaker({}, SystemClock()), open_speaker({"voice": "de", "pitch": "50"}, SystemClock())
    async with english, german:
        for voice in ("alloy", "nobody"):
            assert difference(await said(english, "Hier", voice), await said(german, "Hier", voice)) > 0.4


async def test_a_voice_that_espeak_does_not_have_is_named() -> None:
    async with open_speaker({"voice": "no-such-voice"}, SystemClock()) as speaker:
        with pytest.raises(EngineError, match="no-such-voice"):
            await said(speaker, "Hello.")


@pytest.mark.parametrize("options", [{"rate": "2"}, {"pitch": "100"}, {"pitch": "high"}])
def test_options_that_make_no_sense_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        open_speaker(options, SystemClock())


@pytest.mark.parametrize("speed", [0.5, 0.75, 1.25, 1.5])
async def test_a_voice_is_as_much_faster_as_was_asked_and_its_words_end_where_they_do(speed: float) -> None:
    text = "I can help you book a table, change an order, or find out where your parcel is."
    async with Espeak() as speaker:
        plain, other = [await said(speaker, text, speed=wanted) for wanted in (1.0, speed)]
    lengths = [sum(len(piece.samples) for piece in speech) for speech in (plain, other)]
    assert lengths[0] / lengths[1] == pytest.approx(speed, rel=0.12)
    marks = [mark for piece in other for mark in piece.marks]
    assert (marks[-1].text_end, marks[-1].at_sample) == (len(text), lengths[1])
