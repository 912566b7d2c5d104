"""Keys, secrets, models and events that are wrong, or come at the wrong moment: each is told so, and life goes on."""

import json
from base64 import b64encode
from typing import Final

import httpx2
import openai
import pytest
from openai.types.realtime import (
    ConversationItemTruncatedEvent,
    InputAudioBufferCommittedEvent,
    RealtimeErrorEvent,
    ResponseAudioDeltaEvent,
    ResponseCreatedEvent,
    ResponseDoneEvent,
    ResponseTextDeltaEvent,
    SessionCreatedEvent,
    SessionUpdatedEvent,
)
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.system.listener import Listener
from tests.system.sdk import MODEL, sdk
from tests.viva import MovableClock, engines, scripted_server
from vivavoce.audio.frame import sample_count, silence
from vivavoce.engine.fake import Hang
from vivavoce.engine.interface import Words

WRONG_KEY: Final = "sk-nobody-has-this-one"


def refusal(refused: "pytest.ExceptionInfo[InvalidStatus]") -> tuple[int, str]:
    """Status and code of a WebSocket that was refused."""
    response = refused.value.response
    return response.status_code, json.loads(response.body or b"{}")["error"]["code"]


# ── who may not ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_wrong_key_opens_nothing(offer: str) -> None:
    async with scripted_server(engines()) as viva, sdk(viva, WRONG_KEY) as stranger, httpx2.AsyncClient() as http:
        with pytest.raises(openai.AuthenticationError) as refused:
            await stranger.realtime.calls.create(sdp=offer)
        assert refused.value.code == "invalid_api_key"
        with pytest.raises(openai.AuthenticationError):
            await stranger.realtime.client_secrets.create()
        with pytest.raises(InvalidStatus) as closed:
            await stranger.realtime.connect(model=MODEL).enter()
        assert refusal(closed) == (401, "invalid_api_key")
        with pytest.raises(InvalidStatus) as closed:
            await stranger.realtime.connect(call_id="rtc_1").enter()
        assert refusal(closed) == (401, "invalid_api_key")
        assert await viva.calls(http) == 0


async def test_an_expired_secret_starts_nothing_more(offer: str) -> None:
    clock = MovableClock()
    async with scripted_server(engines(), clock=clock) as viva, sdk(viva) as owner:
        secret = await owner.realtime.client_secrets.create(expires_after={"anchor": "created_at", "seconds": 10})
        async with sdk(viva, secret.value) as browser:
            clock.advance(11)
            with pytest.raises(openai.AuthenticationError) as refused:
                await browser.realtime.calls.create(sdp=offer)
            assert refused.value.code == "invalid_api_key"
            assert "expired" in refused.value.message
            assert secret.value not in refused.value.message
            with pytest.raises(InvalidStatus) as closed:
                await browser.realtime.connect(model=MODEL).enter()
            assert refusal(closed) == (401, "invalid_api_key")


async def test_an_unknown_model_is_named_with_those_that_there_are(offer: str) -> None:
    async with scripted_server(engines()) as viva, sdk(viva) as client, httpx2.AsyncClient() as http:
        with pytest.raises(openai.NotFoundError) as refused:
            await client.realtime.calls.create(sdp=offer, session={"type": "realtime", "model": "gpt-x"})
        assert (refused.value.code, refused.value.param) == ("model_not_found", "session.model")
        assert MODEL in refused.value.message
        with pytest.raises(InvalidStatus) as closed:
            await client.realtime.connect(model="gpt-x").enter()
        assert refusal(closed) == (404, "model_not_found")
        assert await viva.calls(http) == 0


# ── events ──────────────────────────────────────────────────────────────────────────────────────────────

MISTAKES: Final[dict[str, tuple[str, str, str | None]]] = {
    "not JSON": ('{"type":', "invalid_json", None),
    "not an object": ('["response.create"]', "invalid_type", None),
    "nested without end": ("[" * 100_000, "invalid_json", None),
    "no type": ('{"event_id":"mine"}', "missing_required_parameter", "type"),
    "an unknown type": ('{"type":"response.explode","event_id":"mine"}', "invalid_value", "type"),
    "an unknown key": (
        '{"type":"session.update","event_id":"mine","session":{"type":"realtime","audio":{"input":{"gain":2}}}}',
        "unknown_parameter",
        "session.audio.input.gain",
    ),
    "a wrong kind of value": (
        '{"type":"response.create","event_id":"mine","response":{"output_modalities":"audio"}}',
        "invalid_type",
        "response.output_modalities",
    ),
    "a value that is not one of the choices": (
        '{"type":"response.create","event_id":"mine","response":{"output_modalities":["smell"]}}',
        "invalid_value",
        "response.output_modalities[0]",
    ),
    "a required key left out": (
        '{"type":"session.update","event_id":"mine","session":{}}',
        "missing_required_parameter",
        "session.type",
    ),
    "audio that is not base64": (
        '{"type":"input_audio_buffer.append","event_id":"mine","audio":"?"}',
        "invalid_value",
        "audio",
    ),
    "audio of odd length": (
        json.dumps({"type": "input_audio_buffer.append", "event_id": "mine", "audio": b64encode(b"odd").decode()}),
        "invalid_value",
        "audio",
    ),
    "a turn without sound": (
        '{"type":"input_audio_buffer.commit","event_id":"mine"}',
        "input_audio_buffer_commit_empty",
        None,
    ),
    "playing stopped where the client plays": (
        '{"type":"output_audio_buffer.clear","event_id":"mine"}',
        "invalid_value",
        "type",
    ),
}


