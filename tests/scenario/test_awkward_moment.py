"""Things done at the wrong moment: what the user hears and reads of it, and what the history keeps."""

import base64

import numpy as np
import pytest

from vivavoce.audio.frame import Pcm, sample_count, silence, to_bytes
from vivavoce.session.answers import Sound
from vivavoce.session.result import CallArguments, CallBegun, Thought, Words
from vivavoce.testing.ear import voice
from vivavoce.testing.script import Pace, Script
from vivavoce.wire.event import (
    ConversationItemTruncated,
    Error,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    OutputAudioBufferStarted,
    OutputAudioBufferStopped,
    ResponseDone,
)
from vivavoce.wire.item import AssistantMessage, InputAudio, OutputAudio, UserMessage

LONG = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen."


def said(call: Script) -> list[str]:
    """What the history holds of the assistant's words, item by item."""
    parts = [part for item in call.host.items if isinstance(item, AssistantMessage) for part in item.content]
    return [str(part.transcript) for part in parts if isinstance(part, OutputAudio)]


def ask(call: Script, **response: object) -> None:
    call.send({"type": "response.create", "response": response})


def detect(call: Script, detection: object) -> None:
    audio = {"input": {"turn_detection": detection}}
    call.send({"type": "session.update", "session": {"type": "realtime", "audio": audio}})


def statuses(call: Script) -> list[str]:
    return [str(event.response.status) for event in call.events if isinstance(event, ResponseDone)]


# ── answers one behind the other ────────────────────────────────────────────────────────────────────────


def test_an_answer_asked_for_while_another_is_heard_waits_for_its_turn() -> None:
    call = Script(replies=["The first answer.", "The second answer."])
    ask(call)
    call.wait(0.5)
    ask(call)
    call.wait(5.0)
    playing = [
        event.type for event in call.events if isinstance(event, OutputAudioBufferStarted | OutputAudioBufferStopped)
    ]
    assert playing == ["output_audio_buffer.started", "output_audio_buffer.stopped"] * 2
    assert call.heard_words == ["The", "first", "answer.", "The", "second", "answer."]
    started = [at for at, event in call.log if isinstance(event, OutputAudioBufferStarted)]
    stopped = [at for at, event in call.log if isinstance(event, OutputAudioBufferStopped)]
    assert started[1] == pytest.approx(stopped[0])
    assert stopped[0] - started[0] == pytest.approx(len("The first answer.") * 0.06, abs=0.03)


def test_an_aside_is_never_heard_across_an_answer() -> None:
    call = Script(replies=["An answer with several words.", "An aside that comes in between."], pace=Pace(piece=0.09))
    ask(call)
    ask(call, conversation="none")
    call.wait(8.0)
    assert " ".join(call.heard_words) == "An answer with several words. An aside that comes in between."
    assert said(call) == ["An answer with several words."]


def test_the_user_stops_the_answer_but_not_the_aside() -> None:
    call = Script(transcripts=["stop"], replies=[LONG, "An aside.", "All right."])
    ask(call)
    call.wait(1.0)
    ask(call, conversation="none")
    call.wait(1.0)
    call.speak(0.5)
    call.wait(3.0)
    words = " ".join(call.heard_words)
    assert "An aside. All right." in words
    assert "seventeen" not in words
    assert words.startswith(said(call)[0].strip())


def test_an_answer_that_was_not_heard_at_all_is_not_remembered() -> None:
    call = Script(transcripts=["stop"], replies=[LONG, "Never heard.", "All right."])
    ask(call)
    call.wait(1.2)
    ask(call)
    call.wait(0.5)
    call.speak(0.5)
    assert said(call)[1] == ""
    assert "Never" not in repr(call.host.items)
    call.wait(1.0)
    assert "Never" not in repr(call.thoughts[-1].items)


# ── stopping ────────────────────────────────────────────────────────────────────────────────────────────


