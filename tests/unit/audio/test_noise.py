"""Noise between words falls, words stay where and as loud as they were."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pytest

from vivavoce.audio.frame import Pcm, sample_count
from vivavoce.audio.meter import measure
from vivavoce.audio.noise import INNER_HZ, NoiseFilter
from vivavoce.engine.webrtc_noise import WebRtcNoise

SECOND: Final = 24_000


def hiss(seconds: float, level: float = 300.0, *, pink: bool = False) -> Pcm:
    count = int(seconds * SECOND)
    spectrum = np.fft.rfft(np.random.default_rng(5).normal(0, 1, count))
    if pink:
        spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(count, 1 / SECOND), 40))
    sound = np.fft.irfft(spectrum, count)
    return np.rint(sound / np.std(sound) * level).astype(np.int16)


def tune(seconds: float) -> Pcm:
    """Syllables of harmonics, four in a second."""
    time = np.arange(int(seconds * SECOND)) / SECOND
    voice = sum(np.sin(2 * np.pi * 140 * n * time) / n for n in range(1, 30))
    return np.rint(2000 * voice * np.maximum(0, np.sin(2 * np.pi * 4 * time))).astype(np.int16)


def pieces(sound: Pcm, step: int) -> Iterator[Pcm]:
    for at in range(0, len(sound), step):
        yield sound[at : at + step]


def filtered(noise: NoiseFilter, sound: Pcm, step: int = 480) -> Pcm:
    return np.concatenate([*(noise.push(piece) for piece in pieces(sound, step)), noise.release()])


@pytest.mark.parametrize("pink", [False, True])
@pytest.mark.parametrize(
    ("kind", "strength", "least_db"), [("near_field", 1.0, 10), ("far_field", 1.0, 18), ("far_field", 0.5, 4)]
)
def test_noise_where_nobody_speaks_falls(kind: str, strength: float, least_db: float, pink: bool) -> None:
    assert kind in ("near_field", "far_field")
    sound = hiss(2, pink=pink)
    out = filtered(NoiseFilter(WebRtcNoise(kind), strength), sound)
    assert len(out) == len(sound)
    settled = slice(SECOND, 2 * SECOND - sample_count(40))
    assert measure(out[settled]).rms_db < measure(sound[settled]).rms_db - least_db


def test_speech_stays_as_loud_as_it_was_and_in_its_place() -> None:
    speech, noise = tune(3), hiss(4, level=100.0)
    sound = noise.copy()
    sound[SECOND:] += speech
    out = filtered(NoiseFilter(WebRtcNoise("near_field"), 1.0), sound)
    spoken = slice(2 * SECOND, 3 * SECOND)
    assert abs(measure(out[spoken]).rms_db - measure(sound[spoken]).rms_db) < 2
    wide = out.astype(float)
    shifts = range(-60, 61)
    likeness = [float(wide[2 * SECOND + shift : 3 * SECOND + shift] @ speech[SECOND : 2 * SECOND]) for shift in shifts]
    assert abs(shifts[int(np.argmax(likeness))]) <= 3


@pytest.mark.parametrize("step", [1, 333, 480, 4800])
def test_without_strength_nothing_changes_whatever_the_pieces(step: int) -> None:
    sound = tune(0.5)
    noise = NoiseFilter(WebRtcNoise("far_field"), 0.0)
    np.testing.assert_array_equal(filtered(noise, sound, step), sound)


def test_long_sound_is_worked_on_in_short_pieces_and_comes_out_the_same() -> None:
    class Counting(WebRtcNoise):
        longest = 0

        def process(self, samples: Pcm) -> Pcm:
            self.longest = max(self.longest, len(samples))
            return super().process(samples)

    sound, suppressor = hiss(5), Counting("near_field")
    at_once = filtered(NoiseFilter(suppressor, 1.0), sound, len(sound))
    assert suppressor.longest <= INNER_HZ // 2
    in_turn = filtered(NoiseFilter(WebRtcNoise("near_field"), 1.0), sound)
    # By one step at most: how many samples meet in one product decides the order of its sums.
    np.testing.assert_allclose(at_once.astype(int), in_turn.astype(int), rtol=0, atol=1)


def test_little_is_held_back() -> None:
    noise, sound = NoiseFilter(WebRtcNoise("near_field"), 1.0), tune(1)
    given = 0
    for place, piece in enumerate(pieces(sound, 480), start=1):
        given += len(noise.push(piece))
        assert 480 * place - given <= sample_count(40)


def test_it_begins_without_a_click() -> None:
    sound = hiss(0.2)
    out = filtered(NoiseFilter(WebRtcNoise("far_field"), 1.0), sound)
    np.testing.assert_array_equal(out[0], sound[0])
    assert int(np.abs(out.astype(int)).max()) <= int(np.abs(sound.astype(int)).max()) * 1.1
