"""What is left out of a conversation that is longer than the thinker can read."""

from collections.abc import Sequence

import pytest

from vivavoce.audio.frame import sample_count, silence
from vivavoce.session.effect import Think
from vivavoce.session.recording import Archive
from vivavoce.session.result import Failed
from vivavoce.session.window import Mind, Window
from vivavoce.wire.config import FunctionTool, RetentionRatio, TokenLimits, Truncation
from vivavoce.wire.item import (
    AssistantMessage,
    FunctionCall,
    FunctionCallOutput,
    InputAudio,
    InputImage,
    InputText,
    Item,
    OutputAudio,
    UserMessage,
)

HUNDRED = 100 - 4
"""Tokens of text that make a message of a hundred."""


def said(id: str, tokens: int = HUNDRED) -> UserMessage:
    return UserMessage(id=id, content=[InputText(text="abcd" * tokens)])


def call(id: str) -> FunctionCall:
    return FunctionCall(id=f"call_of_{id}", call_id=id, name="abcd", arguments="")


def output(id: str, tokens: int = 1) -> FunctionCallOutput:
    return FunctionCallOutput(id=f"output_of_{id}", call_id=id, output="abcd" * tokens)


def question(
    items: Sequence[Item], *, instructions: str = "", most: int | None = None, tools: tuple[FunctionTool, ...] = ()
) -> Think:
    return Think("", instructions, tuple(items), tools, "auto", True, most, {})


class View:
    """A window onto a conversation, by the ids that are seen in it."""

    def __init__(self, room: int = 0, *, sees: bool = True) -> None:
        """`room` tokens are left to the conversation when an answer may have one token and nothing else is there."""
        self.archive = Archive()
        self.window = Window(Mind(room + 1 if room else 0, sees), self.archive)

    def see(self, items: Sequence[Item], rule: Truncation = "auto") -> list[str] | Failed:
        return self.through(question(items, most=1), rule)

    def through(self, think: Think, rule: Truncation = "auto") -> list[str] | Failed:
        fitted = self.window.fit(think, rule)
        return fitted if isinstance(fitted, Failed) else [str(item.id) for item in fitted.items]


def test_nothing_is_left_out_while_it_fits_or_nobody_knows() -> None:
    items = [said("a"), said("b"), said("c")]
    assert View(300).see(items) == ["a", "b", "c"]
    assert View(0).see(items) == ["a", "b", "c"]


def test_the_oldest_go_first_and_no_more_than_must() -> None:
    assert View(299).see([said("a"), said("b"), said("c")]) == ["b", "c"]


def test_the_last_stays_whatever_it_costs() -> None:
    assert View(50).see([said("a"), said("b")]) == ["b"]
    assert View(50).see([]) == []


def test_what_was_left_out_does_not_come_back() -> None:
    view = View(200)
    assert view.see([said("a"), said("b"), said("c")]) == ["b", "c"]
    assert view.see([said("a"), said("b")]) == ["b"]


def test_a_context_of_its_own_leaves_no_trace() -> None:
    view = View(200)
    own = view.window.fit_once(question([said("a"), said("b"), said("c")], most=1), "auto")
    assert isinstance(own, Think)
    assert [item.id for item in own.items] == ["b", "c"]
    assert view.see([said("a"), said("b")]) == ["a", "b"]


def test_a_call_and_its_output_go_together() -> None:
    items = [said("a"), call("x"), output("x"), said("b")]
    assert View(209).see(items) == ["call_of_x", "output_of_x", "b"]
    assert View(105).see(items) == ["b"]


def test_a_call_stays_while_its_output_is_the_news() -> None:
    items = [call("x"), said("a"), output("x", HUNDRED)]
    assert View(150).see(items) == ["call_of_x", "output_of_x"]


def test_instructions_tools_and_the_answer_take_their_room_and_stay() -> None:
    items = [said("a"), said("b")]
    view = View(300)
    assert view.through(question(items, most=1, instructions="abcd" * 100)) == ["a", "b"]
    assert view.through(question(items, most=1, instructions="abcd" * 101)) == ["b"]
    tools = (FunctionTool(name="look", description="x" * 400),)
    assert View(300).through(question(items, most=1, tools=tools)) == ["b"]


def test_room_for_the_answer_is_what_it_may_be_and_a_quarter_at_most() -> None:
    def room(context: int, most: int | None) -> int:
        sizes = range(1, context + 1)
        window = Window(Mind(context), Archive())
        fits = [
            size
            for size in sizes
            if not isinstance(window.fit(question([said("a", size)], most=most), "disabled"), Failed)
        ]
        return max(fits) + 4

    assert room(400, 50) == 350
    assert room(400, None) == 300
    assert room(400, 4096) == 300


def test_with_retention_more_goes_at_once_so_that_the_next_cuts_are_rarer() -> None:
    rule = RetentionRatio(retention_ratio=0.5)
    items: list[Item] = []
    seen: list[list[str] | Failed] = []
    view = View(400)
    for number in range(7):
        items.append(said(str(number)))
        seen.append(view.see(items, rule))
    assert seen[3:] == [["0", "1", "2", "3"], ["3", "4"], ["3", "4", "5"], ["3", "4", "5", "6"]]


def test_a_clients_own_limit_counts_what_it_is_billed_after_the_instructions() -> None:
    view = View()
    rule = RetentionRatio(retention_ratio=1.0, token_limits=TokenLimits(post_instructions=150))
    heard = [UserMessage(id=id, content=[InputAudio(transcript="hi")]) for id in ("a", "b")]
    for item in heard:
        view.archive.add(str(item.id), silence(sample_count(8_000)))
    think = question(heard, instructions="abcd" * 1000)
    assert view.through(think, rule) == ["b"]
    generous = RetentionRatio(retention_ratio=1.0, token_limits=TokenLimits(post_instructions=160))
    assert view.through(think, generous) == ["a", "b"]


def test_a_thinker_reads_what_was_said_and_not_its_sound() -> None:
    view = View(30)
    items = [
        UserMessage(id="a", content=[InputAudio(transcript="abcd" * 5)]),
        AssistantMessage(id="b", content=[OutputAudio(transcript="abcd" * 5)]),
    ]
    for item in items:
        view.archive.add(str(item.id), silence(sample_count(60_000)))
    assert view.see(items) == ["a", "b"]
    assert View(17).see(items) == ["b"]


@pytest.mark.parametrize(("sees", "seen"), [(True, ["b"]), (False, ["a", "b"])])
def test_only_a_picture_that_is_seen_takes_room(sees: bool, seen: list[str]) -> None:
    picture = UserMessage(id="a", content=[InputImage(image_url="data:image/png;base64,AAAA", detail="low")])
    assert View(110, sees=sees).see([picture, said("b")]) == seen


def test_where_nothing_may_be_left_out_the_response_fails() -> None:
    view = View(150)
    failed = view.see([said("a"), said("b")], "disabled")
    assert isinstance(failed, Failed)
    assert (failed.type, failed.code) == ("invalid_request_error", "context_length_exceeded")
    assert view.see([said("b")], "disabled") == ["b"]
    assert view.see([said("a"), said("b")], "auto") == ["b"]
    # Another rule is another beginning.
    assert isinstance(view.see([said("a"), said("b")], "disabled"), Failed)