def test_cancelled_while_the_speaker_works_the_sound_made_so_far_is_heard() -> None:
    call = Script(replies=[LONG], pace=Pace(piece=0.05))
    ask(call)
    call.wait(1.0)
    call.send({"type": "response.cancel"})
    assert statuses(call) == ["cancelled"]
    assert not call.cast.busy
    call.wait(5.0)
    assert call.types[-1] == "output_audio_buffer.stopped"
    assert said(call)[0].split() == call.heard_words


def test_cancelled_and_cleared_it_ends_at_once() -> None:
    call = Script(replies=[LONG])
    ask(call)
    call.wait(1.5)
    call.send({"type": "output_audio_buffer.clear"})
    heard = call.heard_samples
    call.wait(1.0)
    assert call.heard_samples == heard
    assert said(call)[0].split() == call.heard_words


def test_truncating_what_is_still_heard_stops_it() -> None:
    call = Script(replies=[LONG])
    ask(call)
    call.wait(1.5)
    item = call.host.items[0]
    call.send({"type": "conversation.item.truncate", "item_id": item.id, "content_index": 0, "audio_end_ms": 5000})
    assert call.last(ConversationItemTruncated).audio_end_ms == call.heard_samples // 24 < 5000
    assert said(call)[0].split() == call.heard_words
    heard = call.heard_samples
    call.wait(1.0)
    assert call.heard_samples == heard


def test_truncating_an_item_in_the_making_stops_it() -> None:
    call = Script(replies=[LONG])
    ask(call)
    call.wait(0.3)
    item = call.host.items[0]
    call.send({"type": "conversation.item.truncate", "item_id": item.id, "content_index": 0, "audio_end_ms": 0})
    assert call.last(ResponseDone).response.status == "cancelled"
    assert call.last(ConversationItemTruncated).audio_end_ms == 0
    heard = call.heard_samples
    call.wait(8.0)
    assert (statuses(call), call.heard_samples) == (["cancelled"], heard)


def test_a_tool_called_after_some_words_may_be_answered_while_they_are_heard() -> None:
    steps = [Words("Let me look that up for you. "), CallBegun(0, "look"), CallArguments(0, "{}"), Thought()]
    call = Script(replies=[steps, "It is sunny."])
    ask(call)
    call.wait(0.4)
    assert statuses(call) == ["completed"]
    call.send(
        {"type": "conversation.item.create", "item": {"type": "function_call_output", "call_id": "c", "output": "sun"}}
    )
    ask(call)
    call.wait(5.0)
    assert " ".join(call.heard_words) == "Let me look that up for you. It is sunny."


# ── items that come and go ──────────────────────────────────────────────────────────────────────────────


def test_an_answer_deleted_while_it_is_spoken_is_heard_and_forgotten() -> None:
    call = Script(transcripts=["and now?"], replies=[LONG, "Yes."])
    ask(call)
    call.wait(0.1)
    call.send({"type": "conversation.item.delete", "item_id": call.host.items[0].id})
    call.wait(8.0)
    assert call.heard_words == LONG.split()
    assert call.host.items == ()
    call.speak(0.5)
    call.wait(2.0)
    assert "seventeen" not in repr(call.thoughts[-1].items)


def test_a_deleted_turn_is_not_answered_for_and_not_written_down() -> None:
    asked = {"input": {"transcription": {"model": "whisper-1"}}}
    call = Script(transcripts=["secret"], replies=["Hello."], pace=Pace(transcript=1.0))
    call.send({"type": "session.update", "session": {"type": "realtime", "audio": asked}})
    call.speak(1.0)
    call.wait(0.4)
    call.send({"type": "conversation.item.delete", "item_id": call.host.items[0].id})
    call.wait(3.0)
    assert "secret" not in repr(call.events)
    assert call.thoughts[0].items == ()
    assert statuses(call) == ["completed"]


def test_nobody_takes_the_id_of_a_turn_that_is_being_spoken() -> None:
    call = Script(transcripts=["hello"])
    call.speak(0.5)
    id = call.last(InputAudioBufferSpeechStarted).item_id
    item: dict[str, object] = {"type": "message", "role": "user", "id": id, "content": []}
    call.send({"type": "conversation.item.create", "item": item})
    assert call.last(Error).error.param == "item.id"
    call.wait(2.0)
    assert [item.id for item in call.host.items][0] == id


