"""What the chunks of an answer say, in the shapes of each server."""

import json

import pytest

from tests.conformance.engine.chat_server import chunk, usage
from vivavoce.engine.chat.options import Opening
from vivavoce.engine.chat.reply import Reply, Stage
from vivavoce.engine.interface import Thinking, Thought, ToolArguments, ToolCall, Words
from vivavoce.errors import EngineError, Never, Retry


def read(*events: object, reply: Reply | None = None) -> list[Thinking]:
    """All steps of a whole answer."""
    reply = reply or Reply()
    steps = [step for event in events for step in reply.read(event if isinstance(event, str) else json.dumps(event))]
    return steps + reply.end()


def piece(index: int | None = 0, **call: object) -> dict[str, object]:
    """A chunk with one piece of a function call."""
    numbered = call if index is None else {"index": index, **call}
    return chunk({"tool_calls": [numbered]})


def test_words_come_as_they_were_sent_and_tokens_are_counted() -> None:
    counted = usage(12, 2, prompt_tokens_details={"cached_tokens": 8})
    assert read(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Five"}),
        chunk({"content": " o'clock."}),
        chunk(finish="stop"),
        counted,
        "[DONE]",
    ) == [Words("Five"), Words(" o'clock."), Thought(input_tokens=12, cached_tokens=8, output_tokens=2)]


def test_vllm_counts_in_a_chunk_without_choices_and_writes_null_before() -> None:
    assert read(
        chunk({"role": "assistant", "content": None}, usage=None),
        chunk({"content": "Five"}, usage=None),
        chunk({"content": ""}, finish="stop", usage=None, stop_reason=None),
        {"choices": None, "usage": {"prompt_tokens": 3, "completion_tokens": 1, "prompt_tokens_details": None}},
    ) == [Words("Five"), Thought(input_tokens=3, output_tokens=1)]


def test_reasoning_beside_the_words_is_not_said() -> None:
    assert read(
        chunk({"reasoning_content": "Hm."}),
        chunk({"reasoning": "Hm.", "content": ""}),
        chunk({"content": "Five"}),
        chunk(finish="stop"),
    ) == [Words("Five"), Thought()]


def test_reasoning_inside_the_words_is_not_said() -> None:
    events = (chunk({"content": text}) for text in ["<th", "ink>Hm", "</thi", "nk>\n\nFi", "ve"])
    assert read(*events, chunk(finish="stop")) == [Words("Fi"), Words("ve"), Thought()]


def test_an_answer_may_begin_inside_a_thought() -> None:
    reply = Reply(Opening.THOUGHT)
    assert read(chunk({"content": "Hm.</think>Five"}), chunk(finish="stop"), reply=reply) == [Words("Five"), Thought()]


def test_what_looks_like_the_start_of_a_tag_is_said_at_the_end() -> None:
    assert read(chunk({"content": "3 <"}), chunk(finish="stop")) == [Words("3 "), Words("<"), Thought()]


def test_words_in_parts_are_joined_and_thinking_parts_left_out() -> None:
    parts = [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "Fi"}, {"type": "text", "text": "ve"}]
    assert read(chunk({"content": parts}), chunk(finish="stop")) == [Words("Five"), Thought()]


def test_a_refusal_of_the_model_is_said() -> None:
    assert read(chunk({"refusal": "I cannot."}), chunk(finish="stop")) == [Words("I cannot."), Thought()]


def test_the_limit_cuts_an_answer_short() -> None:
    assert read(chunk({"content": "Fi"}), chunk(finish="length")) == [Words("Fi"), Thought(cut="max_output_tokens")]


def test_openai_sends_a_call_in_pieces_and_tells_calls_apart_by_index() -> None:
    assert read(
        piece(0, id="c1", type="function", function={"name": "get_weather", "arguments": ""}),
        piece(0, function={"arguments": '{"city"'}),
        piece(0, function={"arguments": ': "Rome"}'}),
        piece(1, id="c2", type="function", function={"name": "lamp", "arguments": ""}),
        piece(1, function={"arguments": "{}"}),
        chunk(finish="tool_calls"),
    ) == [
        ToolCall(0, "get_weather"),
        ToolArguments(0, '{"city"'),
        ToolArguments(0, ': "Rome"}'),
        ToolCall(1, "lamp"),
        ToolArguments(1, "{}"),
        Thought(),
    ]


def test_ollama_numbers_all_calls_zero_and_tells_them_apart_by_id() -> None:
    assert read(
        piece(0, id="call_a", type="function", function={"name": "lamp", "arguments": '{"on":true}'}),
        piece(0, id="call_b", type="function", function={"name": "lamp", "arguments": '{"on":false}'}),
        chunk({"content": ""}, finish="tool_calls"),
    ) == [
        ToolCall(0, "lamp"),
        ToolArguments(0, '{"on":true}'),
        ToolCall(1, "lamp"),
        ToolArguments(1, '{"on":false}'),
        Thought(),
    ]


