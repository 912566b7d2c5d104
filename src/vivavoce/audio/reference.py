"""What a loudspeaker plays, found again by the time at which it is heard. Times are in seconds on one clock."""

from typing import Final

from vivavoce.audio.frame import RATE_HZ, Pcm, sample_count, silence

KEPT: Final = sample_count(1000)
JUMP_S: Final = 0.04
"""A time that is off by more is believed at once: the device stalled, or is another."""
TRUST: Final = 0.02
"""How much of each smaller difference is believed: drivers' times waver by milliseconds, crystals do not."""
SLIP: Final = sample_count(3)
"""Reading goes on where it stopped until it is off by so much: a canceller has to learn again after each jump."""


class SampleClock:
    """When the samples of one stream sound, out of a driver's wavering times."""

    def __init__(self, rate_hz: int = RATE_HZ) -> None:
        self._rate_hz = rate_hz
        self._next: float | None = None

    def take(self, reported: float, count: int) -> float:
        """The time of the first of so many samples, of which the driver says that."""
        start = reported
        if self._next is not None and abs(reported - self._next) <= JUMP_S:
            start = self._next + TRUST * (reported - self._next)
        self._next = start + count / self._rate_hz
        return start


class Reference:
    """The last second of a loudspeaker, at `RATE_HZ`."""

    def __init__(self) -> None:
        self._ring = silence(KEPT)
        self._epoch = 0.0
        """When sample 0 sounds; samples are counted from there."""
        self._end = 0
        self._cursor: int | None = None

    def add(self, at: float, samples: Pcm) -> None:
        """The loudspeaker plays this from a time on. Stretches come in order."""
        start = round((at - self._epoch) * RATE_HZ)
        if abs(start - self._end) > KEPT:
            self._ring[:] = 0
            self._epoch, self._end, start, self._cursor = at, 0, 0, None
        elif abs(start - self._end) <= SLIP:
            # Seams stay whole; the times are moved instead.
            self._epoch += (start - self._end) / RATE_HZ
            start = self._end
        self._write(min(start, self._end), silence(max(0, start - self._end)))
        self._write(start, samples)
        self._end = start + len(samples)

    def read(self, at: float, count: int) -> Pcm:
        """What sounds from a time on; silence where nothing was played, or is not known yet."""
        start = round((at - self._epoch) * RATE_HZ)
        if self._cursor is not None and abs(start - self._cursor) <= SLIP:
            start = self._cursor
        self._cursor = start + count
        out = silence(count)
        first, last = max(start, self._end - KEPT), min(start + count, self._end)
        if first < last:
            out[first - start : last - start] = self._ring.take(range(first, last), mode="wrap")
        return out

    def _write(self, start: int, samples: Pcm) -> None:
        if len(samples):
            self._ring.put(range(start, start + len(samples)), samples, mode="wrap")
