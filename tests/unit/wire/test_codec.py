"""The codec, by what a client and a server notice."""

import pytest
from msgspec import json
from msgspec.structs import replace

from vivavoce.errors import Fault, RefusedError, RequestError
from vivavoce.wire.codec import (
    EVENT_ID_CHARS,
    decode_client,
    decode_secret,
    decode_secret_request,
    decode_server,
    decode_session,
    decode_session_part,
    encode,
    extra,
)
from vivavoce.wire.config import (
    AudioConfig,
    AudioInput,
    RealtimeSession,
    SemanticVad,
    TranscriptionAudioConfig,
    TranscriptionSession,
)
from vivavoce.wire.event import (
    ConversationItemAdded,
    ConversationItemCreate,
    Error,
    ErrorBody,
    InputAudioBufferCommit,
    ResponseCreate,
    ResponseDone,
    SessionUpdate,
    UnknownEvent,
)
from vivavoce.wire.item import AssistantMessage, InputText, ItemReference, OutputText, UserMessage
from vivavoce.wire.secret import ClientSecret, ClientSecretRequest, ExpiresAfter

Json = dict[str, object]


def refused(event: Json) -> tuple[str | None, str | None, str | None]:
    with pytest.raises(RequestError) as error:
        decode_client(json.encode(event))
    return error.value.code, error.value.param, error.value.event_id


def update(**session: object) -> Json:
    return {"type": "session.update", "event_id": "mine", "session": {"type": "realtime", **session}}


# ── what a client sends ─────────────────────────────────────────────────────────────────────────────────


def test_a_client_event_arrives_as_its_type() -> None:
    text = json.encode(update(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}}}))
    expected = SessionUpdate(
        event_id="mine",
        session=RealtimeSession(
            audio=AudioConfig(input=AudioInput(turn_detection=SemanticVad(eagerness="low"))),
        ),
    )
    assert decode_client(text) == expected
    assert decode_client(text.decode()) == expected


def test_a_message_arrives_as_the_class_of_its_speaker() -> None:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
    event = decode_client(json.encode({"type": "conversation.item.create", "item": item}))
    assert event == ConversationItemCreate(item=UserMessage(content=[InputText(text="hi")]))


def test_a_response_may_be_given_references() -> None:
    reference = {"type": "item_reference", "id": "item_1"}
    event = decode_client(json.encode({"type": "response.create", "response": {"input": [reference]}}))
    assert isinstance(event, ResponseCreate)
    assert "input" in encode(event)
    assert refused({"type": "conversation.item.create", "item": reference}) == ("invalid_value", "item.type", None)
    assert ItemReference(id="item_1").type == "item_reference"


