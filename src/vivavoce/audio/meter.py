"""How loud sound is: level, peak, silence, clipping.

Levels are dBFS by the square of the samples over that of full scale (32,768), so a full-scale sine reads
−3.0 and nothing reads above 0. Digital silence reads `FLOOR_DB`.
"""

from dataclasses import dataclass
from math import log10
from typing import Final

import numpy as np

from vivavoce.audio.frame import Pcm

FLOOR_DB: Final = -120.0
SILENCE_DB: Final = -60.0
"""Below this a microphone hears nothing that a person would call sound."""
_FULL_SCALE: Final = 32_768.0


@dataclass(frozen=True)
class Level:
    """A reading over `samples` samples; `clipped` counts those at either end of the scale."""

    rms_db: float
    peak_db: float
    clipped: int
    samples: int

    @property
    def silent(self) -> bool:
        """Nothing, or nothing audible."""
        return self.rms_db < SILENCE_DB


def measure(samples: Pcm) -> Level:
    """The level of these samples alone."""
    meter = Meter()
    meter.push(samples)
    return meter.read()


class Meter:
    """Adds up a stream between two readings, so that a display may read rarely and miss nothing."""

    def __init__(self) -> None:
        self._squares = 0.0
        self._peak = 0
        self._clipped = 0
        self._samples = 0

    def push(self, samples: Pcm) -> None:
        """Hear these samples; any length."""
        if not len(samples):
            return
        wide = samples.astype(np.float64)
        self._squares += float(wide @ wide)
        highest, lowest = int(samples.max()), int(samples.min())
        self._peak = max(self._peak, highest, -lowest)
        if highest == 32_767 or lowest == -32_768:
            self._clipped += int(np.count_nonzero((samples == 32_767) | (samples == -32_768)))
        self._samples += len(samples)

    def read(self) -> Level:
        """The level since the last reading, which starts over."""
        mean = self._squares / self._samples if self._samples else 0.0
        level = Level(
            rms_db=_decibels(mean / _FULL_SCALE**2),
            peak_db=_decibels((self._peak / _FULL_SCALE) ** 2),
            clipped=self._clipped,
            samples=self._samples,
        )
        self._squares, self._peak, self._clipped, self._samples = 0.0, 0, 0, 0
        return level


def _decibels(power: float) -> float:
    return max(FLOOR_DB, 10 * log10(power)) if power > 0 else FLOOR_DB
