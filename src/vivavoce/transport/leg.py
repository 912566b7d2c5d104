"""One of the connections that carry a call, one after another."""

import asyncio
from asyncio import TaskGroup
from typing import Final

from vivavoce.audio.reel import Reel
from vivavoce.transport.interface import Transport

READING_S: Final = 0.4
"""Without a word for so long, the connection's own figures are asked for other signs of life."""


class Leg:
    """A connection, from its making to its end. Times are the event loop's."""

    def __init__(self, carrier: Transport, place: int, silent_since: float | None, now: float) -> None:
        """`place` is where it goes on in the ring; the listener has heard nothing since `silent_since`."""
        self.carrier = carrier
        self.place = place
        self.silent_since = silent_since
        self.alive_at = now
        self.task: asyncio.Task[None] | None = None
        self.settled = asyncio.Event()
        """It has been opened, or never will be."""
        self.spoken = asyncio.Event()
        """The client has sent something on it."""
        self.over = asyncio.Event()
        self._signs: tuple[int | None, ...] | None = None
        self._offset = 0
        """Samples of the call that were played before the first of this connection."""

    def heard_from(self, now: float) -> None:
        """The client has sent something."""
        self.alive_at, self._signs = now, None
        self.spoken.set()

    def excuse(self, seconds: float) -> None:
        """So much of the silence is not the client's."""
        self.alive_at += seconds

    async def look(self, now: float) -> None:
        """Look for other signs of life than words: sound, and answers to checks of the path."""
        if now - self.alive_at < READING_S:
            return
        link = await self.carrier.link()
        signs = (link.bytes_received, link.packets_received, link.checks_answered)
        if self._signs is not None and signs != self._signs:
            self.alive_at = now
        self._signs = signs

    def played(self) -> int:
        """Samples of the call that have left, by this connection's count."""
        return self.of_call(self.carrier.played())

    def flush(self) -> int:
        """As `played`; what waits in the connection is dropped."""
        return self.of_call(self.carrier.flush())

    def of_call(self, samples: int) -> int:
        """What a count of this connection's is in the call's."""
        return self._offset + samples

    def play_rest(self, reel: Reel) -> None:
        """Play what of a call's sound has still to be heard."""
        self._offset = reel.played - self.carrier.played()
        for samples in reel.rest():
            self.carrier.play(samples)

    def cancel(self) -> None:
        """Nobody needs it any more."""
        self.settled.set()
        if self.task is not None:
            self.task.cancel()

    def end(self) -> None:
        """Nothing will come by it any more."""
        self.settled.set()
        self.over.set()

    async def heard_or_over(self) -> None:
        """Return when the client has sent something on it, or it is over."""
        async with TaskGroup() as tasks:
            waits = [tasks.create_task(each.wait()) for each in (self.spoken, self.over)]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
