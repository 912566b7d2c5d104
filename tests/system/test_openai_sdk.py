"""The `openai` package as it is published, with another base URL and key, against a server at a real socket.

Everything that is read is held to the package's own types on the way (see `tests/strict.py`).
"""

import json
from typing import Final

import httpx2
import openai
import pytest
from openai.types.realtime import (
    ConversationItemAdded,
    ConversationItemInputAudioTranscriptionCompletedEvent,
    ConversationItemInputAudioTranscriptionDeltaEvent,
    ConversationItemTruncatedEvent,
    InputAudioBufferCommittedEvent,
    InputAudioBufferSpeechStartedEvent,
    RealtimeConversationItemAssistantMessage,
    RealtimeConversationItemFunctionCall,
    RealtimeConversationItemUserMessage,
    RealtimeErrorEvent,
    RealtimeSessionCreateRequest,
    ResponseAudioDeltaEvent,
    ResponseAudioTranscriptDoneEvent,
    ResponseCreatedEvent,
    ResponseDoneEvent,
    ResponseFunctionCallArgumentsDoneEvent,
    ResponseTextDeltaEvent,
    ResponseTextDoneEvent,
    SessionCreatedEvent,
    SessionUpdatedEvent,
)
from openai.types.realtime.realtime_server_event import ConversationItemRetrieved, OutputAudioBufferStopped
from websockets.exceptions import ConnectionClosedOK

from tests.system.caller import calling, placed_by
from tests.system.listener import Listener
from tests.system.sdk import MODEL, sdk
from tests.viva import engines, scripted_server
from vivavoce.audio.frame import duration_ms, sample_count, silence
from vivavoce.engine.fake import Hang, ScriptedSpeaker, ScriptedThinker, Span, hearing
from vivavoce.engine.interface import Thought, ToolArguments, ToolCall, Words
from vivavoce.wire.item import AssistantMessage, FunctionCallOutput, OutputAudio

SPEECH: Final = Span(sample_count(500), sample_count(1500))
"""One second of speech, half a second after the microphone was opened."""


# ── typed ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_typed_question_gets_a_written_answer() -> None:
    script = engines(thought=["Two and two is four."])
    async with scripted_server(script) as viva, sdk(viva).realtime.connect(model=MODEL) as connection:
        heard = Listener(connection)
        created = await heard.until(SessionCreatedEvent)
        assert isinstance(created.session, RealtimeSessionCreateRequest)
        assert created.session.model == MODEL
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        await heard.ask("What is two and two?")
        await connection.response.create()
        done = await heard.until(ResponseDoneEvent)
        assert heard.types == [
            "session.created",
            "session.updated",
            "conversation.item.added",
            "conversation.item.done",
            "response.created",
            "response.output_item.added",
            "conversation.item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "conversation.item.done",
            "response.done",
        ]
        assert "".join(event.delta for event in heard.all(ResponseTextDeltaEvent)) == "Two and two is four."
        assert heard.last(ResponseTextDoneEvent).text == "Two and two is four."
        assert done.response.status == "completed"
        assert done.response.usage is not None
        assert (done.response.usage.input_tokens or 0) > 0
        assert (done.response.usage.output_tokens or 0) > 0


