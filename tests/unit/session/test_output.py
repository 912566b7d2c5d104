"""Sound on its way to a listener: one response after another, and what is told of it."""

import pytest

from tests.unit.session.outcome import counting, of_kind, types
from vivavoce.session.effect import Effect, Flush, Play
from vivavoce.session.outbox import Outbox
from vivavoce.session.output import OutputBuffer, Reel
from vivavoce.testing.ear import voice


class Line:
    """An output buffer; `r`… are responses of the conversation, `x`… run out of band."""

    def __init__(self) -> None:
        self.out = Outbox(counting())
        self.buffer = OutputBuffer(self.out)
        self.running: set[str] = set()

    def add(self, response_id: str, item_id: str, samples: int) -> list[Effect]:
        self.running.add(response_id)
        self.buffer.add(response_id, "conv" if response_id[0] == "r" else None, item_id, voice(samples))
        return self.out.drain()

    def end(self, response_id: str) -> list[Effect]:
        self.running.discard(response_id)
        self.buffer.settle(self.running)
        return self.out.drain()

    def played(self, total: int) -> list[Effect]:
        self.buffer.played(total, self.running)
        return self.out.drain()


def lengths(effects: list[Effect]) -> list[int]:
    return [len(play.samples) for play in of_kind(effects, Play)]


def in_band(reel: Reel) -> bool:
    return reel.conversation_id is not None


def test_the_first_sound_starts_at_once_and_is_told_once() -> None:
    line = Line()
    assert types(line.add("r1", "a", 10)) == ["output_audio_buffer.started"]
    effects = line.add("r1", "a", 10)
    assert (types(effects), lengths(effects)) == ([], [10])
    assert line.buffer.busy
    assert line.buffer.sounding


def test_it_stops_when_the_response_is_done_and_heard_to_its_end() -> None:
    line = Line()
    line.add("r1", "a", 10)
    assert types(line.played(10)) == []  # more may come
    assert types(line.end("r1")) == ["output_audio_buffer.stopped"]
    assert not line.buffer.busy
    line.add("r2", "b", 10)
    assert types(line.end("r2")) == []
    assert types(line.played(19)) == []
    assert types(line.played(20)) == ["output_audio_buffer.stopped"]


def test_no_sound_is_no_news() -> None:
    line = Line()
    assert line.add("r1", "a", 0) == []
    assert not line.buffer.busy
    assert not line.buffer.sounding


def test_two_voices_never_mix() -> None:
    line = Line()
    line.add("r1", "a", 10)
    assert line.add("r2", "b", 7) == []
    assert line.add("r2", "c", 5) == []
    assert lengths(line.add("r1", "a", 10)) == [10]
    line.end("r1")
    effects = line.played(20)
    assert types(effects) == ["output_audio_buffer.stopped", "output_audio_buffer.started"]
    assert lengths(effects) == [7, 5]
    line.end("r2")
    assert types(line.played(32)) == ["output_audio_buffer.stopped"]


def test_many_wait_in_the_order_of_their_first_sound() -> None:
    line = Line()
    for place, response in enumerate(("r1", "r2", "r3")):
        line.add(response, f"item {place}", 10)
    for response in ("r3", "r2", "r1"):
        line.end(response)
    told = [types(line.played(total)) for total in (10, 20, 30)]
    both = ["output_audio_buffer.stopped", "output_audio_buffer.started"]
    assert told == [both, both, ["output_audio_buffer.stopped"]]


def test_an_item_belongs_to_its_response_until_it_was_heard() -> None:
    line = Line()
    line.add("r1", "a", 10)
    line.add("r2", "b", 10)
    assert (line.buffer.owner("a"), line.buffer.owner("b"), line.buffer.owner("c")) == ("r1", "r2", None)
    line.end("r1")
    line.played(10)
    assert (line.buffer.owner("a"), line.buffer.owner("b")) == (None, "r2")


def test_what_is_dropped_is_flushed_and_told_with_what_was_heard() -> None:
    line = Line()
    line.add("r1", "a", 10)
    line.add("r1", "b", 10)
    line.end("r1")
    assert line.buffer.drop(in_band) == []
    assert line.out.drain() == [Flush()]
    assert line.buffer.flushed(14, line.running) == {"b": 4}
    assert types(line.out.drain()) == ["output_audio_buffer.cleared"]
    assert not line.buffer.busy


def test_what_never_began_is_dropped_without_a_word() -> None:
    line = Line()
    line.add("x1", "a", 10)
    line.add("r2", "b", 10)
    line.add("r2", "b", 10)
    line.add("r2", "c", 10)
    assert line.buffer.drop(in_band) == ["b", "c"]
    assert line.out.drain() == []
    assert line.buffer.sounding


def test_after_a_flush_the_next_one_is_heard() -> None:
    line = Line()
    line.add("r1", "a", 10)
    line.add("x2", "b", 10)
    line.end("r1")
    line.buffer.drop(in_band)
    line.out.drain()
    assert line.buffer.flushed(3, line.running) == {"a": 3}
    effects = line.out.drain()
    assert types(effects) == ["output_audio_buffer.cleared", "output_audio_buffer.started"]
    assert lengths(effects) == [10]
    line.end("x2")
    assert types(line.played(13)) == ["output_audio_buffer.stopped"]


def test_what_was_heard_before_the_flush_came_is_not_cut() -> None:
    line = Line()
    line.add("r1", "a", 10)
    line.add("x2", "b", 10)
    line.end("r1")
    line.buffer.drop(in_band)
    line.out.drain()
    assert line.buffer.flushed(10, line.running) == {}
    assert types(line.out.drain()) == ["output_audio_buffer.stopped", "output_audio_buffer.started"]


def test_a_flush_of_nothing_is_nothing() -> None:
    line = Line()
    assert line.buffer.flushed(0, line.running) == {}
    assert line.out.drain() == []


def test_a_response_that_goes_on_after_a_flush_starts_again() -> None:
    line = Line()
    line.add("x1", "a", 10)
    line.buffer.drop(lambda _: True)
    line.out.drain()
    line.buffer.flushed(5, line.running)
    line.out.drain()
    assert types(line.add("x1", "a", 10)) == ["output_audio_buffer.started"]


@pytest.mark.parametrize("total", [0, 5, 10])
def test_a_response_without_end_is_not_stopped(total: int) -> None:
    line = Line()
    line.add("r1", "a", 10)
    assert types(line.played(total)) == []
    assert line.buffer.busy
