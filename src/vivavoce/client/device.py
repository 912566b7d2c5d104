"""Microphone and loudspeaker of this computer.

A sound card calls back in a thread of its own; only samples cross from there to the event loop and back. The card is
handed in: its driver is loaded by who wants to be heard.
"""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from typing import Final, Literal, Protocol, Self

import numpy as np

from vivavoce.audio.frame import RATE_HZ, Pcm, from_bytes, sample_count, silence, to_bytes
from vivavoce.audio.resampler import Resampler
from vivavoce.client.player import Heard
from vivavoce.errors import DeviceError

BLOCK_S: Final = 0.02
"""Sound that is exchanged with the card at once."""
WAITING_S: Final = 2
"""Seconds of the microphone that wait for a reader; the oldest go."""

Kind = Literal["input", "output"]
Callback = Callable[..., None]
"""Called by the card in its own thread with (buffer, frames, times, status)."""


class Buffer(Protocol):
    """Memory of the card."""

    def __getitem__(self, key: slice, /) -> bytes: ...

    def __setitem__(self, key: slice, value: bytes, /) -> None: ...


class Stream(Protocol):
    """An open device."""

    @property
    def latency(self) -> float:
        """Seconds between here and the air."""
        ...

    def start(self) -> None:
        """Let sound flow."""
        ...

    def abort(self) -> None:
        """Stop at once."""
        ...

    def close(self) -> None:
        """Give the device back."""
        ...


class OpenStream(Protocol):
    """Opens a device for 16-bit samples of one channel; raises something of the driver's own if it cannot."""

    def __call__(
        self,
        *,
        samplerate: float,
        blocksize: int,
        channels: int,
        dtype: str,
        callback: Callback,
        device: int | str | None,
    ) -> Stream:
        """An open device, still silent."""
        ...


class Card(Protocol):
    """The sound hardware, by the names of the package `sounddevice`."""

    @property
    def RawInputStream(self) -> OpenStream:
        """Opens a microphone."""
        ...

    @property
    def RawOutputStream(self) -> OpenStream:
        """Opens a loudspeaker."""
        ...

    def query_devices(self, device: int | str | None, kind: Kind) -> Mapping[str, object]:
        """What is known of a device: `default_samplerate` and more."""
        ...


class Microphone:
    """What the user says. A context manager inside an event loop; iterate over it for samples at 24 kHz."""

    def __init__(self, card: Card, device: int | str | None = None) -> None:
        self._card = card
        self._device = device
        self._opened: OpenDevice | None = None
        self._waiting: deque[Pcm] = deque(maxlen=int(WAITING_S / BLOCK_S))
        self._something = asyncio.Event()

    def __enter__(self) -> Self:
        """Begin to listen.

        Raises:
            DeviceError: there is no microphone, or somebody else has it.
        """
        loop = asyncio.get_running_loop()

        def callback(buffer: Buffer, *_: object) -> None:
            loop.call_soon_threadsafe(take, bytes(buffer[:]))

        def take(data: bytes) -> None:
            self._waiting.append(resampler.push(from_bytes(data)))
            self._something.set()

        self._opened = open_device(self._card, self._card.RawInputStream, "input", self._device, callback)
        resampler = Resampler(self._opened.rate_hz, RATE_HZ)
        self._opened.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        """Give the microphone back."""
        if self._opened is not None:
            self._opened.__exit__(*exc)

    async def __aiter__(self) -> AsyncGenerator[Pcm, None]:
        """Samples as they come, for ever."""
        while True:
            await self._something.wait()
            self._something.clear()
            while self._waiting:
                yield self._waiting.popleft()


