import json
from collections.abc import Mapping
from itertools import count
from typing import Any

import pytest
from openai.types.beta.realtime import ErrorEvent

from tests import beta
from vivavoce.errors import RequestError
from vivavoce.wire.beta.interpreter import Interpreter, decode_beta_session, decode_beta_transcription_session
from vivavoce.wire.codec import decode_client, encode
from vivavoce.wire.config import RealtimeSession, Session, TranscriptionSession
from vivavoce.wire.event import (
    ConversationItemAdded,
    Error,
    ErrorBody,
    ResponseOutputAudioDelta,
    SessionCreated,
    SessionUpdate,
    SessionUpdated,
)
from vivavoce.wire.item import InputImage, InputText, UserMessage


@pytest.fixture
def interpreter() -> Interpreter:
    numbers = count()
    return Interpreter(lambda prefix: f"{prefix}_{next(numbers)}")


def said(interpreter: Interpreter, event: Mapping[str, object]) -> dict[str, Any]:
    """What the server gets to read, which it must be able to."""
    told = interpreter.to_server(json.dumps(event))
    decode_client(told)
    return json.loads(told)


def shown(interpreter: Interpreter, session: Session) -> dict[str, Any]:
    told = interpreter.to_client(encode(SessionUpdated(event_id="event_1", session=session)))
    assert told is not None
    beta.parse(told)
    return json.loads(told)


# ── what the reference's own samples say ────────────────────────────────────────────────────────────────


def test_a_whole_flat_session_finds_its_places(interpreter: Interpreter) -> None:
    flat = {
        "modalities": ["text", "audio"],
        "model": "gpt-4o-realtime-preview",
        "instructions": "You are a helpful assistant.",
        "voice": "sage",
        "input_audio_format": "g711_ulaw",
        "output_audio_format": "pcm16",
        "input_audio_transcription": {"model": "whisper-1", "language": "", "prompt": ""},
        "input_audio_noise_reduction": {"type": "near_field"},
        "turn_detection": {"threshold": 0.4, "prefix_padding_ms": 200, "silence_duration_ms": 500},
        "tools": [{"name": "get_weather", "description": "Says it.", "parameters": {"type": "object"}}],
        "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
        "temperature": 0.7,
        "max_response_output_tokens": 200,
        "speed": 1.1,
        "tracing": "auto",
        "client_secret": None,
    }
    assert said(interpreter, {"type": "session.update", "event_id": "mine", "session": flat}) == {
        "type": "session.update",
        "event_id": "mine",
        "session": {
            "type": "realtime",
            "model": "gpt-4o-realtime-preview",
            "instructions": "You are a helpful assistant.",
            "output_modalities": ["audio"],
            "max_output_tokens": 200,
            "tools": [
                {
                    "type": "function",
                    "name": "get_weather",
                    "description": "Says it.",
                    "parameters": {"type": "object"},
                }
            ],
            "tool_choice": {"type": "function", "name": "get_weather"},
            "tracing": "auto",
            "audio": {
                "input": {
                    "format": {"type": "audio/pcmu"},
                    "noise_reduction": {"type": "near_field"},
                    "transcription": {"model": "whisper-1"},
                    "turn_detection": {
                        "type": "server_vad",
                        "threshold": 0.4,
                        "prefix_padding_ms": 200,
                        "silence_duration_ms": 500,
                    },
                },
                "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "sage", "speed": 1.1},
            },
        },
    }


def test_what_an_update_leaves_out_stays_out(interpreter: Interpreter) -> None:
    assert said(interpreter, {"type": "session.update", "session": {}})["session"] == {"type": "realtime"}
    typed = said(interpreter, {"type": "session.update", "session": {"modalities": ["text"]}})
    assert typed["session"] == {"type": "realtime", "output_modalities": ["text"]}


@pytest.mark.parametrize("detection", [None, {"type": "none"}])
def test_turns_are_left_to_a_client_in_openais_words_and_in_azures(interpreter: Interpreter, detection: object) -> None:
    silent = said(interpreter, {"type": "session.update", "session": {"turn_detection": detection}})
    assert silent["session"] == {"type": "realtime", "audio": {"input": {"turn_detection": None}}}


def test_a_transcription_session_is_updated_under_its_own_name(interpreter: Interpreter) -> None:
    flat = {
        "input_audio_format": "pcm16",
        "input_audio_transcription": {"model": "gpt-4o-transcribe", "language": "de"},
        "turn_detection": {"eagerness": "low"},
        "include": ["item.input_audio_transcription.logprobs"],
    }
    assert said(interpreter, {"type": "transcription_session.update", "session": flat}) == {
        "type": "session.update",
        "session": {
            "type": "transcription",
            "include": ["item.input_audio_transcription.logprobs"],
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 24000},
                    "transcription": {"model": "gpt-4o-transcribe", "language": "de"},
                    "turn_detection": {"type": "semantic_vad", "eagerness": "low"},
                }
            },
        },
    }


