"""Our client and our server, with a network between them that breaks: the conversation goes on where it was."""

import asyncio
from asyncio import StreamReader, StreamWriter, TaskGroup
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Literal
from urllib.parse import urlsplit

import httpx2
import pytest

import vivavoce
from tests.system.cable import Cable, laid
from tests.system.caller import SETTINGS, loud
from tests.system.sdk import MODEL
from tests.viva import engines, scripted_server
from vivavoce.audio.frame import Pcm, sample_count
from vivavoce.client.endpoint import endpoint
from vivavoce.client.line import MediaLine
from vivavoce.client.plan import Plan
from vivavoce.client.secret import Given, Kind
from vivavoce.client.state import Closed
from vivavoce.clock import SystemClock
from vivavoce.engine.fake import ScriptedSpeaker, ScriptedThinker, Wait
from vivavoce.engine.interface import Words
from vivavoce.gateway.settings import Settings as GatewaySettings
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.interface import Transport
from vivavoce.transport.pacer import Pacer
from vivavoce.transport.webrtc.offerer import WebRtcOfferer
from vivavoce.wire.config import RealtimeSession


class Wire:
    """Passes connections on to a server, and cuts them."""

    def __init__(self, server: str) -> None:
        url = urlsplit(server)
        self._address = url.hostname, url.port
        self._writers: list[StreamWriter] = []
        self.port = 0
        self.connections = 0

    def cut(self) -> None:
        """Break every connection, with no goodbye."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    @asynccontextmanager
    async def laid(self) -> AsyncGenerator["Wire"]:
        server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()
            await server.wait_closed()

    async def _pass(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.connections += 1
        there, back = await asyncio.open_connection(*self._address)
        self._writers += [writer, back]
        async with TaskGroup() as tasks:
            tasks.create_task(pump(reader, back))
            tasks.create_task(pump(there, writer))


async def pump(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def test_a_conversation_goes_on_over_another_connection_when_the_wire_is_cut() -> None:
    script = engines(thought=["It is a fish.", "As I said, a fish."])
    thinker = script.thinker
    assert isinstance(thinker, ScriptedThinker)
    states: list[vivavoce.State] = []
    forgetful = GatewaySettings(keep_detached_s=0)
    async with scripted_server(script, gateway=forgetful) as viva, Wire(viva.url).laid() as wire, asyncio.timeout(30):
        connecting = vivavoce.connect(
            base_url=f"http://127.0.0.1:{wire.port}/v1",
            api_key=viva.key,
            transport="websocket",
            session={"output_modalities": ["text"], "instructions": "Be brief."},
            on_state=states.append,
        )
        async with connecting as call:
            await ask(call, "What is it?")
            await call.until(lambda call: len(call.history) == 2 and call.activity is vivavoce.Activity.IDLE)
            wire.cut()
            await call.until(lambda call: isinstance(call.state, vivavoce.Restoring))
            await talk_on(call, vivavoce.Kept.NEW)
        await viva.until_calls(0)
    assert [type(item).__name__ for item in thinker.prompts[-1].items] == [
        "UserMessage",
        "AssistantMessage",
        "UserMessage",
    ]
    names = [type(state).__name__ for state in states]
    assert names == ["Negotiating", "Connecting", "Connected", "Restoring", "Connected", "Closed"]
    assert wire.connections == 2


async def test_a_wire_that_is_cut_in_mid_answer_costs_not_a_word() -> None:
    script = engines(thought=[[Words("It is"), Wait(0.3), Words(" a fish.")], "As I said, a fish."])
    async with scripted_server(script) as viva, Wire(viva.url).laid() as wire, asyncio.timeout(30):
        connecting = vivavoce.connect(
            base_url=f"http://127.0.0.1:{wire.port}/v1",
            api_key=viva.key,
            transport="websocket",
            session={"output_modalities": ["text"]},
        )
        async with connecting as call:
            await ask(call, "What is it?")
            await call.until(lambda call: any(caption.text == "It is" for caption in call.transcript))
            wire.cut()
            await call.until(lambda call: isinstance(call.state, vivavoce.Restoring))
            await call.until(lambda call: len(call.history) == 2 and call.activity is vivavoce.Activity.IDLE)
            await talk_on(call, vivavoce.Kept.SAME)
        await viva.until_calls(0)


@pytest.mark.realtime
@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
async def test_a_call_outlives_a_server_that_is_stopped_and_started_again(
    transport: Literal["webrtc", "websocket"],
) -> None:
    gateway = GatewaySettings(api_keys=(Secret("sk-viva-the-same-for-both"),))
    async with AsyncExitStack() as first, asyncio.timeout(30):
        viva = await first.enter_async_context(scripted_server(engines(thought=["It is a fish."]), gateway=gateway))
        connecting = vivavoce.connect(
            base_url=f"{viva.url}/v1", api_key=viva.key, transport=transport, session={"output_modalities": ["text"]}
        )
        async with connecting as call:
            await ask(call, "What is it?")
            await call.until(lambda call: len(call.history) == 2 and call.activity is vivavoce.Activity.IDLE)
            await first.aclose()
            port, script = urlsplit(viva.url).port, engines(thought=["As I said, a fish."])
            assert port is not None
            async with scripted_server(script, gateway=gateway, port=port) as viva:
                await ask(call, "What was it?")
                await call.until(lambda call: len(call.history) == 4 and call.activity is vivavoce.Activity.IDLE)
                assert isinstance(call.state, vivavoce.Connected)
                restored = call.state.restored
                assert restored is not None
                assert (restored.session, restored.complete) == (vivavoce.Kept.NEW, True)
                async with httpx2.AsyncClient(headers=viva.bearer) as http:
                    hung = await http.post(f"{viva.url}/v1/realtime/calls/{call.state.call_id}/hangup")
                assert hung.status_code == 200
                await call.until(lambda call: isinstance(call.state, Closed))
                assert isinstance(call.state, Closed)
                assert call.state.code == 1000, "who is hung up on does not come back"


class Cabled:
    """The side of a WebRTC call that offers, through a cable of its own."""

    def __init__(self, inner: WebRtcOfferer, cable: Cable) -> None:
        self._inner = inner
        self._cable = cable
        self.abandon = inner.abandon

    async def offer(self) -> str:
        return self._cable.offered(await self._inner.offer())

    async def accept(self, answer: str) -> Transport:
        return await self._inner.accept(self._cable.answered(answer))


async def listen(call: vivavoce.Call, heard: list[Pcm]) -> None:
    async for samples in call.audio():
        if loud(samples):
            heard.append(samples)


@pytest.mark.realtime
async def test_a_webrtc_call_whose_network_dies_goes_on_over_another_where_it_was_last_heard() -> None:
    text, speaker, heard = "It takes more than a second.", ScriptedSpeaker(), list[Pcm]()
    async with (
        scripted_server(engines(thought=[text], speaker=speaker)) as viva,
        Pacer() as pacer,
        laid() as first,
        laid() as second,
        asyncio.timeout(30),
        TaskGroup() as tasks,
    ):
        cables = iter((first, second))
        source = Given(viva.key, Kind.API_KEY)
        line = MediaLine(
            endpoint(viva.url), source, lambda _: Cabled(WebRtcOfferer(pacer, SETTINGS), next(cables)), timeout_s=10
        )
        async with vivavoce.Call(Plan(line, RealtimeSession(model=MODEL), SystemClock())) as call:
            listening = tasks.create_task(listen(call, heard))
            await ask(call, "How long does it take?")
            await call.until(lambda _: len(heard) > 20)
            first.cut()
            await call.until(lambda call: isinstance(call.state, vivavoce.Disrupted))
            await call.until(lambda call: isinstance(call.state, vivavoce.Connected))
            assert isinstance(call.state, vivavoce.Connected)
            restored = call.state.restored
            assert restored is not None
            assert restored.session is vivavoce.Kept.SAME
            assert restored.complete
            await call.until(lambda call: len(call.history) == 2 and call.activity is vivavoce.Activity.IDLE)
            assert [caption.text for caption in call.transcript] == ["How long does it take?", text]
            await call.until(lambda _: sum(map(len, heard)) >= speaker.samples(text) - sample_count(200))
            listening.cancel()
        await viva.until_calls(0)


async def ask(call: vivavoce.Call, words: str) -> None:
    await call.conversation.item.create(
        item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}
    )
    await call.response.create()


async def talk_on(call: vivavoce.Call, kept: vivavoce.Kept) -> None:
    """Ask about what was said before the wire was cut; nothing of it is missing."""
    await ask(call, "What was it?")
    await call.until(lambda call: len(call.history) == 4 and call.activity is vivavoce.Activity.IDLE)
    assert isinstance(call.state, vivavoce.Connected)
    restored = call.state.restored
    assert restored is not None
    assert (restored.session, restored.complete) == (kept, True)
    words = [caption.text for caption in call.transcript]
    assert words == ["What is it?", "It is a fish.", "What was it?", "As I said, a fish."]
