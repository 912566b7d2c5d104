"""Frames through a pipe."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.engine.pipe import LARGEST_BODY, Frame, Kind, Unpacker

frames = st.builds(Frame, st.sampled_from(Kind), st.integers(0, 2**32 - 1), st.binary(max_size=300))


@settings(deadline=None)
@given(st.lists(frames, max_size=8), st.integers(1, 50))
def test_frames_survive_any_cutting(sent: list[Frame], size: int) -> None:
    data = b"".join(frame.pack() for frame in sent)
    unpacker = Unpacker()
    got = [frame for at in range(0, len(data), size) for frame in unpacker.feed(data[at : at + size])]
    assert got == sent


def test_an_unknown_kind_is_no_frame() -> None:
    with pytest.raises(ValueError, match="99"):
        list(Unpacker().feed(b"\x63" + bytes(8)))


def test_a_size_that_we_never_send_is_no_frame() -> None:
    head = Frame(Kind.SOUND, 1).pack()[:5]
    with pytest.raises(ValueError, match="largest"):
        list(Unpacker().feed(head + (LARGEST_BODY + 1).to_bytes(4, "little")))
