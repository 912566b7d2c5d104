"""Slower speech from a speaker that cannot speak so slowly, or not at another speed at all."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from vivavoce.audio.frame import Pcm
from vivavoce.audio.stretch import Stretch
from vivavoce.engine.interface import Mark, Speech


async def slower(pieces: AsyncGenerator[Speech, None], factor: float) -> AsyncGenerator[Speech, None]:
    """The same speech, `factor` times as long, its marks moved along; each comes with the sound in which its word ends.

    Raises:
        ValueError: a factor below 1 or above 4.
    """
    stretch, waiting, given = Stretch(factor), list[Mark](), 0

    def told(samples: Pcm) -> Speech:
        nonlocal waiting, given
        given += len(samples)
        due = tuple(mark for mark in waiting if mark.at_sample <= given)
        waiting = waiting[len(due) :]
        return Speech(samples, due)

    async with aclosing(pieces):
        async for piece in pieces:
            waiting += [Mark(mark.text_end, round(mark.at_sample * factor)) for mark in piece.marks]
            if len(samples := stretch.push(piece.samples)):
                yield told(samples)
    if len(samples := stretch.flush()):
        yield told(samples)
