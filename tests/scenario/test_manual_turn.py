"""Push to talk, idle callers, transcription sessions, and sessions that end."""

import base64

from vivavoce.audio.frame import sample_count, silence, to_bytes
from vivavoce.session.answers import Sound
from vivavoce.testing.script import Script, Terms
from vivavoce.wire.config import TranscriptionSession
from vivavoce.wire.event import (
    ConversationItemRetrieved,
    Error,
    InputAudioBufferTimeoutTriggered,
    ResponseDone,
    SessionCreated,
)
from vivavoce.wire.item import InputAudio, UserMessage


def push_to_talk(call: Script) -> None:
    audio = {"input": {"turn_detection": None, "transcription": {"model": "gpt-4o-transcribe"}}}
    call.send({"type": "session.update", "session": {"type": "realtime", "audio": audio}})


def append(call: Script, milliseconds: int) -> None:
    sound = base64.b64encode(to_bytes(silence(sample_count(milliseconds)))).decode()
    call.send({"type": "input_audio_buffer.append", "audio": sound})


def test_the_client_commits_and_asks_for_the_answer_itself() -> None:
    call = Script(sound=Sound.TEXT, transcripts=["hello"])
    push_to_talk(call)
    append(call, 600)
    append(call, 600)
    call.send({"type": "input_audio_buffer.commit"})
    assert call.types[2:] == ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"]
    call.wait(1.0)
    assert "response.created" not in call.types
    call.send({"type": "response.create"})
    call.wait(2.0)
    assert call.last(ResponseDone).response.status == "completed"
    assert "conversation.item.input_audio_transcription.completed" in call.types


def test_a_commit_needs_a_tenth_of_a_second() -> None:
    call = Script(sound=Sound.TEXT)
    push_to_talk(call)
    append(call, 99)
    call.send({"type": "input_audio_buffer.commit"})
    assert call.last(Error).error.code == "input_audio_buffer_commit_empty"
    assert "99.00ms" in call.last(Error).error.message
    append(call, 1)
    call.send({"type": "input_audio_buffer.commit"})
    assert "input_audio_buffer.committed" in call.types


def test_clear_forgets_what_was_not_committed() -> None:
    call = Script(sound=Sound.TEXT)
    push_to_talk(call)
    append(call, 500)
    call.send({"type": "input_audio_buffer.clear"})
    call.send({"type": "input_audio_buffer.commit"})
    assert call.types[2:] == ["input_audio_buffer.cleared", "error"]


def test_speech_alone_starts_nothing_without_turn_detection() -> None:
    call = Script(transcripts=["hello"])
    push_to_talk(call)
    call.speak(2.0)
    call.wait(2.0)
    assert call.types == ["session.created", "session.updated"]
    call.send({"type": "input_audio_buffer.commit"})
    assert call.types[2] == "input_audio_buffer.committed"


def test_retrieve_gives_the_sound_back() -> None:
    call = Script(sound=Sound.TEXT)
    push_to_talk(call)
    append(call, 500)
    call.send({"type": "input_audio_buffer.commit"})
    call.send({"type": "conversation.item.retrieve", "item_id": call.host.items[0].id})
    item = call.last(ConversationItemRetrieved).item
    assert isinstance(item, UserMessage)
    assert isinstance(item.content[0], InputAudio)
    assert len(base64.b64decode(str(item.content[0].audio))) == 500 * 24 * 2


def test_switching_detection_off_in_mid_speech_leaves_the_sound_to_the_client() -> None:
    call = Script(transcripts=["hello"])
    call.speak(1.0)
    push_to_talk(call)
    call.wait(2.0)
    assert "input_audio_buffer.committed" not in call.types
    call.send({"type": "input_audio_buffer.commit"})
    assert "input_audio_buffer.committed" in call.types


def test_an_idle_caller_is_spoken_to_again() -> None:
    call = Script(transcripts=["hello", ""], replies=["Hi.", "Are you there?"])
    vad = {"type": "server_vad", "idle_timeout_ms": 5000}
    call.send({"type": "session.update", "session": {"type": "realtime", "audio": {"input": {"turn_detection": vad}}}})
    call.wait(10.0)
    assert call.types == ["session.created", "session.updated"]
    call.speak(1.0)
    call.wait(7.0)
    timeout = call.last(InputAudioBufferTimeoutTriggered)
    stopped = next(at for at, event in call.log if event.type == "output_audio_buffer.stopped")
    fired = next(at for at, event in call.log if event is timeout)
    assert 5.0 <= fired - stopped <= 5.1
    assert 4900 <= timeout.audio_end_ms - timeout.audio_start_ms <= 5100
    place = call.types.index("input_audio_buffer.timeout_triggered")
    assert call.types[place : place + 5] == [
        "input_audio_buffer.timeout_triggered",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
    ]


def test_a_transcription_session_writes_down_and_never_answers() -> None:
    call = Script(session=TranscriptionSession(), transcripts=["note this"])
    opened = call.last(SessionCreated).session
    assert opened.object == "realtime.transcription_session"
    audio = {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}
    call.send({"type": "session.update", "session": {"type": "transcription", "audio": audio}})
    call.speak(1.0)
    call.wait(2.0)
    assert "conversation.item.input_audio_transcription.completed" in call.types
    assert not [type for type in call.types if type.startswith("response.")]
    call.send({"type": "response.create"})
    assert call.last(Error).error.code == "invalid_value"


def test_a_session_ends_after_its_time_with_the_services_words() -> None:
    call = Script(terms=Terms(lifetime_s=60.0))
    call.wait(61.0)
    assert call.last(Error).error.code == "session_expired"
    assert call.hung_up is not None
    assert (call.hung_up.code, call.hung_up.reason) == (1001, call.last(Error).error.message)


def test_a_call_that_closes_stops_all_work() -> None:
    call = Script(transcripts=["count"], replies=["One two three. Four five six. Seven eight nine."])
    call.speak(1.0)
    call.wait(0.5)
    call.close()
    done = [event for event in call.events if isinstance(event, ResponseDone)]
    assert len(done) == 1
    events = len(call.events)
    call.lose_sound(30.0)
    assert len(call.events) == events
