"""A caller on the `openai` package over its WebSocket, with the reconnecting that the package has.

Tells what `tests/network/talker.py` tells, and is told the same. Sound comes faster than it is heard, so silence would
be hidden by what has come before: heard here means an answer of the server to something small, four times a second.
"""

import asyncio
import os
import sys
from asyncio import TaskGroup
from contextlib import suppress

from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import RealtimeClientEventParam
from openai.types.websocket_reconnection import ReconnectingEvent
from websockets.exceptions import ConnectionClosed

from tests.network.talker import CODEWORD, TICK_S, Ear, options, say
from vivavoce.assembly import MODEL


class Plain:
    """One conversation."""

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self._connection = connection
        self._ear = Ear()
        self._remembered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def ask(self) -> None:
        """Have the server answer, and tell how it is."""
        await self._send(
            {
                "type": "conversation.item.create",
                "item": {
                    "id": CODEWORD,
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": f"The codeword is {CODEWORD}."}],
                },
            }
        )
        while True:
            for _ in range(2):
                await asyncio.sleep(TICK_S / 2)
                await self._send({"type": "input_audio_buffer.clear"})
            self._ear.tell()

    async def read(self) -> None:
        """Take what comes."""
        async for event in self._connection:
            match event.type:
                case "input_audio_buffer.cleared":
                    self._ear.sign()
                case "conversation.item.retrieved":
                    self._remembered.set_result(CODEWORD in event.item.to_json())
                case _:
                    pass

    async def recall(self) -> bool:
        """Whether the server still has the codeword."""
        await self._send({"type": "conversation.item.retrieve", "item_id": CODEWORD})
        try:
            async with asyncio.timeout(8):
                return await self._remembered
        except TimeoutError:
            return False

    async def _send(self, event: RealtimeClientEventParam) -> None:
        with suppress(ConnectionClosed):  # whoever reads finds out, and makes another connection
            await self._connection.send(event)


def again(event: ReconnectingEvent) -> None:
    """Let the package reconnect."""


async def main(url: str) -> None:
    """Talk, until the input ends."""
    say(state="Negotiating")
    client = AsyncOpenAI(api_key=os.environ["OPENAI_API_KEY"], base_url=url)
    try:
        async with client.realtime.connect(model=MODEL, on_reconnecting=again) as connection, TaskGroup() as tasks:
            say(state="Connected")
            plain = Plain(connection)
            working = [tasks.create_task(plain.ask()), tasks.create_task(plain.read())]
            while line := await asyncio.to_thread(sys.stdin.readline):
                if line.strip() == "recall":
                    say(kept=await plain.recall())
            for task in working:
                task.cancel()
    except* Exception as error:
        say(state="Failed", error=repr(error.exceptions))


if __name__ == "__main__":
    asyncio.run(main(options().parse_args().base_url))