# ── turns ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_commit_in_mid_speech_makes_two_turns_of_one() -> None:
    call = Script(transcripts=["first half", "second half"])
    call.speak(1.0)
    call.send({"type": "input_audio_buffer.commit"})
    call.speak(1.0)
    call.wait(2.0)
    assert written(call) == ["first half", "second half"]
    assert statuses(call) == ["completed"]


def test_push_to_talk_and_back_in_the_middle_of_everything() -> None:
    call = Script(transcripts=["by hand", "by voice"], replies=["One.", "Two."])
    call.speak(0.7)
    detect(call, None)
    call.speak(0.7)
    call.send({"type": "input_audio_buffer.commit"})
    detect(call, {"type": "server_vad"})
    call.wait(1.0)
    assert len(call.host.items) == 1
    call.speak(0.7)
    call.wait(3.0)
    started = [event.audio_start_ms for event in call.events if isinstance(event, InputAudioBufferSpeechStarted)]
    assert len(started) == 2
    assert 2400 - 300 - 40 <= started[1] <= 2400
    assert written(call) == ["by hand", "by voice"]


def file(*parts: tuple[bool, float]) -> Pcm:
    """Speech and silence of so many seconds."""
    return np.concatenate([(voice if loud else silence)(sample_count(seconds * 1000)) for loud, seconds in parts])


def bounds(call: Script) -> list[int]:
    """Where turns begin and end, in milliseconds."""
    return [
        event.audio_start_ms if isinstance(event, InputAudioBufferSpeechStarted) else event.audio_end_ms
        for event in call.events
        if isinstance(event, InputAudioBufferSpeechStarted | InputAudioBufferSpeechStopped)
    ]


def written(call: Script) -> list[str]:
    """What was written down of the user's words, item by item."""
    parts = [part for item in call.host.items if isinstance(item, UserMessage) for part in item.content]
    return [str(part.transcript) for part in parts if isinstance(part, InputAudio)]


PARTS = [(True, 1.0), (False, 15.0), (True, 2.0), (False, 1.0), (True, 1.5), (False, 1.0)]


@pytest.mark.parametrize("late", [0.0, 0.3])
def test_a_file_sent_at_once_is_heard_as_it_would_be_spoken(late: float) -> None:
    spoken, sent = (
        Script(sound=Sound.TEXT, transcripts=["one", "two", "three"], pace=Pace(detector=late)) for _ in "ab"
    )
    for call in (spoken, sent):
        detect(call, {"type": "server_vad", "create_response": False})
    for loud, seconds in PARTS:
        (spoken.speak if loud else spoken.wait)(seconds)
    sent.send({"type": "input_audio_buffer.append", "audio": base64.b64encode(to_bytes(file(*PARTS))).decode()})
    for call in (spoken, sent):
        call.wait(2.0)
    turns = [[event for event in call.events if "input_audio_buffer" in event.type] for call in (spoken, sent)]
    assert [event.type for event in turns[0]] == [event.type for event in turns[1]]
    assert [getattr(event, "audio_end_ms", 0) for event in turns[0]] == [
        getattr(event, "audio_end_ms", 0) for event in turns[1]
    ]
    assert [repr(item)[-40:] for item in spoken.host.items] == [repr(item)[-40:] for item in sent.host.items]


@pytest.mark.parametrize("sound", list(Sound))
def test_an_idle_caller_is_noticed_however_sound_travels(sound: Sound) -> None:
    call = Script(sound=sound, transcripts=["hello", ""], replies=["A short answer.", "Still there?"])
    detect(call, {"type": "server_vad", "idle_timeout_ms": 5000})
    call.speak(0.5)
    call.lose_sound(1.5)
    if sound is Sound.TEXT:
        call.wait(0.5)
    call.lose_sound(8.0)
    assert call.types.count("input_audio_buffer.timeout_triggered") == 1
    assert statuses(call) == ["completed", "completed"]
