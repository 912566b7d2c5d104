"""Questions read from files, and answers written to them."""

import wave
from pathlib import Path

import numpy as np
import pytest

from vivavoce.audio.frame import RATE_HZ, to_bytes
from vivavoce.cli.wav import read_wav, wav_writer
from vivavoce.errors import ConfigError
from vivavoce.testing.clock import ManualClock


def write(path: Path, rate_hz: int, channels: int = 1, width: int = 2, seconds: float = 1.0) -> str:
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(int(rate_hz * seconds)) / rate_hz)).astype(np.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(to_bytes(np.repeat(tone, channels)) if width == 2 else b"\x80" * len(tone))
    return str(path)


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 22_050, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_file_of_any_rate_is_heard_at_its_own_pitch(tmp_path: Path, rate_hz: int, channels: int) -> None:
    sound = read_wav(write(tmp_path / "x.wav", rate_hz, channels))
    assert abs(len(sound) - RATE_HZ) <= 1
    spectrum = np.abs(np.fft.rfft(sound[:RATE_HZ].astype(np.float64)))
    assert abs(int(spectrum.argmax()) - 440) <= 1


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("hello")
    (tmp_path / "empty.wav").write_bytes(b"")
    for path in (
        str(tmp_path / "missing.wav"),
        str(tmp_path),
        str(tmp_path / "text.wav"),
        str(tmp_path / "empty.wav"),
        write(tmp_path / "8bit.wav", 8000, width=1),
        write(tmp_path / "odd.wav", 44_101),
    ):
        with pytest.raises(ConfigError) as refused:
            read_wav(path)
        assert ": ." not in refused.value.message, "why is left out"


def test_pauses_stay_pauses_and_jitter_does_not(tmp_path: Path) -> None:
    clock = ManualClock()
    path = str(tmp_path / "out.wav")
    loud = np.full(RATE_HZ // 10, 1000, np.int16)
    with wav_writer(path, clock) as file:
        clock.advance(0.1)
        file.write(loud)
        clock.advance(0.15)  # late by 50 ms: the network, not a pause
        file.write(loud)
        clock.advance(1.1)
        file.write(loud)
    sound = read_wav(path)
    assert len(sound) == int(1.35 * RATE_HZ)
    assert (sound[: len(loud) * 2] == 1000).all()
    assert not sound[len(loud) * 2 : -len(loud)].any()


def test_a_place_where_nothing_can_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError), wav_writer(str(tmp_path / "no" / "out.wav"), ManualClock()):
        pass
