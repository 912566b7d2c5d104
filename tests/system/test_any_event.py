"""Whatever event a client may think of: each is answered in the protocol's own form, and the session goes on.

Events are made by chance from the wire's own types, some of them spoilt, and sent to calls that run, over a WebSocket
and over a data channel. What cannot be read gets exactly one `error` with the event's own id; every event that comes
back is held to the `openai` package's types and to the order of the protocol.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import count, repeat
from typing import Any, Final

import httpx2
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect

from tests.property.wire import fitting, spoilt
from tests.strict import Reader
from tests.system.caller import calling, raw_offer
from tests.viva import engines, scripted_server
from vivavoce.engine.fake import ScriptedSpeaker
from vivavoce.errors import RequestError
from vivavoce.wire.codec import CLIENT_EVENT, decode_client

PATIENCE_S: Final = 30.0


def lists_tools(event: object) -> bool:
    """Whether a client puts a list of tools in: the judge of order takes each for one that the server has asked for."""
    return "mcp_list_tools" in json.dumps(event)


ONE: Final = (fitting(CLIENT_EVENT) | spoilt(fitting(CLIENT_EVENT))).filter(lambda event: not lists_tools(event))
EVENTS: Final = st.lists(ONE, min_size=1, max_size=4)

Send = Callable[[str], Awaitable[object]]
Receive = Callable[[], Awaitable[str | bytes]]


class Client:
    """Sends, and reads until all of it has been answered."""

    def __init__(self, send: Send, receive: Receive) -> None:
        self._send = send
        self._receive = receive
        self._reader = Reader()
        self._numbers = count()

    async def exchange(self, events: list[Any]) -> None:
        """Send these, and hold what comes back to the rules."""
        refused: list[str] = []
        for event in events:
            id = f"mine_{next(self._numbers)}"
            if isinstance(event, dict):
                event["event_id"] = id
            text = json.dumps(event)
            self._reader.sent(id)
            if not readable(text):
                refused.append(id if isinstance(event, dict) else "")
            await self._send(text)
        mark = f"mark_{next(self._numbers)}"
        self._reader.sent(mark)
        await self._send(json.dumps({"type": "conversation.item.delete", "item_id": "item_none", "event_id": mark}))
        blamed: Counter[str] = Counter()
        async with asyncio.timeout(PATIENCE_S):
            while not blamed[mark]:
                told = json.loads(await self._next())
                if told["type"] == "error":
                    blamed[told["error"]["event_id"] or ""] += 1
        assert all(blamed[id] == 1 for id in refused if id), (events, blamed)
        assert all(number == 1 for id, number in blamed.items() if id), (events, blamed)

    async def _next(self) -> str | bytes:
        text = await self._receive()
        self._reader.read(text)
        return text


def readable(text: str) -> bool:
    try:
        decode_client(text)
    except RequestError:
        return False
    return True


async def attempt(client: Client, examples: int) -> None:
    loop = asyncio.get_running_loop()

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        phases=[Phase.generate],
    )
    @given(EVENTS)
    def once(events: list[Any]) -> None:
        asyncio.run_coroutine_threadsafe(client.exchange(events), loop).result(2 * PATIENCE_S)

    await asyncio.to_thread(once)


@pytest.mark.parametrize("examples", [150, pytest.param(3000, marks=pytest.mark.slow)])
@pytest.mark.timeout(600)
async def test_any_event_over_a_websocket_is_answered_in_the_protocols_form(examples: int) -> None:
    script = engines(heard=repeat("fine"), thought=repeat("Fine."), speaker=ScriptedSpeaker(ms_per_character=1))
    async with scripted_server(script) as viva:
        url = f"{viva.url.replace('http', 'ws')}/v1/realtime?model=gpt-realtime"
        async with connect(url, additional_headers=viva.bearer, max_size=None) as socket:
            await attempt(Client(socket.send, socket.recv), examples)


@pytest.mark.realtime
@pytest.mark.parametrize("examples", [100, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.timeout(600)
async def test_any_event_over_a_data_channel_is_answered_in_the_protocols_form(examples: int) -> None:
    script = engines(heard=repeat("fine"), thought=repeat("Fine."), speaker=ScriptedSpeaker(ms_per_character=1))
    async with (
        scripted_server(script) as viva,
        httpx2.AsyncClient() as http,
        calling(raw_offer(viva, http)) as caller,
    ):

        async def send(text: str) -> None:
            caller.reader.sent(json.loads(text)["event_id"])
            caller.transport.send(text)

        await attempt(Client(send, caller.next_text), examples)