class Loudspeaker:
    """A `Player` that is heard. What it plays counts when it has reached the air.

    `late_s` bounds how much may wait, for sound that comes in real time: after a stall the oldest goes. Without it
    everything is played.
    """

    def __init__(self, card: Card, device: int | str | None = None, *, late_s: float | None = None) -> None:
        self._card = card
        self._device = device
        self._lock = threading.Lock()
        self._most = None if late_s is None else sample_count(1000 * late_s)
        self._queue: deque[Pcm] = deque()
        self._played = 0
        self._flushes = 0

    async def run(self, heard: Heard) -> None:
        """See `Player.run`.

        Raises:
            DeviceError: there is no loudspeaker, or somebody else has it.
        """
        loop = asyncio.get_running_loop()

        def arrived(samples: Pcm, flushes: int) -> None:
            # What was inside the card when the queue was dropped is heard all the same, but was counted as lost.
            if flushes == self._flushes:
                self._played += len(samples)
            heard(samples)

        opener = self._card.RawOutputStream

        def pump(buffer: Buffer, frames: int, *_: object) -> None:
            wanted = frames * RATE_HZ // opened.rate_hz
            samples, flushes = self._take(wanted)
            # Silence is pushed too, so that the filter gives back the end of what went before.
            data = to_bytes(resampler.push(np.concatenate([samples, silence(wanted - len(samples))])))
            buffer[:] = data[: frames * 2].rjust(frames * 2, b"\0")
            if len(samples):
                loop.call_soon_threadsafe(loop.call_later, opened.stream.latency, arrived, samples, flushes)

        opened = open_device(self._card, opener, "output", self._device, pump)
        resampler = Resampler(RATE_HZ, opened.rate_hz)
        with opened:
            await loop.create_future()

    def play(self, samples: Pcm) -> None:
        """See `Player.play`."""
        if len(samples):
            with self._lock:
                self._queue.append(samples)
                while self._most is not None and sum(map(len, self._queue)) > self._most:
                    self._queue.popleft()

    def played(self) -> int:
        """See `Player.played`."""
        return self._played

    def flush(self) -> int:
        """See `Player.flush`."""
        with self._lock:
            self._queue.clear()
            self._flushes += 1
        return self._played

    def _take(self, wanted: int) -> tuple[Pcm, int]:
        """Up to so many samples for the card, in its thread, and how often the queue had been dropped before."""
        parts: list[Pcm] = []
        with self._lock:
            while wanted and self._queue:
                head = self._queue.popleft()
                if len(head) > wanted:
                    self._queue.appendleft(head[wanted:])
                    head = head[:wanted]
                parts.append(head)
                wanted -= len(head)
            return (np.concatenate(parts) if parts else silence(0)), self._flushes


class OpenDevice:
    """A device and its rate. Entering lets sound flow, leaving gives the device back."""

    def __init__(self, stream: Stream, rate_hz: int, kind: str) -> None:
        self.stream = stream
        self.rate_hz = rate_hz
        self._kind = kind

    def __enter__(self) -> Self:
        try:
            self.stream.start()
        except Exception as error:
            self.stream.close()
            raise unusable(self._kind, error) from error
        return self

    def __exit__(self, *exc: object) -> None:
        with suppress(Exception):  # the driver's own failures, when the device is gone already
            self.stream.abort()
        with suppress(Exception):  # likewise
            self.stream.close()


def probe(card: Card, kind: Kind, device: int | str | None = None) -> None:
    """Try a device without letting sound flow.

    Raises:
        DeviceError: there is none, or it cannot be opened.
    """
    opener = card.RawInputStream if kind == "input" else card.RawOutputStream
    open_device(card, opener, kind, device, lambda *_: None).stream.close()


def open_device(card: Card, opener: OpenStream, kind: Kind, device: int | str | None, callback: Callback) -> OpenDevice:
    """A device at 24 kHz, or at its own rate if it cannot.

    Raises:
        DeviceError: there is none, or it cannot be opened.
    """
    failure: Exception | None = None
    try:
        own = card.query_devices(device, kind).get("default_samplerate")
    except Exception as error:
        raise unusable(kind, error) from error
    rates = [RATE_HZ, int(own)] if isinstance(own, int | float) and own >= 1 else [RATE_HZ]
    for rate_hz in rates:
        try:
            stream = opener(
                samplerate=rate_hz,
                blocksize=int(rate_hz * BLOCK_S),
                channels=1,
                dtype="int16",
                callback=callback,
                device=device,
            )
        except Exception as error:  # the driver's own kinds; the next rate may suit it
            failure = error
        else:
            return OpenDevice(stream, rate_hz, kind)
    raise unusable(kind, failure)


def unusable(kind: str, error: Exception | None) -> DeviceError:
    """A device that cannot be used, in words for its user."""
    name = "microphone" if kind == "input" else "loudspeaker"
    return DeviceError(
        f"There is no usable {name} ({error}). Plug one in, or do without: see --say, --file and --out of `viva talk`."
    )
