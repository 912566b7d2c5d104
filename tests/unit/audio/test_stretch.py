"""Speech made longer: exactly so much, no deeper, no louder, and the same however it was cut up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.audio.frame import RATE_HZ, Pcm, silence
from vivavoce.audio.stretch import Stretch

FACTORS = pytest.mark.parametrize("factor", [1.0, 1.1, 1.83, 2.5, 4.0])


def stretched(sound: Pcm, factor: float, cut: int = 480) -> Pcm:
    stretch = Stretch(factor)
    pieces = [stretch.push(sound[at : at + cut]) for at in range(0, len(sound), cut)]
    return np.concatenate([*pieces, stretch.flush()])


def tone(hz: float, seconds: float = 1.0) -> Pcm:
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.rint(8_000 * np.sin(2 * np.pi * hz * times)).astype(np.int16)


def rms(sound: Pcm) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


@FACTORS
@pytest.mark.parametrize("hz", [82.0, 220.0, 1_000.0])
def test_a_tone_lasts_longer_and_stays_the_same_tone(hz: float, factor: float) -> None:
    sound = stretched(tone(hz), factor)
    assert len(sound) == round(RATE_HZ * factor)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    assert np.argmax(spectrum) * RATE_HZ / len(sound) == pytest.approx(hz, abs=RATE_HZ / len(sound) + 0.01 * hz)
    middle = sound[len(sound) // 10 : -len(sound) // 10]
    assert rms(middle) == pytest.approx(rms(tone(hz)), rel=0.1)


@FACTORS
def test_nothing_is_said_that_was_not(factor: float) -> None:
    assert not np.any(stretched(silence(12_345), factor))
    assert len(stretched(silence(0), factor)) == 0


@given(st.floats(1.0, 4.0), st.integers(1, 5_000), st.integers(0, 9_000))
@settings(max_examples=60, deadline=None)
def test_how_sound_is_cut_up_makes_no_difference(factor: float, cut: int, length: int) -> None:
    sound = np.random.default_rng(length).integers(-9_000, 9_000, length).astype(np.int16)
    whole = stretched(sound, factor, max(1, length))
    assert len(whole) == round(length * factor)
    assert np.array_equal(stretched(sound, factor, cut), whole)


@pytest.mark.parametrize("factor", [0.99, 4.01, float("nan")])
def test_what_cannot_be_done_is_refused(factor: float) -> None:
    with pytest.raises(ValueError, match="1 to 4 times"):
        Stretch(factor)
