"""Engines that raise, hang or die: the conversation says so and goes on."""

import pytest

from vivavoce.session.result import Failed, Thought, Words
from vivavoce.testing.script import Answer, Hang, Script
from vivavoce.wire.event import (
    ConversationItemInputAudioTranscriptionFailed,
    Error,
    ResponseDone,
)

BROKEN = Failed("The model is gone.", code="engine_error")


def asks(call: Script) -> None:
    call.speak(1.0)
    call.wait(40.0)


def works_again(call: Script) -> bool:
    call.speak(1.0)
    call.wait(4.0)
    return call.last(ResponseDone).response.status == "completed"


@pytest.mark.parametrize("answer", [[BROKEN], [Words("I was just going to"), BROKEN], Hang()])
def test_a_thinker_that_breaks_fails_its_response_only(answer: Answer) -> None:
    call = Script(transcripts=["hello", "again"], replies=[answer, "Fine."])
    asks(call)
    response = call.last(ResponseDone).response
    assert response.status == "failed"
    assert "server_error" in repr(response.status_details)
    assert works_again(call)
    assert call.types.count("response.done") == 2


@pytest.mark.parametrize("trouble", [BROKEN, Hang()])
def test_a_speaker_that_breaks_fails_its_response_only(trouble: Failed | Hang) -> None:
    call = Script(transcripts=["hello", "again"], replies=["Hello to you.", "Fine."], voice=[trouble])
    asks(call)
    assert call.last(ResponseDone).response.status == "failed"
    assert works_again(call)


@pytest.mark.parametrize("trouble", [BROKEN, Hang()])
def test_a_transcriber_that_breaks_is_said_twice_to_who_asked_for_words(trouble: Failed | Hang) -> None:
    call = Script(transcripts=[trouble, "again"])
    audio = {"input": {"transcription": {"model": "whisper-1"}}}
    call.send({"type": "session.update", "session": {"type": "realtime", "audio": audio}})
    asks(call)
    failed = call.last(ConversationItemInputAudioTranscriptionFailed)
    assert failed.error.type == "transcription_error"
    assert call.last(ResponseDone).response.status == "failed"
    assert works_again(call)


def test_a_late_word_of_a_cancelled_answer_is_not_heard() -> None:
    call = Script(replies=[[Words("One. "), Words("Two. "), Thought()]])
    call.send({"type": "response.create"})
    call.wait(0.04)
    call.send({"type": "response.cancel"})
    events = len(call.events)
    call.wait(5.0)
    assert len(call.events) == events


def test_a_fault_that_belongs_to_no_response_is_told_and_survived() -> None:
    call = Script()
    call.report("The detector died.")
    error = call.last(Error).error
    assert (error.type, error.code) == ("server_error", None)
    call.send({"type": "response.create"})
    call.wait(2.0)
    assert call.last(ResponseDone).response.status == "completed"
