"""One assistant message while it is being made."""

from base64 import b64decode

import pytest

from tests.unit.session.outcome import counting, events, jobs, of_kind, the, types
from vivavoce.audio.format import Encoder
from vivavoce.audio.frame import sample_count
from vivavoce.session.effect import Begin, Cancel, Effect, Play, Speak
from vivavoce.session.message import Message, Voice
from vivavoce.session.outbox import Outbox
from vivavoce.session.output import OutputBuffer
from vivavoce.session.recording import Archive
from vivavoce.session.result import Ended, Spoken
from vivavoce.testing.ear import voice
from vivavoce.wire.event import (
    ResponseContentPartAdded,
    ResponseContentPartDone,
    ResponseOutputAudioDelta,
    ResponseOutputAudioTranscriptDone,
    ResponseOutputTextDone,
)
from vivavoce.wire.item import OutputAudio, OutputText

PLAYED = Voice("ash", 1.0, None)


class Making:
    """A message and what it wants to be done."""

    def __init__(self, voice: Voice | None) -> None:
        self.out = Outbox(counting())
        self.archive = Archive()
        self.message = Message(
            self.out,
            self.archive,
            OutputBuffer(self.out),
            response_id="r",
            conversation_id="c",
            item_id="a",
            output_index=2,
            voice=voice,
        )
        self.begun = self.out.drain()

    def add(self, delta: str) -> list[Effect]:
        self.message.add(delta)
        return self.out.drain()

    def finish(self) -> list[Effect]:
        self.message.finish()
        return self.out.drain()

    def heard(self, *results: Spoken | Ended) -> list[Effect]:
        for result in results:
            self.message.heard(result)
        return self.out.drain()


def said(effects: list[Effect]) -> list[str]:
    return [begin.work.text for begin in of_kind(effects, Begin) if isinstance(begin.work, Speak)]


def test_a_written_message_is_sent_as_it_comes_and_never_spoken() -> None:
    making = Making(None)
    part = the(making.begun, ResponseContentPartAdded)
    assert (part.part.type, part.part.text, part.output_index) == ("text", "", 2)
    effects = making.add("Hello. ") + making.add("You there?") + making.finish()
    assert types(effects) == ["response.output_text.delta"] * 2
    assert not making.message.busy
    item = making.message.close("completed")
    closing = making.out.drain()
    assert types(closing) == ["response.output_text.done", "response.content_part.done"]
    assert the(closing, ResponseOutputTextDone).text == "Hello. You there?"
    assert item.content == [OutputText(text="Hello. You there?")]
    assert making.archive.get("a") is None


def test_a_spoken_message_says_one_sentence_after_another() -> None:
    making = Making(PLAYED)
    assert the(making.begun, ResponseContentPartAdded).part.type == "audio"
    effects = making.add("This is the first sentence. And this is the second sentence. ") + making.add("x")
    assert said(effects) == ["This is the first sentence."]
    effects = making.heard(Spoken(voice(10)), Ended())
    assert len(of_kind(effects, Play)) == 1
    assert said(effects) == ["And this is the second sentence."]
    assert said(making.finish()) == []
    assert said(making.heard(Ended())) == ["x"]
    assert making.message.busy
    making.heard(Ended())
    assert not making.message.busy


def test_only_the_utterance_in_the_mouth_is_its_own() -> None:
    making = Making(PLAYED)
    (job,) = jobs(making.add("This is the first sentence. And more"), Speak)
    assert making.message.owns(job)
    assert not making.message.owns(job + 1)
    making.heard(Ended())
    assert not making.message.owns(job)


def test_the_recording_knows_which_words_end_where() -> None:
    making = Making(PLAYED)
    making.add("This is **the first** sentence. And more words of it follow. x")
    making.heard(Spoken(voice(1000), ((4, 400), (17, 900))), Ended())
    recording = making.archive.of("a")
    assert recording.heard_text(399) == ""
    assert recording.heard_text(400) == "This"
    assert recording.heard_text(900) == "This is **the first**"
    assert recording.heard_text(1000) == "This is **the first** sentence. "
    making.heard(Spoken(voice(500), ((3, 200),)))
    assert recording.heard_text(1200) == "This is **the first** sentence. And"


def test_what_cannot_be_said_is_passed_over_and_counts_as_said() -> None:
    making = Making(PLAYED)
    effects = making.add("Look here, it is this:\n```\nprint(1)\n```\nThat was all of it. x")
    texts = said(effects)
    while effects := making.heard(Ended()):
        texts += said(effects)
    texts += said(making.finish())
    making.heard(Ended())
    assert "print(1)" not in " ".join(texts)
    assert making.archive.of("a").heard_text(0) == making.message.text


def test_a_message_with_nothing_to_say_is_not_busy() -> None:
    making = Making(PLAYED)
    assert said(making.add("🙂") + making.finish()) == []
    assert not making.message.busy
    assert making.archive.of("a").heard_text(0) == "🙂"


def test_a_report_that_nobody_waits_for_changes_nothing() -> None:
    making = Making(PLAYED)
    assert making.heard(Spoken(voice(10)), Ended()) == []
    assert making.archive.get("a") is None


def test_sound_travels_in_events_where_there_is_no_player() -> None:
    making = Making(Voice("ash", 1.0, Encoder("audio/pcm")))
    making.add("This is the first sentence. x")
    effects = making.heard(Spoken(voice(100)))
    assert len(b64decode(the(effects, ResponseOutputAudioDelta).delta)) == 200
    assert of_kind(effects, Play) == []


@pytest.mark.parametrize("ending", ["completed", "incomplete"])
def test_what_a_telephone_format_holds_back_comes_before_the_end(ending: str) -> None:
    making = Making(Voice("ash", 1.0, Encoder("audio/pcmu")))
    making.add("This is the first sentence.")
    making.finish()
    early = making.heard(Spoken(voice(sample_count(100))), Ended())
    making.message.close("completed" if ending == "completed" else "incomplete")
    closing = making.out.drain()
    sizes = [
        len(b64decode(event.delta)) for event in events(early + closing) if isinstance(event, ResponseOutputAudioDelta)
    ]
    if ending == "completed":
        assert sum(sizes) == 800
        assert types(closing)[0] == "response.output_audio.delta"
    else:
        assert sum(sizes) < 800


def test_closing_in_mid_sentence_stops_the_speaker_and_tells_all_words() -> None:
    making = Making(PLAYED)
    (job,) = jobs(making.add("This is the first sentence. And this one waits. x"), Speak)
    making.heard(Spoken(voice(10)))
    item = making.message.close("incomplete")
    closing = making.out.drain()
    assert closing[0] == Cancel(job)
    assert types(closing) == [
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
    ]
    assert the(closing, ResponseOutputAudioTranscriptDone).transcript == making.message.text
    assert the(closing, ResponseContentPartDone).part.transcript == making.message.text
    assert item.status == "incomplete"
    assert item.content == [OutputAudio(transcript=making.message.text)]
    assert not making.message.busy
