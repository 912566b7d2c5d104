"""Somebody who runs a transport and remembers what it delivered."""

import asyncio
from asyncio import TaskGroup
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import numpy as np

from vivavoce.audio.frame import Pcm
from vivavoce.transport.interface import Closed, Inbound, Opened, Played, Sound, Text, Transport

PATIENCE_S: Final = 10.0
"""How long anything may take. What is waited for comes in milliseconds; this only ends a test that has failed."""

Kind = TypeVar("Kind", Opened, Text, Sound, Played, Closed)


class Listener:
    """Runs one end in a task of its own."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.delivered: list[Inbound] = []
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, tasks: TaskGroup) -> None:
        self._task = tasks.create_task(self._run())

    async def _run(self) -> None:
        try:
            await self.transport.run(self._hear)
        finally:
            self._arrived.set()

    def _hear(self, inbound: Inbound) -> None:
        self.delivered.append(inbound)
        self._arrived.set()

    def cancel(self) -> None:
        assert self._task is not None
        self._task.cancel()

    async def ended(self) -> None:
        """Until `run` has returned."""
        assert self._task is not None
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait([self._task])

    def all(self, kind: type[Kind]) -> list[Kind]:
        return [each for each in self.delivered if isinstance(each, kind)]

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.all(Text)]

    @property
    def sound(self) -> Pcm:
        pieces = [each.samples for each in self.all(Sound)]
        return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)

    async def until(self, happened: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        """Until something delivered has made this true."""
        async with asyncio.timeout(patience_s):
            while not happened():
                self._arrived.clear()
                await self._arrived.wait()

    async def opened(self) -> None:
        await self.until(lambda: bool(self.all(Opened)))

    async def closed(self, patience_s: float = PATIENCE_S) -> Closed:
        await self.until(lambda: bool(self.all(Closed)), patience_s)
        return self.all(Closed)[0]

    async def heard(self, samples: int) -> None:
        """Until so many samples more have arrived."""
        wanted = len(self.sound) + samples
        await self.until(lambda: len(self.sound) >= wanted)


@asynccontextmanager
async def listening(*transports: Transport) -> AsyncGenerator[list[Listener]]:
    """Listeners on all of these, up before the body starts and ended after it."""
    async with TaskGroup() as tasks:
        listeners = [Listener(each) for each in transports]
        for listener in listeners:
            listener.start(tasks)
        for listener in listeners:
            await listener.opened()
        try:
            yield listeners
        finally:
            for listener in listeners:
                listener.cancel()
