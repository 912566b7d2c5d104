"""Sentences, said by our own speaker, for engines that must hear words."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable

import numpy as np

from vivavoce.audio.frame import Pcm, sample_count
from vivavoce.engine.interface import Speaker

SENTENCES = (
    "good morning how are you today",
    "what time is it",
    "i would like to book a table for four people",
    "play some music in the living room",
    "thank you very much",
)


def quiet(ms: float, seed: int = 0) -> Pcm:
    """A room in which nobody speaks."""
    return np.rint(np.random.default_rng(seed).normal(0, 8, sample_count(ms))).astype(np.int16)


async def said(speaker: Speaker, text: str, voice: str = "alloy") -> Pcm:
    """A sentence with a little quiet before and after it, as turn detection cuts it."""
    pieces = [piece.samples async for piece in speaker.speak(text, voice, 1.0)]
    return np.concatenate((quiet(300), *pieces, quiet(400, 1)))


async def frames(sound: Pcm) -> AsyncGenerator[Pcm]:
    """Sound as a call delivers it, 20 ms at a time."""
    for at in range(0, len(sound), 480):
        yield sound[at : at + 480]


async def silence_after(*sounds: Pcm) -> AsyncIterator[Pcm]:
    """Some sound, and then a caller of whom nothing more is heard."""
    for sound in sounds:
        yield sound
    await asyncio.Event().wait()


def word_errors(wanted: str, heard: str) -> tuple[int, int]:
    """Words wrong, missing or too many; and words wanted."""
    ours, theirs = wanted.split(), heard.split()
    row = list(range(len(theirs) + 1))
    for count, word in enumerate(ours, start=1):
        diagonal, row[0] = row[0], count
        for at, other in enumerate(theirs, start=1):
            diagonal, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, diagonal + (word != other))
    return row[-1], len(ours)


def error_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """Word error rate over (wanted, heard)."""
    counts = [word_errors(wanted, heard) for wanted, heard in pairs]
    return sum(wrong for wrong, _ in counts) / sum(words for _, words in counts)
