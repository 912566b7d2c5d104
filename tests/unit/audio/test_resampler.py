"""Changing the rate: same sound, right length, no clicks, nothing held back for long."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.audio.frame import Pcm
from vivavoce.audio.resampler import Resampler

PAIRS = [(24_000, 16_000), (16_000, 24_000), (24_000, 8_000), (8_000, 24_000), (22_050, 24_000), (48_000, 24_000)]
every_pair = pytest.mark.parametrize(("from_hz", "to_hz"), PAIRS)


def tone(hz: float, rate_hz: int, seconds: float = 1.0, peak: float = 20_000.0) -> Pcm:
    return np.rint(peak * np.sin(2 * np.pi * hz * np.arange(int(rate_hz * seconds)) / rate_hz)).astype(np.int16)


def all_at_once(sound: Pcm, from_hz: int, to_hz: int) -> Pcm:
    resampler = Resampler(from_hz, to_hz)
    return np.concatenate((resampler.push(sound), resampler.flush()))


def piece_by_piece(sound: Pcm, from_hz: int, to_hz: int, size: int) -> Pcm:
    resampler = Resampler(from_hz, to_hz)
    pieces = [resampler.push(sound[start : start + size]) for start in range(0, len(sound), size)]
    return np.concatenate((*pieces, resampler.flush()))


def decibels(sound: Pcm, reference: float) -> float:
    return 20 * np.log10(max(1e-9, float(np.sqrt(np.mean(np.square(sound.astype(np.float64)))))) / reference)


@every_pair
def test_a_tone_keeps_its_height_moment_and_strength(from_hz: int, to_hz: int) -> None:
    made = all_at_once(tone(1_000, from_hz), from_hz, to_hz)
    wanted = tone(1_000, to_hz)
    middle = slice(to_hz // 10, -to_hz // 10)
    # Within four steps of 16 bits, so at least 72 dB below the tone.
    assert np.abs(made[middle].astype(int) - wanted[middle]).max() <= 4


@every_pair
def test_a_stream_cut_into_pieces_sounds_the_same_as_in_one_go(from_hz: int, to_hz: int) -> None:
    sound = np.random.default_rng(1).integers(-20_000, 20_000, from_hz // 4).astype(np.int16)
    whole = all_at_once(sound, from_hz, to_hz)
    for size in (1, 7, from_hz // 50, 1_023):
        pieces = piece_by_piece(sound, from_hz, to_hz, size)
        # One step: the order of float32 additions differs with the shape of the product.
        assert np.abs(pieces.astype(int) - whole).max() <= 1


@settings(deadline=None)
@given(st.sampled_from(PAIRS), st.integers(0, 1_500), st.integers(1, 700))
def test_exactly_the_samples_that_the_rates_call_for_come_out(pair: tuple[int, int], length: int, size: int) -> None:
    from_hz, to_hz = pair
    made = piece_by_piece(np.zeros(length, np.int16), from_hz, to_hz, size)
    assert len(made) == -(-length * to_hz // from_hz)


@every_pair
def test_at_most_ten_milliseconds_are_held_back(from_hz: int, to_hz: int) -> None:
    resampler, frame = Resampler(from_hz, to_hz), from_hz // 50
    out = 0
    for count in range(1, 50):
        out += len(resampler.push(np.zeros(frame, np.int16)))
        assert count * 20.0 - out * 1000 / to_hz <= 10


@pytest.mark.parametrize(("from_hz", "to_hz"), [(24_000, 16_000), (24_000, 8_000), (48_000, 24_000)])
def test_sound_above_the_new_band_does_not_fold_into_it(from_hz: int, to_hz: int) -> None:
    for hz in (to_hz * 0.52, to_hz * 0.6, to_hz * 0.9):
        made = all_at_once(tone(hz, from_hz), from_hz, to_hz)[to_hz // 10 : -to_hz // 10]
        assert decibels(made, 20_000 / np.sqrt(2)) < -70


def test_full_scale_overshoot_is_cut_off_and_never_wraps_round() -> None:
    square = np.where(np.arange(24_000) // 40 % 2, 32_767, -32_768).astype(np.int16)
    made = all_at_once(square, 24_000, 16_000).astype(int)
    steady = np.abs(made) > 30_000
    assert made.max() == 32_767
    assert made.min() == -32_768
    assert steady.mean() > 0.8


def test_after_a_flush_a_new_stream_starts_from_silence() -> None:
    resampler = Resampler(24_000, 16_000)
    resampler.push(tone(500, 24_000))
    resampler.flush()
    fresh = np.concatenate((resampler.push(tone(300, 24_000, 0.1)), resampler.flush()))
    assert np.array_equal(fresh, all_at_once(tone(300, 24_000, 0.1), 24_000, 16_000))


def test_equal_rates_pass_samples_through_untouched() -> None:
    resampler, sound = Resampler(24_000, 24_000), tone(440, 24_000, 0.1)
    assert np.array_equal(resampler.push(sound), sound)
    assert len(resampler.flush()) == 0


@pytest.mark.parametrize(("from_hz", "to_hz"), [(0, 24_000), (24_000, -1), (24_001, 24_000)])
def test_rates_that_cannot_be_joined_are_refused(from_hz: int, to_hz: int) -> None:
    with pytest.raises(ValueError, match="Hz"):
        Resampler(from_hz, to_hz)
