"""The user's sound in events of the size and format that a session wants."""

from base64 import b64decode

import numpy as np

from vivavoce.audio.frame import sample_count, to_bytes
from vivavoce.session.uplink import PIECE, Uplink

SOUND = np.arange(sample_count(2500)).astype(np.int16)


def test_long_sound_is_cut_into_events_and_nothing_is_lost() -> None:
    events = list(Uplink().events(SOUND))
    assert [len(b64decode(event.audio)) // 2 for event in events] == [PIECE, PIECE, len(SOUND) - 2 * PIECE]
    assert b"".join(b64decode(event.audio) for event in events) == to_bytes(SOUND)
    assert list(Uplink().events(SOUND[:0])) == []


def test_a_change_of_format_begins_a_new_stream() -> None:
    uplink = Uplink()
    uplink.format("audio/pcmu")
    first = sum(len(b64decode(event.audio)) for event in uplink.events(SOUND))
    assert 0 <= 2500 * 8 - first <= 40
    uplink.format("audio/pcmu")
    uplink.format("audio/pcm")
    assert b64decode(next(uplink.events(SOUND[:10])).audio) == to_bytes(SOUND[:10])
