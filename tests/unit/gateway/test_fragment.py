"""What is cut is read as the same messages, by the parser of the `websockets` package."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol
from websockets.protocol import State as Connection

from vivavoce.gateway.fragment import FRAGMENT_BYTES, Fragments

LARGEST = 4 * FRAGMENT_BYTES


def read(stream: bytes, steps: Sequence[int]) -> tuple[list[Frame], Exception | None]:
    """The frames that a server reads of a stream which arrives in pieces, and why it reads no more."""
    fragments, parser = Fragments(LARGEST), Protocol(SERVER, state=Connection.OPEN, max_size=LARGEST)
    at, number = 0, 0
    while at < len(stream):
        step = steps[number % len(steps)]
        parser.receive_data(fragments.cut(stream[at : at + step]))
        at, number = at + step, number + 1
    return [event for event in parser.events_received() if isinstance(event, Frame)], parser.parser_exc


def messages(frames: Sequence[Frame]) -> list[tuple[Opcode, bytes]]:
    """Fragments put together; control frames where they stand."""
    found: list[tuple[Opcode, bytes]] = []
    kind, data = Opcode.TEXT, b""
    for frame in frames:
        if frame.opcode in (Opcode.PING, Opcode.PONG, Opcode.CLOSE):
            found.append((frame.opcode, bytes(frame.data)))
            continue
        kind, data = (kind, data + frame.data) if frame.opcode is Opcode.CONT else (frame.opcode, bytes(frame.data))
        if frame.fin:
            found.append((kind, data))
    return found


SIZES = st.sampled_from([0, 1, 125, 126, 65_535, 65_536, 65_537, 131_072, 131_073, LARGEST])
SENT = st.lists(st.tuples(st.sampled_from([Opcode.TEXT, Opcode.BINARY]), SIZES), min_size=1, max_size=4)


@given(SENT, st.lists(st.integers(1, 100_000), min_size=1, max_size=5))
def test_messages_arrive_whole_however_the_stream_is_split(sent: list[tuple[Opcode, int]], steps: list[int]) -> None:
    wanted: list[tuple[Opcode, bytes]] = []
    stream = b""
    for kind, size in sent:
        wanted += [(kind, bytes(range(251)) * (size // 251) + b"x" * (size % 251)), (Opcode.PING, b"there?")]
        stream += Frame(kind, wanted[-2][1]).serialize(mask=True) + Frame(Opcode.PING, b"there?").serialize(mask=True)
    frames, problem = read(stream, [min(step, len(stream)) for step in steps] if len(stream) < LARGEST else [65_521])
    assert problem is None
    assert messages(frames) == wanted


def test_no_fragment_is_long() -> None:
    frames, _ = read(Frame(Opcode.TEXT, b"x" * LARGEST).serialize(mask=True), [LARGEST])
    assert max(len(frame.data) for frame in frames) == FRAGMENT_BYTES


def test_fragments_of_the_clients_own_are_cut_too() -> None:
    parts = [Frame(Opcode.TEXT, b"a" * 100_000, fin=False), Frame(Opcode.CONT, b"b" * 100_000)]
    frames, problem = read(b"".join(part.serialize(mask=True) for part in parts), [30_000])
    assert problem is None
    assert messages(frames) == [(Opcode.TEXT, b"a" * 100_000 + b"b" * 100_000)]


def test_a_frame_that_is_too_long_is_refused_by_its_head() -> None:
    stream = Frame(Opcode.TEXT, b"x" * (LARGEST + 1)).serialize(mask=True)
    frames, problem = read(stream[:14], [14])
    assert frames == []
    assert isinstance(problem, PayloadTooBig)


def test_fragments_that_are_too_long_together_are_refused() -> None:
    parts = [Frame(Opcode.TEXT, b"x" * (LARGEST - 5), fin=False), Frame(Opcode.CONT, b"x" * 6)]
    _, problem = read(b"".join(part.serialize(mask=True) for part in parts), [65_521])
    assert isinstance(problem, PayloadTooBig)


def test_a_frame_without_a_mask_passes_for_the_parser_to_refuse() -> None:
    stream = Frame(Opcode.TEXT, b"x" * 70_000).serialize(mask=False)
    assert Fragments(LARGEST).cut(stream) == stream
