"""Whoever loses the connection in mid-answer comes back to the same session, by nothing but the wire."""

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2
import pytest
from openai.types.realtime import (
    ConversationItemDone,
    RealtimeServerEvent,
    ResponseAudioDeltaEvent,
    ResponseAudioTranscriptDoneEvent,
    ResponseDoneEvent,
    SessionCreatedEvent,
)
from openai.types.realtime.realtime_server_event import OutputAudioBufferStopped
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.strict import Reader
from tests.system.cable import Cable, laid
from tests.system.caller import SETTINGS, Caller, loud
from tests.system.sdk import MODEL
from tests.viva import Viva, engines, scripted_server
from vivavoce.audio.frame import RATE_HZ
from vivavoce.engine.fake import Hang, ScriptedSpeaker, ScriptedThinker, Wait
from vivavoce.engine.interface import Words
from vivavoce.gateway.settings import Settings as GatewaySettings
from vivavoce.transport.interface import Inbound, Text, Transport
from vivavoce.transport.pacer import Pacer
from vivavoce.transport.webrtc.offerer import WebRtcOfferer
from vivavoce.wire.heartbeat import ConnectionPong, decode_pong
from vivavoce.wire.resumption import LAST_EVENT, LAST_EVENT_ID, RESUME, SILENT_MS, read_ticket

PING = '{"type":"connection.ping","event_id":"ping_1"}'


@dataclass
class Returner:
    """Somebody who knows how to come back. One reader sees all connections: for it there is only one."""

    viva: Viva
    reader: Reader = field(default_factory=Reader)
    place: str = ""
    token: str = ""
    last_read: str | None = None
    """What the server has read, when it said so last."""

    def note(self, headers: Mapping[str, str]) -> None:
        ticket = read_ticket(headers[RESUME])
        assert ticket is not None
        self.token, self.last_read = ticket.token, headers.get(LAST_EVENT)
        self.place = headers.get("Location", self.place)

    @property
    def headers(self) -> dict[str, str]:
        return self.viva.bearer | {RESUME: self.token, LAST_EVENT_ID: self.reader.events[-1].model_dump()["event_id"]}

    async def until(self, socket: ClientConnection, kind: type) -> None:
        """Read until an event of a kind has come."""
        async with asyncio.timeout(10):
            while True:
                text = await socket.recv()
                assert isinstance(text, str)
                if isinstance(decode_pong(text) or self.reader.read(text), kind):
                    return

    async def listen(self, place: str) -> ClientConnection:
        """Listen in to a call."""
        url = f"{self.viva.url.replace('http', 'ws', 1)}/v1/realtime?call_id={place.rpartition('/')[2]}"
        socket = await connect(url, additional_headers=self.viva.bearer)
        await self.until(socket, SessionCreatedEvent)
        return socket

    def types(self) -> list[str]:
        return [event.type for event in self.reader.events]

    def all(self, kind: type[RealtimeServerEvent]) -> list[RealtimeServerEvent]:
        return [event for event in self.reader.events if isinstance(event, kind)]


# ── over a WebSocket ────────────────────────────────────────────────────────────────────────────────────


@dataclass
class SocketReturner(Returner):
    """One over a WebSocket, with no client but the package of that name."""

    async def dial(self, path: str | None = None) -> ClientConnection:
        url = self.viva.url.replace("http", "ws", 1) + (path or f"/v1/realtime?model={MODEL}")
        socket = await connect(url, additional_headers=self.headers if path else self.viva.bearer)
        assert socket.response is not None
        self.note(socket.response.headers)
        return socket

    async def come_back(self) -> ClientConnection:
        return await self.dial(f"{self.place}/resume")

    async def refusal(self) -> tuple[int, str]:
        with pytest.raises(InvalidStatus) as refused:
            await self.come_back()
        response = refused.value.response
        return response.status_code, json.loads(response.body or b"")["error"]["code"]


async def test_an_answer_goes_on_over_another_websocket_with_every_event_once_and_in_order() -> None:
    speaker = ScriptedSpeaker()
    script = engines(thought=[[Words("One moment."), Wait(0.2), Words(" There you are.")]], speaker=speaker)
    async with scripted_server(script) as viva:
        caller, backend = SocketReturner(viva), Returner(viva)
        socket = await caller.dial()
        await socket.send(PING)
        sideband = await backend.listen(caller.place)
        await socket.send('{"type":"response.create","event_id":"mine_1"}')
        await caller.until(socket, ResponseAudioDeltaEvent)
        await socket.send(ITEM)
        socket.transport.abort()

        token = caller.token
        caller.token = "viva_resume_of-somebody-else"
        assert await caller.refusal() == (404, "call_id_not_found")
        caller.token = token
        socket = await caller.come_back()
        # What the server has not read is sent again, and only that.
        assert caller.last_read in {"mine_1", "mine_2"}
        if caller.last_read == "mine_1":
            await socket.send(ITEM)
        await caller.until(socket, ResponseDoneEvent)
        (said,) = caller.all(ResponseAudioTranscriptDoneEvent)
        assert isinstance(said, ResponseAudioTranscriptDoneEvent)
        assert said.transcript == "One moment. There you are."
        sound = b"".join(
            b64decode(each.delta) for each in caller.reader.events if isinstance(each, ResponseAudioDeltaEvent)
        )
        assert len(sound) // 2 == speaker.samples("One moment.") + speaker.samples("There you are.")
        assert caller.types().count("session.created") == 1
        while caller.types().count("conversation.item.done") < 2:
            await caller.until(socket, ConversationItemDone)

        # Somebody who comes back takes over, however alive the old connection is, and a proper goodbye ends it all.
        newer = await caller.come_back()
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        await newer.send(PING)
        await caller.until(newer, ConnectionPong)
        assert caller.types().count("conversation.item.done") == 2
        await newer.close()
        await viva.until_calls(0)
        with pytest.raises(ConnectionClosed):
            await backend.until(sideband, type(None))
        assert backend.types()[1:] == caller.types()[1:]
        assert await caller.refusal() == (404, "call_id_not_found")


