"""Samples, bytes and milliseconds."""

import numpy as np
import pytest

from vivavoce.audio.frame import duration_ms, from_bytes, sample_count, silence, to_bytes


def test_bytes_are_little_endian_both_ways() -> None:
    assert from_bytes(b"\x01\x00\x00\x80").tolist() == [1, -32_768]
    assert to_bytes(np.array([1, -32_768], np.int16)) == b"\x01\x00\x00\x80"


def test_an_odd_number_of_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple"):
        from_bytes(b"\x01")


def test_milliseconds_and_samples_round_down() -> None:
    assert (duration_ms(47), duration_ms(48), sample_count(1.99), sample_count(20)) == (1, 2, 47, 480)


def test_silence_is_that_many_zeros() -> None:
    assert silence(3).tolist() == [0, 0, 0]
