"""A made-up voice for tests that need no words: pulses at a speaker's pitch, shaped into changing vowels."""

import numpy as np

from vivavoce.audio.frame import RATE_HZ, Pcm

_VOWELS = [(730, 1_090, 2_440), (270, 2_290, 3_010), (300, 870, 2_240), (570, 840, 2_410), (530, 1_840, 2_480)]


def babbling(seconds: float, rate_hz: int = RATE_HZ, pitch_hz: float = 120.0) -> Pcm:
    """A voice that sings vowels, four a second."""
    at = np.arange(int(seconds * rate_hz)) / rate_hz
    vowels = np.array(_VOWELS)[(at * 4).astype(int) % len(_VOWELS)]
    sound = np.zeros(len(at))
    phase = 2 * np.pi * np.cumsum(pitch_hz * (1 + 0.1 * np.sin(2 * np.pi * 1.5 * at))) / rate_hz
    for harmonic in range(1, 30):
        hz = harmonic * pitch_hz
        gain = sum(1 / (1 + ((hz - vowels[:, formant]) / 90) ** 2) for formant in range(3))
        sound += gain / harmonic**0.3 * np.sin(harmonic * phase)
    swell = 0.2 + 0.8 * np.abs(np.sin(2 * np.pi * 2 * at))
    return np.rint(9_000 * swell * sound / np.abs(sound).max()).astype(np.int16)


def room(seconds: float, rate_hz: int = RATE_HZ, seed: int = 1) -> Pcm:
    """A quiet room: faint noise."""
    return np.rint(np.random.default_rng(seed).normal(0, 12, int(seconds * rate_hz))).astype(np.int16)