ITEM = json.dumps(
    {
        "type": "conversation.item.create",
        "event_id": "mine_2",
        "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Thank you."}]},
    }
)


async def test_a_session_that_nobody_comes_back_to_ends_and_holds_nothing() -> None:
    script = engines(thought=[[Words("One moment"), Hang()]])
    thinker = script.thinker
    assert isinstance(thinker, ScriptedThinker)
    async with (
        scripted_server(script, gateway=GatewaySettings(keep_detached_s=1)) as viva,
        httpx2.AsyncClient() as http,
    ):
        caller = SocketReturner(viva)
        socket = await caller.dial()
        await socket.send(PING)
        await socket.send('{"type":"response.create","response":{"output_modalities":["text"]}}')
        while "response.output_text.delta" not in caller.types():
            await caller.until(socket, object)
        socket.transport.abort()
        assert await viva.calls(http) == 1
        assert thinker.abandoned == 0
        await viva.until_calls(0)
        assert thinker.abandoned == 1
        assert await caller.refusal() == (404, "call_id_not_found")


async def test_a_session_whose_time_runs_out_while_its_caller_is_away_is_followed_by_a_new_one() -> None:
    async with scripted_server(engines(), lifetime_s=0.4) as viva, httpx2.AsyncClient() as http:
        caller = SocketReturner(viva)
        socket = await caller.dial()
        await socket.send(PING)
        await caller.until(socket, ConnectionPong)
        socket.transport.abort()
        assert await viva.calls(http) == 1, "it is kept for a minute, unless its own time is over"
        await viva.until_calls(0, within_s=5.0)
        assert await caller.refusal() == (404, "call_id_not_found")
        another = SocketReturner(viva)
        await another.until(await another.dial(), SessionCreatedEvent)


# ── over WebRTC ─────────────────────────────────────────────────────────────────────────────────────────


class Peer(Caller):
    """One connection of a caller that comes back: pongs are read aside."""

    def __init__(self, transport: Transport, reader: Reader) -> None:
        super().__init__("", transport)
        self.reader, self.events = reader, reader.events
        self.loud_at = 0.0

    def deliver(self, arrived: Inbound) -> None:
        if isinstance(arrived, Text) and decode_pong(arrived.text) is not None:
            return
        super().deliver(arrived)
        if self.heard and loud(self.heard[-1]):
            self.loud_at = asyncio.get_running_loop().time()

    @property
    def loud_s(self) -> float:
        """For how long the assistant has been heard."""
        return sum(len(piece) for piece in self.heard if loud(piece)) / RATE_HZ

    async def until_loud_for(self, seconds: float) -> None:
        """Wait until the assistant has been heard for so long."""
        async with asyncio.timeout(10):
            while self.loud_s < seconds:
                await self.more()


@dataclass
class CallReturner(Returner):
    """One over WebRTC."""

    http: httpx2.AsyncClient = field(kw_only=True)
    pacer: Pacer = field(kw_only=True)

    @asynccontextmanager
    async def by(self, cable: Cable, silent_s: float | None = None) -> AsyncGenerator[Peer]:
        """A connection through that cable, the first or, after so long a silence, another; it ends without a word."""
        path, headers = "/v1/realtime/calls", self.viva.bearer
        if silent_s is not None:
            path, headers = f"{self.place}/resume", self.headers | {SILENT_MS: f"{silent_s * 1000:.0f}"}
        offerer = WebRtcOfferer(self.pacer, SETTINGS)
        offer = cable.offered(await offerer.offer())
        headers |= {"Content-Type": "application/sdp"}
        reply = await self.http.post(f"{self.viva.url}{path}", content=offer, headers=headers)
        assert reply.status_code == 201, reply.text
        self.note(reply.headers)
        peer = Peer(await offerer.accept(cable.answered(reply.text)), self.reader)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(peer.transport.run(peer.deliver))
            async with asyncio.timeout(10):
                await peer.opened.wait()
            yield peer
            cable.cut()
            running.cancel()


@pytest.mark.realtime
async def test_a_webrtc_call_goes_on_over_another_peer_and_its_sound_where_it_was_last_heard() -> None:
    text = "It takes more than a second."
    speaker = ScriptedSpeaker()
    async with (
        scripted_server(engines(thought=[text], speaker=speaker)) as viva,
        httpx2.AsyncClient() as http,
        Pacer() as pacer,
        laid() as cable,
        laid() as another,
    ):
        caller = CallReturner(viva, http=http, pacer=pacer)
        async with caller.by(cable) as first:
            first.transport.send(PING)
            first.send({"type": "response.create"})
            await first.until_loud()
            await first.until_loud_for(0.4)
            cable.cut()
            await first.until_quiet()
            silent_s = asyncio.get_running_loop().time() - first.loud_at
            async with caller.by(another, silent_s) as peer:
                await peer.until(OutputAudioBufferStopped)
                heard_s = first.loud_s + peer.loud_s
        whole_s = speaker.samples(text) / RATE_HZ
        assert whole_s - 0.1 < heard_s < whole_s + 0.6, (first.loud_s, peer.loud_s)
        types = caller.types()
        for once in ("session.created", "output_audio_buffer.started", "output_audio_buffer.stopped", "response.done"):
            assert types.count(once) == 1
