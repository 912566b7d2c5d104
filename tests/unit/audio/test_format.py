"""The formats of the wire."""

import numpy as np
import pytest

from vivavoce.audio.format import Decoder, Encoder, Format, format_named
from vivavoce.audio.frame import Pcm

every_format = pytest.mark.parametrize("name", ["audio/pcm", "audio/pcmu", "audio/pcma"])


def tone(seconds: float = 0.5) -> Pcm:
    return (12_000 * np.sin(2 * np.pi * 700 * np.arange(int(24_000 * seconds)) / 24_000)).astype(np.int16)


def sent(sound: Pcm, name: str, frame: int = 480) -> bytes:
    encoder = Encoder(name)
    return b"".join([*(encoder.encode(sound[at : at + frame]) for at in range(0, len(sound), frame)), encoder.flush()])


def heard(data: bytes, name: str, size: int = 320) -> Pcm:
    decoder = Decoder(name)
    return np.concatenate(
        [*(decoder.decode(data[at : at + size]) for at in range(0, len(data), size)), decoder.flush()]
    )


@every_format
def test_what_is_sent_is_heard_at_the_same_length_and_moment(name: str) -> None:
    sound = tone()
    got = heard(sent(sound, name), name)
    assert len(got) == len(sound)
    middle = slice(1_000, -1_000)
    noise = np.sqrt(np.mean(np.square(got[middle].astype(float) - sound[middle])))
    # G.711 is worth about 38 dB.
    assert 20 * np.log10(12_000 / np.sqrt(2) / max(noise, 1e-9)) > 33


@pytest.mark.parametrize(("name", "size"), [("audio/pcm", 24_000), ("audio/pcmu", 4_000), ("audio/pcma", 4_000)])
def test_half_a_second_has_the_right_number_of_bytes(name: str, size: int) -> None:
    assert len(sent(tone(), name)) == size
    assert format_named(name).rate_hz * format_named(name).sample_bytes // 2 == size


def test_wideband_samples_pass_untouched() -> None:
    assert np.array_equal(heard(sent(tone(), "audio/pcm"), "audio/pcm"), tone())


def test_an_odd_byte_is_refused_and_the_stream_goes_on() -> None:
    decoder = Decoder("audio/pcm")
    with pytest.raises(ValueError, match="even number of bytes, got 3"):
        decoder.decode(b"abc")
    assert decoder.decode(b"\x01\x00").tolist() == [1]


@every_format
def test_nothing_in_gives_nothing_out(name: str) -> None:
    assert Encoder(name).encode(np.zeros(0, np.int16)) == b""
    assert len(Decoder(name).decode(b"")) == 0


@pytest.mark.parametrize("name", ["audio/opus", "pcm16", ""])
def test_an_unknown_format_is_named_with_the_known_ones(name: str) -> None:
    for kind in (Decoder, Encoder):
        with pytest.raises(ValueError, match="audio/pcm, audio/pcmu, audio/pcma"):
            kind(name)


def test_a_stretch_of_a_longer_recording_may_be_sent() -> None:
    sound = np.repeat(tone(), 2)[::2]
    assert Encoder(Format.PCM.value).encode(sound) == tone().tobytes()
