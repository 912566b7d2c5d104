"""Telephone sound: ITU-T G.711 µ-law and A-law, one byte per sample at 8 kHz.

Both are 256-step curves, so each direction is one table. The tables equal, for all inputs, those of Sun's
reference code that Python's `audioop` carried (the tests compare them).
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.frame import Pcm

RATE_HZ = 8_000
_Bytes = NDArray[np.uint8]


def ulaw_to_pcm(data: bytes) -> Pcm:
    """µ-law bytes as samples at 8 kHz."""
    return _ulaw_expansion()[np.frombuffer(data, np.uint8)]


def pcm_to_ulaw(samples: Pcm) -> bytes:
    """Samples at 8 kHz as µ-law bytes."""
    return _ulaw_compression()[samples.view(np.uint16)].tobytes()


def alaw_to_pcm(data: bytes) -> Pcm:
    """A-law bytes as samples at 8 kHz."""
    return _alaw_expansion()[np.frombuffer(data, np.uint8)]


def pcm_to_alaw(samples: Pcm) -> bytes:
    """Samples at 8 kHz as A-law bytes."""
    return _alaw_compression()[samples.view(np.uint16)].tobytes()


def _every_sample() -> NDArray[np.int32]:
    """All 65,536 samples in the order of their unsigned bit patterns."""
    return np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)


@cache
def _ulaw_expansion() -> Pcm:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    # The bias of 33 (132 at 16 bits) makes every segment start at a power of two.
    size = ((((code & 0x0F) << 3) + 0x84) << (code >> 4 & 7)) - 0x84
    return np.where(code & 0x80, -size, size).astype(np.int16)


@cache
def _ulaw_compression() -> _Bytes:
    sample = _every_sample() >> 2
    # With the bias, the largest size that still lies in the last segment.
    size = np.minimum(np.abs(sample), 8158) + 33
    segment = np.clip(np.floor(np.log2(size)).astype(np.int32) - 5, 0, 7)
    code = segment << 4 | (size >> segment + 1 & 0x0F)
    return (code ^ np.where(sample < 0, 0x7F, 0xFF)).astype(np.uint8)


@cache
def _alaw_expansion() -> Pcm:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment = code >> 4 & 7
    # Segments 0 and 1 share one slope; from 1 on, 256 stands for the leading one.
    size = (((code & 0x0F) << 4) + np.where(segment == 0, 8, 0x108)) << np.maximum(segment - 1, 0)
    return np.where(code & 0x80, size, -size).astype(np.int16)


@cache
def _alaw_compression() -> _Bytes:
    sample = _every_sample() >> 3
    size = np.where(sample < 0, -sample - 1, sample)
    segment = np.clip(np.floor(np.log2(np.maximum(size, 1))).astype(np.int32) - 4, 0, 7)
    code = segment << 4 | (size >> np.maximum(segment, 1) & 0x0F)
    return (code ^ np.where(sample < 0, 0x55, 0xD5)).astype(np.uint8)
