"""The assistant's own voice comes back into the call. It is not the user's, and the user is heard over it."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Final

import numpy as np
import pytest

from tests.room import Acoustics, level_db, room, scaled
from vivavoce.answer.job import Engines
from vivavoce.audio.frame import Pcm
from vivavoce.clock import SystemClock
from vivavoce.engine.espeak import Espeak
from vivavoce.engine.fake import ScriptedThinker, ScriptedTranscriber
from vivavoce.engine.interface import Speaker
from vivavoce.engine.pocketsphinx import open_transcriber
from vivavoce.engine.silero import Silero
from vivavoce.transport.interface import SoundPath

ANSWER: Final = (
    "I can help you book a table, change an order, or find out where your parcel is. "
    "Just tell me what you would like to do first."
)
PLEA: Final = "Stop please, I would like to ask something else."
PREFIX_MS: Final = 300
"""What the server takes of the sound before a turn."""
USER: Final = "somebody"
"""Not a voice of the server's: espeak takes its default for it, here another one."""
TURNS: Final = {"turn_detection": {"type": "server_vad", "silence_duration_ms": 500}}
PATIENT: Final[dict[str, object]] = {"audio": {"input": TURNS}}
BOUND_S: Final = 0.4
"""From the user's first sound to `speech_started`, over an echo as loud as the user."""


@pytest.fixture
async def engines() -> AsyncGenerator[Engines]:
    async with Silero() as silero, Espeak(voice="en-us+m3", pitch=60) as espeak:
        yield Engines(silero, ScriptedTranscriber(["something else"] * 9), ScriptedThinker([ANSWER] * 9), espeak)


async def said(speaker: Speaker, text: str, voice: str) -> Pcm:
    return np.concatenate([piece.samples async for piece in speaker.speak(text, voice, 1.0)])


PATHS: Final = [pytest.param(SoundPath.MEDIA, id="webrtc"), pytest.param(SoundPath.TEXT, id="websocket")]


def by_turns(*rooms: tuple[float, ...]) -> list[object]:
    """Each room with both paths: every day with one of them, and the next room with the other."""
    return [
        pytest.param(
            path, *room, id="-".join(map(str, (name, *room))), marks=pytest.mark.slow if number % 2 != turn else ()
        )
        for number, room in enumerate(rooms)
        for turn, (path, name) in enumerate(((SoundPath.MEDIA, "webrtc"), (SoundPath.TEXT, "websocket")))
    ]


@pytest.mark.parametrize(
    ("path", "delay_ms", "echo_db"), by_turns((50, 0), (90, -12), (130, 0), (180, -6), (240, 0), (300, -6))
)
async def test_the_echo_of_an_answer_is_nobody_speaking(
    engines: Engines, path: SoundPath, delay_ms: float, echo_db: float
) -> None:
    async with room(engines, path, Acoustics(delay_ms, echo_db)) as here:
        await here.wait(0.3)
        await here.ask()
        await here.wait(9.5)
        await here.ask()
        await here.wait(9.0)
    assert here.all("input_audio_buffer.speech_started") == []
    assert here.types().count("response.done") == here.types().count("response.output_audio.done") == 2


@pytest.mark.parametrize(
    ("path", "delay_ms", "echo_db", "above_db"),
    by_turns((80, 0, 0), (200, -6, 0), (300, 0, 6), (120, -12, 6), (150, 0, -6)),
)
async def test_somebody_who_speaks_over_the_echo_interrupts(
    engines: Engines, path: SoundPath, delay_ms: float, echo_db: float, above_db: float
) -> None:
    """`above_db` is the user's level against the echo's."""
    answer = await said(engines.speaker, ANSWER, "alloy")
    plea = scaled(await said(engines.speaker, PLEA, USER), level_db([answer]) + echo_db + above_db)
    async with room(engines, path, Acoustics(delay_ms, echo_db), PATIENT) as here:
        await here.wait(0.3)
        await here.ask()
        await here.wait(3.0)
        spoke_at = here.now
        here.say(plea)
        assert await here.until("input_audio_buffer.speech_started", 2.0) - spoke_at <= BOUND_S
        await here.until("input_audio_buffer.committed")
        await here.wait(1.0)
    started = here.all("input_audio_buffer.speech_started")
    assert len(started) == 1
    began_ms = started[0]["audio_start_ms"]
    assert isinstance(began_ms, int)
    assert 3000 - PREFIX_MS <= began_ms <= 3700 - PREFIX_MS
    if path is SoundPath.MEDIA:
        assert len(here.all("output_audio_buffer.cleared")) == 1
        assert len(here.all("conversation.item.truncated")) == 1


@pytest.mark.parametrize("path", PATHS)
async def test_with_headphones_an_interruption_is_as_quick_as_ever(engines: Engines, path: SoundPath) -> None:
    plea = scaled(await said(engines.speaker, PLEA, USER), -24.0)
    async with room(engines, path, Acoustics(echo_db=None), PATIENT) as here:
        await here.wait(0.3)
        await here.ask()
        await here.wait(3.0)
        spoke_at = here.now
        here.say(plea)
        assert await here.until("input_audio_buffer.speech_started", 2.0) - spoke_at <= 0.25


async def test_who_answers_at_once_is_heard_while_the_echo_dies_away(engines: Engines) -> None:
    reply = scaled(await said(engines.speaker, PLEA, USER), -20.0)
    async with room(engines, SoundPath.MEDIA, Acoustics(300, 0), PATIENT) as here:
        await here.wait(0.3)
        await here.ask()
        await here.until("output_audio_buffer.stopped")
        spoke_at = here.now
        here.say(reply)
        assert await here.until("input_audio_buffer.speech_started", 2.0) - spoke_at <= BOUND_S


async def test_words_over_the_echo_are_written_down_without_it(engines: Engines) -> None:
    async with open_transcriber({}, SystemClock()) as transcriber:
        hearing = replace(engines, transcriber=transcriber)
        question = scaled(await said(engines.speaker, "What time is it?", "marin"), -30.0)
        session: dict[str, object] = {
            "audio": {"output": {"voice": "ash"}, "input": {"transcription": {"model": "whisper-1"}} | TURNS}
        }
        async with room(hearing, SoundPath.MEDIA, Acoustics(100, -12), session) as here:
            await here.wait(0.3)
            await here.ask()
            await here.wait(3.5)
            here.say(question)
            await here.until("input_audio_buffer.committed")
            await here.unfold("conversation.item.input_audio_transcription.completed")
        (written,) = here.all("conversation.item.input_audio_transcription.completed")
        assert written["transcript"] == "what time is it"
