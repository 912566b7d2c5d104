"""Typed turns, written answers, function calls and items that the client puts in itself."""

import json

import msgspec
import pytest

from vivavoce.session.result import CallArguments, CallBegun, Cut, Thought, Words
from vivavoce.testing.script import Script
from vivavoce.wire.config import StatusDetails
from vivavoce.wire.event import (
    ConversationItemAdded,
    ConversationItemDeleted,
    Error,
    ResponseCreated,
    ResponseDone,
    ResponseFunctionCallArgumentsDone,
    ResponseOutputItemDone,
    ResponseOutputTextDone,
    SessionUpdated,
)
from vivavoce.wire.item import FunctionCall

WEATHER: dict[str, object] = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
CALLS_WEATHER = [CallBegun(0, "get_weather"), CallArguments(0, '{"city":'), CallArguments(0, '"Bern"}'), Thought()]


def type_words(call: Script, text: str, **more: object) -> None:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}], **more}
    call.send({"type": "conversation.item.create", "item": item})


def update(call: Script, **settings: object) -> None:
    call.send({"type": "session.update", "session": {"type": "realtime", **settings}})


def test_a_written_answer_comes_in_the_order_of_the_live_service() -> None:
    call = Script(replies=["Two and two is four."])
    update(call, output_modalities=["text"])
    type_words(call, "two and two?")
    call.send({"type": "response.create"})
    call.wait(1.0)
    assert call.types[2:] == [
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    assert call.last(ResponseOutputTextDone).text == "Two and two is four."


def test_usage_counts_what_went_in_and_what_came_out() -> None:
    call = Script(replies=["A spoken answer of some length."])
    type_words(call, "speak, please")
    call.send({"type": "response.create"})
    call.wait(3.0)
    usage = call.last(ResponseDone).response.usage
    counts = json.loads(msgspec.json.encode(usage))
    assert counts["total_tokens"] == counts["input_tokens"] + counts["output_tokens"]
    spoken_ms = len("A spoken answer of some length.") * 60
    assert counts["output_token_details"]["audio_tokens"] == -(-spoken_ms // 50)
    assert counts["output_token_details"]["text_tokens"] > 0
    assert counts["input_token_details"]["audio_tokens"] == 0 < counts["input_token_details"]["text_tokens"]


def test_a_response_may_ask_for_other_settings_than_the_session() -> None:
    call = Script()
    type_words(call, "hello")
    call.send(
        {
            "type": "response.create",
            "response": {"output_modalities": ["text"], "instructions": "Whisper.", "metadata": {"a": "b"}},
        }
    )
    call.wait(1.0)
    assert call.thoughts[0].instructions == "Whisper."
    assert call.last(ResponseCreated).response.metadata == {"a": "b"} == call.last(ResponseDone).response.metadata
    assert "response.output_text.delta" in call.types


def test_a_function_call_ends_the_response_and_waits_for_the_client() -> None:
    call = Script(replies=[CALLS_WEATHER, "Sunny."])
    update(call, tools=[WEATHER], tool_choice="required")
    type_words(call, "weather in Bern?")
    call.send({"type": "response.create"})
    call.wait(2.0)
    assert call.types[4:] == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    added = [event.item for event in call.events if isinstance(event, ConversationItemAdded)][-1]
    assert isinstance(added, FunctionCall)
    assert added.name == "get_weather"
    done = call.last(ResponseFunctionCallArgumentsDone)
    assert (done.name, done.arguments, done.call_id) == ("get_weather", '{"city":"Bern"}', added.call_id)
    assert call.thoughts[0].tool_choice == "required"
    call.send(
        {
            "type": "conversation.item.create",
            "item": {"type": "function_call_output", "call_id": done.call_id, "output": "sun"},
        }
    )
    call.wait(1.0)
    assert call.types.count("response.created") == 1
    call.send({"type": "response.create"})
    call.wait(2.0)
    assert [item.type for item in call.thoughts[1].items] == ["message", "function_call", "function_call_output"]


def test_words_before_a_call_are_spoken_before_the_call_opens() -> None:
    call = Script(replies=[[Words("Let me look that up. "), *CALLS_WEATHER]])
    type_words(call, "weather?")
    call.send({"type": "response.create"})
    call.wait(4.0)
    kinds = [event.item.type for event in call.events if isinstance(event, ResponseOutputItemDone)]
    assert kinds == ["message", "function_call"]
    assert call.types.index("response.output_audio.done") < call.types.index("response.function_call_arguments.delta")


def test_items_go_where_the_client_says() -> None:
    call = Script()
    type_words(call, "second", id="b")
    item = {"id": "a", "type": "message", "role": "system", "content": [{"type": "input_text", "text": "first"}]}
    call.send({"type": "conversation.item.create", "previous_item_id": "root", "item": item})
    assert call.last(ConversationItemAdded).previous_item_id is None
    call.send({"type": "conversation.item.create", "previous_item_id": "a", "item": item | {"id": "between"}})
    assert call.last(ConversationItemAdded).previous_item_id == "a"
    assert [item.id for item in call.host.items] == ["a", "between", "b"]
    call.send({"type": "conversation.item.delete", "item_id": "between"})
    assert call.last(ConversationItemDeleted).item_id == "between"
    assert [item.id for item in call.host.items] == ["a", "b"]


def test_an_out_of_band_response_leaves_the_conversation_alone() -> None:
    call = Script(replies=["Aside.", "Inside."])
    type_words(call, "hello")
    question = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "classify"}]}
    call.send(
        {
            "type": "response.create",
            "response": {"conversation": "none", "output_modalities": ["text"], "input": [question]},
        }
    )
    call.send({"type": "response.create", "response": {"output_modalities": ["text"]}})
    call.wait(1.0)
    done = [event.response for event in call.events if isinstance(event, ResponseDone)]
    assert [response.conversation_id is None for response in done] == [True, False]
    assert "classify" in repr(call.thoughts[0].items)
    assert len(call.host.items) == 2


