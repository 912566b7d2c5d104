"""Transcription sessions, and the user's words in conversations: when they are told, and of which item."""

import base64
import json

import pytest
from msgspec import UnsetType

from vivavoce.audio.frame import sample_count, silence, to_bytes
from vivavoce.errors import RequestError
from vivavoce.session.answers import Sound
from vivavoce.session.result import Failed, Partial
from vivavoce.session.settings import effective
from vivavoce.testing.along import Along
from vivavoce.testing.script import Script
from vivavoce.wire.codec import decode_session
from vivavoce.wire.config import AudioInput, Session, Transcription, TranscriptionSession
from vivavoce.wire.event import (
    ConversationItemAdded,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    Error,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    SessionUpdated,
)
from vivavoce.wire.item import InputAudio, UserMessage

WORDS = "conversation.item.input_audio_transcription"
ITEM = ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"]
HELLO = Along([(0.4, Partial("hello")), (0.8, Partial(" there"))], "hello there again")


def session(kind: str = "transcription", *, model: str = "gpt-realtime-whisper", **heard: object) -> Session:
    audio = {"input": {"transcription": {"model": model}, **heard}}
    return decode_session(json.dumps({"type": kind, "audio": audio}).encode())


def push_to_talk(*transcripts: Along | str | Failed) -> Script:
    return Script(session=session(turn_detection=None), sound=Sound.TEXT, transcripts=transcripts)


def append(call: Script, seconds: float) -> None:
    sound = base64.b64encode(to_bytes(silence(sample_count(seconds * 1000)))).decode()
    call.send({"type": "input_audio_buffer.append", "audio": sound})
    call.lose_sound(seconds)


def words(call: Script) -> list[tuple[str, str]]:
    """Deltas and transcripts, with the items that they are of."""
    found: list[tuple[str, str]] = []
    for event in call.events:
        match event:
            case ConversationItemInputAudioTranscriptionDelta():
                found.append((event.item_id, str(event.delta)))
            case ConversationItemInputAudioTranscriptionCompleted():
                found.append((event.item_id, event.transcript))
            case _:
                pass
    return found


def test_without_turn_detection_words_come_while_sound_arrives_under_the_items_own_id() -> None:
    call = push_to_talk(HELLO)
    append(call, 0.5)
    append(call, 0.5)
    assert call.types[1:] == [f"{WORDS}.delta"]
    call.send({"type": "input_audio_buffer.commit"})
    call.wait(1.0)
    assert call.types[1:] == [f"{WORDS}.delta", *ITEM, f"{WORDS}.completed"]
    id = call.last(InputAudioBufferCommitted).item_id
    assert words(call) == [(id, "hello"), (id, " there"), (id, "hello there again")]
    item = call.last(ConversationItemAdded).item
    assert isinstance(item, UserMessage)
    assert item.content == [InputAudio(transcript=None)]


def test_words_that_come_after_the_commit_follow_the_item() -> None:
    call = push_to_talk(HELLO)
    append(call, 0.5)
    append(call, 0.5)
    call = push_to_talk(Along([(0.9, Partial("hello")), (1.0, Partial(" there"))], "hello there"))
    sound = base64.b64encode(to_bytes(silence(sample_count(1000)))).decode()
    call.send({"type": "input_audio_buffer.append", "audio": sound})
    call.send({"type": "input_audio_buffer.commit"})
    call.wait(1.0)
    assert call.types[1:] == [*ITEM, f"{WORDS}.delta", f"{WORDS}.completed"]


def test_each_commit_begins_the_next_item() -> None:
    call = push_to_talk(HELLO, Along([(0.2, Partial("bye"))], "bye"))
    append(call, 1.0)
    call.send({"type": "input_audio_buffer.commit"})
    first = call.last(InputAudioBufferCommitted).item_id
    append(call, 0.4)
    call.send({"type": "input_audio_buffer.commit"})
    call.wait(1.0)
    second = call.last(InputAudioBufferCommitted)
    assert second.previous_item_id == first
    assert [id for id, text in words(call) if "bye" in text] == [second.item_id] * 2


