"""Each error code in its place: what a client does wrong, what it is told, and that it may go on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pytest

from vivavoce.session.answers import Sound
from vivavoce.session.result import Thought, Words
from vivavoce.testing.cast import Rest
from vivavoce.testing.script import Script, Terms
from vivavoce.wire.config import Session, TranscriptionSession
from vivavoce.wire.event import Error, ResponseDone

Event = dict[str, object]

GIF: Final = "data:image/gif;base64,R0lGODlh"
CLIENT_EVENTS: Final = (
    "session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "conversation.item.create",
    "conversation.item.retrieve",
    "conversation.item.truncate",
    "conversation.item.delete",
    "response.create",
    "response.cancel",
    "output_audio_buffer.clear",
)


def update(**settings: object) -> Event:
    return {"type": "session.update", "session": {"type": "realtime", **settings}}


def create(item: Event, **more: object) -> Event:
    return {"type": "conversation.item.create", "item": item, **more}


def message(*content: Event, role: str = "user", **more: object) -> Event:
    return {"type": "message", "role": role, "content": list(content), **more}


def respond(**response: object) -> Event:
    return {"type": "response.create", "response": response}


def truncate(item_id: str, audio_end_ms: int = 0, content_index: int = 0) -> Event:
    return {
        "type": "conversation.item.truncate",
        "item_id": item_id,
        "content_index": content_index,
        "audio_end_ms": audio_end_ms,
    }


@dataclass(frozen=True)
class Case:
    """The last of `events` is the mistake; `code` and `param` are what its error says. `spoken` is the last item."""

    code: str
    param: str | None
    events: Sequence[Event]


TEXT: Final[Event] = {"type": "input_text", "text": "Hello."}
WRITTEN: Final = message({"type": "output_text", "text": "Written."}, role="assistant", id="written")
DETECTION: Final = "session.audio.input.turn_detection"

CASES: Final[dict[str, Case]] = {
    # the event as such
    "no type": Case("missing_required_parameter", "type", [{"session": {}}]),
    "unknown type": Case("invalid_value", "type", [{"type": "session.close"}]),
    "type of the beta": Case("invalid_value", "type", [{"type": "transcription_session.update", "session": {}}]),
    "type is no text": Case("invalid_type", "type", [{"type": 5}]),
    "unknown key": Case("unknown_parameter", "when", [{"type": "response.cancel", "when": "now"}]),
    "missing key": Case("missing_required_parameter", "item_id", [{"type": "conversation.item.delete"}]),
    # the session
    "no session type": Case("missing_required_parameter", "session.type", [{"type": "session.update", "session": {}}]),
    "other session type": Case(
        "invalid_value", "session.type", [{"type": "session.update", "session": {"type": "transcription"}}]
    ),
    "no session": Case("missing_required_parameter", "session", [{"type": "session.update"}]),
    "key of the beta": Case("unknown_parameter", "session.voice", [update(voice="ash")]),
    "nested unknown key": Case(
        "unknown_parameter", "session.audio.output.pitch", [update(audio={"output": {"pitch": 1}})]
    ),
    "server's own key": Case("unknown_parameter", "session.id", [update(id="sess_2")]),
    "both modalities": Case(
        "invalid_value", "session.output_modalities", [update(output_modalities=["audio", "text"])]
    ),
    "unknown modality": Case("invalid_value", "session.output_modalities[0]", [update(output_modalities=["smell"])]),
    "no output": Case("invalid_value", "session.max_output_tokens", [update(max_output_tokens=0)]),
    "too much output": Case("invalid_value", "session.max_output_tokens", [update(max_output_tokens=4097)]),
    "unlimited by another word": Case("invalid_value", "session.max_output_tokens", [update(max_output_tokens="all")]),
    "speed": Case("invalid_value", "session.audio.output.speed", [update(audio={"output": {"speed": 1.6}})]),
    "format": Case(
        "invalid_value", "session.audio.input.format.type", [update(audio={"input": {"format": {"type": "audio/mp3"}}})]
    ),
    "rate": Case(
        "invalid_value",
        "session.audio.input.format.rate",
        [update(audio={"input": {"format": {"type": "audio/pcm", "rate": 16000}}})],
    ),
    "unknown detection": Case(
        "invalid_value", f"{DETECTION}.type", [update(audio={"input": {"turn_detection": {"type": "psychic_vad"}}})]
    ),
    "threshold": Case(
        "invalid_value",
        f"{DETECTION}.threshold",
        [update(audio={"input": {"turn_detection": {"type": "server_vad", "threshold": 1.1}}})],
    ),
    "idle timeout": Case(
        "invalid_value",
        f"{DETECTION}.idle_timeout_ms",
        [update(audio={"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 4999}}})],
    ),
    "a key of the other detection": Case(
        "unknown_parameter",
        f"{DETECTION}.eagerness",
        [update(audio={"input": {"turn_detection": {"type": "server_vad", "eagerness": "low"}}})],
    ),
    "retention": Case(
        "invalid_value",
        "session.truncation.retention_ratio",
        [update(truncation={"type": "retention_ratio", "retention_ratio": 1.1})],
    ),
    "include": Case("invalid_value", "session.include[0]", [update(include=["everything"])]),
    "effort": Case("invalid_value", "session.reasoning.effort", [update(reasoning={"effort": "huge"})]),
    "tool": Case("invalid_value", "session.tools[0].type", [update(tools=[{"type": "hammer"}])]),
    "tool without a name": Case(
        "missing_required_parameter", "session.tools[0].name", [update(tools=[{"type": "function"}])]
    ),
    "frozen tracing": Case("invalid_value", "session.tracing", [update(tracing="auto"), update(tracing=None)]),
    "frozen voice": Case(
        "cannot_update_voice",
        "session.audio.output.voice",
        [{"type": "response.create"}, update(audio={"output": {"voice": "cedar"}})],
    ),
    "unknown voice": Case(
        "invalid_value", "session.audio.output.voice", [update(audio={"output": {"voice": "nobody"}})]
    ),
    "unknown custom voice": Case(
        "invalid_value", "session.audio.output.voice", [update(audio={"output": {"voice": {"id": "voice_none"}}})]
    ),
    "unknown voice of an answer": Case(
        "invalid_value",
        "response.audio.output.voice",
        [{"type": "response.create", "response": {"audio": {"output": {"voice": "nobody"}}}}],
    ),
    # sound
    "sound that is no base64": Case("invalid_value", "audio", [{"type": "input_audio_buffer.append", "audio": "!!!!"}]),
    "half a sample": Case("invalid_value", "audio", [{"type": "input_audio_buffer.append", "audio": "AAAA"}]),
    "too little to commit": Case("input_audio_buffer_commit_empty", None, [{"type": "input_audio_buffer.commit"}]),
    "clearing what the client plays": Case("invalid_value", "type", [{"type": "output_audio_buffer.clear"}]),
    # items
    "unknown neighbour": Case("invalid_value", "previous_item_id", [create(message(TEXT), previous_item_id="nowhere")]),
    "an id twice": Case("invalid_value", "item.id", [create(message(TEXT, id="a")), create(message(TEXT, id="a"))]),
    "unknown item": Case("invalid_value", "item.type", [create({"type": "postcard"})]),
    "unknown role": Case("invalid_value", "item.role", [create(message(TEXT, role="narrator"))]),
    "a reference where an item belongs": Case(
        "invalid_value", "item.type", [create({"type": "item_reference", "id": "a"})]
    ),
    "content of another role": Case("invalid_value", "item.content[0].type", [create(message(TEXT, role="assistant"))]),
    "assistant's sound": Case(
        "invalid_value",
        "item.content[0].type",
        [create(message({"type": "output_audio", "transcript": "never said"}, role="assistant"))],
    ),
    "user's sound": Case(
        "invalid_value", "item.content[0].audio", [create(message({"type": "input_audio", "audio": "no sound"}))]
    ),
    "picture": Case(
        "invalid_value", "item.content[1].image_url", [create(message(TEXT, {"type": "input_image", "image_url": GIF}))]
    ),
    "picture from elsewhere": Case(
        "invalid_value",
        "item.content[0].image_url",
        [create(message({"type": "input_image", "image_url": "https://example.com/a.png"}))],
    ),
    "detail": Case(
        "invalid_value",
        "item.content[0].detail",
        [create(message({"type": "input_image", "image_url": GIF, "detail": "huge"}))],
    ),
    "retrieve": Case(
        "item_retrieve_invalid_item_id", "item_id", [{"type": "conversation.item.retrieve", "item_id": "gone"}]
    ),
    "delete": Case("item_delete_invalid_item_id", "item_id", [{"type": "conversation.item.delete", "item_id": "gone"}]),
    "truncate nothing": Case("item_truncate_invalid_item_id", "item_id", [truncate("gone")]),
    "truncate what is no sound": Case("invalid_value", "item_id", [create(WRITTEN), truncate("written")]),
    "truncate with less than nothing": Case(
        "invalid_value", "audio_end_ms", [{"type": "response.create"}, truncate("spoken", -1)]
    ),
    "truncate beyond the end": Case(
        "invalid_value", "audio_end_ms", [{"type": "response.create"}, truncate("spoken", 10**6)]
    ),
    "truncate another part": Case(
        "invalid_value", "content_index", [{"type": "response.create"}, truncate("spoken", 0, 1)]
    ),
    # responses
    "nothing to cancel": Case("response_cancel_not_active", None, [{"type": "response.cancel"}]),
    "another to cancel": Case(
        "response_cancel_not_active", None, [{"type": "response.cancel", "response_id": "resp_x"}]
    ),
    "other conversation": Case("invalid_value", "response.conversation", [respond(conversation="mine")]),
    "unknown setting": Case("unknown_parameter", "response.temperature", [respond(temperature=0.8)]),
    "unlimited response": Case("invalid_value", "response.max_output_tokens", [respond(max_output_tokens=-1)]),
    "reference to nothing": Case(
        "invalid_value",
        "response.input[1].id",
        [respond(input=[message(TEXT), {"type": "item_reference", "id": "gone"}])],
    ),
    "picture of its own": Case(
        "invalid_value",
        "response.input[0].content[0].image_url",
        [respond(input=[message({"type": "input_image", "image_url": "data:,"})])],
    ),
    "too many remarks": Case(
        "invalid_value", "response.metadata", [respond(metadata={f"k{n}": "" for n in range(17)})]
    ),
    "a long name": Case("invalid_value", f"response.metadata.{'k' * 65}", [respond(metadata={"k" * 65: ""})]),
    "a long remark": Case("invalid_value", "response.metadata.k", [respond(metadata={"k": "v" * 513})]),
    "a remark that is no text": Case("invalid_type", "response.metadata.k", [respond(metadata={"k": 5})]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_told_by_code_and_place_and_nothing_else_happens(name: str) -> None:
    case = CASES[name]
    call = Script(sound=Sound.TEXT, replies=["Yes.", "Still here."])
    *before, mistake = case.events
    for event in before:
        call.send(event)
        call.wait(2.0)
    if mistake.get("item_id") == "spoken":
        mistake = mistake | {"item_id": call.host.items[-1].id}
    sent, items = len(call.events), call.host.items
    call.send(mistake | {"event_id": "mine"})
    assert [type(event) for event in call.events[sent:]] == [Error]
    error = call.last(Error).error
    assert (error.type, error.code, error.param, error.event_id) == (
        "invalid_request_error",
        case.code,
        case.param,
        "mine",
    )
    assert call.host.items == items
    call.send({"type": "response.create"})
    call.wait(2.0)
    assert call.last(ResponseDone).response.status == "completed"


def test_an_unknown_type_is_answered_with_those_that_there_are() -> None:
    call = Script()
    call.send({"type": "session.close"})
    message = call.last(Error).error.message
    assert all(name in message for name in CLIENT_EVENTS)


@pytest.mark.parametrize("text", ["", "{", "[]", '"type"', "null", "\x00"])
def test_what_is_no_event_is_told_too(text: str) -> None:
    call = Script()
    call.send_text(text)
    error = call.last(Error).error
    assert (error.type, error.param, error.event_id) == ("invalid_request_error", None, None)
    assert error.code in ("invalid_json", "invalid_type")


def test_a_second_response_is_refused_by_the_name_of_the_first() -> None:
    call = Script()
    call.send({"type": "response.create"})
    call.send({"type": "response.create", "event_id": "again"})
    error = call.last(Error).error
    assert (error.code, error.event_id) == ("conversation_already_has_active_response", "again")
    assert "resp_" in error.message


def test_a_second_response_that_the_server_wanted_blames_nobody() -> None:
    call = Script(replies=[[Words("A moment, "), Rest(5.0), Words("please."), Thought()]])
    detection = {"type": "server_vad", "interrupt_response": False}
    call.send(update(audio={"input": {"turn_detection": detection}}))
    call.send({"type": "response.create"})
    call.wait(0.1)
    call.speak(1.0)
    call.wait(1.0)
    error = call.last(Error).error
    assert (error.code, error.event_id) == ("conversation_already_has_active_response", None)


def test_a_session_ends_with_its_own_error_and_close_code() -> None:
    call = Script(terms=Terms(lifetime_s=60.0))
    call.wait(61.0)
    error = call.last(Error).error
    assert (error.type, error.code) == ("invalid_request_error", "session_expired")
    assert call.hung_up is not None
    assert (call.hung_up.code, call.hung_up.reason) == (1001, error.message)


@pytest.mark.parametrize("session", [TranscriptionSession()])
def test_a_transcription_session_makes_no_responses(session: Session) -> None:
    call = Script(session=session)
    call.send({"type": "response.create"})
    error = call.last(Error).error
    assert (error.code, error.param) == ("invalid_value", "type")
