"""A conversation that grows longer than the model can read."""

import msgspec

from vivavoce.session.window import Mind
from vivavoce.testing.script import Script, Terms
from vivavoce.wire.config import InputTokenDetails, Usage
from vivavoce.wire.event import ConversationItemRetrieved, ResponseDone
from vivavoce.wire.item import InputText, UserMessage

SMALL = Terms(mind=Mind(context_tokens=400))
"""Less than 300 of these tokens are left to the conversation."""


def told(call: Script, name: str) -> None:
    """A typed item of about a hundred tokens."""
    item = {"type": "message", "role": "user", "id": name, "content": [{"type": "input_text", "text": name * 400}]}
    call.send({"type": "conversation.item.create", "item": item})


def answered(call: Script, **response: object) -> None:
    call.send({"type": "response.create", "response": {"output_modalities": ["text"], **response}})
    call.wait(1.0)


def read(call: Script) -> list[str]:
    """Names of the typed items that the thinker was last given."""
    return [str(item.id) for item in call.thoughts[-1].items if isinstance(item, UserMessage)]


def update(call: Script, **settings: object) -> None:
    call.send({"type": "session.update", "session": {"type": "realtime", "instructions": "", **settings}})


def test_the_oldest_is_left_out_and_stays_in_the_conversation() -> None:
    call = Script(terms=SMALL)
    update(call)
    for name in "abcd":
        told(call, name)
    answered(call)
    assert read(call) == ["c", "d"]
    assert call.last(ResponseDone).response.status == "completed"
    call.send({"type": "conversation.item.retrieve", "item_id": "a"})
    item = call.last(ConversationItemRetrieved).item
    assert isinstance(item, UserMessage)
    assert item.content == [InputText(text="a" * 400)]


def test_usage_counts_what_was_read_and_not_what_was_left_out() -> None:
    call = Script(terms=SMALL)
    update(call)
    for name in "abcd":
        told(call, name)
    answered(call)
    usage = call.last(ResponseDone).response.usage
    assert isinstance(usage, Usage)
    assert usage.input_tokens == 200
    assert isinstance(usage.input_token_details, InputTokenDetails)
    assert usage.input_token_details.cached_tokens == 0


def test_where_it_is_disabled_the_response_fails_and_the_session_lives() -> None:
    call = Script(terms=SMALL)
    update(call, truncation="disabled")
    for name in "abcd":
        told(call, name)
    answered(call)
    response = call.last(ResponseDone).response
    assert response.status == "failed"
    error = msgspec.to_builtins(response.status_details)["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "context_length_exceeded")
    assert call.thoughts == []
    for name in "ab":
        call.send({"type": "conversation.item.delete", "item_id": name})
    answered(call)
    assert call.last(ResponseDone).response.status == "completed"


def test_a_clients_limit_comes_before_the_models() -> None:
    call = Script()
    limits = {"post_instructions": 250}
    update(call, truncation={"type": "retention_ratio", "retention_ratio": 0.5, "token_limits": limits})
    for name in "abc":
        told(call, name)
    answered(call)
    assert read(call) == ["c"]
    told(call, "d")
    answered(call)
    assert read(call) == ["c", "d"]  # within the limit again, and nothing has come back


def test_a_context_of_its_own_is_cut_for_itself() -> None:
    call = Script(terms=SMALL)
    update(call)
    for name in "abcd":
        told(call, name)
    references = [{"type": "item_reference", "id": name} for name in "abc"]
    answered(call, conversation="none", input=references)
    assert read(call) == ["b", "c"]
    for name in "cd":
        call.send({"type": "conversation.item.delete", "item_id": name})
    answered(call)
    assert read(call) == ["a", "b"]
