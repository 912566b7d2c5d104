"""Callers who vanish without a word, or never come: their calls end by themselves, and nobody else notices."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import repeat

import httpx2
import pytest
from openai.types.realtime import RealtimeErrorEvent, ResponseDoneEvent, SessionCreatedEvent
from openai.types.realtime.realtime_server_event import OutputAudioBufferStarted, OutputAudioBufferStopped
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.strict import parse
from tests.system.caller import calling, raw_offer
from tests.system.listener import Listener
from tests.system.sdk import MODEL, sdk
from tests.viva import engines, scripted_server
from vivavoce.engine.fake import Hang, ScriptedSpeaker, ScriptedThinker
from vivavoce.engine.interface import Words
from vivavoce.transport.webrtc.settings import HostCandidates, OfferedCandidates, WebRtcSettings

CALLER = "tests.unit.transport.webrtc.caller"
"""Makes an offer on its output, reads the answer from its input, says something when connected, lives until killed."""
SETTINGS = WebRtcSettings(
    offered_candidates=OfferedCandidates.ALL, host_candidates=HostCandidates.LOOPBACK, grace_s=0.2
)


@asynccontextmanager
async def caller_of_its_own() -> AsyncGenerator[asyncio.subprocess.Process]:
    """A process that will place a call."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", CALLER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.realtime
async def test_a_caller_whose_process_is_killed_is_given_up_while_others_go_on_talking() -> None:
    speaker = ScriptedSpeaker(ms_per_character=20)
    script = engines(thought=repeat("Hello to you, whoever you are."), speaker=speaker)
    async with (
        asyncio.timeout(40),
        scripted_server(script, webrtc=SETTINGS) as viva,
        httpx2.AsyncClient() as http,
        calling(raw_offer(viva, http)) as other,
        caller_of_its_own() as lost,
    ):
        assert lost.stdout is not None
        assert lost.stdin is not None
        reply = await raw_offer(viva, http)(json.loads(await lost.stdout.readline()))
        call_id = reply.headers["location"].rpartition("/")[2]
        async with sdk(viva).realtime.connect(call_id=call_id) as connection:
            heard = Listener(connection)
            await heard.until(SessionCreatedEvent)
            lost.stdin.write(json.dumps(reply.text).encode() + b"\n")
            # Its first words are no JSON: the server hears it.
            assert (await heard.until(RealtimeErrorEvent)).error.code == "invalid_json"
            await connection.response.create()
            await heard.until(OutputAudioBufferStarted)
            assert await viva.calls(http) == 2
            lost.kill()
            other.send({"type": "response.create"})
            await other.until(OutputAudioBufferStopped)
            with pytest.raises(ConnectionClosed):
                await heard.until_closed()
        await viva.until_calls(1)
        gone = await http.post(f"{viva.url}/v1/realtime/calls/{call_id}/hangup", headers=viva.bearer)
        assert gone.status_code == 404
        other.send({"type": "response.create"})
        await other.until(OutputAudioBufferStarted)


async def test_a_caller_who_never_comes_holds_nothing_for_long(offer: str) -> None:
    async with (
        scripted_server(engines(), webrtc=replace(SETTINGS, connect_s=0.3)) as viva,
        httpx2.AsyncClient() as http,
    ):
        reply = await raw_offer(viva, http)(offer)
        assert reply.status_code == 201
        assert await viva.calls(http) == 1
        await viva.until_calls(0)
        gone = await http.post(f"{viva.url}{reply.headers['location']}/hangup", headers=viva.bearer)
        assert gone.status_code == 404


async def test_a_connection_that_breaks_in_mid_answer_stops_the_engines() -> None:
    script = engines(thought=[[Words("One moment"), Hang()], "Fine."])
    thinker = script.thinker
    assert isinstance(thinker, ScriptedThinker)
    async with scripted_server(script) as viva, sdk(viva).realtime.connect(model=MODEL) as other:
        address = f"{viva.url.replace('http', 'ws')}/v1/realtime?model={MODEL}"
        async with connect(address, additional_headers=viva.bearer) as socket, asyncio.timeout(10):
            await socket.send('{"type":"response.create","response":{"output_modalities":["text"]}}')
            while parse(await socket.recv()).type != "response.output_text.delta":
                pass
            socket.transport.abort()
        await viva.until_calls(1)
        assert thinker.abandoned == 1
        await other.response.create()
        await Listener(other).until(ResponseDoneEvent)


@pytest.mark.realtime
async def test_who_hangs_up_in_mid_answer_stops_the_engines() -> None:
    script = engines(
        thought=[[Words("Just one moment, please. And"), Hang()]], speaker=ScriptedSpeaker(ms_per_character=200)
    )
    thinker = script.thinker
    assert isinstance(thinker, ScriptedThinker)
    async with scripted_server(script) as viva, httpx2.AsyncClient() as http:
        async with calling(raw_offer(viva, http)) as caller:
            caller.send({"type": "response.create"})
            await caller.until_loud()
        await viva.until_calls(0)
    assert thinker.abandoned == 1
