"""One connection, looked at from outside: what has arrived over it so far."""

import asyncio
from collections.abc import Callable

from vivavoce.clock import Clock
from vivavoce.transport.interface import Closed, Inbound, Link, Opened, Text, Transport
from vivavoce.wire.codec import decode_server
from vivavoce.wire.event import Error, SessionCreated
from vivavoce.wire.heartbeat import decode_pong

LOOK_S = 0.02
"""How often its figures are read while something is waited for that no event tells."""


class Probe:
    """Runs a transport and keeps when things happened, in monotonic seconds. Answers nothing by itself."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self.transport = transport
        self._clock = clock
        self._news = asyncio.Event()
        self.opened_at: float | None = None
        self.greeted_at: float | None = None
        self.ponged_at: float | None = None
        self.complaint: str | None = None
        self.closed: Closed | None = None

    async def run(self) -> None:
        """Take what arrives, until it is closed."""
        await self.transport.run(self._take)

    async def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait for something to be true; False when it is not in time, or never will be."""
        try:
            async with asyncio.timeout(seconds):
                while not condition() and self.closed is None:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return condition()

    async def until_link(self, condition: Callable[[Link], bool], seconds: float) -> Link | None:
        """Wait for the connection's figures to be so; None when they are not in time."""
        try:
            async with asyncio.timeout(seconds):
                while self.closed is None:
                    link = await self.transport.link()
                    if condition(link):
                        return link
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            pass
        return None

    async def close(self) -> None:
        """Hang up."""
        await self.transport.close()

    def _take(self, inbound: Inbound) -> None:
        match inbound:
            case Opened():
                self.opened_at = self._clock.now()
            case Text(text):
                self._read(text)
            case Closed():
                self.closed = inbound
            case _:
                return
        self._news.set()

    def _read(self, text: str) -> None:
        if decode_pong(text) is not None:
            self.ponged_at = self._clock.now()
            return
        match decode_server(text):
            case SessionCreated():
                self.greeted_at = self._clock.now()
            case Error(error=error):
                self.complaint = error.message
            case _:
                pass
