"""How sure the transcriber is, told to those who asked for it."""

import pytest
from msgspec import UNSET

from vivavoce.session.result import Final, Partial
from vivavoce.testing.cast import Hearing
from vivavoce.testing.script import Script
from vivavoce.wire.config import LogProb
from vivavoce.wire.event import (
    ConversationItemInputAudioTranscriptionCompleted as Completed,
)
from vivavoce.wire.event import (
    ConversationItemInputAudioTranscriptionDelta as Delta,
)

SURE = LogProb(token="yes", logprob=-0.01, bytes=[121, 101, 115])
MAYBE = LogProb(token=" sir", logprob=-1.5, bytes=[32, 115, 105, 114])
STREAMED: Hearing = [Partial("yes", (SURE,)), Partial(" sir", (MAYBE,)), Final("yes sir", logprobs=(SURE, MAYBE))]


def heard(hearing: Hearing, include: list[str] | None) -> Script:
    call = Script(transcripts=[hearing])
    transcription = {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}
    call.send({"type": "session.update", "session": {"type": "realtime", "include": include, "audio": transcription}})
    call.speak(1.0)
    call.wait(2.0)
    return call


def deltas(call: Script) -> list[object]:
    return [event.logprobs for event in call.events if isinstance(event, Delta)]


def test_each_piece_and_the_whole_tell_how_sure_they_are() -> None:
    call = heard(STREAMED, ["item.input_audio_transcription.logprobs"])
    assert deltas(call) == [[SURE], [MAYBE]]
    assert call.last(Completed).logprobs == [SURE, MAYBE]


def test_a_transcript_that_comes_at_once_tells_it_too() -> None:
    call = heard([Final("yes sir", logprobs=(SURE, MAYBE))], ["item.input_audio_transcription.logprobs"])
    assert deltas(call) == [[SURE, MAYBE]]
    assert call.last(Completed).logprobs == [SURE, MAYBE]


@pytest.mark.parametrize("include", [None, []])
def test_who_did_not_ask_is_not_told(include: list[str] | None) -> None:
    call = heard(STREAMED, include)
    assert deltas(call) == [UNSET, UNSET]
    assert call.last(Completed).logprobs is UNSET


def test_an_engine_that_cannot_tell_says_nothing_of_it() -> None:
    call = heard("yes sir", ["item.input_audio_transcription.logprobs"])
    assert deltas(call) == [UNSET]
    assert call.last(Completed).logprobs is UNSET
