"""`viva serve` as anybody starts it: real speech, heard and answered by the embedded engines."""

import json
import os
import signal
from dataclasses import replace
from typing import Final

import httpx2
import numpy as np
import pytest
from openai.types.realtime import (
    ConversationItemInputAudioTranscriptionCompletedEvent,
    ConversationItemInputAudioTranscriptionFailedEvent,
    InputAudioBufferSpeechStartedEvent,
    RealtimeServerEvent,
    ResponseAudioDeltaEvent,
    ResponseAudioTranscriptDeltaEvent,
    ResponseAudioTranscriptDoneEvent,
    ResponseDoneEvent,
    ResponseFunctionCallArgumentsDoneEvent,
    ResponseTextDoneEvent,
    SessionUpdatedEvent,
)

from tests.strict import Reader
from tests.system.caller import calling, raw_offer
from tests.system.listener import Listener
from tests.system.sdk import MODEL, sdk, sync_sdk
from tests.viva import Viva, scripted_server, serving, spoken
from vivavoce.assembly import EngineNames, open_engines
from vivavoce.audio.frame import RATE_HZ, sample_count, silence
from vivavoce.audio.meter import measure
from vivavoce.clock import SystemClock
from vivavoce.engine.fake import Hang, ScriptedThinker
from vivavoce.engine.interface import Words
from vivavoce.wire.item import UserMessage

AUDIBLE_DB: Final = -35.0
"""Speech is louder than that, silence and comfort noise are not."""

SPEAKER: Final = "vivavoce.engine.espeak_worker"
RECOGNISER: Final = "vivavoce.engine.pocketsphinx_worker"

# One of the processes that run tests side by side starts the server, not each of them.
pytestmark = pytest.mark.xdist_group("viva_server")


async def listening(connection_of: Listener) -> None:
    """Have what is said written down."""
    await connection_of.connection.session.update(
        session={"type": "realtime", "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}}
    )
    await connection_of.until(SessionUpdatedEvent)


async def test_a_spoken_question_is_understood_and_answered_aloud(viva_server: Viva) -> None:
    async with sdk(viva_server).realtime.connect(model=MODEL) as connection:
        heard = Listener(connection)
        await listening(heard)
        question = await spoken("What time is it?")
        await heard.say(np.concatenate((silence(sample_count(500)), question, silence(sample_count(1000)))))
        done = await heard.until(ResponseDoneEvent)
        assert done.response.status == "completed"
        started = heard.last(InputAudioBufferSpeechStartedEvent)
        assert 0 <= started.audio_start_ms <= 700
        written = heard.last(ConversationItemInputAudioTranscriptionCompletedEvent)
        assert "time" in written.transcript.lower()
        assert heard.last(ResponseAudioTranscriptDoneEvent).transcript
        answer = heard.sound()
        assert len(answer) > sample_count(500)
        assert measure(answer).rms_db > AUDIBLE_DB


async def test_with_nothing_but_defaults_a_voice_is_answered_and_interrupts() -> None:
    # Real ears and voice; only what is said is written down, so that the second answer is certainly not over.
    thinker = ScriptedThinker(
        ["It is noon.", [Words("One, two, three, four, five. Six, seven. "), Hang()], "All right."]
    )
    script = replace(open_engines(EngineNames(), SystemClock()), thinker=thinker)
    question, stop, pause = await spoken("What time is it?"), await spoken("Stop, stop please."), silence(RATE_HZ)
    async with scripted_server(script) as viva:
        async with sdk(viva).realtime.connect(model=MODEL) as connection:
            heard = Listener(connection)
            await heard.say(np.concatenate((pause, question, pause)))
            assert (await heard.until(ResponseDoneEvent)).response.status == "completed"
            assert heard.last(ResponseAudioTranscriptDoneEvent).transcript == "It is noon."
            assert measure(heard.sound()).rms_db > AUDIBLE_DB
            await connection.response.create()
            await heard.until(ResponseAudioDeltaEvent)
            await heard.say(np.concatenate((stop, pause)))
            await heard.until(InputAudioBufferSpeechStartedEvent)
            done = await heard.until(ResponseDoneEvent)
            assert done.response.status == "cancelled"
            assert done.response.status_details is not None
            assert done.response.status_details.reason == "turn_detected"
            # Nobody asked for the user's words, so they are not told.
            assert heard.all(ConversationItemInputAudioTranscriptionCompletedEvent) == []
        await viva.until_calls(0)
    understood = [part for item in thinker.prompts[0].items if isinstance(item, UserMessage) for part in item.content]
    assert "time" in repr(understood)


# The package's own way of connecting, which the newest `websockets` calls out of date.
@pytest.mark.filterwarnings("ignore:connect\\(\\) must be used as a context manager:DeprecationWarning")
def test_a_program_without_an_event_loop_has_a_conversation(viva_server: Viva) -> None:
    reader = Reader()
    with sync_sdk(viva_server) as client, client.realtime.connect(model=MODEL) as connection:

        def until(kind: type[ResponseDoneEvent] | type[SessionUpdatedEvent]) -> RealtimeServerEvent:
            while True:
                event = reader.read(connection.recv_bytes())
                if isinstance(event, kind):
                    return event

        connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        until(SessionUpdatedEvent)
        connection.conversation.item.create(
            item={
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "What is twelve times twelve?"}],
            }
        )
        connection.response.create()
        done = until(ResponseDoneEvent)
        assert isinstance(done, ResponseDoneEvent)
        assert done.response.status == "completed"
        assert "144" in done.to_json()
        assert MODEL in [model.id for model in client.models.list()]