@pytest.mark.parametrize(
    ("event", "code", "param"),
    [
        ({"session": {}}, "missing_required_parameter", "type"),
        ({"type": 3}, "invalid_type", "type"),
        ({"type": "session.upgrade"}, "invalid_value", "type"),
        ({"type": "session.created"}, "invalid_value", "type"),
        ({"type": "session.update"}, "missing_required_parameter", "session"),
        ({"type": "session.update", "session": {}}, "missing_required_parameter", "session.type"),
        ({"type": "session.update", "session": None}, "invalid_type", "session"),
        ({"type": "session.update", "session": {"type": "translation"}}, "invalid_value", "session.type"),
        (update(temperature=0.8), "unknown_parameter", "session.temperature"),
        (update(id="sess_1"), "unknown_parameter", "session.id"),
        (update(audio={"input": {"foo": 1}}), "unknown_parameter", "session.audio.input.foo"),
        (update(tools=[{"type": "function"}]), "missing_required_parameter", "session.tools[0].name"),
        (update(tools=[{"type": "function", "name": 3}]), "invalid_type", "session.tools[0].name"),
        (update(instructions=None), "invalid_type", "session.instructions"),
        (update(max_output_tokens=0), "invalid_value", "session.max_output_tokens"),
        (update(max_output_tokens=4097), "invalid_value", "session.max_output_tokens"),
        (update(max_output_tokens="all"), "invalid_value", "session.max_output_tokens"),
        (update(output_modalities=["text", "audio"]), "invalid_value", "session.output_modalities"),
        (update(output_modalities=["video"]), "invalid_value", "session.output_modalities[0]"),
        (update(audio={"output": {"speed": 2}}), "invalid_value", "session.audio.output.speed"),
        (update(audio={"output": {"speed": 0.2}}), "invalid_value", "session.audio.output.speed"),
        (
            update(audio={"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 4999}}}),
            "invalid_value",
            "session.audio.input.turn_detection.idle_timeout_ms",
        ),
        (
            update(audio={"input": {"turn_detection": {"type": "server_vad", "threshold": 1.1}}}),
            "invalid_value",
            "session.audio.input.turn_detection.threshold",
        ),
        (
            update(audio={"input": {"turn_detection": {"type": "semantic_vad", "threshold": 0.5}}}),
            "unknown_parameter",
            "session.audio.input.turn_detection.threshold",
        ),
        (
            update(audio={"input": {"format": {"type": "audio/pcm", "rate": 16000}}}),
            "invalid_value",
            "session.audio.input.format.rate",
        ),
        (
            update(audio={"input": {"transcription": {"model": "gpt-transcribe", "languages": []}}}),
            "invalid_value",
            "session.audio.input.transcription.languages",
        ),
        (
            update(truncation={"type": "retention_ratio", "retention_ratio": 1.5}),
            "invalid_value",
            "session.truncation.retention_ratio",
        ),
        (
            update(tools=[{"type": "mcp", "server_label": "s", "tunnel_id": "tunnel_short"}]),
            "invalid_value",
            "session.tools[0].tunnel_id",
        ),
        (
            {"type": "response.create", "response": {"metadata": {str(key): "" for key in range(17)}}},
            "invalid_value",
            "response.metadata",
        ),
        (
            {"type": "response.create", "response": {"metadata": {"k": "v" * 513}}},
            "invalid_value",
            "response.metadata.k",
        ),
        (
            {"type": "response.create", "response": {"metadata": {"k" * 65: ""}}},
            "invalid_value",
            "response.metadata." + "k" * 65,
        ),
        ({"type": "response.create", "response": {"modalities": []}}, "unknown_parameter", "response.modalities"),
        ({"type": "input_audio_buffer.append", "audio": 3}, "invalid_type", "audio"),
        (
            {"type": "conversation.item.truncate", "item_id": "i", "content_index": 0, "audio_end_ms": 1234.5},
            "invalid_type",
            "audio_end_ms",
        ),
        (
            {"type": "conversation.item.create", "item": {"type": "message", "content": []}},
            "missing_required_parameter",
            "item.role",
        ),
        (
            {"type": "conversation.item.create", "item": {"type": "message", "role": "tool", "content": []}},
            "invalid_value",
            "item.role",
        ),
        (
            {
                "type": "conversation.item.create",
                "item": {"type": "message", "role": "assistant", "content": [{"type": "input_text", "text": ""}]},
            },
            "invalid_value",
            "item.content[0].type",
        ),
    ],
)
def test_a_client_is_told_what_is_wrong_and_where(event: Json, code: str, param: str) -> None:
    assert refused({**event, "event_id": "mine"}) == (code, param, "mine")


def test_an_unknown_event_is_answered_with_the_known_ones() -> None:
    with pytest.raises(RequestError) as error:
        decode_client('{"type":"session.upgrade"}')
    assert "'session.update'" in error.value.message
    assert "'output_audio_buffer.clear'" in error.value.message


def test_an_own_id_that_cannot_be_given_back_is_not() -> None:
    commit: Json = {"type": "input_audio_buffer.commit"}
    assert refused({**commit, "event_id": "x" * (EVENT_ID_CHARS + 1)}) == ("invalid_value", "event_id", None)
    assert refused({**commit, "event_id": 7}) == ("invalid_type", "event_id", None)
    longest = "x" * EVENT_ID_CHARS
    assert decode_client(json.encode({**commit, "event_id": longest})) == InputAudioBufferCommit(event_id=longest)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"type":"input_audio_buffer.commit"} x',
        b"\xff\xfe",
        b'{"type":"\xff"}',
        '{"type":"\ud800"}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"type":1e999}',
    ],
    ids=["empty", "cut", "trailing", "binary", "bad utf-8", "half a pair", "deep list", "deep object", "huge number"],
)
def test_what_is_not_json_is_refused_as_such(text: str | bytes) -> None:
    with pytest.raises(RequestError) as error:
        decode_client(text)
    assert (error.value.code, error.value.type, error.value.param) == ("invalid_json", "invalid_request_error", None)


