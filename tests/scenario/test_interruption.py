"""The user speaks into the answer: what stops, what is said about it, and what the history keeps."""

from vivavoce.session.answers import Sound
from vivavoce.testing.script import CHARACTER, Script
from vivavoce.wire.event import (
    ConversationItemRetrieved,
    ConversationItemTruncated,
    Error,
    ResponseDone,
    ResponseOutputAudioTranscriptDone,
    ResponseOutputItemDone,
)
from vivavoce.wire.item import AssistantMessage, Item, OutputAudio

LONG = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen."


def words(item: Item) -> str:
    assert isinstance(item, AssistantMessage)
    assert isinstance(item.content[0], OutputAudio)
    assert isinstance(item.content[0].transcript, str)
    return item.content[0].transcript


def interrupted(*, after: float = 2.0) -> Script:
    """Somebody asks, hears so many seconds of a long answer and speaks into it."""
    call = Script(transcripts=["count", "stop"], replies=[LONG, "All right."])
    call.speak(1.0)
    call.wait(0.2 + 0.1 + 0.2 + after)
    call.speak(1.0)
    return call


def test_history_keeps_the_words_that_were_heard_and_no_others() -> None:
    call = interrupted()
    answer = words(call.host.items[1])
    assert LONG.startswith(answer)
    assert 0 < len(answer) * CHARACTER <= call.heard_samples
    assert len(answer) > 15


def test_truncation_names_the_millisecond_that_was_heard() -> None:
    call = interrupted()
    assert call.last(ConversationItemTruncated).audio_end_ms == call.heard_samples // 24


def test_the_listener_is_told_before_the_answer_is_cut() -> None:
    call = interrupted()
    types = call.types
    started = types.index("input_audio_buffer.speech_started", 3)
    assert types[started + 1 : started + 3] == ["output_audio_buffer.cleared", "conversation.item.truncated"]


def test_nothing_of_the_old_answer_is_heard_after_the_interruption() -> None:
    call = interrupted()
    heard = call.heard_samples
    call.send({"type": "session.update", "session": {"type": "realtime", "instructions": "Hush."}})
    call.wait(0.1)
    assert call.heard_samples == heard


def test_an_answer_still_being_made_is_closed_and_done_once() -> None:
    long_answer = " ".join([LONG] * 6)
    call = Script(transcripts=["count", "stop"], replies=[long_answer, "All right."])
    call.speak(1.0)
    call.wait(1.0)
    call.speak(0.5)
    done = [event for event in call.events if isinstance(event, ResponseDone)]
    assert [event.response.status for event in done] == ["cancelled"]
    assert "turn_detected" in repr(done[0].response.status_details)
    types = call.types
    closing = types[types.index("response.output_audio.done") :]
    assert closing[:6] == [
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    assert call.last(ResponseOutputItemDone).item.status == "incomplete"


def test_the_closing_transcript_says_all_that_was_made_but_the_history_does_not() -> None:
    call = interrupted()
    assert call.last(ResponseOutputAudioTranscriptDone).transcript == LONG
    item = call.host.items[1]
    call.send({"type": "conversation.item.retrieve", "item_id": item.id})
    retrieved = call.last(ConversationItemRetrieved).item
    assert words(retrieved) == words(item) != LONG


def test_the_thinker_is_not_told_what_was_not_heard() -> None:
    call = interrupted()
    call.wait(1.0)
    assert "seventeen" not in repr(call.thoughts[-1].items)
    assert "One two" in repr(call.thoughts[-1].items)


def test_interrupt_response_off_lets_the_answer_go_on() -> None:
    call = Script(transcripts=["count", "stop"], replies=[LONG])
    vad = {"type": "server_vad", "interrupt_response": False, "create_response": False}
    call.send({"type": "session.update", "session": {"type": "realtime", "audio": {"input": {"turn_detection": vad}}}})
    call.speak(1.0)
    call.wait(0.3)
    call.send({"type": "response.create"})
    call.wait(1.0)
    call.speak(1.0)
    call.wait(8.0)
    assert "output_audio_buffer.cleared" not in call.types
    assert words(call.host.items[1]) == LONG


def test_over_a_websocket_the_client_says_how_much_was_heard() -> None:
    call = Script(sound=Sound.TEXT, transcripts=["count", "stop"], replies=[LONG, "Yes."])
    call.speak(1.0)
    call.wait(2.0)
    call.speak(0.5)
    assert "conversation.item.truncated" not in call.types
    item = call.host.items[1]
    call.send({"type": "conversation.item.truncate", "item_id": item.id, "content_index": 0, "audio_end_ms": 1500})
    assert call.last(ConversationItemTruncated).audio_end_ms == 1500
    assert words(call.host.items[1]) == "One two three four five "[: 1500 // 60].rsplit(" ", 1)[0] + " "


def test_truncating_past_the_end_is_an_error_that_changes_nothing() -> None:
    call = Script(sound=Sound.TEXT, transcripts=["hi"], replies=["Hello."])
    call.speak(1.0)
    call.wait(2.0)
    item = call.host.items[1]
    event = {"type": "conversation.item.truncate", "item_id": item.id, "content_index": 0, "audio_end_ms": 60_000}
    call.send(event | {"event_id": "too-far"})
    error = call.last(Error).error
    assert (error.code, error.param, error.event_id) == ("invalid_value", "audio_end_ms", "too-far")
    assert call.host.items[1] == item


def test_clearing_the_output_stops_the_sound_and_cuts_the_item() -> None:
    call = Script(transcripts=["count"], replies=[LONG])
    call.speak(1.0)
    call.wait(2.5)
    call.send({"type": "output_audio_buffer.clear"})
    heard = call.heard_samples
    call.wait(2.0)
    assert call.heard_samples == heard
    assert call.types[-2:] == ["output_audio_buffer.cleared", "conversation.item.truncated"]


def test_cancelling_in_mid_sentence_forgets_what_was_never_spoken() -> None:
    call = Script(transcripts=["count"], replies=[" ".join([LONG] * 6)])
    call.speak(1.0)
    call.wait(1.2)
    call.send({"type": "response.cancel"})
    assert call.last(ResponseDone).response.status == "cancelled"
    call.wait(60.0)
    assert len(words(call.host.items[1]).rstrip()) * CHARACTER <= call.heard_samples
    assert call.types[-1] == "output_audio_buffer.stopped"
