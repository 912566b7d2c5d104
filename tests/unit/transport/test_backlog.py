"""Texts that wait for a slow reader."""

from vivavoce.transport.backlog import Backlog, utf8_size


def test_texts_leave_in_the_order_they_came() -> None:
    backlog = Backlog()
    for text in ("a", "b", "c"):
        backlog.push(text, 1)
    assert backlog.peek() == "a"
    assert [backlog.pop() for _ in range(4)] == ["a", "b", "c", None]
    assert backlog.peek() is None


def test_it_is_overfull_by_bytes_and_not_by_number() -> None:
    backlog = Backlog(limit_bytes=10)
    for _ in range(10):
        backlog.push("x", 1)
    assert not backlog.overfull
    backlog.push("x", 1)
    assert backlog.overfull
    backlog.pop()
    assert not backlog.overfull
    assert backlog.waiting_bytes == 10
    backlog.clear()
    assert (len(backlog), backlog.waiting_bytes) == (0, 0)


def test_size_is_counted_as_it_travels() -> None:
    for text in ("", "abc", "é", "世界", "🎙️", "a\u0000b"):
        assert utf8_size(text) == len(text.encode())
    # Half of a surrogate pair cannot travel, but must not raise where it is measured.
    assert utf8_size("\ud800") == 3
