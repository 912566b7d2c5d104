"""Changing the sample rate of a stream, without clicks at the seams and without holding sound back.

One linear-phase low-pass filter does the whole change. It is laid out as a matrix that turns a stretch of
input into a stretch of output, so that a push is one matrix product. Flat to 0.85 of the lower rate's
half, 77 dB down from there on; looks ahead by 1.4 ms (48→24 kHz) to 4.2 ms (8↔24 kHz).
Why not a library: docs/explain/decisions/0004-embedded-speech.md.
"""

from functools import lru_cache
from math import ceil, gcd
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.frame import Pcm

ATTENUATION_DB: Final = 80.0
PASSBAND: Final = 0.85
"""Share of the lower rate's half that stays flat; speech on a telephone ends at 3.4 of 4 kHz."""
_LARGEST_RATIO: Final = 1024

Floats = NDArray[np.float32]


class Filter:
    """The matrix between two rates: `step` samples in, `yields` samples out, `ahead` more seen on each side.

    Stateless, so one serves every stream of the process.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        """Design the filter.

        Raises:
            ValueError: a rate below 1 Hz, or two rates whose ratio has terms above 1024.
        """
        if from_hz < 1 or to_hz < 1:
            raise ValueError(f"sample rates must be positive, got {from_hz} and {to_hz} Hz")
        common = gcd(from_hz, to_hz)
        self.up, self.down = to_hz // common, from_hz // common
        if max(self.up, self.down) > _LARGEST_RATIO:
            raise ValueError(f"{from_hz} to {to_hz} Hz is the ratio {self.up}:{self.down}; terms go up to 1024")
        # About a millisecond per row: 10 and 20 ms frames then come out whole.
        blocks = max(1, from_hz // (1000 * self.down))
        self.step, self.yields = blocks * self.down, blocks * self.up
        taps = self._taps(from_hz, to_hz)
        self.ahead = (len(taps) - 1) // (2 * self.up)
        self.span = self.step + 2 * self.ahead
        self.matrix = self._matrix(taps)

    def apply(self, sound: Floats) -> Floats:
        """Samples at the new rate.

        Args:
            sound: one stream per row, `ahead + n * step + ahead` samples each.

        Returns:
            One stream per row, `n * yields` samples each.
        """
        rows, width = sound.shape
        count = (width - 2 * self.ahead) // self.step
        sound = np.ascontiguousarray(sound, np.float32)
        size = sound.itemsize
        # Overlapping windows laid over the rows; `sliding_window_view` does the same ten times slower.
        windows: Floats = np.ndarray(
            (rows, count, self.span), np.float32, sound, strides=(width * size, self.step * size, size)
        )
        # `reshape` copies, and must: BLAS refuses overlapping rows.
        return (windows.reshape(rows * count, self.span) @ self.matrix).reshape(rows, count * self.yields)

    def _taps(self, from_hz: int, to_hz: int) -> NDArray[np.float64]:
        """A Kaiser-windowed sinc at the common multiple of both rates (Kaiser's formulae for order and beta)."""
        half = min(from_hz, to_hz) / 2
        rate = from_hz * self.up
        order = (ATTENUATION_DB - 7.95) / (14.36 * half * (1 - PASSBAND) / rate)
        ahead = ceil(order / (2 * self.up))
        n = np.arange(-ahead * self.up, ahead * self.up + 1)
        cutoff = half * (1 + PASSBAND) / rate
        taps = cutoff * np.sinc(cutoff * n) * np.kaiser(len(n), 0.1102 * (ATTENUATION_DB - 8.7))
        return taps * self.up

    def _matrix(self, taps: NDArray[np.float64]) -> Floats:
        centre = self.ahead * self.up
        sources = (np.arange(self.span) - self.ahead) * self.up
        targets = np.arange(self.yields) * self.down
        places = targets[np.newaxis, :] - sources[:, np.newaxis] + centre
        inside = (places >= 0) & (places < len(taps))
        return np.where(inside, taps[np.clip(places, 0, len(taps) - 1)], 0.0).astype(np.float32)


@lru_cache(maxsize=32)
def filter_between(from_hz: int, to_hz: int) -> Filter:
    """The filter between two rates, made once per process (at most 32 pairs are kept)."""
    return Filter(from_hz, to_hz)


class Resampler:
    """One stream on its way from one rate to another.

    The first sample out belongs to the moment of the first sample in; after `flush` exactly
    `ceil(n * to_hz / from_hz)` samples have come out for `n` that went in.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        """Start a stream.

        Raises:
            ValueError: rates that no filter can join (see `Filter`).
        """
        self._filter = filter_between(from_hz, to_hz)
        self._held = self._blank()
        self._taken = 0
        self._given = 0

    def push(self, samples: Pcm) -> Pcm:
        """Whatever is ready at the new rate; may be empty for a short push. Any length goes in."""
        if self._filter.up == self._filter.down:
            return samples
        self._taken += len(samples)
        return self._run(np.concatenate((self._held, samples), dtype=np.float32))

    def flush(self) -> Pcm:
        """The rest of the stream; afterwards a new stream may be pushed."""
        missing = -(-self._taken * self._filter.up // self._filter.down) - self._given
        tail = self._run(np.concatenate((self._held, np.zeros(self._filter.span, np.float32))))[:missing]
        self._held = self._blank()
        self._taken = self._given = 0
        return tail

    def _blank(self) -> Floats:
        return np.zeros(self._filter.ahead, np.float32)

    def _run(self, sound: Floats) -> Pcm:
        ready = (len(sound) - 2 * self._filter.ahead) // self._filter.step
        if ready < 1:
            self._held = sound
            return np.zeros(0, np.int16)
        used = ready * self._filter.step
        self._held = sound[used:].copy()
        out = self._filter.apply(sound[np.newaxis, : used + 2 * self._filter.ahead])[0]
        self._given += len(out)
        return np.rint(out).clip(-32768, 32767).astype(np.int16)