def test_json_that_is_no_object_is_refused() -> None:
    with pytest.raises(RequestError) as error:
        decode_client("[]")
    assert (error.value.code, error.value.param, error.value.event_id) == ("invalid_type", None, None)


def test_a_tool_that_nests_without_end_is_refused() -> None:
    nested: object = {}
    for _ in range(200):
        nested = {"properties": nested}
    tool = {"type": "function", "name": "f", "parameters": {"deep": nested}}
    assert refused(update(tools=[tool])) == ("invalid_value", "session.tools[0].parameters.deep", "mine")


# ── what a server sends ─────────────────────────────────────────────────────────────────────────────────


def test_what_a_newer_server_adds_survives_and_can_be_read() -> None:
    raw = {
        "type": "conversation.item.added",
        "event_id": "event_1",
        "obfuscation": "x7",
        "item": {
            "type": "message",
            "role": "assistant",
            "phase": "commentary",
            "content": [{"type": "output_text", "text": "hi", "mood": 3}, {"type": "hologram"}],
        },
    }
    event = decode_server(json.encode(raw))
    assert event == ConversationItemAdded(event_id="event_1", item=AssistantMessage(content=[OutputText(text="hi")]))
    assert not isinstance(event, UnknownEvent)
    assert extra(event) == {
        "obfuscation": "x7",
        "item.phase": "commentary",
        "item.content[0].mood": 3,
        "item.content[1]": {"type": "hologram"},
    }
    assert "x7" not in encode(event)
    assert extra(replace(event, event_id="event_2")) == {}


def test_a_new_word_in_an_optional_place_does_not_cost_the_event() -> None:
    raw = {
        "type": "response.done",
        "event_id": "event_1",
        "response": {"id": "resp_1", "status": "paused", "output": [{"type": "web_search"}], "max_output_tokens": 9999},
    }
    event = decode_server(json.encode(raw))
    assert isinstance(event, ResponseDone)
    assert (event.response.id, event.response.output, event.response.max_output_tokens) == ("resp_1", [], 9999)
    assert extra(event) == {"response.status": "paused", "response.output[0]": {"type": "web_search"}}


def test_an_event_without_news_has_nothing_extra() -> None:
    event = decode_server('{"type":"error","event_id":"event_1","error":{"type":"server_error","message":"Sorry."}}')
    assert event == Error(event_id="event_1", error=ErrorBody(type="server_error", message="Sorry."))
    assert not isinstance(event, UnknownEvent)
    assert extra(event) == {}


def test_an_unknown_event_is_kept_whole() -> None:
    text = '{"type": "session.hibernated", "for": [1, 2]}'
    event = decode_server(text.encode())
    assert isinstance(event, UnknownEvent)
    assert (event.type, event.raw) == ("session.hibernated", text)
    assert event.body == {"type": "session.hibernated", "for": [1, 2]}
    assert encode(event) == text


def test_a_known_event_without_what_it_must_have_is_kept_as_unknown() -> None:
    event = decode_server('{"type":"response.done","event_id":"event_1"}')
    assert isinstance(event, UnknownEvent)
    assert event.type == "response.done"
    assert "'response'" in event.why


@pytest.mark.parametrize("text", ["", "[" * 100_000, b"\xff", "[1]", '{"type":5}', '{"event_id":"x"}'])
def test_noise_from_a_server_is_kept_as_unknown_without_a_type(text: str | bytes) -> None:
    event = decode_server(text)
    assert isinstance(event, UnknownEvent)
    assert event.type == ""
    assert event.raw == (text if isinstance(text, str) else "\ufffd")
    assert event.why


