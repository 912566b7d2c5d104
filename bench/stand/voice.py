"""A voice made by arithmetic: what every caller says and every agent answers, so that all codecs get the same work.

Harmonics of a wandering pitch under three formants that move from vowel to vowel, in syllables, with a breath of
noise; 3.2 s of talk and 0.8 s of pause, over and over. The same on every machine and in every run.
"""

from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.frame import RATE_HZ, Pcm

TALK_S: Final = 3.2
PAUSE_S: Final = 0.8
LOOP_S: Final = TALK_S + PAUSE_S

_FRAME: Final = RATE_HZ // 50
_OPUS_BITS: Final = 32_000  # libwebrtc's own choice for one channel
_VOWELS: Final = ((730, 1090, 2440), (270, 2290, 3010), (570, 840, 2410), (530, 1840, 2480), (300, 870, 2240))
_WIDTHS: Final = (90.0, 110.0, 170.0)
_SYLLABLES_PER_S: Final = 4.0
_LOUDEST: Final = 9_000


def voice() -> Pcm:
    """One loop of the voice."""
    time = np.arange(int(LOOP_S * RATE_HZ)) / RATE_HZ
    pitch = 118 + 22 * np.sin(2 * np.pi * 0.6 * time) + 6 * np.sin(2 * np.pi * 2.3 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE_HZ
    formants = _formants(time)
    sound = np.zeros_like(time)
    for harmonic in range(1, 60):
        place = harmonic * pitch
        sound += _loudness(place, formants) / harmonic * np.sin(harmonic * phase)
    breath = np.random.default_rng(1).standard_normal(len(time)) * 0.01 * np.max(np.abs(sound))
    syllables = 0.15 + 0.85 * np.sin(np.pi * _SYLLABLES_PER_S * time) ** 2
    sound = (sound + breath) * syllables * (time < TALK_S)
    return np.rint(sound * (_LOUDEST / np.max(np.abs(sound)))).astype(np.int16)


def opus_packets() -> list[bytes]:
    """One loop of the voice as Opus packets of 20 ms, encoded once for all callers."""
    encoder = av.AudioCodecContext.create("libopus", "w")
    encoder.bit_rate = _OPUS_BITS
    encoder.format = "s16"
    encoder.layout = "mono"
    encoder.sample_rate = RATE_HZ
    encoder.options = {"application": "voip"}
    sound = voice()
    packets: list[bytes] = []
    for start in range(0, len(sound), _FRAME):
        frame = av.AudioFrame.from_ndarray(sound[np.newaxis, start : start + _FRAME], format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        frame.pts = start
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets


def _formants(time: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Where the three formants are at each moment: gliding from vowel to vowel, one for each syllable."""
    corners = np.arange(0, LOOP_S + 1, 1 / _SYLLABLES_PER_S)
    vowels = [_VOWELS[number % len(_VOWELS)] for number in range(len(corners))]
    return [np.interp(time, corners, [vowel[which] for vowel in vowels]) for which in range(3)]


def _loudness(place: NDArray[np.float64], formants: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """How much the mouth lets through at a frequency: one resonance for each formant."""
    gain = np.full_like(place, 0.02)
    for formant, width in zip(formants, _WIDTHS, strict=True):
        gain += 1 / (1 + ((place - formant) / width) ** 2)
    return gain
