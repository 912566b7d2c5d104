"""WAV files: questions that are read, answers that are written."""

import wave
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from vivavoce.audio.frame import RATE_HZ, Pcm, from_bytes, silence, to_bytes
from vivavoce.audio.resampler import Resampler
from vivavoce.clock import Clock
from vivavoce.errors import ConfigError

GAP_S: Final = 0.2
"""A gap in what is heard that is longer than this is written as silence."""


def read_wav(path: str) -> Pcm:
    """A 16-bit WAV file of any rate and any number of channels, as samples at 24 kHz.

    Raises:
        ConfigError: no such file, or not such a file.
    """
    try:
        with wave.open(path, "rb") as file:
            if file.getsampwidth() != 2:
                raise ConfigError(f"{path} has {8 * file.getsampwidth()}-bit samples; expected 16-bit PCM.")
            rate_hz, channels = file.getframerate(), file.getnchannels()
            data = file.readframes(file.getnframes())
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    except (EOFError, wave.Error) as error:
        why = str(error) or "it ends within its header"
        raise ConfigError(
            f"{path} is not a WAV file: {why}. Expected 16-bit PCM, as `sox IN -b 16 OUT.wav` makes."
        ) from error
    samples = from_bytes(data[: len(data) // (2 * channels) * 2 * channels])
    if channels > 1:
        samples = np.rint(samples.reshape(-1, channels).mean(axis=1)).astype(np.int16)
    try:
        resampler = Resampler(rate_hz, RATE_HZ)
    except ValueError as error:
        raise ConfigError(f"{path} has a rate that cannot be used: {error}.") from error
    return np.concatenate([resampler.push(samples), resampler.flush()])


class WavWriter:
    """Writes what is heard, when it is heard: pauses stay pauses."""

    def __init__(self, file: wave.Wave_write, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._began = clock.now()
        self._written = 0
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)

    def write(self, samples: Pcm) -> None:
        """These have just been heard."""
        missing = int((self._clock.now() - self._began) * RATE_HZ) - self._written - len(samples)
        if missing > GAP_S * RATE_HZ:
            samples = np.concatenate([silence(missing), samples])
        self._file.writeframesraw(to_bytes(samples))
        self._written += len(samples)


@contextmanager
def wav_writer(path: str, clock: Clock) -> Generator[WavWriter]:
    """A new WAV file; the time in it begins now.

    Raises:
        ConfigError: it cannot be written.
    """
    with ExitStack() as opened:
        try:
            file = opened.enter_context(Path(path).open("wb"))
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}.") from error
        yield WavWriter(opened.enter_context(wave.open(file, "wb")), clock)