async def test_a_declared_function_is_called_and_its_result_told(viva_server: Viva) -> None:
    async with sdk(viva_server).realtime.connect(model=MODEL) as connection:
        heard = Listener(connection)
        await connection.session.update(
            session={
                "type": "realtime",
                "output_modalities": ["text"],
                "tools": [
                    {
                        "type": "function",
                        "name": "get_weather",
                        "description": "Tells the weather in a city.",
                        "parameters": {
                            "type": "object",
                            "properties": {"city": {"type": "string"}},
                            "required": ["city"],
                        },
                    }
                ],
            }
        )
        await heard.ask("What is the weather in Bern?")
        await connection.response.create()
        wanted = await heard.until(ResponseFunctionCallArgumentsDoneEvent)
        assert (wanted.name, json.loads(wanted.arguments)) == ("get_weather", {"city": "Bern"})
        await heard.until(ResponseDoneEvent)
        await connection.conversation.item.create(
            item={"type": "function_call_output", "call_id": wanted.call_id, "output": '{"sky": "sunny"}'}
        )
        await connection.response.create()
        await heard.until(ResponseDoneEvent)
        assert "sunny" in heard.last(ResponseTextDoneEvent).text


# ── the children that hear and speak ────────────────────────────────────────────────────────────────────


@pytest.mark.realtime
async def test_a_call_outlives_the_processes_that_hear_and_speak_for_it() -> None:
    question = await spoken("What time is it?")
    with serving() as viva:
        async with (
            httpx2.AsyncClient() as http,
            calling(raw_offer(viva, http)) as caller,
            sdk(viva).realtime.connect(model=MODEL) as another,
        ):
            other = Listener(another)
            await listening(other)
            # Who speaks dies in mid-sentence: held up first, since it is done with a sentence in no time.
            hit(viva, SPEAKER, signal.SIGSTOP)
            caller.send({"type": "conversation.item.create", "item": typed("What is two plus two?")})
            caller.send({"type": "response.create"})
            await caller.until(ResponseAudioTranscriptDeltaEvent)
            hit(viva, SPEAKER, signal.SIGKILL)
            done = await caller.until(ResponseDoneEvent)
            assert done.response.status == "failed"
            assert done.response.status_details is not None
            assert done.response.status_details.error is not None
            assert done.response.status_details.error.code == "engine_error"
            # Who hears dies while somebody speaks; both are others' ears and voices, too.
            await other.say(np.concatenate((silence(sample_count(500)), question[: len(question) // 2])))
            await other.until(InputAudioBufferSpeechStartedEvent)
            hit(viva, RECOGNISER, signal.SIGKILL)
            await other.say(np.concatenate((question[len(question) // 2 :], silence(sample_count(1000)))))
            await other.until(ConversationItemInputAudioTranscriptionFailedEvent)
            # Both callers are heard and answered as if nothing had been.
            await other.say(np.concatenate((question, silence(sample_count(1000)))))
            await other.until(ConversationItemInputAudioTranscriptionCompletedEvent)
            assert (await other.until(ResponseDoneEvent)).response.status == "completed"
            caller.transport.play(np.concatenate((question, silence(sample_count(1000)))))
            assert (await caller.until(ResponseDoneEvent)).response.status == "completed"
            await caller.until_loud()


def typed(words: str) -> dict[str, object]:
    """A written message."""
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}


def hit(viva: Viva, module: str, with_signal: signal.Signals) -> None:
    """Send a signal to the processes that run a module for the server."""
    children = viva.children(module)
    assert children, f"no process runs {module}"
    for child in children:
        os.kill(child, with_signal)
