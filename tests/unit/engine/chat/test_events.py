"""Server-sent events from any pieces of bytes."""

import pytest

from vivavoce.engine.chat.events import EVENT_LIMIT, Document, Events


def read(*pieces: bytes) -> list[str]:
    events = Events()
    return [event for piece in pieces for event in events.push(piece)] + events.finish()


def test_each_blank_line_ends_an_event() -> None:
    events = Events()
    assert events.push(b"data: one\n\ndata: tw") == ["one"]
    assert events.push(b"o\n\n") == ["two"]
    assert events.finish() == []


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_all_three_line_ends_are_known(end: bytes) -> None:
    assert read(b"data: one" + end * 2 + b"data: two" + end * 2) == ["one", "two"]


def test_comments_names_ids_and_empty_events_are_not_events() -> None:
    text = b": OPENROUTER PROCESSING\n\nevent: message\nid: 7\nretry: 10\ndata: one\n\ndata:\n\nnonsense\n\n"
    assert read(text) == ["one"]


def test_only_one_blank_after_the_colon_is_dropped() -> None:
    assert read(b"data:one\n\ndata:  two\n\n") == ["one", " two"]


def test_an_event_of_several_lines_is_joined() -> None:
    assert read(b"data: one\ndata: two\n\n") == ["one\ntwo"]


def test_a_last_event_without_its_blank_line_counts() -> None:
    assert read(b"data: one\n\ndata: [DONE]") == ["one", "[DONE]"]


def test_the_error_field_of_older_llama_cpp_is_an_error_object() -> None:
    assert read(b'error: {"code":400,"message":"too long"}\n\nerror: nonsense\n\n') == [
        '{"error": {"code":400,"message":"too long"}}'
    ]


def test_bytes_that_are_no_text_do_not_stop_the_stream() -> None:
    assert read(b"data: \xff\n\ndata: two\n\n") == ["\ufffd", "two"]


def test_an_event_without_end_is_refused() -> None:
    line = b"data: " + b"x" * 1000 + b"\n"
    with pytest.raises(ValueError):
        Events().push(line * (EVENT_LIMIT // 1000 + 2))


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(ValueError):
        Events().push(b"x" * (EVENT_LIMIT + 1))


def test_a_document_is_one_event_at_its_end() -> None:
    document = Document()
    assert document.push(b'{"a": ') == []
    assert document.push(b"1}") == []
    assert document.finish() == ['{"a": 1}']


def test_an_empty_document_is_no_event() -> None:
    document = Document()
    assert document.push(b" \n") == []
    assert document.finish() == []


def test_a_document_without_end_is_refused() -> None:
    with pytest.raises(ValueError):
        Document().push(b"x" * (EVENT_LIMIT + 1))
