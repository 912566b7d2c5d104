"""The voice of a scripted caller: like a microphone it never stops, it is only silent most of the time."""

import asyncio
from typing import Final

import numpy as np

from vivavoce.audio.frame import RATE_HZ, Pcm, sample_count, silence
from vivavoce.audio.queue import SampleQueue
from vivavoce.client.call import Call

PIECE: Final = sample_count(20)
AHEAD_MS: Final = 60
"""Sound that is given to a call ahead of time, so that a stall of this process is not heard."""


class Mouth:
    """Says samples into a call, in real time."""

    def __init__(self) -> None:
        self._queue = SampleQueue()
        self._silent = asyncio.Event()
        self._silent.set()

    def say(self, samples: Pcm) -> None:
        """Say this after what is being said."""
        self._queue.push(samples)
        if self._queue:
            self._silent.clear()

    async def silent(self) -> None:
        """Return when everything has been said."""
        await self._silent.wait()

    async def speak(self, call: Call) -> None:
        """Speak until cancelled, or until the call ends.

        Raises:
            VivaError: the call has ended.
        """
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            await call.send_audio(self._next())
            due = max(due + PIECE / RATE_HZ, loop.time() - AHEAD_MS / 1000)
            ahead_ms = call.unsent_ms
            # A transport that speaks in real time is kept a little ahead; for any other this is the clock.
            await asyncio.sleep(max(0.0, (ahead_ms - AHEAD_MS) / 1000 if ahead_ms else due - loop.time()))

    def _next(self) -> Pcm:
        if not self._queue:
            self._silent.set()
            return silence(PIECE)
        samples = self._queue.take(PIECE)
        return np.concatenate([samples, silence(PIECE - len(samples))])