def test_a_response_may_wish_in_the_words_of_the_types_or_of_the_first_reference(interpreter: Interpreter) -> None:
    for name in ("max_response_output_tokens", "max_output_tokens"):
        wanted = {
            "modalities": ["text"],
            "voice": "ash",
            "output_audio_format": "g711_alaw",
            "temperature": 0.6,
            name: 9,
        }
        heard = said(interpreter, {"type": "response.create", "response": wanted})
        assert heard["response"] == {
            "output_modalities": ["text"],
            "audio": {"output": {"format": {"type": "audio/pcma"}, "voice": "ash"}},
            "max_output_tokens": 9,
        }
    assert said(interpreter, {"type": "response.create"}) == {"type": "response.create"}


def test_what_the_assistant_has_said_is_put_back_into_a_conversation(interpreter: Interpreter) -> None:
    item = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hello."}]}
    event = {"type": "conversation.item.create", "previous_item_id": None, "item": item}
    assert said(interpreter, event)["item"]["content"] == [{"type": "output_text", "text": "Hello."}]
    context = [{"type": "item_reference", "id": "item_1"}, item]
    heard = said(interpreter, {"type": "response.create", "response": {"conversation": "none", "input": context}})
    assert heard["response"]["input"][0] == {"type": "item_reference", "id": "item_1"}
    assert heard["response"]["input"][1]["content"][0]["type"] == "output_text"


# ── mistakes ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("event", "code", "param"),
    [
        (
            {"type": "session.update", "session": {"output_modalities": ["text"]}},
            "unknown_parameter",
            "session.output_modalities",
        ),
        ({"type": "session.update", "session": {"type": "realtime"}}, "unknown_parameter", "session.type"),
        ({"type": "session.update", "session": {"temperature": 0.5}}, "invalid_value", "session.temperature"),
        ({"type": "session.update", "session": {"temperature": 1.3}}, "invalid_value", "session.temperature"),
        ({"type": "session.update", "session": {"modalities": []}}, "invalid_value", "session.modalities"),
        (
            {"type": "session.update", "session": {"input_audio_format": "wav"}},
            "invalid_value",
            "session.input_audio_format",
        ),
        ({"type": "session.update", "session": {"tools": [{"type": "mcp"}]}}, "invalid_value", "session.tools[0].type"),
        (
            {"type": "session.update", "session": {"tool_choice": {"type": "function"}}},
            "missing_required_parameter",
            "session.tool_choice.name",
        ),
        ({"type": "session.update"}, "missing_required_parameter", "session"),
        ({"type": "response.create", "response": {"temperature": 2}}, "invalid_value", "response.temperature"),
        ({"type": "response.output", "x": 1}, "invalid_value", "type"),
    ],
)
def test_a_mistake_is_told_in_the_words_of_the_beta(
    interpreter: Interpreter, event: Mapping[str, object], code: str, param: str
) -> None:
    with pytest.raises(RequestError) as refused:
        interpreter.to_server(json.dumps({**event, "event_id": "mine"}))
    assert (refused.value.code, refused.value.param, refused.value.event_id) == (code, param, "mine")
    told = beta.parse(interpreter.refusal(refused.value))
    assert isinstance(told, ErrorEvent)
    assert (told.error.code, told.error.param, told.error.event_id) == (code, param, "mine")
    assert told.event_id.startswith("event_")


def test_an_unknown_event_is_told_the_names_that_the_beta_has(interpreter: Interpreter) -> None:
    with pytest.raises(RequestError, match=r"transcription_session\.update"):
        interpreter.to_server('{"type":"session.begin"}')


@pytest.mark.parametrize(
    ("ga", "place"),
    [
        ("session.audio.output.voice", "session.voice"),
        ("session.audio.input.turn_detection.idle_timeout_ms", "session.turn_detection.idle_timeout_ms"),
        ("response.audio.output.voice", "response.voice"),
        ("session.tools[0].type", "session.tools[0].type"),
        ("item_id", "item_id"),
    ],
)
def test_where_the_server_finds_a_fault_is_told_by_the_clients_own_names(
    interpreter: Interpreter, ga: str, place: str
) -> None:
    body = ErrorBody(type="invalid_request_error", code="invalid_value", message=f"'{ga}' is bad.", param=ga)
    told = interpreter.to_client(encode(Error(event_id="event_1", error=body)))
    assert told is not None
    read = beta.parse(told)
    assert isinstance(read, ErrorEvent)
    error = read.error
    assert (error.param, error.message) == (place, f"'{place}' is bad.")


