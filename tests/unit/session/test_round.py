"""One request for an answer after all functions of a response, whoever ran them."""

from vivavoce.session.errand import CallTool
from vivavoce.session.round import REMEMBERED, Rounds
from vivavoce.wire.item import FunctionCall, ItemStatus, McpCall, McpToolExecutionError


def call(call_id: str, name: str = "ours", status: ItemStatus = "completed") -> FunctionCall:
    return FunctionCall(call_id=call_id, name=name, arguments="{}", status=status)


def test_an_answer_is_due_when_the_last_function_has_returned() -> None:
    rounds = Rounds(["ours"])
    assert rounds.call(call("c1"), "r") == [CallTool("c1", "ours", "{}")]
    assert rounds.call(call("c1"), "r") == []
    assert rounds.call(call("c2", "theirs"), "r") == []
    rounds.answer("c1")
    assert not rounds.due
    assert not rounds.waiting  # for a program; the application may take its time
    rounds.answer("c2")
    assert rounds.due
    rounds.asked()
    assert not rounds.due


def test_a_call_that_was_broken_off_or_has_no_name_is_none() -> None:
    rounds = Rounds(["ours"])
    assert rounds.call(call("c1", status="incomplete"), "r") == []
    assert rounds.call(FunctionCall(name="ours", arguments="{}"), "r") == []


def test_after_outputs_by_hand_the_application_asks_itself() -> None:
    rounds = Rounds()
    rounds.call(call("c1"), "r")
    rounds.answer("c1")
    assert not rounds.due
    rounds.asked()


def test_a_new_answer_does_not_end_a_round_that_is_still_running() -> None:
    rounds = Rounds(["ours"])
    rounds.call(call("c1"), "r")
    rounds.asked()
    assert rounds.waiting
    rounds.answer("c1")
    assert rounds.due


def test_strangers_and_the_long_forgotten_change_nothing() -> None:
    rounds = Rounds()
    rounds.answer("nobody")
    for number in range(REMEMBERED + 1):
        rounds.call(call(f"c{number}"), f"r{number}")
    rounds.answer("c0")
    assert not rounds.due


def served(id: str, output: str | None = None) -> McpCall:
    return McpCall(id=id, server_label="s", name="look", arguments="{}", output=output, error=None)


def test_after_a_call_that_the_server_made_an_answer_is_due() -> None:
    rounds = Rounds(["ours"])
    assert rounds.call(served("i1", "seen"), "r") == []
    assert rounds.due
    rounds.asked()
    assert rounds.call(served("i1", "seen"), "r") == []
    assert not rounds.due


def test_a_call_that_ends_after_its_response_is_waited_for() -> None:
    rounds = Rounds()
    rounds.call(served("i1"), "r")
    rounds.ended(served("i1"))
    assert rounds.waiting
    assert not rounds.due
    failed = McpToolExecutionError(message="no")
    rounds.ended(McpCall(id="i1", server_label="s", name="look", arguments="{}", error=failed))
    assert rounds.due


def test_after_a_response_that_was_stopped_nobody_asks() -> None:
    rounds = Rounds(["ours"])
    rounds.call(served("i1", "seen"), "r")
    rounds.stop("r")
    rounds.stop("nobody")
    assert not rounds.due
    rounds.call(served("i2", "seen"), "r2")
    rounds.call(call("c1"), "r2")
    rounds.answer("c1")
    rounds.stop("r2")
    assert rounds.due  # what a program returned stays said
