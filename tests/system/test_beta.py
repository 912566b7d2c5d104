"""Clients of the beta: the `openai` package's own, unmodified, and what the older guides tell browsers to do.

What they read is held to the package's types of the beta (see `tests/beta.py`).
"""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any, Final, TypeVar

import httpx2
import openai
import pytest
from openai.resources.beta.realtime.realtime import AsyncRealtimeConnection
from openai.types.beta.realtime import (
    ConversationItemInputAudioTranscriptionCompletedEvent,
    ErrorEvent,
    RealtimeServerEvent,
    ResponseAudioDeltaEvent,
    ResponseAudioTranscriptDoneEvent,
    ResponseDoneEvent,
    ResponseFunctionCallArgumentsDoneEvent,
    ResponseTextDoneEvent,
    SessionCreatedEvent,
    SessionUpdatedEvent,
)
from openai.types.realtime import ResponseDoneEvent as GaResponseDoneEvent
from websockets.exceptions import ConnectionClosedError

from tests import beta
from tests.system.caller import SETTINGS
from tests.system.listener import Listener
from tests.system.sdk import sdk
from tests.viva import Viva, engines, scripted_server
from vivavoce.audio.frame import Pcm, sample_count, silence, to_bytes
from vivavoce.engine.fake import ScriptedSpeaker, ScriptedThinker, Span, hearing
from vivavoce.engine.interface import Thought, ToolArguments, ToolCall
from vivavoce.gateway.settings import Beta
from vivavoce.gateway.settings import Settings as GatewaySettings
from vivavoce.transport.interface import Inbound, Opened, Text
from vivavoce.transport.pacer import Pacer
from vivavoce.transport.webrtc.offerer import WebRtcOfferer
from vivavoce.wire.item import FunctionCallOutput

MODEL: Final = "gpt-4o-realtime-preview-2024-12-17"
PATIENCE_S: Final = 20.0
SPEECH: Final = Span(sample_count(500), sample_count(1500))

Event = TypeVar("Event")


def old(viva: Viva, key: str | None = None) -> openai.AsyncOpenAI:
    """The package's client; for the beta it takes every WebSocket to be encrypted unless it is told where they are."""
    return sdk(viva, key).with_options(websocket_base_url=f"{viva.url.replace('http', 'ws')}/v1")


class Reader:
    """Reads one connection of the package's beta client."""

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self.connection = connection
        self.events: list[RealtimeServerEvent] = []
        self.types: list[str] = []

    async def until(self, kind: type[Event]) -> Event:
        """The next event of a kind."""
        while True:
            async with asyncio.timeout(PATIENCE_S):
                raw = await self.connection.recv_bytes()
            name = json.loads(raw)["type"]
            if self.types[-1:] != [name]:
                self.types.append(name)
            event = beta.parse(raw)
            self.events.append(event)
            if isinstance(event, kind):
                return event

    def last(self, kind: type[Event]) -> Event:
        """The last event of a kind among those that have come."""
        return next(event for event in reversed(self.events) if isinstance(event, kind))

    async def say(self, samples: Pcm) -> None:
        """Append sound in pieces of 100 ms."""
        for start in range(0, len(samples), sample_count(100)):
            piece = to_bytes(samples[start : start + sample_count(100)])
            await self.connection.input_audio_buffer.append(audio=b64encode(piece).decode("ascii"))

    async def ask(self, words: str) -> None:
        """Put a written question into the conversation and have it answered."""
        await self.connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}
        )
        await self.connection.response.create()


# ── the package's beta client ───────────────────────────────────────────────────────────────────────────


async def test_a_typed_question_gets_a_written_answer_under_the_old_names() -> None:
    script = engines(thought=["Two and two is four."])
    async with scripted_server(script) as viva, old(viva).beta.realtime.connect(model=MODEL) as connection:
        heard = Reader(connection)
        created = (await heard.until(SessionCreatedEvent)).session
        assert (created.modalities, created.voice, created.temperature) == (["audio", "text"], "alloy", 0.8)
        await connection.session.update(session={"modalities": ["text"], "temperature": 0.6})
        updated = (await heard.until(SessionUpdatedEvent)).session
        assert (updated.modalities, updated.temperature) == (["text"], 0.6)
        await heard.ask("What is two and two?")
        done = (await heard.until(ResponseDoneEvent)).response
        assert heard.types == [
            "session.created",
            "session.updated",
            "conversation.item.created",
            "response.created",
            "response.output_item.added",
            "conversation.item.created",
            "response.content_part.added",
            "response.text.delta",
            "response.text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.done",
        ]
        assert heard.last(ResponseTextDoneEvent).text == "Two and two is four."
        assert (done.status, done.modalities, done.temperature) == ("completed", ["text"], 0.6)
        (item,) = done.output or []
        (part,) = item.content or []
        assert (part.type, part.text) == ("text", "Two and two is four.")
        assert done.usage is not None
        assert (done.usage.output_tokens or 0) > 0