def test_what_is_no_event_goes_on_for_the_server_to_say_so(interpreter: Interpreter) -> None:
    for text in ("", "{", "[]", '{"type":1}', "[" * 100_000):
        assert interpreter.to_server(text) == text


# ── what the client is shown ────────────────────────────────────────────────────────────────────────────


def test_the_temperature_that_a_client_asked_for_is_shown_to_it(interpreter: Interpreter) -> None:
    session = RealtimeSession(model="gpt-realtime")
    assert shown(interpreter, session)["session"]["temperature"] == 0.8
    said(interpreter, {"type": "session.update", "session": {"temperature": 1.2}})
    assert shown(interpreter, session)["session"]["temperature"] == 1.2
    said(interpreter, {"type": "session.update", "session": {"instructions": "Be brief."}})
    assert shown(interpreter, session)["session"]["temperature"] == 1.2


@pytest.mark.parametrize("event_id", ["mine", None])
def test_a_temperature_in_an_update_that_was_refused_is_not_shown(
    interpreter: Interpreter, event_id: str | None
) -> None:
    update = {"type": "session.update", "session": {"voice": "ash", "temperature": 1.2}}
    said(interpreter, update if event_id is None else update | {"event_id": event_id})
    body = ErrorBody(
        type="invalid_request_error",
        code="cannot_update_voice",
        message="No.",
        param="session.audio.output.voice",
        event_id=event_id,
    )
    assert interpreter.to_client(encode(Error(event_id="event_1", error=body))) is not None
    session = RealtimeSession(model="gpt-realtime")
    assert shown(interpreter, session)["session"]["temperature"] == 0.8
    said(interpreter, {"type": "session.update", "session": {"temperature": 0.9}})
    other = ErrorBody(type="server_error", message="Something else.", code=None, param=None, event_id=None)
    assert interpreter.to_client(encode(Error(event_id="event_2", error=other))) is not None
    assert shown(interpreter, session)["session"]["temperature"] == 0.9


def test_a_transcription_session_is_shown_under_its_own_name(interpreter: Interpreter) -> None:
    session = TranscriptionSession(id="sess_1", object="realtime.transcription_session", expires_at=1)
    told = interpreter.to_client(encode(SessionCreated(event_id="event_1", session=session)))
    assert told is not None
    assert json.loads(told)["type"] == "transcription_session.created"
    assert shown(interpreter, session)["type"] == "transcription_session.updated"


def test_a_picture_from_another_party_is_left_out_of_a_message(interpreter: Interpreter) -> None:
    item = UserMessage(id="item_1", content=[InputText(text="Look."), InputImage(image_url="data:image/png;base64,AA")])
    told = interpreter.to_client(encode(ConversationItemAdded(event_id="e", item=item, previous_item_id=None)))
    assert told is not None
    created = json.loads(told)
    assert (created["type"], created["previous_item_id"]) == ("conversation.item.created", None)
    assert created["item"]["content"] == [{"type": "input_text", "text": "Look."}]


def test_sound_comes_under_its_old_name(interpreter: Interpreter) -> None:
    event = ResponseOutputAudioDelta(
        event_id="e", response_id="r", item_id="i", output_index=0, content_index=0, delta="AAAA"
    )
    told = interpreter.to_client(encode(event))
    assert told is not None
    assert json.loads(told) == json.loads(encode(event)) | {"type": "response.audio.delta"}


def test_an_event_that_nobody_knows_yet_is_passed_on(interpreter: Interpreter) -> None:
    assert interpreter.to_client('{"type":"session.renamed"}') == '{"type":"session.renamed"}'
    assert interpreter.to_client('{"type":"session.created"}') == '{"type":"session.created"}'


# ── bodies of HTTP requests ─────────────────────────────────────────────────────────────────────────────


def test_a_body_over_http_is_the_session_itself() -> None:
    assert decode_beta_session('{"voice":"ash"}').voice == "ash"
    assert decode_beta_transcription_session('{"modalities":["text"]}').modalities == ["text"]
    for read in (decode_beta_session, decode_beta_transcription_session):
        with pytest.raises(RequestError) as refused:
            read('{"session":{}}')
        assert refused.value.param == "session"


def test_an_update_carries_the_event_id_of_its_client(interpreter: Interpreter) -> None:
    event = decode_client(interpreter.to_server('{"type":"session.update","event_id":"mine","session":{}}'))
    assert event == SessionUpdate(event_id="mine", session=RealtimeSession())
