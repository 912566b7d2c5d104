"""The sound card of this computer: what is asked of a driver, how a device is opened, and when it is gone."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, Literal, Protocol, Self

from vivavoce.audio.frame import RATE_HZ
from vivavoce.errors import DeviceError

BLOCK_S: Final = 0.02
"""Sound that is exchanged with the card at once."""
STALL_S: Final = 1.0
"""A device that exchanges nothing for so long is gone."""
FIRST_S: Final = 5.0
"""But not in its first seconds: a Bluetooth headset changes its way of working first, a sound server fills buffers."""

Kind = Literal["input", "output"]


class Buffer(Protocol):
    """Memory of the card."""

    def __getitem__(self, key: slice, /) -> bytes: ...

    def __setitem__(self, key: slice, value: bytes, /) -> None: ...


class Times(Protocol):
    """When the first sample of a block is in the air, in seconds on the stream's own clock."""

    @property
    def currentTime(self) -> float:
        """Now."""
        ...

    @property
    def inputBufferAdcTime(self) -> float:
        """It was heard."""
        ...

    @property
    def outputBufferDacTime(self) -> float:
        """It will be."""
        ...


Callback = Callable[[Buffer, int, Times | None, object], None]
"""Called by the card in its own thread with (buffer, frames, times, status)."""


class Stream(Protocol):
    """An open device."""

    @property
    def latency(self) -> float:
        """Seconds between here and the air, as the driver estimates."""
        ...

    @property
    def active(self) -> bool:
        """Whether sound flows."""
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


class Driver(Protocol):
    """A driver, by the names of the package `sounddevice`. It sees the devices that there were when it was loaded."""

    @property
    def RawInputStream(self) -> OpenStream:
        """Opens a microphone."""
        ...

    @property
    def RawOutputStream(self) -> OpenStream:
        """Opens a loudspeaker."""
        ...

    def query_devices(self, device: int | str | None, kind: Kind) -> Mapping[str, object]:
        """What is known of a device: `name`, `default_samplerate` and more."""
        ...


class Card(Driver, Protocol):
    """A driver that can look again."""

    @property
    def looks(self) -> int:
        """How often the devices have been looked for."""
        ...

    @property
    def moves_streams(self) -> bool:
        """Whether the system itself moves what is open to the device that it names."""
        ...

    def look(self, known: int) -> None:
        """Look which devices there are now, if nobody has done so since the look of that number.

        Every open stream ends: drivers keep their list as long as they are in use.
        """
        ...

    async def defaults(self) -> Mapping[Kind, str | None]:
        """The names of the system's own devices as of now; nothing that sounds is disturbed.

        None where there is no device of a kind, and no entry where that could not be found out.
        """
        ...


class OpenDevice:
    """A device and its rate. Entering lets sound flow, leaving gives the device back."""

    def __init__(self, stream: Stream, rate_hz: int, kind: Kind, name: str) -> None:
        self.stream = stream
        self.rate_hz = rate_hz
        self.name = name
        self._first: float | None = None
        self._last = 0.0
        self._kind: Kind = kind

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

    def exchanged(self, now: float) -> None:
        """The card has just given or taken sound."""
        self._last = now

    def gone(self, now: float) -> bool:
        """Whether it has ended, or stands still."""
        if self._first is None:
            self._first = now
        with suppress(Exception):  # of the driver, asked about what is no more
            return not self.stream.active or now > max(self._first + FIRST_S, self._last + STALL_S)
        return True


def probe(card: Driver, kind: Kind, device: int | str | None = None) -> None:
    """Try a device without letting sound flow.

    Raises:
        DeviceError: there is none, or it cannot be opened.
    """
    open_device(card, kind, device, _ignore).stream.close()


def _ignore(_buffer: Buffer, _frames: int, _times: Times | None, _status: object) -> None:
    """No sound flows while a device is only tried."""


def open_device(card: Driver, kind: Kind, device: int | str | None, callback: Callback) -> OpenDevice:
    """A device at 24 kHz, or at its own rate if it cannot.

    Raises:
        DeviceError: there is none, or it cannot be opened.
    """
    failure: Exception | None = None
    try:
        known = card.query_devices(device, kind)
    except Exception as error:
        raise unusable(kind, error) from error
    own = known.get("default_samplerate")
    rates = [RATE_HZ, int(own)] if isinstance(own, int | float) and own >= 1 else [RATE_HZ]
    opener = card.RawInputStream if kind == "input" else card.RawOutputStream
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
            return OpenDevice(stream, rate_hz, kind, str(known.get("name", "")))
    raise unusable(kind, failure)


def unusable(kind: Kind, error: Exception | None) -> DeviceError:
    """A device that cannot be used, in words for its user."""
    name = "microphone" if kind == "input" else "loudspeaker"
    return DeviceError(
        f"There is no usable {name} ({error}). Plug one in, or do without: see --say, --file and --out of `viva talk`."
    )
