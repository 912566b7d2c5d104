"""Turns that end when what was said sounds finished: `semantic_vad`."""

import json
from collections.abc import Sequence

import pytest

from vivavoce.session.result import Failed, Partial
from vivavoce.testing.along import Along
from vivavoce.testing.cast import Pace
from vivavoce.testing.script import Script
from vivavoce.wire.codec import decode_session
from vivavoce.wire.config import Session
from vivavoce.wire.event import InputAudioBufferSpeechStopped, ResponseDone

SPOKEN_S = 1.0
"""After so much silence before it, so that the utterance begins with its whole prefix."""


def semantic(eagerness: str = "auto", **settings: object) -> Session:
    detection = {"type": "semantic_vad", "eagerness": eagerness, **settings}
    return decode_session(json.dumps({"type": "realtime", "audio": {"input": {"turn_detection": detection}}}).encode())


Sounds = Sequence[float | Failed | None]


def said(words: str, sounds: Sounds = ()) -> Along:
    """One stretch of speech of a second, with the prefix before it; the words are there when it ends."""
    return Along([(0.7, words.rpartition(" ")[0]), (1.35, words)], words, sounds)


def unwritten(sounds: Sounds) -> Along:
    """Speech of which nothing is known before it is over, but how it sounds."""
    return Along([], "what time is it", sounds)


def waited_ms(call: Script) -> list[int]:
    """The silence after a second of speech that ended each turn, as the wire tells it."""
    ends = [event.audio_end_ms for event in call.events if isinstance(event, InputAudioBufferSpeechStopped)]
    return [end - 1500 for end in ends]


def speak(call: Script, then_s: float = 9.0) -> Script:
    call.wait(0.5)
    call.speak(SPOKEN_S)
    call.wait(then_s)
    return call


@pytest.mark.parametrize(("eagerness", "at_most"), [("high", 300), ("medium", 450), ("auto", 450), ("low", 800)])
def test_a_finished_sentence_is_answered_soon(eagerness: str, at_most: int) -> None:
    call = speak(Script(session=semantic(eagerness), transcripts=[said("what time is it")]))
    (waited,) = waited_ms(call)
    assert waited <= at_most
    assert call.last(ResponseDone).response.status == "completed"


@pytest.mark.parametrize(
    ("eagerness", "at_least", "bound"), [("high", 1500, 2000), ("medium", 3000, 4000), ("low", 6000, 8000)]
)
def test_an_unfinished_sentence_is_waited_for_within_the_documented_bound(
    eagerness: str, at_least: int, bound: int
) -> None:
    call = speak(Script(session=semantic(eagerness), transcripts=[said("i would like to um")]))
    (waited,) = waited_ms(call)
    assert at_least <= waited <= bound


def test_a_pause_for_thought_stays_one_turn() -> None:
    whole = "my number is four one five two"
    words = Along([(1.35, "my number is four one"), (3.4, whole)], whole)
    call = Script(session=semantic(), transcripts=[words])
    speak(call, then_s=1.0)
    call.speak(SPOKEN_S)
    call.wait(5.0)
    assert call.types.count("input_audio_buffer.speech_started") == 1
    assert call.types.count("response.created") == 1
    assert whole in repr(call.thoughts[0].items)


def test_words_that_come_late_in_the_pause_end_it_when_they_come() -> None:
    call = Script(session=semantic(), transcripts=[said("what time is it")], pace=Pace(note=0.7))
    (waited,) = waited_ms(speak(call))
    assert 700 <= waited <= 850


def test_unasked_partial_words_are_told_to_nobody() -> None:
    call = speak(Script(session=semantic(), transcripts=[said("what time is it")]))
    assert not [type for type in call.types if "transcription" in type]


def test_a_transcriber_that_does_not_write_along_gives_a_neutral_wait() -> None:
    (waited,) = waited_ms(speak(Script(session=semantic(), transcripts=["what time is it"])))
    assert 1200 <= waited <= 1260


def test_a_transcriber_that_only_adds_is_judged_by_what_it_has() -> None:
    words = Along([(0.7, Partial("what time")), (1.35, Partial(" is it"))], "what time is it")
    (waited,) = waited_ms(speak(Script(session=semantic(), transcripts=[words])))
    assert waited <= 450


def test_a_muted_microphone_in_the_middle_of_a_sentence_is_waited_for_too() -> None:
    call = Script(session=semantic(), transcripts=[said("i would like to um")])
    call.wait(0.5)
    call.speak(SPOKEN_S)
    call.wait(0.4)
    call.lose_sound(2.0)
    assert "input_audio_buffer.speech_stopped" not in call.types
    call.lose_sound(2.0)
    assert "input_audio_buffer.speech_stopped" in call.types


# ── with a turn model ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("sounds", "least", "most"), [([0.95], 300, 400), ([0.02], 3500, 4000), ([None], 1200, 1260)])
def test_a_voice_that_falls_ends_the_turn_sooner(sounds: Sounds, least: int, most: int) -> None:
    (waited,) = waited_ms(speak(Script(session=semantic(), transcripts=[unwritten(sounds)])))
    assert least <= waited <= most


def test_a_voice_that_stays_up_keeps_finished_words_waiting() -> None:
    call = Script(session=semantic(), transcripts=[said("i would like pizza", [0.1])])
    (waited,) = waited_ms(speak(call))
    assert 1500 <= waited <= 3000


@pytest.mark.parametrize("trouble", [Failed("gone"), None])
def test_a_turn_model_in_trouble_leaves_the_words(trouble: Failed | None) -> None:
    call = Script(session=semantic(), transcripts=[said("what time is it", [trouble])])
    (waited,) = waited_ms(speak(call))
    assert waited <= 450
    assert "error" not in call.types
    assert call.cast.busy == set()


def test_server_vad_asks_no_turn_model() -> None:
    call = Script(transcripts=[unwritten([0.02])])
    (waited,) = waited_ms(speak(call, then_s=2.0))
    assert waited <= 250


def test_each_pause_of_a_turn_is_judged_by_itself() -> None:
    call = Script(session=semantic(), transcripts=[unwritten([0.02, 0.95])])
    speak(call, then_s=0.8)
    call.speak(SPOKEN_S)
    call.wait(0.5)
    assert call.types.count("input_audio_buffer.speech_stopped") == 1


# ── changed in mid call ─────────────────────────────────────────────────────────────────────────────────


def test_the_kind_of_detection_may_change_in_the_middle_of_a_turn() -> None:
    call = Script(session=semantic("low"), transcripts=[said("i would like to um")])
    call.wait(0.5)
    call.speak(SPOKEN_S)
    call.wait(1.0)
    vad = {"type": "server_vad", "silence_duration_ms": 500}
    call.send({"type": "session.update", "session": {"type": "realtime", "audio": {"input": {"turn_detection": vad}}}})
    call.wait(0.1)
    assert "input_audio_buffer.speech_stopped" in call.types
    assert "response.created" in call.types
