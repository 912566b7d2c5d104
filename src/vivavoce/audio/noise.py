"""Noise taken out of a stream at 24 kHz by a suppressor that works at 16 kHz.

The suppressor's change below 8 kHz is laid over the sound, and what lies above is turned down as much as what lies
below was. So nothing is lost where the suppressor does nothing, and a strength is a share of its change.
"""

from collections import deque
from typing import Final, Protocol

import numpy as np

from vivavoce.audio.frame import RATE_HZ, Pcm, sample_count, silence
from vivavoce.audio.resampler import Resampler
from vivavoce.audio.spectrum import Floats, pcm

INNER_HZ: Final = 16_000
FRAME: Final = INNER_HZ // 100
RAMP: Final = sample_count(20)
"""Its change fades in over so long, so that switching it on makes no click."""
PIECE: Final = RATE_HZ // 4
"""Samples that are worked on at once: arrays of minutes, copied in one go, keep the interpreter from other calls."""


class Suppressor(Protocol):
    """Takes noise out of 10 ms at a time. It remembers; one for each stream."""

    @property
    def delay(self) -> int:
        """Samples at 16 kHz by which its sound is later."""
        ...

    def process(self, samples: Pcm) -> Pcm:
        """As many samples as given, a multiple of 160."""
        ...


class NoiseFilter:
    """One stream. Every sample comes out at its own place, up to 30 ms later."""

    def __init__(self, suppressor: Suppressor, strength: float) -> None:
        """Begin.

        Args:
            suppressor: of this stream alone.
            strength: 0 leaves the sound as it is, 1 is all that the suppressor does.
        """
        self.strength = strength
        self._suppressor = suppressor
        self._begin()

    def push(self, samples: Pcm) -> Pcm:
        """More sound, of any length; returns what is ready."""
        if len(samples) <= PIECE:
            return self._filter(samples)
        return np.concatenate([self._filter(samples[at : at + PIECE]) for at in range(0, len(samples), PIECE)])

    def release(self) -> Pcm:
        """What is held back, as it is; a new stretch of sound begins."""
        rest = self._dry
        self._begin()
        return rest

    def _filter(self, samples: Pcm) -> Pcm:
        self._dry = np.concatenate((self._dry, samples))
        self._inner = np.concatenate((self._inner, self._down.push(samples)))
        whole = len(self._inner) // FRAME * FRAME
        if whole:
            heard, self._inner = self._inner[:whole], self._inner[whole:]
            clean = self._suppressor.process(heard)
            skipped = min(self._skip, len(clean))
            self._skip -= skipped
            self._clean = np.concatenate((self._clean, clean[skipped:]))
            self._heard = np.concatenate((self._heard, heard))
            self._compare()
        ready = min(len(self._low), len(self._change), len(self._gains), len(self._dry))
        return self._give(ready)

    def _begin(self) -> None:
        self._down = Resampler(RATE_HZ, INNER_HZ)
        self._up_heard, self._up_clean = Resampler(INNER_HZ, RATE_HZ), Resampler(INNER_HZ, RATE_HZ)
        self._skip = self._suppressor.delay
        self._dry, self._inner, self._heard, self._clean = silence(0), silence(0), silence(0), silence(0)
        self._low, self._change, self._gains = (np.zeros(0, np.float32) for _ in range(3))
        self._last_gain = 1.0
        self._ramped = 0

    def _compare(self) -> None:
        """Whole frames of what went in beside what came out of the suppressor for the same time."""
        whole = min(len(self._heard), len(self._clean)) // FRAME * FRAME
        if not whole:
            return
        heard, self._heard = self._heard[:whole], self._heard[whole:]
        clean, self._clean = self._clean[:whole], self._clean[whole:]
        low = self._up_heard.push(heard).astype(np.float32)
        self._low = np.concatenate((self._low, low))
        self._change = np.concatenate((self._change, self._up_clean.push(clean).astype(np.float32) - low))
        gains: deque[Floats] = deque()
        for place in range(0, whole, FRAME):
            before, after = (_power(sound[place : place + FRAME]) for sound in (heard, clean))
            gain = min(1.0, float(np.sqrt((after + 1) / (before + 1))))
            gains.append(np.linspace(self._last_gain, gain, sample_count(10), endpoint=False, dtype=np.float32))
            self._last_gain = gain
        self._gains = np.concatenate((self._gains, *gains))

    def _give(self, count: int) -> Pcm:
        dry = self._dry[:count].astype(np.float32)
        high = dry - self._low[:count]
        change = self._change[:count] + (self._gains[:count] - 1) * high
        ramp = np.minimum(1, (self._ramped + np.arange(count, dtype=np.float32)) / RAMP)
        self._ramped += count
        self._dry, self._low = self._dry[count:], self._low[count:]
        self._change, self._gains = self._change[count:], self._gains[count:]
        return pcm(dry + self.strength * ramp * change)


def _power(samples: Pcm) -> float:
    return float(np.mean(np.square(samples, dtype=np.float32)))
