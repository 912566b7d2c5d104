"""Telephone codes: equal to the reference for every input."""

import importlib
import warnings
from collections.abc import Callable
from typing import Protocol, cast

import numpy as np
import pytest

from vivavoce.audio import g711

EVERY_CODE = bytes(range(256))
EVERY_SAMPLE = np.arange(-32_768, 32_768, dtype=np.int32).astype(np.int16)


class Reference(Protocol):
    def lin2ulaw(self, fragment: bytes, width: int) -> bytes: ...
    def lin2alaw(self, fragment: bytes, width: int) -> bytes: ...
    def ulaw2lin(self, fragment: bytes, width: int) -> bytes: ...
    def alaw2lin(self, fragment: bytes, width: int) -> bytes: ...


@pytest.fixture
def reference() -> Reference:
    """`audioop`, which left the standard library with Python 3.13."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return cast(Reference, importlib.import_module("audioop"))
        except ImportError:
            pytest.skip("this Python has no audioop; the tables do not depend on the Python version")


def test_every_sample_and_code_equals_the_reference(reference: Reference) -> None:
    assert g711.pcm_to_ulaw(EVERY_SAMPLE) == reference.lin2ulaw(EVERY_SAMPLE.tobytes(), 2)
    assert g711.pcm_to_alaw(EVERY_SAMPLE) == reference.lin2alaw(EVERY_SAMPLE.tobytes(), 2)
    assert g711.ulaw_to_pcm(EVERY_CODE).tobytes() == reference.ulaw2lin(EVERY_CODE, 2)
    assert g711.alaw_to_pcm(EVERY_CODE).tobytes() == reference.alaw2lin(EVERY_CODE, 2)


@pytest.mark.parametrize(
    ("sample", "ulaw", "alaw"), [(0, 0xFF, 0xD5), (32_767, 0x80, 0xAA), (-32_768, 0x00, 0x2A), (-1, 0x7E, 0x55)]
)
def test_landmarks_of_the_standard(sample: int, ulaw: int, alaw: int) -> None:
    assert g711.pcm_to_ulaw(np.array([sample], np.int16)) == bytes([ulaw])
    assert g711.pcm_to_alaw(np.array([sample], np.int16)) == bytes([alaw])


@pytest.mark.parametrize(
    ("expand", "compress"), [(g711.ulaw_to_pcm, g711.pcm_to_ulaw), (g711.alaw_to_pcm, g711.pcm_to_alaw)]
)
def test_a_code_survives_a_round_trip(
    expand: Callable[[bytes], np.ndarray[tuple[int], np.dtype[np.int16]]],
    compress: Callable[[np.ndarray[tuple[int], np.dtype[np.int16]]], bytes],
) -> None:
    once = compress(expand(EVERY_CODE))
    # µ-law has two zeros; everything else is one to one.
    assert sum(a != b for a, b in zip(once, EVERY_CODE, strict=True)) <= 1
    assert compress(expand(once)) == once


def test_a_stretch_of_a_longer_recording_may_be_coded_in_place() -> None:
    every_other = EVERY_SAMPLE[::2]
    assert g711.pcm_to_ulaw(every_other) == g711.pcm_to_ulaw(every_other.copy())
