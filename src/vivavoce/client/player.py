"""Where the assistant's sound goes, and who counts how much of it was heard."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from vivavoce.audio.frame import RATE_HZ, Pcm, sample_count
from vivavoce.audio.queue import SampleQueue

LATE_S: Final = 0.3
"""What plays sound that comes in real time may be so far behind; more would stay late for good."""
BEAT: Final = sample_count(20)
"""Samples that leave at once."""
LATE_BEATS: Final = 5
"""Beats made up for after a stall; time that is lost beyond that stays lost."""

Heard = Callable[[Pcm], None]
"""Called on the event loop with samples as they are heard."""


class Player(Protocol):
    """Plays sound in real time. A loudspeaker is one; so is a clock, where nobody listens."""

    async def run(self, heard: Heard) -> None:
        """Play until cancelled, telling what has been heard.

        Raises:
            DeviceError: the device is gone.
        """
        ...

    def play(self, samples: Pcm, late_s: float | None = None) -> None:
        """Queue samples, int16 mono at `RATE_HZ`.

        `late_s` bounds how much may wait, for sound that comes in real time: after a stall the oldest goes. Without it
        everything is played.
        """
        ...

    def played(self) -> int:
        """Samples that have been heard since the start."""
        ...

    def flush(self) -> int:
        """Drop what has not been heard yet; returns `played()`."""
        ...


class Clockwork:
    """A player without a loudspeaker: sound is heard as fast as time goes by, by whoever asks for it."""

    def __init__(self) -> None:
        self._queue = SampleQueue()
        self._played = 0
        self._something = asyncio.Event()

    async def run(self, heard: Heard) -> None:
        """See `Player.run`."""
        loop = asyncio.get_running_loop()
        while True:
            await self._something.wait()
            due = loop.time()
            while self._queue:
                late = int((loop.time() - due) * RATE_HZ) // BEAT
                if late > LATE_BEATS:
                    due = loop.time()
                samples = self._queue.take(BEAT)
                self._played += len(samples)
                heard(samples)
                due += BEAT / RATE_HZ
                await asyncio.sleep(max(0.0, due - loop.time()))
            self._something.clear()

    def play(self, samples: Pcm, late_s: float | None = None) -> None:
        """See `Player.play`. Time is never late."""
        self._queue.push(samples)
        if self._queue:
            self._something.set()

    def played(self) -> int:
        """See `Player.played`."""
        return self._played

    def flush(self) -> int:
        """See `Player.flush`."""
        self._queue.clear()
        return self._played
