"""`semantic_vad` with real ears: how long real speech is waited for once it has stopped.

Time is virtual and stands still while the recogniser works, so that how busy the machine is does not matter.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from statistics import median
from typing import Final, Self

import numpy as np
import pytest

from tests.room import Acoustics, Room, room
from tests.viva import spoken
from vivavoce.answer.job import Engines
from vivavoce.audio.frame import Pcm, duration_ms
from vivavoce.clock import SystemClock
from vivavoce.engine.fake import ScriptedSpeaker, ScriptedThinker
from vivavoce.engine.interface import Transcriber, TranscriberTraits, Transcribing
from vivavoce.engine.pocketsphinx import open_transcriber
from vivavoce.engine.silero import Silero
from vivavoce.transport.interface import SoundPath
from vivavoce.wire.config import Transcription

FINISHED: Final = ("What time is it?", "I would like a table for four people.")
UNFINISHED: Final = ("I was thinking about", "I would like a table for four people and")
LONGEST_MS: Final = {"high": 2_000, "medium": 4_000, "low": 8_000}
PADDING_MS: Final = 300
WINDOW_MS: Final = 100
"""What the detector needs to see that nobody speaks."""


@dataclass
class Followed:
    """A transcriber of which it is known whether it has worked up all that it was given."""

    inner: Transcriber
    open: int = 0
    hungry: int = 0
    traits: TranscriberTraits = field(init=False)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.traits = self.inner.traits

    async def __aenter__(self) -> Self:
        await self.inner.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.inner.__aexit__(*exc)

    async def catch_up(self) -> None:
        """Return once every utterance waits for more sound."""
        while self.open != self.hungry:
            self.news.clear()
            await self.news.wait()

    async def transcribe(
        self, sound: AsyncIterator[Pcm], wish: Transcription | None
    ) -> AsyncGenerator[Transcribing, None]:
        """As the transcriber does."""
        self.open += 1
        try:
            async for result in self.inner.transcribe(self._through(sound), wish):
                yield result
        finally:
            self.open -= 1
            self.news.set()

    async def _through(self, sound: AsyncIterator[Pcm]) -> AsyncGenerator[Pcm, None]:
        self.hungry += 1
        self.news.set()
        try:
            async for samples in sound:
                self.hungry -= 1
                yield samples
                self.hungry += 1
                self.news.set()
        finally:
            self.hungry -= 1


@pytest.fixture
async def ears() -> AsyncGenerator[tuple[Engines, Followed]]:
    async with Silero() as silero, Followed(open_transcriber({}, SystemClock())) as followed:
        yield Engines(silero, followed, ScriptedThinker([]), ScriptedSpeaker()), followed


async def test_a_finished_sentence_is_waited_for_less_than_an_unfinished_one(ears: tuple[Engines, Followed]) -> None:
    waits = {
        (eagerness, sentences): [await waited(*ears, eagerness, sentence) for sentence in sentences]
        for eagerness in ("high", "medium")
        for sentences in (FINISHED, UNFINISHED)
    }
    waits["low", FINISHED] = [await waited(*ears, "low", FINISHED[0])]
    waits["low", UNFINISHED] = [await waited(*ears, "low", UNFINISHED[0])]
    for eagerness, longest_ms in LONGEST_MS.items():
        assert max(waits[eagerness, FINISHED]) < min(waits[eagerness, UNFINISHED]), waits
        assert max(waits[eagerness, UNFINISHED]) < longest_ms + WINDOW_MS, waits
    for sentences in (FINISHED, UNFINISHED):
        assert median(waits["high", sentences]) < median(waits["medium", sentences]) < max(waits["low", sentences])


async def waited(engines: Engines, ears: Followed, eagerness: str, sentence: str) -> int:
    """Milliseconds of silence after a sentence that end its turn."""
    voice = audible(await spoken(sentence))
    detection = {"type": "semantic_vad", "eagerness": eagerness, "create_response": False}
    session: dict[str, object] = {"audio": {"input": {"turn_detection": detection}}}
    async with room(engines, SoundPath.MEDIA, Acoustics(echo_db=None), session) as here:
        await follow(here, ears, 0.6)
        here.say(voice)
        while not here.all("input_audio_buffer.speech_stopped"):
            await follow(here, ears, 0.02)
            assert here.now < 20, "the turn never ended"
        (started,) = here.all("input_audio_buffer.speech_started")
        (stopped,) = here.all("input_audio_buffer.speech_stopped")
    begun, ended = started["audio_start_ms"], stopped["audio_end_ms"]
    assert isinstance(begun, int)
    assert isinstance(ended, int)
    return ended - begun - PADDING_MS - duration_ms(len(voice))


async def follow(here: Room, ears: Followed, seconds: float) -> None:
    """Let time pass no faster than the recogniser can follow."""
    for _ in range(round(seconds * 50)):
        await here.wait(0.02)
        await ears.catch_up()


def audible(speech: Pcm) -> Pcm:
    """Without the silence around it."""
    loud = np.flatnonzero(np.abs(speech.astype(np.int32)) > 600)
    return speech[loud[0] : loud[-1] + 1]
