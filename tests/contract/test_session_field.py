"""Every field of a session's config: what is taken and shown in `session.updated`, and what is refused by its path."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, cast

import msgspec
import pytest

from tests.strict import parse
from vivavoce.testing.script import Script
from vivavoce.wire.codec import decode_session, encode
from vivavoce.wire.event import Error, SessionUpdated

Json = Mapping[str, object]


class Field(NamedTuple):
    """Values that are taken, and values that are refused with the code and the place within the field."""

    taken: Sequence[object]
    refused: Sequence[tuple[object, str, str]] = ()


VALUE, KIND, MISSING, UNKNOWN = "invalid_value", "invalid_type", "missing_required_parameter", "unknown_parameter"
LOOK: Final = {"type": "function", "name": "look", "description": "Looks.", "parameters": {"type": "object"}}
FORMATS: Final = Field(
    [{"type": "audio/pcm", "rate": 24000}, {"type": "audio/pcmu"}, {"type": "audio/pcma"}],
    [({"type": "audio/pcm", "rate": 16000}, VALUE, ".rate"), ({"type": "audio/opus"}, VALUE, ".type")],
)
YES_OR_NO: Final = Field([True, False], [("yes", KIND, ""), (None, KIND, "")])
MILLISECONDS: Final = Field([0, 250, 5000], [(-1, VALUE, ""), ("300", KIND, ""), (None, KIND, ""), (0.5, KIND, "")])
VOICES: Final = ["alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"]
EAGERNESS: Final = Field(["low", "medium", "high", "auto"], [("keen", VALUE, ""), (None, KIND, "")])

INPUT: Final[Mapping[str, Field]] = {
    "audio.input.format": FORMATS,
    "audio.input.noise_reduction": Field(
        [{"type": "near_field"}, {"type": "far_field", "strength": 0.5}, None],
        [({"type": "no_field"}, VALUE, ".type"), ("near_field", KIND, "")],
    ),
    "audio.input.transcription": Field(
        [
            {"model": "gpt-4o-transcribe", "language": "de", "prompt": "Names of lakes."},
            {"model": "gpt-transcribe", "languages": ["de", "fr"], "keywords": ["Thun"]},
            {"model": "house-scribe", "languages": ["de"], "keywords": ["Thun"], "prompt": "Names of lakes."},
            None,
        ],
        [({"languages": []}, VALUE, ".languages"), ({"delay": "none"}, VALUE, ".delay"), ({"x": 1}, UNKNOWN, ".x")],
    ),
    "audio.input.turn_detection": Field(
        [{"type": "server_vad"}, {"type": "semantic_vad"}, None], [({"type": "push_to_talk"}, VALUE, ".type")]
    ),
    "audio.input.turn_detection<server_vad>.create_response": YES_OR_NO,
    "audio.input.turn_detection<server_vad>.idle_timeout_ms": Field(
        [5000, 30000, None], [(4999, VALUE, ""), (30001, VALUE, ""), ("5000", KIND, "")]
    ),
    "audio.input.turn_detection<server_vad>.interrupt_response": YES_OR_NO,
    "audio.input.turn_detection<server_vad>.prefix_padding_ms": MILLISECONDS,
    "audio.input.turn_detection<server_vad>.silence_duration_ms": MILLISECONDS,
    "audio.input.turn_detection<server_vad>.threshold": Field(
        [0, 0.5, 1], [(1.1, VALUE, ""), (-0.1, VALUE, ""), ("0.5", KIND, "")]
    ),
    "audio.input.turn_detection<semantic_vad>.create_response": YES_OR_NO,
    "audio.input.turn_detection<semantic_vad>.eagerness": EAGERNESS,
    "audio.input.turn_detection<semantic_vad>.interrupt_response": YES_OR_NO,
    "include": Field(
        [["item.input_audio_transcription.logprobs"], None], [(["everything"], VALUE, "[0]"), ("all", KIND, "")]
    ),
}
REALTIME: Final[Mapping[str, Field]] = {
    "audio.output.format": FORMATS,
    "audio.output.speed": Field([0.25, 1, 1.5], [(0.24, VALUE, ""), (1.51, VALUE, ""), ("fast", KIND, "")]),
    "audio.output.voice": Field([*VOICES, {"id": "voice_of_anna"}], [({}, MISSING, ".id"), (7, KIND, "")]),
    "instructions": Field(["Be brief.", ""], [(None, KIND, ""), (7, KIND, "")]),
    "max_output_tokens": Field(
        [1, 4096, "inf"], [(0, VALUE, ""), (4097, VALUE, ""), ("all", VALUE, ""), (None, KIND, "")]
    ),
    "output_modalities": Field(
        [["text"], ["audio"]], [(["text", "audio"], VALUE, ""), (["smell"], VALUE, "[0]"), ("text", KIND, "")]
    ),
    "parallel_tool_calls": YES_OR_NO,
    "prompt": Field(
        [{"id": "pmpt_1", "version": "2", "variables": {"city": "Bern"}}, None], [({"version": "2"}, MISSING, ".id")]
    ),
    "reasoning.effort": Field(["minimal", "low", "medium", "high", "xhigh"], [("most", VALUE, "")]),
    "tool_choice": Field(
        ["none", "auto", "required"],
        [("always", VALUE, ""), ({"type": "function"}, MISSING, ".name"), ({"name": "look"}, MISSING, ".type")],
    ),
    "tools": Field(
        [[LOOK], []],
        [
            ([{"type": "function"}], MISSING, "[0].name"),
            ([LOOK, {"type": "web_search"}], VALUE, "[1].type"),
            ([{"type": "function", "function": LOOK}], UNKNOWN, "[0].function"),
            ([LOOK | {"strict": True}], UNKNOWN, "[0].strict"),
        ],
    ),
    "tracing": Field(
        [None, "auto", {"workflow_name": "shop", "group_id": "7", "metadata": {"branch": "Bern"}}],
        [("on", VALUE, ""), ({"workflow": "shop"}, UNKNOWN, ".workflow")],
    ),
    "truncation": Field(
        [
            "disabled",
            {"type": "retention_ratio", "retention_ratio": 0.8, "token_limits": {"post_instructions": 9000}},
            "auto",
        ],
        [
            ("never", VALUE, ""),
            ({"type": "retention_ratio", "retention_ratio": 1.1}, VALUE, ".retention_ratio"),
            ({"type": "retention_ratio"}, MISSING, ".retention_ratio"),
        ],
    ),
}
FIELDS: Final = {"realtime": {**INPUT, **REALTIME}, "transcription": INPUT}
CHOICE: Final = {"tools": [LOOK], "tool_choice": {"type": "function", "name": "look"}}
NOWHERE: Final = ("temperature", "modalities", "voice", "turn_detection", "input_audio_format", "id", "object")
"""Keys of older versions, and keys that only a server writes."""


def nested(path: str, value: object) -> Json:
    """`{"a": {"b": value}}` for `a.b`; `a<kind>.b` says the type of the object `a`."""
    for step in reversed(path.split(".")):
        key, _, kind = step.rstrip(">").partition("<")
        value = {key: {"type": kind, **cast("Json", value)} if kind else value}
    return cast("Json", value)


def plain(path: str) -> str:
    """The path as an error has it."""
    return ".".join(step.partition("<")[0] for step in path.split("."))


def contains(whole: object, part: object) -> bool:
    """Whether everything that a part says is said by the whole."""
    if isinstance(whole, dict) and isinstance(part, dict):
        told = cast("dict[str, object]", whole)
        return all(key in told and contains(told[key], value) for key, value in cast("dict[str, object]", part).items())
    return whole == part


def opened(type: str) -> Script:
    return Script(session=decode_session(f'{{"type":"{type}"}}'))


def change(call: Script, type: str, settings: Json) -> None:
    call.send({"type": "session.update", "event_id": "mine", "session": {"type": type, **settings}})


ROWS: Final = [
    pytest.param(type, path, field, id=f"{type} {path}")
    for type, fields in FIELDS.items()
    for path, field in fields.items()
]


@pytest.mark.parametrize(("type", "path", "field"), ROWS)
def test_a_field_is_taken_and_shown(type: str, path: str, field: Field) -> None:
    for value in field.taken:
        call = opened(type)
        change(call, type, nested(path, value))
        assert call.types == ["session.created", "session.updated"], repr(call.events[-1])
        parse(encode(call.events[-1]))
        shown = msgspec.json.decode(encode(call.last(SessionUpdated)))["session"]
        assert contains(shown, nested(path, value)), (value, shown)


@pytest.mark.parametrize(("type", "path", "field"), ROWS)
def test_a_value_that_does_not_fit_is_refused_by_its_path(type: str, path: str, field: Field) -> None:
    assert field.refused
    for value, code, place in field.refused:
        call = opened(type)
        change(call, type, nested(path, value))
        error = call.last(Error).error
        assert (error.code, error.param, error.event_id) == (code, f"session.{plain(path)}{place}", "mine"), value
        assert call.types == ["session.created", "error"]
        change(call, type, {})
        first, last = call.events[0], call.events[-1]
        assert msgspec.json.decode(encode(first))["session"] == msgspec.json.decode(encode(last))["session"]


def test_a_function_is_chosen_by_its_name() -> None:
    call = opened("realtime")
    change(call, "realtime", CHOICE)
    assert contains(msgspec.json.decode(encode(call.last(SessionUpdated)))["session"], CHOICE)


@pytest.mark.parametrize("type", FIELDS)
def test_keys_of_other_versions_and_of_the_server_are_unknown(type: str) -> None:
    for key in NOWHERE:
        call = opened(type)
        change(call, type, {key: "x"})
        error = call.last(Error).error
        assert (error.code, error.param) == ("unknown_parameter", f"session.{key}")


@pytest.mark.parametrize("path", [*REALTIME, "model"])
def test_a_transcription_session_has_no_field_of_answers(path: str) -> None:
    call = opened("transcription")
    change(call, "transcription", nested(path, "x"))
    error = call.last(Error).error
    outer = "audio.output" if path.startswith("audio") else path.partition(".")[0]
    assert (error.code, error.param) == ("unknown_parameter", f"session.{outer}")


@pytest.mark.parametrize(
    "knob",
    [
        "audio.input.turn_detection<semantic_vad>.idle_timeout_ms",
        "audio.input.turn_detection<semantic_vad>.prefix_padding_ms",
        "audio.input.turn_detection<semantic_vad>.silence_duration_ms",
        "audio.input.turn_detection<semantic_vad>.threshold",
        "audio.input.turn_detection<server_vad>.eagerness",
    ],
)
def test_a_knob_belongs_to_its_kind_of_detection(knob: str) -> None:
    call = opened("realtime")
    change(call, "realtime", nested(knob, 1))
    error = call.last(Error).error
    assert (error.code, error.param) == ("unknown_parameter", f"session.{plain(knob)}")
