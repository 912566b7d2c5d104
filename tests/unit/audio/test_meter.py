"""How loud it is."""

import numpy as np
import pytest

from vivavoce.audio.frame import Pcm
from vivavoce.audio.meter import FLOOR_DB, Meter, measure


def tone(peak: float, seconds: float = 0.5) -> Pcm:
    return np.rint(peak * np.sin(2 * np.pi * 500 * np.arange(int(24_000 * seconds)) / 24_000)).astype(np.int16)


def test_a_full_scale_tone_reads_three_below_full_scale_and_peaks_at_it() -> None:
    level = measure(tone(32_767))
    assert level.rms_db == pytest.approx(-3.01, abs=0.01)
    assert level.peak_db == pytest.approx(0, abs=0.01)


def test_half_the_swing_reads_six_decibels_less() -> None:
    assert measure(tone(8_000)).rms_db - measure(tone(4_000)).rms_db == pytest.approx(6.02, abs=0.01)


def test_digital_silence_and_no_sound_at_all_read_the_floor() -> None:
    for sound in (np.zeros(480, np.int16), np.zeros(0, np.int16)):
        level = measure(sound)
        assert (level.rms_db, level.peak_db, level.silent) == (FLOOR_DB, FLOOR_DB, True)


def test_quiet_room_noise_is_silence_and_a_whisper_is_not() -> None:
    rng = np.random.default_rng(3)
    assert measure(np.rint(rng.normal(0, 10, 24_000)).astype(np.int16)).silent
    assert not measure(np.rint(rng.normal(0, 100, 24_000)).astype(np.int16)).silent


def test_samples_at_either_end_of_the_scale_count_as_clipped() -> None:
    assert measure(np.array([32_767, -32_768, 32_766, 0], np.int16)).clipped == 2


def test_the_lowest_sample_does_not_overflow_the_peak() -> None:
    assert measure(np.array([-32_768], np.int16)).peak_db == 0


def test_a_reading_covers_everything_since_the_one_before() -> None:
    meter = Meter()
    meter.push(tone(1_000))
    meter.push(tone(16_000, 0.02))
    first, second = meter.read(), meter.read()
    assert first.samples == 12_480
    assert first.peak_db == pytest.approx(measure(tone(16_000)).peak_db, abs=0.01)
    assert (second.samples, second.rms_db) == (0, FLOOR_DB)
