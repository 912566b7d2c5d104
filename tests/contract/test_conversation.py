"""Corners of a conversation that a client may stand in: what is taken there, and what is told."""

import base64

from vivavoce.audio.frame import sample_count, silence, to_bytes
from vivavoce.session.answers import Sound
from vivavoce.testing.script import Script
from vivavoce.wire.event import ConversationItemTruncated, Error, ResponseCreated, ResponseDone

SOUND = base64.b64encode(to_bytes(silence(sample_count(200)))).decode()


def update(call: Script, **settings: object) -> None:
    call.send({"type": "session.update", "session": {"type": "realtime", **settings}})


def test_a_cut_item_may_be_cut_shorter_and_not_longer() -> None:
    call = Script(sound=Sound.TEXT, replies=["One two three four five six."])
    call.send({"type": "response.create"})
    call.wait(3.0)
    cut = {"type": "conversation.item.truncate", "item_id": call.host.items[-1].id, "content_index": 0}
    for end_ms in (900, 500, 500):
        call.send(cut | {"audio_end_ms": end_ms})
        assert call.last(ConversationItemTruncated).audio_end_ms == end_ms
    call.send(cut | {"audio_end_ms": 700})
    assert (call.last(Error).error.code, call.last(Error).error.param) == ("invalid_value", "audio_end_ms")
    assert call.types.count("error") == 1


def test_on_webrtc_formats_are_taken_and_change_nothing() -> None:
    heard: list[int] = []
    for kind in ("audio/pcmu", "audio/pcm"):
        call = Script(replies=["Hello to you."])
        update(call, audio={"input": {"format": {"type": kind}}, "output": {"format": {"type": kind}}})
        call.send({"type": "response.create"})
        call.wait(3.0)
        assert "response.output_audio.delta" not in call.types
        heard.append(call.heard_samples)
    assert heard[0] == heard[1] > 0


def test_on_webrtc_sound_in_events_is_no_error() -> None:
    call = Script()
    call.send({"type": "input_audio_buffer.append", "audio": SOUND})
    assert call.types == ["session.created"]


def test_cleared_instructions_are_gone() -> None:
    call = Script(replies=["Yes.", "Yes."])
    for instructions in ("Whisper.", ""):
        update(call, instructions=instructions)
        call.send({"type": "response.create"})
        call.wait(2.0)
        assert call.thoughts[-1].instructions == instructions


def test_several_responses_out_of_band_are_told_apart_by_id_and_metadata() -> None:
    call = Script(replies=["One.", "Two."])
    for topic in ("one", "two"):
        response = {"conversation": "none", "output_modalities": ["text"], "metadata": {"topic": topic}, "input": []}
        call.send({"type": "response.create", "response": response})
    begun = [event.response for event in call.events if isinstance(event, ResponseCreated)]
    assert [response.metadata for response in begun] == [{"topic": "one"}, {"topic": "two"}]
    call.wait(2.0)
    ended = [event.response for event in call.events if isinstance(event, ResponseDone)]
    assert {(str(each.id), str(each.metadata)) for each in ended} == {
        (str(each.id), str(each.metadata)) for each in begun
    }
    assert not [type for type in call.types if type.startswith("conversation.")]
    assert call.host.items == ()
