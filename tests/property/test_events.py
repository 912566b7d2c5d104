"""The law of server-sent events: where the bytes are split does not matter."""

from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engine.chat.events import Events


@given(st.data())
def test_where_the_bytes_are_split_does_not_matter(data: st.DataObject) -> None:
    end = data.draw(st.sampled_from([b"\n", b"\r\n"]))
    stream = b"".join(
        'data: {"content": "žluťoučký 你好 😀"}'.encode() + end * 2 + b": ping" + end * 2 for _ in range(3)
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    events = Events()
    read = [event for piece in pieces for event in events.push(piece)] + events.finish()
    assert read == ['{"content": "žluťoučký 你好 😀"}'] * 3