def test_an_error_event_is_written_with_every_key() -> None:
    body = ErrorBody(type="invalid_request_error", code="invalid_value", message="No.", param=None, event_id=None)
    assert encode(Error(event_id="event_1", error=body)) == (
        '{"type":"error","event_id":"event_1","error":{"type":"invalid_request_error","message":"No.",'
        '"code":"invalid_value","param":null,"event_id":null}}'
    )


# ── bodies of HTTP requests ─────────────────────────────────────────────────────────────────────────────


def test_a_session_of_either_type_is_read() -> None:
    assert decode_session(b'{"type":"realtime","model":"m"}') == RealtimeSession(model="m")
    assert decode_session('{"type":"transcription","audio":{"input":{"turn_detection":null}}}') == TranscriptionSession(
        audio=TranscriptionAudioConfig(input=AudioInput(turn_detection=None))
    )


def test_a_bad_session_is_refused_by_its_path() -> None:
    with pytest.raises(RequestError) as error:
        decode_session('{"type":"transcription","audio":{"output":{}}}')
    assert (error.value.code, error.value.param) == ("unknown_parameter", "session.audio.output")
    with pytest.raises(RequestError) as error:
        decode_session("null")
    assert (error.value.code, error.value.param, error.value.status) == ("invalid_type", "session", 400)


def test_a_multipart_session_may_be_null() -> None:
    assert decode_session_part(b"null") is None
    assert decode_session_part(b'{"type":"realtime"}') == RealtimeSession()
    with pytest.raises(RequestError) as error:
        decode_session_part(b'{"type":"realtime","voice":"marin"}')
    assert error.value.param == "session.voice"


def test_a_request_for_a_secret_is_read() -> None:
    assert decode_secret_request("{}") == ClientSecretRequest()
    text = '{"expires_after":{"anchor":"created_at","seconds":10},"session":{"type":"realtime"}}'
    assert decode_secret_request(text) == ClientSecretRequest(
        expires_after=ExpiresAfter(anchor="created_at", seconds=10), session=RealtimeSession()
    )


@pytest.mark.parametrize(
    ("text", "code", "param"),
    [
        ('{"expires_after":{"seconds":9}}', "invalid_value", "expires_after.seconds"),
        ('{"expires_after":{"seconds":7201}}', "invalid_value", "expires_after.seconds"),
        ('{"expires_after":{"anchor":"first_use"}}', "invalid_value", "expires_after.anchor"),
        ('{"session":{"model":"m"}}', "missing_required_parameter", "session.type"),
        ('{"model":"m"}', "unknown_parameter", "model"),
        ("nothing", "invalid_json", None),
    ],
)
def test_a_bad_request_for_a_secret_is_refused_by_its_path(text: str, code: str, param: str | None) -> None:
    with pytest.raises(RequestError) as error:
        decode_secret_request(text)
    assert (error.value.code, error.value.param) == (code, param)


def test_a_secret_is_read_whatever_else_the_provider_says() -> None:
    text = '{"value":"ek_1234567","expires_at":1790000000,"session":{"type":"realtime","id":"sess_1","x":1},"y":2}'
    assert decode_secret(text) == ClientSecret(
        value="ek_1234567", expires_at=1790000000, session=RealtimeSession(id="sess_1")
    )


@pytest.mark.parametrize("text", ["<html>", '{"client_secret":{"value":"ek_1234567"}}'])
def test_a_reply_without_a_secret_is_the_providers_fault_and_is_not_quoted(text: str) -> None:
    with pytest.raises(RefusedError) as error:
        decode_secret(text)
    assert error.value.fault is Fault.PROVIDER
    assert "ek_1234567" not in error.value.message


@pytest.mark.parametrize("values", ["1," * 200_000, "{}," * 200_000, "[" * 200_000])
def test_more_values_than_anybody_needs_are_refused_before_they_are_read(values: str) -> None:
    with pytest.raises(RequestError) as error:
        decode_client('{"type":"response.create","response":{"input":[' + values)
    assert error.value.code == "invalid_value"