def test_calls_without_index_and_id_are_told_apart_by_name() -> None:
    assert read(
        piece(None, function={"name": "lamp", "arguments": {"on": True}}),
        piece(None, function={"name": "lamp", "arguments": {"on": False}}),
        chunk(finish="tool_calls"),
    ) == [
        ToolCall(0, "lamp"),
        ToolArguments(0, '{"on":true}'),
        ToolCall(1, "lamp"),
        ToolArguments(1, '{"on":false}'),
        Thought(),
    ]


def test_a_name_that_is_repeated_in_every_piece_begins_no_new_call() -> None:
    assert read(
        piece(0, id="c1", function={"name": "lamp", "arguments": '{"on":'}),
        piece(0, id="c1", function={"name": "lamp", "arguments": "true}"}),
        piece(0, function={"name": "lamp"}),
        chunk(finish="tool_calls"),
    ) == [ToolCall(0, "lamp"), ToolArguments(0, '{"on":'), ToolArguments(0, "true}"), Thought()]


def test_another_name_under_the_same_index_is_another_call() -> None:
    assert read(
        piece(0, function={"name": "lamp", "arguments": "{}"}),
        piece(0, function={"name": "door", "arguments": "{}"}),
        chunk(finish="tool_calls"),
    ) == [ToolCall(0, "lamp"), ToolArguments(0, "{}"), ToolCall(1, "door"), ToolArguments(1, "{}"), Thought()]


def test_arguments_before_the_name_wait_for_it() -> None:
    assert read(
        piece(0, id="c1", function={"arguments": '{"on":'}),
        piece(0, function={"name": "lamp", "arguments": "true}"}),
        chunk(finish="tool_calls"),
    ) == [ToolCall(0, "lamp"), ToolArguments(0, '{"on":true}'), Thought()]


def test_a_call_without_arguments_gets_an_empty_object() -> None:
    assert read(piece(0, id="c1", function={"name": "lamp"}), chunk(finish="tool_calls")) == [
        ToolCall(0, "lamp"),
        ToolArguments(0, "{}"),
        Thought(),
    ]


def test_a_call_that_never_gets_a_name_is_no_call() -> None:
    assert read(piece(0, id="c1"), chunk(finish="tool_calls")) == [Thought()]


def test_further_calls_are_dropped_when_only_one_is_wanted() -> None:
    assert read(
        piece(0, id="c1", function={"name": "lamp", "arguments": "{}"}),
        piece(1, id="c2", function={"name": "door", "arguments": "{}"}),
        piece(2, id="c3", function={"name": "bell"}),
        chunk(finish="tool_calls"),
        reply=Reply(most_calls=1),
    ) == [ToolCall(0, "lamp"), ToolArguments(0, "{}"), Thought()]


def test_a_server_that_does_not_stream_is_understood() -> None:
    message = {
        "role": "assistant",
        "content": "<think>Hm.</think>Five.",
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "lamp", "arguments": "{}"}}],
    }
    whole = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": {"prompt_tokens": 1}}
    assert read(whole) == [Words("Five."), ToolCall(0, "lamp"), ToolArguments(0, "{}"), Thought(input_tokens=1)]


def test_the_stages_of_an_answer() -> None:
    reply = Reply()
    assert reply.stage is Stage.WAITING
    reply.read(json.dumps(chunk({"content": "Five"})))
    assert reply.stage is Stage.ANSWERING
    reply.read(json.dumps(chunk(finish="stop")))
    assert reply.stage is Stage.FINISHED
    reply.read(json.dumps(usage(1, 1)))
    assert reply.stage is Stage.FINISHED
    reply.read(" [DONE] ")
    assert reply.stage is Stage.DONE


def test_the_end_mark_alone_is_an_end() -> None:
    assert read(chunk({"content": "Five"}), "[DONE]") == [Words("Five"), Thought()]


@pytest.mark.parametrize("events", [[], [chunk({"content": "Fi"})]])
def test_a_stream_that_just_ends_has_broken_off(events: list[object]) -> None:
    with pytest.raises(EngineError) as broken:
        read(*events)
    assert broken.value.next == Retry()


def test_an_error_in_the_stream_ends_the_answer() -> None:
    with pytest.raises(EngineError) as failed:
        read(chunk({"content": "Fi"}), {"error": {"code": 400, "message": "the context is full"}})
    assert failed.value.next == Never()


def test_an_answer_that_the_providers_filter_stopped_is_not_whole() -> None:
    assert read(chunk({"content": "Fi"}), chunk(finish="content_filter")) == [Words("Fi"), Thought("content_filter")]


def test_an_answer_that_the_provider_says_has_failed_has_failed() -> None:
    with pytest.raises(EngineError):
        read(chunk({"content": "Fi"}), chunk(finish="error"))


@pytest.mark.parametrize("event", ["<html>", "[]", '{"choices": 5}', '{"choices": [{"delta": {"content": 5}}]}'])
def test_what_is_no_completion_is_refused(event: str) -> None:
    with pytest.raises(EngineError):
        read(event)
