"""Every field of `response.create`: what is taken and shown in `response.created`, and what is refused by its path."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import pytest

from tests.contract.test_session_field import KIND, LOOK, MISSING, UNKNOWN, VALUE, VOICES, YES_OR_NO, Field, contains
from tests.contract.test_session_field import nested as at
from tests.strict import parse
from vivavoce.testing.script import Script
from vivavoce.wire.codec import encode
from vivavoce.wire.event import Error, ResponseCreated, ResponseDone

Json = dict[str, Any]

ASKED: Final = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Classify this."}]}


SHOWN: Final[Mapping[str, Field]] = {
    "audio.output.format": Field(
        [{"type": "audio/pcm", "rate": 24000}, {"type": "audio/pcmu"}, {"type": "audio/pcma"}],
        [({"type": "audio/pcm", "rate": 8000}, VALUE, ".rate"), ({"type": "pcm16"}, VALUE, ".type")],
    ),
    "audio.output.voice": Field([*VOICES], [({}, MISSING, ".id"), (7, KIND, "")]),
    "max_output_tokens": Field([1, 4096, "inf"], [(0, VALUE, ""), (4097, VALUE, ""), ("all", VALUE, "")]),
    "metadata": Field(
        [{"turn": "1"}, {str(n): "v" * 512 for n in range(16)}, {"k" * 64: ""}],
        [
            ({str(n): "" for n in range(17)}, VALUE, ""),
            ({"k" * 65: ""}, VALUE, "." + "k" * 65),
            ({"k": "v" * 513}, VALUE, ".k"),
            ({"k": 1}, KIND, ".k"),
        ],
    ),
    "output_modalities": Field([["text"], ["audio"]], [(["text", "audio"], VALUE, ""), (["smell"], VALUE, "[0]")]),
}
HELD: Final[Mapping[str, Field]] = {
    "conversation": Field(["auto", "none"], [("mine", VALUE, ""), (None, KIND, "")]),
    "input": Field(
        [[], [ASKED], [{"type": "item_reference", "id": "known"}, ASKED]],
        [
            ([{"type": "item_reference", "id": "unknown"}], VALUE, "[0].id"),
            ([{"type": "item_reference"}], MISSING, "[0].id"),
            ([ASKED, {"type": "hologram"}], VALUE, "[1].type"),
            ("all", KIND, ""),
        ],
    ),
    "instructions": Field(["Be brief.", "", None], [(7, KIND, "")]),
    "parallel_tool_calls": YES_OR_NO,
    "prompt": Field([{"id": "pmpt_1", "version": "2"}, None], [({"version": "2"}, MISSING, ".id")]),
    "reasoning.effort": Field(["minimal", "low", "medium", "high", "xhigh"], [("most", VALUE, "")]),
    "tool_choice": Field(
        ["none", "auto", "required"], [("always", VALUE, ""), ({"type": "function"}, MISSING, ".name")]
    ),
    "tools": Field(
        [[LOOK], []], [([{"type": "function"}], MISSING, "[0].name"), ([LOOK | {"x": 1}], UNKNOWN, "[0].x")]
    ),
}
NOT_OF_A_RESPONSE: Final = (
    *("audio.input", "audio.output.speed", "include", "model", "tracing", "truncation", "type"),
    *("modalities", "turn_detection", "voice"),  # of the beta's sessions
)


def asked(response: Mapping[str, object]) -> Script:
    call = Script(replies=["Yes."])
    call.send({"type": "conversation.item.create", "item": ASKED | {"id": "known"}})
    call.send({"type": "response.create", "event_id": "mine", "response": response})
    return call


def told(call: Script, kind: type[ResponseCreated] | type[ResponseDone]) -> Json:
    event = call.last(kind)
    parse(encode(event))
    return msgspec.json.decode(encode(event))["response"]


@pytest.mark.parametrize("path", SHOWN)
def test_a_field_is_taken_and_shown_from_beginning_to_end(path: str) -> None:
    for value in SHOWN[path].taken:
        call = asked(at(path, value))
        call.wait(2.0)
        assert contains(told(call, ResponseCreated), at(path, value)), value
        assert contains(told(call, ResponseDone), at(path, value)), value


@pytest.mark.parametrize("path", HELD)
def test_a_field_is_taken(path: str) -> None:
    for value in HELD[path].taken:
        call = asked(at(path, value))
        call.wait(2.0)
        assert told(call, ResponseDone)["status"] == "completed", value


@pytest.mark.parametrize(("path", "field"), [*SHOWN.items(), *HELD.items()], ids=[*SHOWN, *HELD])
def test_a_value_that_does_not_fit_is_refused_and_starts_nothing(path: str, field: Field) -> None:
    for value, code, place in field.refused:
        call = asked(at(path, value))
        error = call.last(Error).error
        assert (error.code, error.param, error.event_id) == (code, f"response.{path}{place}", "mine"), value
        call.wait(2.0)
        assert "response.created" not in call.types


@pytest.mark.parametrize("path", NOT_OF_A_RESPONSE)
def test_what_only_a_session_has_is_unknown_to_a_response(path: str) -> None:
    error = asked(at(path, "x")).last(Error).error
    assert (error.code, error.param) == ("unknown_parameter", f"response.{path}")


def test_what_a_response_says_counts_for_it_alone() -> None:
    call = asked({"instructions": "Whisper.", "tools": [LOOK], "tool_choice": "none", "max_output_tokens": 9})
    call.wait(2.0)
    call.send({"type": "response.create"})
    call.wait(2.0)
    first, second = call.thoughts
    assert (first.instructions, first.tool_choice, first.max_output_tokens) == ("Whisper.", "none", 9)
    assert [tool.name for tool in first.tools] == ["look"]
    assert (second.tool_choice, second.max_output_tokens, second.tools) == ("auto", None, ())
    assert second.instructions != "Whisper."


def test_metadata_may_be_null() -> None:
    call = asked({"metadata": None})
    assert told(call, ResponseCreated)["metadata"] is None


def test_a_context_of_its_own_is_all_that_the_model_sees() -> None:
    fresh = ASKED | {"content": [{"type": "input_text", "text": "Fresh."}]}
    for given, seen in (
        ([], []),
        ([fresh], ["Fresh."]),
        ([{"type": "item_reference", "id": "known"}], ["Classify this."]),
    ):
        call = asked({"conversation": "none", "input": given})
        call.wait(2.0)
        assert [item["content"][0]["text"] for item in map(msgspec.to_builtins, call.thoughts[0].items)] == seen
        assert told(call, ResponseDone)["conversation_id"] is None


def test_the_session_lends_a_response_what_it_does_not_say() -> None:
    call = Script(replies=["Yes."])
    output = {"voice": "marin", "format": {"type": "audio/pcmu"}}
    session = {"type": "realtime", "max_output_tokens": 77, "audio": {"output": output}}
    call.send({"type": "session.update", "session": session})
    call.send({"type": "response.create"})
    response = told(call, ResponseCreated)
    assert (response["max_output_tokens"], response["audio"]["output"]) == (77, output)
    assert response["output_modalities"] == ["audio"]
