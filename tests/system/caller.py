"""Somebody in a WebRTC call who keeps everything that arrives."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import httpx2
import numpy as np
import openai

from tests.strict import Reader
from tests.system.sdk import MODEL
from tests.viva import Viva
from vivavoce.audio.frame import Pcm
from vivavoce.transport.interface import Closed, Inbound, Opened, Sound, Text, Transport
from vivavoce.transport.pacer import Pacer
from vivavoce.transport.webrtc.offerer import WebRtcOfferer
from vivavoce.transport.webrtc.settings import HostCandidates, WebRtcSettings

PATIENCE_S: Final = 20.0
SETTINGS: Final = WebRtcSettings(host_candidates=HostCandidates.LOOPBACK)

Event = TypeVar("Event")
Place = Callable[[str], Awaitable[httpx2.Response]]
"""Sends an offer to a server and returns its answer."""


class Caller:
    """One side of a call."""

    def __init__(self, id: str, transport: Transport) -> None:
        self.id = id
        self.reader = Reader()
        self.events = self.reader.events
        self.texts: deque[str] = deque()
        self.heard: list[Pcm] = []
        self.closed: Closed | None = None
        self.transport = transport
        self._read = 0
        self._news = asyncio.Event()
        self.opened = asyncio.Event()

    def deliver(self, arrived: Inbound) -> None:
        """What the transport brings."""
        match arrived:
            case Text(text):
                self.reader.read(text)
                self.texts.append(text)
            case Sound(samples):
                self.heard.append(samples)
            case Opened():
                self.opened.set()
            case Closed() as closed:
                self.closed = closed
            case _:
                pass
        self._news.set()

    def send(self, event: Mapping[str, object]) -> None:
        """Send an event."""
        if isinstance(id := event.get("event_id"), str):
            self.reader.sent(id)
        self.transport.send(json.dumps(event))

    async def until(self, kind: type[Event]) -> Event:
        """The next event of a kind that has not been waited for."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                while self._read < len(self.events):
                    event = self.events[self._read]
                    self._read += 1
                    if isinstance(event, kind):
                        return event
                await self.more()

    async def next_text(self) -> str:
        """The next event as it came, one after another."""
        while not self.texts:
            assert self.closed is None, self.closed
            await self.more()
        return self.texts.popleft()

    async def until_closed(self) -> Closed:
        """How it ended."""
        async with asyncio.timeout(PATIENCE_S):
            while self.closed is None:
                await self.more()
        return self.closed

    async def until_loud(self) -> None:
        """Wait until the assistant is heard."""
        async with asyncio.timeout(PATIENCE_S):
            while not (self.heard and loud(self.heard[-1])):
                await self.more()

    async def until_heard(self, samples: int) -> None:
        """Wait until so much has been heard, from the beginning on."""
        async with asyncio.timeout(PATIENCE_S):
            while sum(map(len, self.heard)) < samples:
                await self.more()

    async def until_quiet(self, frames: int = 10) -> None:
        """Wait until nothing has been heard for that many frames."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.heard) < frames or any(map(loud, self.heard[-frames:])):
                await self.more()

    async def more(self) -> None:
        """Wait until something has arrived."""
        self._news.clear()
        await self._news.wait()


def loud(samples: Pcm) -> bool:
    """Whether there is something to be heard."""
    return bool(np.abs(samples.astype(np.int32)).max() > 1_000)


@asynccontextmanager
async def calling(place: Place) -> AsyncGenerator[Caller]:
    """A call that stands, until the context ends."""
    async with Pacer() as pacer:
        offerer = WebRtcOfferer(pacer, SETTINGS)
        try:
            reply = await place(await offerer.offer())
            assert reply.status_code == 201, f"no call: {reply.status_code} {reply.text}"
        except BaseException:
            await offerer.abandon()
            raise
        caller = Caller(reply.headers["location"].rpartition("/")[2], await offerer.accept(reply.text))
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(caller.transport.run(caller.deliver))
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await caller.opened.wait()
                yield caller
            finally:
                await caller.transport.close()
                await running


def raw_offer(viva: Viva, http: httpx2.AsyncClient, key: str | None = None) -> Place:
    """Places calls as the guide says for browsers: the bare SDP, with a key or a client secret."""

    async def place(offer: str) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {key or viva.key}", "Content-Type": "application/sdp"}
        return await http.post(f"{viva.url}/v1/realtime/calls", content=offer, headers=headers)

    return place


def placed_by(client: openai.AsyncOpenAI) -> Place:
    """Places a call as a backend does that uses the package."""

    async def place(offer: str) -> httpx2.Response:
        reply = await client.realtime.calls.create(
            sdp=offer, session={"type": "realtime", "model": MODEL, "instructions": "Be kind."}
        )
        return reply.response

    return place