def test_committed_silence_is_an_empty_transcript() -> None:
    call = push_to_talk("")
    append(call, 1.0)
    call.send({"type": "input_audio_buffer.commit"})
    call.wait(1.0)
    assert call.types[1:] == [*ITEM, f"{WORDS}.completed"]
    completed = call.last(ConversationItemInputAudioTranscriptionCompleted)
    assert completed.transcript == ""
    assert "seconds=1" in repr(completed.usage)


def test_what_was_cleared_is_no_part_of_the_next_item() -> None:
    call = push_to_talk(HELLO, Along([(0.2, Partial("bye"))], "bye"))
    append(call, 1.0)
    call.send({"type": "input_audio_buffer.clear"})
    append(call, 0.4)
    call.send({"type": "input_audio_buffer.commit"})
    call.lose_sound(1.0)
    id = call.last(InputAudioBufferCommitted).item_id
    assert [text for item_id, text in words(call) if item_id == id] == ["bye", "bye"]
    assert call.cast.busy == set()


def test_a_transcriber_that_fails_before_the_commit_is_told_of_after_it() -> None:
    call = Script(session=session(turn_detection=None), sound=Sound.TEXT, transcripts=[Failed("gone")])
    append(call, 1.0)
    call.send({"type": "input_audio_buffer.commit"})
    call.wait(1.0)
    assert call.types[1:] == [*ITEM, f"{WORDS}.failed"]
    append(call, 1.0)
    call.send({"type": "input_audio_buffer.commit"})
    call.wait(1.0)
    assert call.types[-1] == f"{WORDS}.completed"


@pytest.mark.parametrize("kind", ["transcription", "realtime"])
def test_under_turn_detection_words_come_while_somebody_speaks(kind: str) -> None:
    call = Script(session=session(kind, model="gpt-4o-transcribe"), transcripts=[HELLO])
    call.speak(1.0)
    call.wait(1.0)
    told = [type for type in call.types if not type.startswith(("response.", "output_audio_buffer."))]
    assert told[1:4] == ["input_audio_buffer.speech_started", f"{WORDS}.delta", "input_audio_buffer.speech_stopped"]
    id = call.last(InputAudioBufferSpeechStarted).item_id
    assert {item_id for item_id, _ in words(call)} == {id}


def test_whisper_1_tells_all_its_words_at_once_behind_the_item() -> None:
    call = Script(session=session("realtime", model="whisper-1"), transcripts=[HELLO])
    call.speak(1.0)
    call.wait(1.0)
    assert [text for _, text in words(call)] == ["hello there again"] * 2
    assert call.types.index(f"{WORDS}.delta") > call.types.index("conversation.item.done")


def test_in_a_conversation_push_to_talk_is_written_down_only_when_it_is_committed() -> None:
    call = Script(session=session("realtime", turn_detection=None), sound=Sound.TEXT, transcripts=[HELLO])
    append(call, 1.0)
    assert call.types == ["session.created"]
    assert call.cast.busy == set()
    call.send({"type": "input_audio_buffer.commit"})
    call.wait(1.0)
    assert [text for _, text in words(call)] == ["hello", " there", "hello there again"]


def test_create_response_has_no_effect_in_a_transcription_session() -> None:
    vad = {"type": "server_vad", "create_response": True, "interrupt_response": True, "idle_timeout_ms": 5000}
    call = Script(session=session(model="gpt-4o-transcribe", turn_detection=vad), transcripts=["hello"])
    call.speak(1.0)
    call.wait(12.0)
    assert f"{WORDS}.completed" in call.types
    assert not [type for type in call.types if type.startswith("response.") or type.endswith("timeout_triggered")]


def test_an_answer_cannot_be_had_of_a_transcription_session() -> None:
    call = push_to_talk()
    call.send({"type": "response.create", "event_id": "e1"})
    error = call.last(Error).error
    assert (error.type, error.code, error.event_id) == ("invalid_request_error", "invalid_value", "e1")


def write(model: str, **heard: object) -> dict[str, object]:
    return {"transcription": {"model": model, **heard}}