async def test_a_spoken_turn_is_answered_aloud_under_the_old_names() -> None:
    speaker = ScriptedSpeaker()
    script = engines(
        heard=[hearing("what is the time", word_ms=200)], thought=["It is noon."], spans=[SPEECH], speaker=speaker
    )
    async with scripted_server(script) as viva, old(viva).beta.realtime.connect(model=MODEL) as connection:
        heard = Reader(connection)
        await connection.session.update(
            session={
                "modalities": ["audio", "text"],
                "voice": "verse",
                "input_audio_format": "pcm16",
                "output_audio_format": "pcm16",
                "input_audio_transcription": {"model": "whisper-1"},
                "turn_detection": {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 300},
            }
        )
        await heard.say(silence(sample_count(2500)))
        done = (await heard.until(ResponseDoneEvent)).response
        assert (done.status, done.voice, done.output_audio_format) == ("completed", "verse", "pcm16")
        asides = ("conversation.item.input_audio_transcription.", "response.audio")
        assert [name for name in heard.types if not name.startswith(asides)] == [
            "session.created",
            "session.updated",
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.created",
            "response.created",
            "response.output_item.added",
            "conversation.item.created",
            "response.content_part.added",
            "response.content_part.done",
            "response.output_item.done",
            "response.done",
        ]
        assert heard.last(ConversationItemInputAudioTranscriptionCompletedEvent).transcript == "what is the time"
        assert heard.last(ResponseAudioTranscriptDoneEvent).transcript == "It is noon."
        sound = b"".join(b64decode(event.delta) for event in heard.events if isinstance(event, ResponseAudioDeltaEvent))
        assert len(sound) == 2 * speaker.samples("It is noon.")


async def test_a_function_is_called_and_its_result_is_used() -> None:
    asks = [ToolCall(0, "get_weather"), ToolArguments(0, '{"city":"Bern"}'), Thought()]
    script = engines(thought=[asks, "It is sunny in Bern."])
    async with scripted_server(script) as viva, old(viva).beta.realtime.connect(model=MODEL) as connection:
        heard = Reader(connection)
        await connection.session.update(
            session={
                "modalities": ["text"],
                "tools": [{"type": "function", "name": "get_weather", "parameters": {"type": "object"}}],
                "tool_choice": "auto",
            }
        )
        await heard.ask("How is the weather in Bern?")
        wanted = await heard.until(ResponseFunctionCallArgumentsDoneEvent)
        assert json.loads(wanted.arguments) == {"city": "Bern"}
        (call,) = (await heard.until(ResponseDoneEvent)).response.output or []
        assert (call.type, call.name, call.call_id) == ("function_call", "get_weather", wanted.call_id)
        await connection.conversation.item.create(
            item={"type": "function_call_output", "call_id": wanted.call_id, "output": "sunny"}
        )
        await connection.response.create()
        await heard.until(ResponseDoneEvent)
        assert heard.last(ResponseTextDoneEvent).text == "It is sunny in Bern."
    assert isinstance(script.thinker, ScriptedThinker)
    result = script.thinker.prompts[1].items[-1]
    assert isinstance(result, FunctionCallOutput)
    assert result.output == "sunny"


async def test_a_transcription_session_writes_down_under_the_old_names() -> None:
    script = engines(heard=[hearing("take a letter", word_ms=200)], spans=[SPEECH])
    async with scripted_server(script) as viva, sdk(viva) as client:
        made = await client.beta.realtime.transcription_sessions.create(
            input_audio_transcription={"model": "gpt-4o-transcribe"}
        )
        browser = old(viva, made.client_secret.value)
        # The package can only name a model; what opens such a session is the intent, alone.
        async with browser.beta.realtime.connect(model=MODEL, extra_query={"model": [], "intent": "transcription"}) as (
            connection
        ):
            heard = Reader(connection)
            await heard.say(silence(sample_count(2500)))
            written = await heard.until(ConversationItemInputAudioTranscriptionCompletedEvent)
            assert written.transcript == "take a letter"
            assert heard.types[0] == "transcription_session.created"
            await connection.transcription_session.update(session={"turn_detection": None})  # pyright: ignore[reportArgumentType]
            await connection.session.update(session={"voice": "ash"})
            refused = (await heard.until(ErrorEvent)).error
            assert (refused.code, refused.param) == ("invalid_value", "type")
            assert "transcription_session.updated" in heard.types