async def test_each_mistake_is_one_error_and_the_conversation_goes_on() -> None:
    script = engines(heard=["fine"], thought=["Fine."])
    async with scripted_server(script) as viva, sdk(viva).realtime.connect(model=MODEL) as connection:
        heard = Listener(connection)
        await connection.session.update(session={"type": "realtime", "audio": {"input": {"turn_detection": None}}})
        await heard.until(SessionUpdatedEvent)
        heard.reader.sent("mine")
        told: dict[str, tuple[str | None, str | None]] = {}
        for name, (text, _, _) in MISTAKES.items():
            await connection.send_raw(text)
            event = await heard.next()
            assert isinstance(event, RealtimeErrorEvent), (name, event)
            told[name] = event.error.code, event.error.param
            assert event.error.type == "invalid_request_error"
            assert event.error.event_id == ("mine" if "mine" in text else None), name
        assert told == {name: (code, param) for name, (_, code, param) in MISTAKES.items()}
        await heard.say(silence(sample_count(200)))
        await connection.input_audio_buffer.commit()
        await heard.until(InputAudioBufferCommittedEvent)
        await connection.response.create()
        assert (await heard.until(ResponseDoneEvent)).response.status == "completed"


async def test_a_binary_message_ends_its_own_connection_only() -> None:
    script = engines(thought=["Fine."])
    async with (
        scripted_server(script) as viva,
        sdk(viva).realtime.connect(model=MODEL) as other,
        sdk(viva).realtime.connect(model=MODEL) as connection,
    ):
        heard = Listener(connection)
        await heard.until(SessionCreatedEvent)
        await connection.send_raw(b"\x00\x01")
        with pytest.raises(ConnectionClosed) as closed:
            await heard.next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1003
        await other.response.create()
        await Listener(other).until(ResponseDoneEvent)


# ── the wrong moment ────────────────────────────────────────────────────────────────────────────────────


async def test_who_asks_before_having_said_a_word_or_read_one_is_answered() -> None:
    script = engines(thought=["Hello."])
    async with scripted_server(script) as viva, sdk(viva).realtime.connect(model=MODEL) as connection:
        await connection.response.create()
        heard = Listener(connection)
        assert (await heard.until(ResponseDoneEvent)).response.status == "completed"
        assert heard.types[:2] == ["session.created", "response.created"]


async def test_who_asks_twice_gets_one_answer() -> None:
    script = engines(thought=[[Words("One moment"), Hang()], "Fine."])
    async with scripted_server(script) as viva, sdk(viva).realtime.connect(model=MODEL) as connection:
        heard = Listener(connection)
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        await connection.response.create()
        first = await heard.until(ResponseCreatedEvent)
        await heard.until(ResponseTextDeltaEvent)
        heard.reader.sent("second")
        await connection.response.create(event_id="second")
        refused = await heard.until(RealtimeErrorEvent)
        assert refused.error.code == "conversation_already_has_active_response"
        assert refused.error.event_id == "second"
        assert first.response.id is not None
        assert first.response.id in refused.error.message
        await connection.response.cancel()
        assert (await heard.until(ResponseDoneEvent)).response.id == first.response.id
        await connection.response.create()
        assert (await heard.until(ResponseDoneEvent)).response.status == "completed"


async def test_more_than_was_said_cannot_be_cut_off() -> None:
    script = engines(thought=["One two three.", [Words("A sentence. And"), Hang()]])
    async with scripted_server(script) as viva, sdk(viva).realtime.connect(model=MODEL) as connection:
        heard = Listener(connection)
        await connection.response.create()
        await heard.until(ResponseDoneEvent)
        item_id = heard.last(ResponseAudioDeltaEvent).item_id
        length_ms = len(heard.sound()) // sample_count(1)

        async def truncate(item_id: str, end_ms: int, content_index: int = 0) -> str | None:
            await connection.conversation.item.truncate(
                item_id=item_id, content_index=content_index, audio_end_ms=end_ms
            )
            return (await heard.until(RealtimeErrorEvent)).error.param

        assert await truncate(item_id, length_ms + 1) == "audio_end_ms"
        assert await truncate(item_id, -1) == "audio_end_ms"
        assert await truncate(item_id, 0, content_index=1) == "content_index"
        assert await truncate("item_none", 0) == "item_id"
        await connection.response.create()
        running = (await heard.until(ResponseAudioDeltaEvent)).item_id
        assert await truncate(running, 60_000) == "audio_end_ms"
        await connection.conversation.item.truncate(item_id=item_id, content_index=0, audio_end_ms=length_ms)
        assert (await heard.until(ConversationItemTruncatedEvent)).audio_end_ms == length_ms
