"""WebRTC's processing of a microphone's sound."""

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.cleaner import FRAME, Processing
from vivavoce.audio.frame import RATE_HZ, Pcm
from vivavoce.engine.webrtc_cleaner import WebRtcCleaner

SILENCE = np.zeros(FRAME, np.int16)


def level_db(sound: NDArray[np.int16]) -> float:
    return float(10 * np.log10(np.mean(np.square(sound.astype(np.float64))) / 32_768**2 + 1e-12))


def noise(seconds: float, rms: float, seed: int = 1) -> Pcm:
    return np.random.default_rng(seed).normal(0, rms, int(seconds * RATE_HZ)).astype(np.int16)


def run(cleaner: WebRtcCleaner, heard: Pcm, played: Pcm | None = None) -> Pcm:
    sides = [
        (heard[at : at + FRAME], SILENCE if played is None else played[at : at + FRAME])
        for at in range(0, len(heard) - FRAME + 1, FRAME)
    ]
    return np.concatenate([cleaner.process(near, far) for near, far in sides])


def test_an_echo_goes_and_a_voice_alone_stays() -> None:
    cleaner = WebRtcCleaner(Processing(noise_suppression=False, gain_control=False), 20)
    played = noise(2.0, 4000)
    heard = (np.roll(played, 1440) * 0.5).astype(np.int16)
    assert level_db(run(cleaner, heard, played)[-RATE_HZ // 2 :]) < level_db(heard) - 25
    voice = noise(1.0, 2000, seed=2) * (np.sin(np.arange(RATE_HZ) * 6 * np.pi / RATE_HZ) > 0)
    assert abs(level_db(run(cleaner, voice.astype(np.int16))) - level_db(voice.astype(np.int16))) < 3


def test_with_headphones_nothing_is_taken_for_an_echo() -> None:
    cleaner = WebRtcCleaner(Processing(False, noise_suppression=False, gain_control=False), 20)
    played = noise(1.0, 4000)
    assert abs(level_db(run(cleaner, played, played)) - level_db(played)) < 2


def test_steady_noise_goes() -> None:
    cleaner = WebRtcCleaner(Processing(gain_control=False), 20)
    heard = noise(3.0, 300)
    assert level_db(run(cleaner, heard)[-RATE_HZ:]) < level_db(heard) - 5
