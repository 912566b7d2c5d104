"""Sound that a client sends inside events."""

from base64 import b64encode

import numpy as np
import pytest

from vivavoce.audio.frame import sample_count, to_bytes
from vivavoce.errors import RequestError
from vivavoce.session.upload import BYTES, PIECE, SECONDS, Upload
from vivavoce.testing.ear import voice


def coded(data: bytes) -> str:
    return b64encode(data).decode()


def test_pcm_comes_in_as_it_is() -> None:
    samples = voice(100)
    assert Upload("audio/pcm").read(coded(to_bytes(samples)), "audio").tolist() == samples.tolist()
    assert len(Upload("audio/pcm").read("", "audio")) == 0


@pytest.mark.parametrize("name", ["audio/pcmu", "audio/pcma"])
def test_telephone_sound_is_widened(name: str) -> None:
    upload = Upload(name)
    assert upload.format_name == name
    samples = sum(len(upload.read(coded(b"\xd5" * 160), "audio")) for _ in range(50))
    assert sample_count(990) <= samples <= sample_count(1000)


@pytest.mark.parametrize(
    ("audio", "words"), [("!!!!", "base64"), ("AAA", "base64"), ("é", "base64"), ("AAAA", "even number")]
)
def test_what_is_no_sound_is_refused_and_named(audio: str, words: str) -> None:
    upload = Upload("audio/pcm")
    with pytest.raises(RequestError, match=words) as error:
        upload.read(audio, "item.content[1].audio")
    assert (error.value.code, error.value.param) == ("invalid_value", "item.content[1].audio")
    assert len(upload.read(coded(b"\0\0"), "audio")) == 1


def test_as_much_may_come_at_once_as_the_protocol_says_and_no_more() -> None:
    assert len(Upload("audio/pcm").read(coded(bytes(BYTES)), "audio")) == BYTES // 2
    with pytest.raises(RequestError, match="Send less"):
        Upload("audio/pcm").read(coded(bytes(BYTES + 6)), "audio")


def test_a_telephone_format_is_no_way_to_fill_the_memory() -> None:
    with pytest.raises(RequestError, match="Send less"):
        Upload("audio/pcmu").read(coded(bytes(BYTES)), "audio")
    assert SECONDS > 300


def test_long_sound_comes_in_whole_and_what_follows_its_end_is_refused() -> None:
    samples = voice(sample_count(20_000))
    audio = b64encode(to_bytes(samples)).decode()
    assert len(audio) > 2 * PIECE
    assert np.array_equal(Upload("audio/pcm").read(audio, "audio"), samples)
    ended = b64encode(bytes(PIECE // 4 * 3 - 1)).decode()
    assert len(ended) == PIECE
    with pytest.raises(RequestError):
        Upload("audio/pcm").read(ended + "AAAA", "audio")
