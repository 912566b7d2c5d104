"""The embedded engines together: one speaks, one notices, one writes it down."""

import asyncio

import numpy as np
import pytest

from tests.conformance.engine.spoken import SENTENCES, error_rate, frames, quiet, said
from vivavoce.audio.frame import Pcm
from vivavoce.engine.espeak import Espeak
from vivavoce.engine.interface import Final
from vivavoce.engine.pocketsphinx import Pocketsphinx
from vivavoce.engine.silero import Silero


async def speech_spans(detector: Silero, sound: Pcm) -> tuple[int, int]:
    """The end of the first window and of the last one in which speech is likelier than not."""
    reports: list[tuple[float, int]] = []
    enough = asyncio.Event()

    def note(probability: float, position: int) -> None:
        reports.append((probability, position))
        if position + 2 * detector.traits.window > len(sound):
            enough.set()

    ear = detector.open(note)
    ear.push(sound)
    async with asyncio.timeout(20):
        await enough.wait()
    ear.close()
    spoken = [position for probability, position in reports if probability > 0.5]
    return spoken[0], spoken[-1]


async def test_speech_is_noticed_when_it_begins_and_when_it_ends() -> None:
    async with Espeak() as speaker, Silero() as detector:
        for sentence in SENTENCES:
            sound = np.concatenate((quiet(700), await said(speaker, sentence), quiet(600)))
            loud = np.flatnonzero(np.abs(sound.astype(int)) > 1_000)
            first, last = await speech_spans(detector, sound)
            # At most 160 ms late at the start, at most 200 ms either way at the end.
            assert loud[0] - 768 <= first <= loud[0] + 3_840, sentence
            assert abs(last - int(loud[-1])) <= 4_800, sentence


@pytest.mark.timeout(180)
async def test_what_is_said_is_written_down_with_at_most_four_words_in_ten_wrong() -> None:
    pytest.importorskip("pocketsphinx", reason="pocketsphinx has no wheel for this platform")
    pairs: list[tuple[str, str]] = []
    async with Espeak() as speaker, Pocketsphinx(processes=1) as transcriber:
        for sentence in SENTENCES:
            sound = await said(speaker, sentence)
            async for piece in transcriber.transcribe(frames(sound), None):
                if isinstance(piece, Final):
                    pairs.append((sentence, piece.text))
    assert len(pairs) == len(SENTENCES)
    assert error_rate(pairs) <= 0.4, pairs
