"""Sound in events, as samples, whatever a server makes of the cuts."""

from base64 import b64encode

import numpy as np

from vivavoce.audio.frame import sample_count, to_bytes
from vivavoce.session.deltas import Deltas

PCM, ULAW = "audio/pcm", "audio/pcmu"


def coded(data: bytes) -> str:
    return b64encode(data).decode()


def test_a_sample_that_is_cut_in_two_is_put_together() -> None:
    deltas = Deltas()
    data = to_bytes(np.arange(10).astype(np.int16))
    first, second = deltas.push("a", coded(data[:7]), PCM), deltas.push("a", coded(data[7:]), PCM)
    assert np.concatenate([first, second]).tolist() == list(range(10))


def test_items_do_not_mix_and_what_cannot_be_read_is_left_out() -> None:
    deltas = Deltas()
    deltas.push("a", coded(b"\x01"), PCM)
    assert deltas.push("b", coded(b"\x02\x00"), PCM).tolist() == [2]
    assert len(deltas.push("a", "§§", PCM)) == 0
    assert deltas.push("a", coded(b"\x00"), PCM).tolist() == [1]


def test_telephone_sound_comes_out_whole() -> None:
    deltas = Deltas()
    out = [deltas.push("a", coded(b"\x80" * 160), ULAW) for _ in range(5)]
    assert sum(map(len, out)) + len(deltas.finish("a")) == sample_count(100)
    assert len(deltas.finish("a")) == 0
