"""A person speaks, the agent answers: server voice activity detection, from the first sample to the last."""

import json

import pytest

from vivavoce.session.answers import Sound
from vivavoce.testing.script import Pace, Script
from vivavoce.wire.codec import decode_session
from vivavoce.wire.config import Session
from vivavoce.wire.event import (
    ConversationItemInputAudioTranscriptionCompleted,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    ResponseDone,
)

USER_TURN = [
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
]
ANSWER_BEGINS = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
]
ANSWER_ENDS = [
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "conversation.item.done",
    "response.done",
]


def session(text: str) -> Session:
    return decode_session(text.encode())


def server_vad(**settings: object) -> Session:
    detection = {"type": "server_vad", **settings}
    return session(json.dumps({"type": "realtime", "audio": {"input": {"turn_detection": detection}}}))


def test_events_of_a_spoken_turn_come_in_the_order_of_the_live_service() -> None:
    call = Script(transcripts=["hello"], replies=["Hello to you."])
    call.wait(0.5)
    call.speak(1.0)
    call.wait(3.0)
    marks = ["output_audio_buffer.started", "output_audio_buffer.stopped"]
    assert [type for type in call.types if type not in marks] == [
        "session.created",
        *USER_TURN,
        *ANSWER_BEGINS,
        *ANSWER_ENDS,
    ]
    order = call.types
    assert order.index("response.content_part.added") < order.index(marks[0]) < order.index("response.done")
    assert order[-1] == marks[1]


def test_over_a_websocket_sound_travels_in_events_and_nothing_is_said_of_playing() -> None:
    call = Script(sound=Sound.TEXT, transcripts=["hello"], replies=["Hello to you."])
    call.speak(1.0)
    call.wait(3.0)
    assert "response.output_audio.delta" in call.types
    assert not [type for type in call.types if type.startswith("output_audio_buffer")]
    assert call.types.index("response.output_audio_transcript.delta") < call.types.index("response.output_audio.delta")


def test_one_id_names_the_users_item_from_the_first_word_to_the_transcript() -> None:
    asked = session('{"type":"realtime","audio":{"input":{"transcription":{"model":"whisper-1"}}}}')
    call = Script(session=asked, transcripts=["hello there"])
    call.speak(1.0)
    call.wait(2.0)
    started = call.last(InputAudioBufferSpeechStarted)
    completed = call.last(ConversationItemInputAudioTranscriptionCompleted)
    assert started.item_id == call.last(InputAudioBufferSpeechStopped).item_id
    assert started.item_id == call.last(InputAudioBufferCommitted).item_id == completed.item_id
    assert completed.transcript == "hello there"


def test_transcript_is_not_sent_unasked_but_the_thinker_reads_it() -> None:
    call = Script(transcripts=["what time is it"])
    call.speak(1.0)
    call.wait(2.0)
    assert not [type for type in call.types if "transcription" in type]
    (user,) = call.thoughts[0].items
    assert "what time is it" in repr(user)


@pytest.mark.parametrize(("silence_ms", "stops_by"), [(200, 250), (500, 550), (1200, 1250)])
def test_a_turn_ends_after_the_silence_that_was_asked_for(silence_ms: int, stops_by: int) -> None:
    call = Script(session=server_vad(silence_duration_ms=silence_ms))
    call.wait(0.32)
    call.speak(0.96)
    call.wait(2.0)
    stopped = call.last(InputAudioBufferSpeechStopped)
    assert silence_ms <= stopped.audio_end_ms - 1280 <= stops_by


def test_a_pause_shorter_than_the_silence_stays_one_turn() -> None:
    call = Script(session=server_vad(silence_duration_ms=500))
    call.speak(1.0)
    call.wait(0.4)
    call.speak(1.0)
    call.wait(2.0)
    assert call.types.count("input_audio_buffer.speech_started") == 1
    assert call.types.count("input_audio_buffer.committed") == 1


@pytest.mark.parametrize("padding", [0, 100, 300, 600])
def test_speech_starts_with_the_padding_before_it(padding: int) -> None:
    call = Script(session=server_vad(prefix_padding_ms=padding))
    call.wait(0.96)
    call.speak(1.0)
    assert call.last(InputAudioBufferSpeechStarted).audio_start_ms == 960 - padding


def test_a_click_is_not_speech() -> None:
    call = Script()
    call.wait(0.5)
    call.speak(0.02)
    call.wait(1.0)
    assert call.types == ["session.created"]


def test_create_response_off_leaves_the_answer_to_the_client() -> None:
    call = Script(session=server_vad(create_response=False), transcripts=["hello"])
    call.speak(1.0)
    call.wait(2.0)
    assert call.types == ["session.created", *USER_TURN]
    call.send({"type": "response.create"})
    call.wait(2.0)
    assert call.last(ResponseDone).response.status == "completed"


def test_a_caller_whose_sound_stops_in_mid_word_has_finished_the_turn() -> None:
    call = Script(transcripts=["hello"])
    call.speak(1.0)
    call.lose_sound(3.0)
    assert call.types[1:4] == [*USER_TURN[:3]]
    assert call.last(ResponseDone).response.status == "completed"


def test_the_user_may_go_on_while_the_words_are_still_being_written_down() -> None:
    call = Script(transcripts=["first", "second"], replies=["Both."], pace=Pace(transcript=0.3))
    call.speak(1.0)
    call.wait(0.3)  # the turn has ended, its transcript has not come
    call.speak(1.0)
    call.wait(3.0)
    statuses = [event.response.status for event in call.events if isinstance(event, ResponseDone)]
    assert statuses == ["cancelled", "completed"]
    assert len(call.thoughts[-1].items) == 2