UNHEARD: dict[str, object] = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_audio", "transcript": "never said"}],
}
NOWHERE: dict[str, object] = {"type": "message", "role": "user", "content": []}


def change(**settings: object) -> dict[str, object]:
    return {"type": "session.update", "session": settings}


@pytest.mark.parametrize(
    ("event", "code", "param"),
    [
        ({"type": "conversation.item.retrieve", "item_id": "x"}, "item_retrieve_invalid_item_id", "item_id"),
        ({"type": "conversation.item.delete", "item_id": "x"}, "item_delete_invalid_item_id", "item_id"),
        (
            {"type": "conversation.item.truncate", "item_id": "x", "content_index": 0, "audio_end_ms": 0},
            "item_truncate_invalid_item_id",
            "item_id",
        ),
        ({"type": "response.cancel"}, "response_cancel_not_active", None),
        ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty", None),
        ({"type": "input_audio_buffer.append", "audio": "!!!"}, "invalid_value", "audio"),
        ({"type": "input_audio_buffer.append", "audio": "AAAA"}, "invalid_value", "audio"),
        ({"type": "no.such.event"}, "invalid_value", "type"),
        (
            {"type": "session.update", "session": {"type": "realtime", "voice": "ash"}},
            "unknown_parameter",
            "session.voice",
        ),
        (change(), "missing_required_parameter", "session.type"),
        (change(type="transcription"), "invalid_value", "session.type"),
        (
            {"type": "conversation.item.create", "previous_item_id": "nowhere", "item": NOWHERE},
            "invalid_value",
            "previous_item_id",
        ),
        ({"type": "conversation.item.create", "item": UNHEARD}, "invalid_value", "item.content[0].type"),
    ],
)
def test_a_mistake_is_answered_by_one_error_and_changes_nothing(
    event: dict[str, object], code: str, param: str | None
) -> None:
    call = Script(replies=["Still here."])
    before = call.host.items
    call.send(event | {"event_id": "mine"})
    error = call.last(Error).error
    assert (error.code, error.param, error.event_id) == (code, param, "mine")
    assert error.type == "invalid_request_error"
    assert call.types == ["session.created", "error"]
    assert call.host.items == before
    call.send({"type": "response.create"})
    call.wait(2.0)
    assert call.last(ResponseDone).response.status == "completed"


def test_a_second_response_is_refused_while_one_runs() -> None:
    call = Script(replies=["A long answer that takes its time, and then some more of it."])
    call.send({"type": "response.create"})
    call.send({"type": "response.create", "event_id": "again"})
    error = call.last(Error).error
    assert (error.code, error.event_id) == ("conversation_already_has_active_response", "again")
    assert str(call.last(ResponseCreated).response.id) in error.message
    call.wait(5.0)
    assert call.types.count("response.done") == 1


def test_the_voice_is_frozen_by_the_first_sound() -> None:
    call = Script()
    update(call, audio={"output": {"voice": "marin"}})
    call.send({"type": "response.create"})
    call.wait(2.0)
    update(call, instructions="changed", audio={"output": {"voice": "cedar"}})
    assert call.last(Error).error.code == "cannot_update_voice"
    assert "changed" not in repr(call.last(SessionUpdated))
    update(call, instructions="changed", audio={"output": {"voice": "marin"}})
    assert "changed" in repr(call.last(SessionUpdated))


def test_model_in_an_update_is_ignored() -> None:
    call = Script()
    update(call, model="gpt-realtime-2.1")
    assert "house" in repr(call.last(SessionUpdated))


def test_cancel_right_after_create_gives_one_cancelled_done() -> None:
    call = Script()
    call.send({"type": "response.create"})
    call.send({"type": "response.cancel"})
    call.wait(1.0)
    assert call.last(ResponseDone).response.status == "cancelled"
    assert call.types == ["session.created", "response.created", "response.done"]


@pytest.mark.parametrize("cut", ["max_output_tokens", "content_filter"])
def test_an_answer_cut_short_is_incomplete_and_says_by_what(cut: Cut) -> None:
    call = Script(replies=[[Words("Only this"), Thought(cut=cut)]])
    call.send({"type": "response.create", "response": {"max_output_tokens": 2}})
    call.wait(2.0)
    assert call.thoughts[0].max_output_tokens == 2
    response = call.last(ResponseDone).response
    assert response.status == "incomplete"
    assert response.status_details == StatusDetails(type="incomplete", reason=cut)
    assert call.last(ResponseOutputItemDone).item.status == "incomplete"
