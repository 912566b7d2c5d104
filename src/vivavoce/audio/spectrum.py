"""Sound cut into short spectra and put together again.

Frames of 20 ms, 10 ms apart, under the square root of a Hann window on the way in and on the way out: spectra that
nobody has touched give back the samples that went in.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.frame import RATE_HZ, Pcm, sample_count

HOP: Final = sample_count(10)
SIZE: Final = 2 * HOP
BINS: Final = HOP + 1
"""Frequencies of one spectrum, from 0 to half the rate."""
BANDS: Final = 24
_LOWEST_HZ, _HIGHEST_HZ = 150.0, 7600.0

Spectra = NDArray[np.complexfloating]
Floats = NDArray[np.floating]

_hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(SIZE) / SIZE)
_window: Floats = np.sqrt(_hann).astype(np.float32)
_rise: Floats = _hann[:HOP].astype(np.float32)


def spectra(sound: Floats) -> Spectra:
    """One spectrum for every `HOP` samples, one a row; the last `HOP` samples are seen once only."""
    sound = np.ascontiguousarray(sound, np.float32)
    # Overlapping rows; `sliding_window_view` does the same ten times slower.
    frames: Floats = np.ndarray((len(sound) // HOP - 1, SIZE), np.float32, sound, strides=(4 * HOP, 4))
    return np.fft.rfft(frames * _window, axis=1)


class Overlap:
    """Spectra back to one stream. The first only leads in from sound that was heard as it was."""

    def __init__(self) -> None:
        self._tail: Floats | None = None

    def add(self, frames: Spectra) -> Floats:
        """The samples that are finished: `HOP` for each frame after the first."""
        pieces = np.fft.irfft(frames, SIZE, axis=1) * _window
        heads, tails = pieces[:, :HOP].copy(), pieces[:, HOP:]
        heads[1:] += tails[:-1]
        if self._tail is None:
            heads = heads[1:]
        else:
            heads[0] += self._tail
        self._tail = tails[-1]
        return heads.reshape(-1)

    def end(self, sound: Floats) -> Floats:
        """Lead out: what is left of the last frame runs over into sound as it is, from the next frame's start on."""
        if self._tail is None:
            return sound[HOP:]
        return np.concatenate((self._tail + sound[:HOP] * _rise, sound[HOP:]))


def _edges() -> NDArray[np.float64]:
    """Limits of the bands in Hz: as wide as the ear's own (Glasberg and Moore's scale)."""
    low, high = (21.4 * np.log10(1 + 0.00437 * hz) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    scale: NDArray[np.float64] = np.linspace(float(low), float(high), BANDS + 1)
    return (10 ** (scale / 21.4) - 1) / 0.00437


def _gathering() -> Floats:
    edges = _edges()
    hz = np.arange(BINS) * RATE_HZ / SIZE
    inside = (hz[:, np.newaxis] >= edges[:-1]) & (hz[:, np.newaxis] < edges[1:])
    return inside.astype(np.float32)


def _spreading() -> Floats:
    edges = _edges()
    centres = (edges[:-1] + edges[1:]) / 2
    hz = np.arange(BINS) * RATE_HZ / SIZE
    return np.stack([np.interp(hz, centres, row) for row in np.eye(BANDS)]).astype(np.float32)


_gather: Floats = _gathering()
_spread: Floats = _spreading()


def powers(frames: Spectra) -> Floats:
    """Power of each band from 150 to 7,600 Hz, one spectrum a row; a full-scale tone has about 2e12."""
    return (frames.real**2 + frames.imag**2) @ _gather


def weighted(frames: Spectra, gains: Floats) -> Spectra:
    """Spectra with a gain for each band, gliding from band to band."""
    return frames * (gains @ _spread)


def floats(samples: Pcm) -> Floats:
    """Samples to calculate with."""
    return samples.astype(np.float32)


def pcm(sound: Floats) -> Pcm:
    """Samples to keep."""
    return np.rint(sound).clip(-32768, 32767).astype(np.int16)