async def test_a_mistake_is_told_by_its_old_place() -> None:
    script = engines(thought=["Hello."])
    async with scripted_server(script) as viva, old(viva).beta.realtime.connect(model=MODEL) as connection:
        heard = Reader(connection)
        await heard.ask("Say hello.")
        await heard.until(ResponseDoneEvent)
        await connection.session.update(session={"voice": "ash"}, event_id="mine")
        refused = (await heard.until(ErrorEvent)).error
        assert (refused.code, refused.param, refused.event_id) == ("cannot_update_voice", "session.voice", "mine")
        await connection.session.update(session={"temperature": 2.0}, event_id="mine too")
        refused = (await heard.until(ErrorEvent)).error
        assert (refused.code, refused.param, refused.event_id) == ("invalid_value", "session.temperature", "mine too")


async def test_where_it_is_refused_the_package_is_told_so() -> None:
    gateway = GatewaySettings(beta=Beta.REFUSED)
    async with (
        scripted_server(engines(), gateway=gateway) as viva,
        old(viva).beta.realtime.connect(model=MODEL) as connection,
    ):
        heard = Reader(connection)
        assert (await heard.until(ErrorEvent)).error.code == "beta_api_shape_disabled"
        with pytest.raises(ConnectionClosedError) as closed:
            await heard.until(ErrorEvent)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4000


# ── the older guide to WebRTC ───────────────────────────────────────────────────────────────────────────


class Channel:
    """The data channel of a browser that never heard of GA."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.opened = asyncio.Event()
        self._news = asyncio.Event()

    def deliver(self, arrived: Inbound) -> None:
        """What the transport brings."""
        match arrived:
            case Text(text):
                beta.parse(text)
                self.events.append(json.loads(text))
            case Opened():
                self.opened.set()
            case _:
                pass
        self._news.set()

    async def until(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first event that fits."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for event in self.events:
                    if fits(event):
                        return event
                self._news.clear()
                await self._news.wait()


async def place(viva: Viva, key: str, offer: str) -> httpx2.Response:
    """What a page does with the ephemeral key that its backend got from `/sessions`."""
    async with httpx2.AsyncClient() as http:
        return await http.post(
            f"{viva.url}/v1/realtime?model={MODEL}",
            content=offer,
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/sdp"},
        )


@pytest.mark.realtime
async def test_a_call_of_the_older_guide_speaks_the_beta_beside_a_sideband_that_does_not() -> None:
    script = engines(thought=["Hello, who is there?"], speaker=ScriptedSpeaker(ms_per_character=10))
    async with scripted_server(script) as viva, sdk(viva) as client, Pacer() as pacer, asyncio.TaskGroup() as tasks:
        session = await client.beta.realtime.sessions.create(
            model="gpt-4o-realtime-preview", voice="verse", instructions="Be kind.", temperature=0.7
        )
        offerer = WebRtcOfferer(pacer, SETTINGS)
        reply = await place(viva, session.client_secret.value, await offerer.offer())
        assert reply.status_code == 201
        transport, channel = await offerer.accept(reply.text), Channel()
        running = tasks.create_task(transport.run(channel.deliver))
        async with asyncio.timeout(PATIENCE_S):
            await channel.opened.wait()
        created = await channel.until(lambda event: event["type"] == "session.created")
        assert (created["session"]["voice"], created["session"]["temperature"]) == ("verse", 0.7)
        assert created["session"]["instructions"] == "Be kind."
        call_id = reply.headers["location"].rpartition("/")[2]
        async with client.realtime.connect(call_id=call_id) as connection:
            heard = Listener(connection)
            transport.send('{"type":"response.create","response":{"modalities":["text","audio"]}}')
            done = await heard.until(GaResponseDoneEvent)
            assert done.response.output_modalities == ["audio"]
            told = await channel.until(lambda event: event["type"] == "response.done")
            assert told["response"]["id"] == done.response.id
            assert told["response"]["modalities"] == ["audio", "text"]
            await channel.until(lambda event: event["type"] == "output_audio_buffer.stopped")
            names = {event["type"] for event in channel.events}
            assert {"conversation.item.created", "response.audio_transcript.done", "response.audio.done"} <= names
            assert {event.type for event in heard.events} >= {"conversation.item.added", "conversation.item.done"}
        await transport.close()
        await running
        await viva.until_calls(0)
