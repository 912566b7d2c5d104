"""Our client and our server, with no way for UDP between them: the call goes over a WebSocket."""

import asyncio
from functools import partial

import vivavoce
from tests.system.cable import Cable
from tests.system.test_coming_back import ask
from tests.viva import Viva, engines, scripted_server
from vivavoce.client.endpoint import endpoint
from vivavoce.client.line import MediaLine, SocketLine
from vivavoce.client.plan import Plan
from vivavoce.client.reach import ALONE_S
from vivavoce.client.secret import Given, Kind
from vivavoce.clock import SystemClock
from vivavoce.transport.interface import Transport
from vivavoce.transport.pacer import Pacer
from vivavoce.transport.webrtc.offerer import WebRtcOfferer
from vivavoce.transport.webrtc.settings import WebRtcSettings
from vivavoce.transport.websocket import dial
from vivavoce.wire.config import RealtimeSession


class Nowhere(WebRtcOfferer):
    """Two sides that are told no address of each other."""

    async def offer(self) -> str:
        return Cable.offered(await super().offer())

    async def accept(self, answer: str) -> Transport:
        return await super().accept(Cable.offered(answer))


def plan(viva: Viva, pacer: Pacer, states: list[vivavoce.State]) -> Plan:
    place, key = endpoint(f"{viva.url}/v1"), Given(viva.key, Kind.API_KEY)
    media = MediaLine(place, key, lambda _: Nowhere(pacer, WebRtcSettings()), timeout_s=10.0)
    socket = SocketLine(place, key, partial(dial, proxy=None), timeout_s=10.0)
    session = RealtimeSession(model="gpt-realtime")
    return Plan(media, session, SystemClock(), on_state=states.append, fallback=socket)


async def test_a_call_is_made_over_a_websocket_and_the_server_keeps_no_other() -> None:
    states: list[vivavoce.State] = []
    async with scripted_server(engines(thought=["It is a fish."])) as viva, asyncio.timeout(30), Pacer() as pacer:
        async with vivavoce.Call(plan(viva, pacer, states)) as call:
            assert call.timings.connect_ms is not None
            assert ALONE_S * 1000 <= call.timings.connect_ms <= 4000
            await viva.until_calls(1, within_s=2.0)
            async with asyncio.TaskGroup() as tasks:
                hearing = tasks.create_task(anext(call.audio()))
                await ask(call, "What is it?")
                assert len(await hearing)
            await call.until(lambda call: bool(call.transcript) and call.transcript[-1].text == "It is a fish.")
        await viva.until_calls(0)
    assert [type(state).__name__ for state in states] == ["Negotiating", "Connecting", "Connected", "Closed"]