# ── spoken ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_server_hears_the_end_of_a_turn_and_answers_aloud() -> None:
    speaker = ScriptedSpeaker()
    script = engines(
        heard=[hearing("what is the time", word_ms=200)], thought=["It is noon."], spans=[SPEECH], speaker=speaker
    )
    async with scripted_server(script) as viva, sdk(viva).realtime.connect(model=MODEL) as connection:
        heard = Listener(connection)
        await connection.session.update(
            session={"type": "realtime", "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}}
        )
        await heard.say(silence(sample_count(2500)))
        done = await heard.until(ResponseDoneEvent)
        asides = "conversation.item.input_audio_transcription."
        assert [type for type in heard.types if not type.startswith((asides, "response.output_audio"))] == [
            "session.created",
            "session.updated",
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "response.created",
            "response.output_item.added",
            "conversation.item.added",
            "response.content_part.added",
            "response.content_part.done",
            "response.output_item.done",
            "conversation.item.done",
            "response.done",
        ]
        started = heard.last(InputAudioBufferSpeechStartedEvent)
        assert 150 <= started.audio_start_ms <= 250  # half a second less the padding of 300 ms
        assert heard.last(InputAudioBufferCommittedEvent).item_id == started.item_id
        written = heard.last(ConversationItemInputAudioTranscriptionCompletedEvent)
        assert (written.item_id, written.transcript) == (started.item_id, "what is the time")
        deltas = heard.all(ConversationItemInputAudioTranscriptionDeltaEvent)
        assert "".join(event.delta or "" for event in deltas) == "what is the time"
        assert done.response.status == "completed"
        assert heard.last(ResponseAudioTranscriptDoneEvent).transcript == "It is noon."
        assert len(heard.sound()) == speaker.samples("It is noon.")


async def test_with_nothing_but_defaults_a_spoken_question_is_answered_aloud() -> None:
    speaker = ScriptedSpeaker()
    script = engines(heard=["what is the time"], thought=["It is noon."], spans=[SPEECH], speaker=speaker)
    async with scripted_server(script) as viva, sdk(viva).realtime.connect(model=MODEL) as connection:
        heard = Listener(connection)
        await heard.say(silence(sample_count(2500)))
        done = await heard.until(ResponseDoneEvent)
        assert done.response.status == "completed"
        assert heard.last(ResponseAudioTranscriptDoneEvent).transcript == "It is noon."
        assert len(heard.sound()) == speaker.samples("It is noon.")
        # Nobody asked for the user's words, so they are not told.
        assert heard.all(ConversationItemInputAudioTranscriptionCompletedEvent) == []


async def test_whoever_speaks_over_an_answer_stops_it() -> None:
    script = engines(
        heard=["count to a thousand", "stop"],
        thought=[[Words("One, two, three. Four, "), Hang()], "Stopped."],
        spans=[SPEECH, Span(sample_count(4000), sample_count(5000))],
    )
    async with scripted_server(script) as viva, sdk(viva).realtime.connect(model=MODEL) as connection:
        heard = Listener(connection)
        await heard.say(silence(sample_count(3500)))
        await heard.until(ResponseAudioDeltaEvent)
        await heard.say(silence(sample_count(2500)))
        done = await heard.until(ResponseDoneEvent)
        assert done.response.status == "cancelled"
        assert done.response.status_details is not None
        assert done.response.status_details.reason == "turn_detected"
        assert len(heard.all(InputAudioBufferSpeechStartedEvent)) == 2
        done = await heard.until(ResponseDoneEvent)
        assert done.response.status == "completed"
        assert heard.last(ResponseAudioTranscriptDoneEvent).transcript == "Stopped."


async def test_a_turn_that_the_program_ends_itself_is_answered_when_it_asks() -> None:
    script = engines(heard=["good evening"], thought=["Good evening to you."])
    async with scripted_server(script) as viva, sdk(viva).realtime.connect(model=MODEL) as connection:
        heard = Listener(connection)
        await connection.session.update(session={"type": "realtime", "audio": {"input": {"turn_detection": None}}})
        await heard.until(SessionUpdatedEvent)
        await connection.input_audio_buffer.append(audio="AAAA")
        await connection.input_audio_buffer.clear()
        await heard.say(silence(sample_count(800)))
        await connection.input_audio_buffer.commit()
        added = await heard.until(ConversationItemAdded)
        assert added.item.type == "message"
        await connection.response.create(response={"instructions": "Be polite.", "metadata": {"turn": "1"}})
        done = await heard.until(ResponseDoneEvent)
        assert "input_audio_buffer.speech_started" not in heard.types
        assert "input_audio_buffer.cleared" in heard.types
        assert done.response.metadata == {"turn": "1"}
        assert len(heard.sound()) > sample_count(500)


# ── functions ───────────────────────────────────────────────────────────────────────────────────────────


async def test_a_function_is_called_and_its_result_is_used() -> None:
    asks = [ToolCall(0, "get_weather"), ToolArguments(0, '{"city":'), ToolArguments(0, '"Bern"}'), Thought()]
    script = engines(thought=[asks, "It is sunny in Bern."])
    async with scripted_server(script) as viva, sdk(viva).realtime.connect(model=MODEL) as connection:
        heard = Listener(connection)
        await connection.session.update(
            session={
                "type": "realtime",
                "output_modalities": ["text"],
                "tools": [
                    {
                        "type": "function",
                        "name": "get_weather",
                        "description": "Says how the weather is.",
                        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
                    }
                ],
            }
        )
        await heard.ask("How is the weather in Bern?")
        await connection.response.create()
        wanted = await heard.until(ResponseFunctionCallArgumentsDoneEvent)
        assert (wanted.name, json.loads(wanted.arguments)) == ("get_weather", {"city": "Bern"})
        done = await heard.until(ResponseDoneEvent)
        (call,) = done.response.output or []
        assert isinstance(call, RealtimeConversationItemFunctionCall)
        assert (call.name, call.call_id, call.status) == ("get_weather", wanted.call_id, "completed")
        await connection.conversation.item.create(
            item={"type": "function_call_output", "call_id": wanted.call_id, "output": "sunny"}
        )
        await connection.response.create()
        await heard.until(ResponseDoneEvent)
        assert heard.last(ResponseTextDoneEvent).text == "It is sunny in Bern."
    thinker = script.thinker
    assert isinstance(thinker, ScriptedThinker)
    assert [tool.name for tool in thinker.prompts[0].tools] == ["get_weather"]
    result = thinker.prompts[1].items[-1]
    assert isinstance(result, FunctionCallOutput)
    assert (result.call_id, result.output) == (wanted.call_id, "sunny")


# ── stopping ────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_answer_is_stopped_at_once_and_the_next_one_comes() -> None:
    script = engines(thought=[[Words("One, two, three, "), Hang()], "All right."])
    async with scripted_server(script) as viva, sdk(viva).realtime.connect(model=MODEL) as connection:
        heard = Listener(connection)
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        await heard.ask("Count to a thousand.")
        await connection.response.create()
        await heard.until(ResponseTextDeltaEvent)
        await connection.response.cancel()
        done = await heard.until(ResponseDoneEvent)
        assert done.response.status == "cancelled"
        assert done.response.status_details is not None
        assert done.response.status_details.reason == "client_cancelled"
        (item,) = done.response.output or []
        assert isinstance(item, RealtimeConversationItemAssistantMessage)
        assert item.status == "incomplete"
        await connection.response.create()
        done = await heard.until(ResponseDoneEvent)
        assert done.response.status == "completed"
        assert heard.last(ResponseTextDoneEvent).text == "All right."


async def test_what_a_listener_did_not_hear_is_cut_to_the_millisecond() -> None:
    speaker = ScriptedSpeaker(ms_per_character=0, ms_per_word=200)
    script = engines(thought=["One two three four five six.", "Go on."], speaker=speaker)
    async with scripted_server(script) as viva, sdk(viva).realtime.connect(model=MODEL) as connection:
        heard = Listener(connection)
        await heard.ask("Count, please.")
        await connection.response.create()
        await heard.until(ResponseDoneEvent)
        assert duration_ms(len(heard.sound())) == 1200
        item_id = heard.last(ResponseAudioDeltaEvent).item_id
        # Somebody's player stopped 13 ms into the fourth word.
        await connection.conversation.item.truncate(item_id=item_id, content_index=0, audio_end_ms=613)
        cut = await heard.until(ConversationItemTruncatedEvent)
        assert (cut.item_id, cut.content_index, cut.audio_end_ms) == (item_id, 0, 613)
        await connection.conversation.item.retrieve(item_id=item_id)
        kept = (await heard.until(ConversationItemRetrieved)).item
        assert isinstance(kept, RealtimeConversationItemAssistantMessage)
        assert kept.content[0].transcript == "One two three"
        assert kept.content[0].audio is not None
        assert len(kept.content[0].audio) == -(-sample_count(613) * 2 // 3) * 4  # base64 of that many samples
        await heard.ask("Where were you?")
        await connection.response.create()
        await heard.until(ResponseDoneEvent)
    thinker = script.thinker
    assert isinstance(thinker, ScriptedThinker)
    (remembered,) = [item.content for item in thinker.prompts[1].items if isinstance(item, AssistantMessage)]
    assert remembered == [OutputAudio(transcript="One two three")]


# ── transcription ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_transcription_session_writes_down_and_answers_nothing() -> None:
    script = engines(heard=[hearing("take a letter", word_ms=200)], spans=[SPEECH])
    async with (
        scripted_server(script) as viva,
        sdk(viva).realtime.connect(extra_query={"intent": "transcription"}) as connection,
    ):
        heard = Listener(connection)
        await connection.session.update(
            session={"type": "transcription", "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}}
        )
        await heard.say(silence(sample_count(2500)))
        written = await heard.until(ConversationItemInputAudioTranscriptionCompletedEvent)
        assert written.transcript == "take a letter"
        assert heard.all(ResponseCreatedEvent) == []
        await connection.response.create()
        refused = await heard.until(RealtimeErrorEvent)
        assert refused.error.code == "invalid_value"


# ── mistakes ────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_mistake_is_told_with_the_id_of_the_event_that_made_it() -> None:
    async with scripted_server(engines()) as viva, sdk(viva).realtime.connect(model=MODEL) as connection:
        heard = Listener(connection)
        heard.reader.sent("mine_1")
        await connection.conversation.item.delete(item_id="item_none", event_id="mine_1")
        refused = await heard.until(RealtimeErrorEvent)
        assert refused.error.event_id == "mine_1"
        assert refused.error.code == "item_delete_invalid_item_id"
        assert refused.error.type == "invalid_request_error"
        heard.reader.sent("mine_2")
        await connection.response.cancel(event_id="mine_2")
        refused = await heard.until(RealtimeErrorEvent)
        assert (refused.error.event_id, refused.error.code) == ("mine_2", "response_cancel_not_active")


# ── closing ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("during", ["an answer", "speech", "nothing"])
async def test_whoever_closes_leaves_nothing_behind(during: str) -> None:
    script = engines(heard=["what is"], thought=[[Words("One, two, three. Four, "), Hang()]], spans=[SPEECH])
    async with scripted_server(script) as viva, httpx2.AsyncClient() as http:
        async with sdk(viva).realtime.connect(model=MODEL) as connection:
            heard = Listener(connection)
            await heard.until(SessionCreatedEvent)
            assert await viva.calls(http) == 1
            match during:
                case "an answer":
                    await connection.response.create()
                    await heard.until(ResponseAudioDeltaEvent)
                case "speech":
                    await heard.say(silence(sample_count(1000)))
                    await heard.until(InputAudioBufferSpeechStartedEvent)
                case _:
                    pass
            await connection.close(code=1000, reason="done")
            with pytest.raises(ConnectionClosedOK):
                await heard.until_closed()
        await viva.until_calls(0)


# ── WebRTC calls ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.realtime
async def test_a_backend_places_a_call_and_steers_it_from_the_side() -> None:
    speaker = ScriptedSpeaker(ms_per_character=10)
    script = engines(thought=["Hello, who is there?"], speaker=speaker)
    async with scripted_server(script) as viva, sdk(viva) as client, calling(placed_by(client)) as caller:
        async with client.realtime.connect(call_id=caller.id) as connection:
            heard = Listener(connection)
            created = await heard.until(SessionCreatedEvent)
            assert isinstance(created.session, RealtimeSessionCreateRequest)
            assert created.session.instructions == "Be kind."
            await caller.until(SessionCreatedEvent)
            await connection.session.update(session={"type": "realtime", "instructions": "Be brief."})
            updated = await caller.until(SessionUpdatedEvent)
            assert updated.event_id == (await heard.until(SessionUpdatedEvent)).event_id
            await connection.response.create()
            await caller.until_loud()
            await caller.until(OutputAudioBufferStopped)
            await heard.until(OutputAudioBufferStopped)
            # Word for word what the caller is told, but for the greeting of each.
            assert heard.events[1:] == caller.events[1:]
            assert heard.all(ResponseAudioDeltaEvent) == []
            heard.reader.sent("mine")
            caller.send({"type": "response.cancel", "event_id": "mine"})
            assert (await heard.until(RealtimeErrorEvent)).error.event_id == "mine"
            await client.realtime.calls.hangup(caller.id)
            assert (await caller.until_closed()).code == 1000
            with pytest.raises(ConnectionClosedOK):
                await heard.next()
        await viva.until_calls(0)
        with pytest.raises(openai.NotFoundError):
            await client.realtime.calls.hangup(caller.id)


@pytest.mark.realtime
async def test_what_is_too_large_for_the_callers_channel_does_not_end_the_call() -> None:
    picture = "data:image/png;base64,iVBORw0KGgoA" + "A" * 400_000
    script = engines(thought=["A picture, I see."])
    async with (
        scripted_server(script) as viva,
        sdk(viva) as client,
        calling(placed_by(client)) as caller,
        client.realtime.connect(call_id=caller.id) as connection,
    ):
        heard = Listener(connection)
        await connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": picture}]}
        )
        assert picture in (await heard.until(ConversationItemAdded)).to_json()
        added = (await caller.until(ConversationItemAdded)).item
        assert isinstance(added, RealtimeConversationItemUserMessage)
        assert (added.content[0].type, added.content[0].image_url) == ("input_image", "")
        # What cannot be made smaller is left out, and that is told.
        await connection.session.update(session={"type": "realtime", "instructions": "Be brief. " * 40_000})
        await heard.until(SessionUpdatedEvent)
        refused = await caller.until(RealtimeErrorEvent)
        assert refused.error.type == "server_error"
        assert "session.updated" in refused.error.message
        await connection.response.create(response={"output_modalities": ["text"]})
        assert (await heard.until(ResponseDoneEvent)).response.status == "completed"
        assert (await caller.until(ResponseDoneEvent)).response.status == "completed"
