"""Microphone and loudspeaker of this computer.

A sound card calls back in a thread of its own; only samples cross from there to the event loop and back. The card is
handed in: its driver is loaded by who wants to be heard. A device that goes away in the middle of a call is replaced
by the one that the system then names; the call goes on meanwhile, in silence.
"""

import asyncio
import threading
from asyncio import TaskGroup
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from vivavoce.audio.cleaner import FRAME, Cleaner
from vivavoce.audio.frame import RATE_HZ, Pcm, from_bytes, sample_count, silence, to_bytes
from vivavoce.audio.queue import SampleQueue
from vivavoce.audio.reference import Reference, SampleClock
from vivavoce.audio.resampler import Resampler
from vivavoce.client.card import BLOCK_S, Buffer, Card, Kind, OpenDevice, Times, open_device
from vivavoce.client.player import Heard
from vivavoce.clock import Clock, SystemClock
from vivavoce.errors import DeviceError
from vivavoce.telemetry.log import Log

WAITING_S: Final = 2
"""Seconds of the microphone that wait for a reader; the oldest go."""
WATCH_S: Final = 0.25
"""How often it is looked whether a device is still there."""
LOOK_S: Final = 5.0
"""How often it is asked whether the system names another, where it does not move open streams itself."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 5.0
"""Between two attempts to open another."""
LONGEST_LATENCY_S: Final = 2.0
"""A driver that says that sound needs longer through the air than this does not know."""
LEAD_S: Final = 0.02
"""A canceller is shown so much earlier what is played: an echo that came before its sound it would never find."""

_log = Log("client")


@dataclass(frozen=True)
class DeviceChange:
    """A device has gone in the middle of a call (`name` is None), or another is there."""

    kind: Kind
    name: str | None


OnChange = Callable[[DeviceChange], None]
Exchange = Callable[[Buffer, int, float], None]
"""Called by the card with (buffer, frames, when the first of them is in the air)."""


class Keeper:
    """Keeps one device open, and opens another when it is gone.

    It is told once what to do with a device of some rate before sound flows, and with each block that the card brings.
    Opening takes a driver up to some hundred milliseconds, in which the event loop stands still.
    """

    def __init__(
        self, card: Card, kind: Kind, device: int | str | None, clock: Clock, on_change: OnChange | None
    ) -> None:
        self._card = card
        self._kind: Kind = kind
        self._device = device
        self._clock = clock
        self._on_change = on_change
        self._opened: OpenDevice | None = None
        self._look = 0

    def open(self, prepare: Callable[[int], None], exchange: Exchange) -> None:
        """Open it and let sound flow.

        Raises:
            DeviceError: there is none, or somebody else has it.
        """
        self._look = self._card.looks

        def turn(buffer: Buffer, frames: int, times: Times | None, _: object) -> None:
            now = self._clock.now()
            opened.exchanged(now)
            exchange(buffer, frames, now + self._air_s(opened, times))

        opened = open_device(self._card, self._kind, self._device, turn)
        prepare(opened.rate_hz)
        self._opened = opened.__enter__()

    def close(self) -> None:
        """Give it back."""
        if self._opened is not None:
            self._opened.__exit__(None, None, None)
            self._opened = None

    async def keep(self, prepare: Callable[[int], None], exchange: Exchange) -> None:
        """Replace it whenever it is gone, until cancelled."""
        while self._opened is not None:
            await self._end(self._opened)
            _log.info("device_gone", kind=self._kind)
            self._tell(None)
            self.close()
            await self._again(prepare, exchange)
            _log.info("device_opened", kind=self._kind)
            self._tell(self._opened.name)

    async def _end(self, opened: OpenDevice) -> None:
        """Return when the device is gone, or the system names another."""
        looked_at = self._clock.now()
        while not opened.gone(self._clock.now()):
            await asyncio.sleep(WATCH_S)
            if self._device is None and not self._card.moves_streams and self._clock.now() - looked_at >= LOOK_S:
                looked_at = self._clock.now()
                if (await self._card.defaults()).get(self._kind) not in (None, opened.name):
                    return

    async def _again(self, prepare: Callable[[int], None], exchange: Exchange) -> None:
        wait_s = FIRST_WAIT_S
        while True:
            # A look ends what sounds on other devices: not without hope.
            if (await self._card.defaults()).get(self._kind, "") is not None:
                self._card.look(self._look)
                with suppress(DeviceError):
                    return self.open(prepare, exchange)
            await asyncio.sleep(wait_s)
            wait_s = min(LONGEST_WAIT_S, 2 * wait_s)

    def _air_s(self, opened: OpenDevice, times: Times | None) -> float:
        """From now until the first sample is in the air; less than nothing for what was heard."""
        sign = -1 if self._kind == "input" else 1
        if times is not None:
            at = times.inputBufferAdcTime if self._kind == "input" else times.outputBufferDacTime
            ahead_s = at - times.currentTime
            if at and 0 <= sign * ahead_s <= LONGEST_LATENCY_S:
                return ahead_s
        return sign * opened.stream.latency

    def _tell(self, name: str | None) -> None:
        if self._on_change is not None:
            self._on_change(DeviceChange(self._kind, name))


class Loudspeaker:
    """A `Player` that is heard. What it plays counts from the moment that it is in the air, to the sample."""

    def __init__(
        self,
        card: Card,
        device: int | str | None = None,
        *,
        on_change: OnChange | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._keeper = Keeper(card, "output", device, self._clock, on_change)
        self._lock = threading.Lock()
        self._queue = SampleQueue()
        self._leaving: deque[Leaving] = deque()
        self._played = 0
        self._reference = Reference()

    async def run(self, heard: Heard) -> None:
        """See `Player.run`. One that is lost later is replaced.

        Raises:
            DeviceError: there is no loudspeaker, or somebody else has it.
        """
        loop = asyncio.get_running_loop()

        def prepare(rate_hz: int) -> None:
            nonlocal resampler, clock, ratio
            resampler, clock, ratio = Resampler(RATE_HZ, rate_hz), SampleClock(), RATE_HZ / rate_hz

        def pump(buffer: Buffer, frames: int, at: float) -> None:
            wanted = int(frames * ratio)
            at = clock.take(at, wanted)
            samples = self._take(wanted, at)
            # Silence is pushed too, so that the filter gives back the end of what went before.
            data = to_bytes(resampler.push(np.concatenate([samples, silence(wanted - len(samples))])))
            buffer[:] = data[: frames * 2].rjust(frames * 2, b"\0")
            if len(samples):
                loop.call_soon_threadsafe(arrive, samples, at + wanted / RATE_HZ)

        def arrive(samples: Pcm, at: float) -> None:
            loop.call_later(at - self._clock.now(), heard, samples)

        resampler, clock, ratio = Resampler(RATE_HZ, RATE_HZ), SampleClock(), 1.0
        self._keeper.open(prepare, pump)
        try:
            await self._keeper.keep(prepare, pump)
        finally:
            self._keeper.close()

    def play(self, samples: Pcm, late_s: float | None = None) -> None:
        """See `Player.play`."""
        with self._lock:
            self._queue.push(samples)
            if late_s is not None:
                self._queue.take(max(0, len(self._queue) - sample_count(1000 * late_s)))

    def played(self) -> int:
        """See `Player.played`."""
        now = self._clock.now()
        with self._lock:
            while self._leaving and self._leaving[0].heard(now) == self._leaving[0].samples:
                self._played += self._leaving.popleft().samples
            return self._played + (self._leaving[0].heard(now) if self._leaving else 0)

    def flush(self) -> int:
        """See `Player.flush`. What is inside the card is heard all the same, and does not count."""
        self._played = self.played()
        with self._lock:
            self._queue.clear()
            self._leaving.clear()
        return self._played

    def sounding(self, at: float, count: int) -> Pcm:
        """What is in the air from a time on, at `RATE_HZ`; for any thread."""
        with self._lock:
            return self._reference.read(at, count)

    def _take(self, wanted: int, at: float) -> Pcm:
        """Up to so many samples for the card, in its thread; they will be in the air from that time on."""
        with self._lock:
            samples = self._queue.take(wanted)
            if len(samples):
                self._leaving.append(Leaving(at, len(samples)))
            self._reference.add(at, np.concatenate([samples, silence(wanted - len(samples))]))
        return samples


@dataclass(frozen=True, slots=True)
class Leaving:
    """Samples that the card was given, and when the first of them is in the air."""

    at: float
    samples: int

    def heard(self, now: float) -> int:
        """How many of them have been."""
        return min(self.samples, max(0, int((now - self.at) * RATE_HZ)))


class Microphone:
    """What the user says. An async context manager; iterate over it for samples at 24 kHz.

    Args:
        card: who opens devices.
        device: part of a name, or a number; the system's own if not given.
        cleaner: takes noise and the echo of `loudspeaker` out.
        loudspeaker: what plays beside it.
        on_change: told when the device has gone, and when another is there.
        clock: another than the machine's.
    """

    def __init__(
        self,
        card: Card,
        device: int | str | None = None,
        *,
        cleaner: Cleaner | None = None,
        loudspeaker: Loudspeaker | None = None,
        on_change: OnChange | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._keeper = Keeper(card, "input", device, clock or SystemClock(), on_change)
        self._cleaner = cleaner
        self._loudspeaker = loudspeaker
        self._waiting: deque[Pcm] = deque(maxlen=int(WAITING_S / BLOCK_S))
        self._something = asyncio.Event()
        self._tasks = TaskGroup()
        self._keeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to listen.

        Raises:
            DeviceError: there is no microphone, or somebody else has it.
        """
        loop = asyncio.get_running_loop()

        def prepare(rate_hz: int) -> None:
            nonlocal resampler, clock, held, rate
            resampler, clock, held, rate = Resampler(rate_hz, RATE_HZ), SampleClock(rate_hz), silence(0), rate_hz

        def hear(buffer: Buffer, frames: int, at: float) -> None:
            nonlocal held
            end = clock.take(at, frames) + frames / rate
            held = np.concatenate([held, resampler.push(from_bytes(bytes(buffer[:])))])
            whole = len(held) // FRAME * FRAME
            samples, start = held[:whole], end - len(held) / RATE_HZ
            held = held[whole:]
            if whole:
                loop.call_soon_threadsafe(take, self._clean(samples, start))

        def take(samples: Pcm) -> None:
            self._waiting.append(samples)
            self._something.set()

        resampler, clock, held, rate = Resampler(RATE_HZ, RATE_HZ), SampleClock(), silence(0), RATE_HZ
        self._keeper.open(prepare, hear)
        await self._tasks.__aenter__()
        self._keeping = self._tasks.create_task(self._keeper.keep(prepare, hear), name="microphone")
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Give the microphone back."""
        try:
            if self._keeping is not None:
                self._keeping.cancel()
                await self._tasks.__aexit__(None, None, None)
        finally:
            self._keeper.close()

    async def __aiter__(self) -> AsyncGenerator[Pcm, None]:
        """Samples as they come, for ever; none while there is no device."""
        while True:
            await self._something.wait()
            self._something.clear()
            while self._waiting:
                yield self._waiting.popleft()

    def _clean(self, samples: Pcm, at: float) -> Pcm:
        """In the card's thread: nobody else waits for it."""
        if self._cleaner is None:
            return samples
        if self._loudspeaker is None:
            return self._cleaner.process(samples, silence(len(samples)))
        return self._cleaner.process(samples, self._loudspeaker.sounding(at + LEAD_S, len(samples)))