def shown(call: Script, kind: str) -> AudioInput:
    """The input's settings, as the client is told them."""
    call.send({"type": "session.update", "session": {"type": kind}})
    audio = call.last(SessionUpdated).session.audio
    assert not isinstance(audio, UnsetType)
    assert isinstance(audio.input, AudioInput)
    return audio.input


def change(call: Script, kind: str, **heard: object) -> Error | None:
    """Ask for another input; the error that answers, if one does."""
    before = len(call.events)
    call.send({"type": "session.update", "session": {"type": kind, "audio": {"input": heard}}})
    answer = call.events[before]
    return answer if isinstance(answer, Error) else None


@pytest.mark.parametrize("model", ["gpt-realtime-whisper", "gpt-live-transcribe"])
def test_a_model_without_turns_must_be_asked_for_with_turn_detection_null(model: str) -> None:
    call = Script(session=TranscriptionSession(), sound=Sound.TEXT)
    refused = change(call, "transcription", **write(model))
    assert refused is not None
    assert (refused.error.code, refused.error.param) == ("invalid_value", "session.audio.input.turn_detection")
    assert shown(call, "transcription").transcription is None
    assert change(call, "transcription", **write(model), turn_detection=None) is None
    assert change(call, "transcription", **write(model)) is None
    assert change(call, "transcription", turn_detection={"type": "server_vad"}) is not None
    assert change(call, "transcription", **write("gpt-transcribe"), turn_detection={"type": "server_vad"}) is None


@pytest.mark.parametrize("model", ["gpt-realtime-whisper", "gpt-live-transcribe"])
def test_a_session_does_not_open_with_turns_that_its_model_cannot_detect(model: str) -> None:
    with pytest.raises(RequestError) as refused:
        effective(session(model=model), "sess_1", "house", 3600)
    assert refused.value.param == "session.audio.input.turn_detection"
    effective(session(model=model, turn_detection=None), "sess_1", "house", 3600)


def test_in_a_conversation_turns_are_not_the_transcribers_affair() -> None:
    call = Script(session=session("realtime", model="gpt-realtime-whisper"), transcripts=[HELLO])
    call.speak(1.0)
    call.wait(1.0)
    assert f"{WORDS}.completed" in call.types


@pytest.mark.parametrize("kind", ["transcription", "realtime"])
@pytest.mark.parametrize(
    ("model", "field", "value"),
    [
        ("gpt-live-transcribe", "delay", "low"),
        ("gpt-4o-transcribe", "delay", "low"),
        ("whisper-1", "keywords", ["Thun"]),
        ("gpt-realtime-whisper", "keywords", ["Thun"]),
        ("gpt-4o-mini-transcribe-2025-12-15", "languages", ["de"]),
        ("gpt-realtime-whisper", "prompt", "Names of lakes."),
        ("gpt-4o-transcribe-diarize", "prompt", "Names of lakes."),
    ],
)
def test_what_a_model_does_not_take_is_refused_by_its_path_and_changes_nothing(
    kind: str, model: str, field: str, value: object
) -> None:
    call = Script(session=session(kind, model="gpt-4o-transcribe", turn_detection=None), sound=Sound.TEXT)
    before = shown(call, kind)
    refused = change(call, kind, noise_reduction={"type": "near_field"}, **write(model, **{field: value}))
    assert refused is not None
    assert (refused.error.code, refused.error.param) == ("invalid_value", f"session.audio.input.transcription.{field}")
    assert shown(call, kind) == before


def test_delay_is_taken_and_not_shown() -> None:
    call = push_to_talk()
    assert change(call, "transcription", **write("gpt-realtime-whisper", delay="xhigh")) is None
    assert shown(call, "transcription").transcription == Transcription(model="gpt-realtime-whisper")


def test_what_the_next_model_does_not_take_goes_with_the_last_one() -> None:
    call = Script(session=session("realtime", model="whisper-1"), sound=Sound.TEXT)
    assert change(call, "realtime", **write("whisper-1", prompt="Names of lakes.", language="de")) is None
    assert change(call, "realtime", **write("gpt-realtime-whisper")) is None
    assert shown(call, "realtime").transcription == Transcription(model="gpt-realtime-whisper", language="de")
