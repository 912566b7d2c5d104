"""Samples as they are kept everywhere inside: int16, one channel, `RATE_HZ`."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE_HZ: Final = 24_000
SAMPLES_PER_MS: Final = RATE_HZ // 1000

Pcm = NDArray[np.int16]


def duration_ms(samples: int) -> int:
    """Whole milliseconds in that many samples, rounded down."""
    return samples // SAMPLES_PER_MS


def sample_count(ms: float) -> int:
    """Samples in that many milliseconds, rounded down."""
    return int(ms * SAMPLES_PER_MS)


def from_bytes(data: bytes) -> Pcm:
    """Little-endian 16-bit bytes as samples.

    Raises:
        ValueError: an odd number of bytes.
    """
    return np.frombuffer(data, dtype="<i2").astype(np.int16, copy=False)


def to_bytes(samples: Pcm) -> bytes:
    """Samples as little-endian 16-bit bytes."""
    return samples.astype("<i2", copy=False).tobytes()


def silence(samples: int) -> Pcm:
    """That many zero samples."""
    return np.zeros(samples, dtype=np.int16)
