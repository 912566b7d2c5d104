"""Engines that raise, hang or die under a running conversation: it is told in the protocol's words and goes on."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import repeat
from typing import Final

import pytest
from openai.types.realtime import (
    ConversationItemInputAudioTranscriptionCompletedEvent,
    ConversationItemInputAudioTranscriptionFailedEvent,
    InputAudioBufferClearedEvent,
    InputAudioBufferCommittedEvent,
    RealtimeErrorEvent,
    ResponseAudioDeltaEvent,
    ResponseDoneEvent,
    ResponseTextDeltaEvent,
    SessionUpdatedEvent,
)

from tests.system.listener import Listener
from tests.system.sdk import MODEL, sdk
from tests.viva import MovableClock, engines, scripted_server
from vivavoce.audio.frame import Pcm, sample_count, silence
from vivavoce.engine.fake import Die, Hang, Hear, Say, ScriptedDetector, ScriptedEar, ScriptedSpeaker, Span
from vivavoce.engine.interface import Partial, Report, Words
from vivavoce.errors import EngineError

LONG_S: Final = 31.0
"""Longer than any engine is waited for."""
SPEECH: Final = Span(sample_count(200), sample_count(1200))

BREAKS: Final = {
    "raises as it should": Die(EngineError("The engine is out of order.")),
    "raises anything": Die(ZeroDivisionError("nobody should read this")),
    "hangs": Hang(),
}
broken = pytest.mark.parametrize("how", BREAKS)


async def converse(heard: Listener) -> None:
    """A turn that works."""
    await heard.connection.response.create(response={"output_modalities": ["text"]})
    assert (await heard.until(ResponseDoneEvent)).response.status == "completed"


async def let_time_pass(heard: Listener, clock: MovableClock) -> None:
    """Nobody waits any longer for an engine. The server notices with the next thing that happens."""
    clock.advance(LONG_S)
    await heard.connection.input_audio_buffer.clear()
    await heard.until(InputAudioBufferClearedEvent)


def reason(done: ResponseDoneEvent) -> tuple[str | None, str | None]:
    """Type and code of what made a response fail."""
    assert done.response.status == "failed"
    assert done.response.status_details is not None
    assert done.response.status_details.error is not None
    error = done.response.status_details.error
    assert "nobody should read this" not in done.to_json()
    return error.type, error.code


@broken
async def test_a_thinker_that_breaks_fails_one_answer_and_nobody_else_notices(how: str) -> None:
    clock = MovableClock()
    script = engines(thought=[[Words("One moment "), BREAKS[how]], *repeat("Fine.", 3)])
    async with (
        scripted_server(script, clock=clock) as viva,
        sdk(viva).realtime.connect(model=MODEL) as connection,
        sdk(viva).realtime.connect(model=MODEL) as another,
    ):
        heard, other = Listener(connection), Listener(another)
        await connection.response.create(response={"output_modalities": ["text"]})
        await heard.until(ResponseTextDeltaEvent)
        await converse(other)
        if how == "hangs":
            await let_time_pass(heard, clock)
        done = await heard.until(ResponseDoneEvent)
        assert reason(done) == ("server_error", "engine_timeout" if how == "hangs" else "engine_error")
        # Whatever was opened is closed.
        closing = ("response.output_text.done", "response.content_part.done", "response.output_item.done")
        assert [heard.types.count(type) for type in closing] == [1, 1, 1]
        await converse(heard)
        await converse(other)


@broken
async def test_a_speaker_that_breaks_in_mid_sentence_fails_one_answer(how: str) -> None:
    clock = MovableClock()
    speaker = ScriptedSpeaker([(Say(2), BREAKS[how]), ()])
    script = engines(thought=["One two three four.", "Fine.", "Fine."], speaker=speaker)
    async with (
        scripted_server(script, clock=clock) as viva,
        sdk(viva).realtime.connect(model=MODEL) as connection,
    ):
        heard = Listener(connection)
        await connection.response.create()
        await heard.until(ResponseAudioDeltaEvent)
        if how == "hangs":
            await let_time_pass(heard, clock)
        done = await heard.until(ResponseDoneEvent)
        assert reason(done) == ("server_error", "engine_timeout" if how == "hangs" else "engine_error")
        assert len(heard.sound()) == speaker.samples("One two")
        await connection.response.create()
        assert (await heard.until(ResponseDoneEvent)).response.status == "completed"
        await converse(heard)


@broken
async def test_a_transcriber_that_breaks_fails_one_turn(how: str) -> None:
    clock = MovableClock()
    script = engines(heard=[[Hear(), Partial("what"), BREAKS[how]], "what is it"], thought=repeat("Fine."))
    async with (
        scripted_server(script, clock=clock) as viva,
        sdk(viva).realtime.connect(model=MODEL) as connection,
    ):
        heard = Listener(connection)
        await connection.session.update(
            session={
                "type": "realtime",
                "output_modalities": ["text"],
                "audio": {"input": {"turn_detection": None, "transcription": {"model": "whisper-1"}}},
            }
        )
        await heard.until(SessionUpdatedEvent)
        await heard.say(silence(sample_count(500)))
        await connection.input_audio_buffer.commit()
        item_id = (await heard.until(InputAudioBufferCommittedEvent)).item_id
        await connection.response.create()
        if how == "hangs":
            await let_time_pass(heard, clock)
        await heard.until(ResponseDoneEvent)
        failed = heard.last(ConversationItemInputAudioTranscriptionFailedEvent)
        assert (failed.item_id, failed.error.type) == (item_id, "transcription_error")
        assert failed.error.code == ("engine_timeout" if how == "hangs" else "engine_error")
        # What nobody understood cannot be answered.
        assert reason(heard.last(ResponseDoneEvent))[0] == "server_error"
        await heard.say(silence(sample_count(500)))
        await connection.input_audio_buffer.commit()
        await heard.until(ConversationItemInputAudioTranscriptionCompletedEvent)
        await converse(heard)


class FrailDetector(ScriptedDetector):
    """Breaks when it has heard a while; its later ears work."""

    def __init__(self, spans: Sequence[Span], breaks_at: int, failure: Exception | None) -> None:
        super().__init__(spans)
        self.breaks_at: int | None = breaks_at
        self.failure = failure

    def open(self, report: Report) -> ScriptedEar:
        breaks_at, self.breaks_at = self.breaks_at, None
        if breaks_at is None:
            return super().open(report)
        return FrailEar(report, self.traits.window, lambda sample: 0.0, breaks_at, self.failure)


class FrailEar(ScriptedEar):
    """Raises when it has heard a while, or says nothing more where there is nothing to raise."""

    def __init__(
        self,
        report: Report,
        window: int,
        probability: Callable[[int], float],
        breaks_at: int,
        failure: Exception | None,
    ) -> None:
        super().__init__(report, window, probability)
        self._left = breaks_at
        self._failure = failure

    def push(self, samples: Pcm) -> None:
        self._left -= len(samples)
        if self._left >= 0:
            super().push(samples)
        elif self._failure is not None:
            raise self._failure


async def test_a_detector_that_breaks_is_replaced_and_no_client_is_troubled_with_it() -> None:
    script = engines(heard=["what is it"], thought=["Fine."])
    frail = FrailDetector([SPEECH], sample_count(1000), ZeroDivisionError("nobody should read this"))
    async with (
        scripted_server(replace(script, detector=frail)) as viva,
        sdk(viva).realtime.connect(model=MODEL) as connection,
    ):
        heard = Listener(connection)
        await heard.say(silence(sample_count(3000)))
        done = await heard.until(ResponseDoneEvent)
        assert done.response.status == "completed"
        assert "input_audio_buffer.speech_started" in heard.types
        assert "error" not in heard.types


async def test_a_detector_that_was_deaf_for_long_is_told_of_and_the_next_turn_is_heard() -> None:
    clock = MovableClock()
    script = engines(heard=["what is it"], thought=["Fine."])
    deaf = FrailDetector([SPEECH], sample_count(1000), None)
    async with (
        scripted_server(replace(script, detector=deaf), clock=clock) as viva,
        sdk(viva).realtime.connect(model=MODEL) as connection,
    ):
        heard = Listener(connection)
        await heard.say(silence(sample_count(2000)))
        await connection.input_audio_buffer.clear()
        await heard.until(InputAudioBufferClearedEvent)
        clock.advance(LONG_S)
        await heard.say(silence(sample_count(3000)))
        assert (await heard.until(RealtimeErrorEvent)).error.type == "server_error"
        assert (await heard.until(ResponseDoneEvent)).response.status == "completed"
        assert "input_audio_buffer.speech_started" in heard.types
