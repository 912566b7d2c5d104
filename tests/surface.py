"""A server in the process of its test, at a real socket: says when it listens, and ends without waiting for ticks."""

import asyncio
from socket import socket

import uvicorn


class Surface(uvicorn.Server):
    """As `uvicorn` serves, but for its clock: that looks ten times a second whether it is to end.

    `settled` is set once it has started or failed to.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = asyncio.Event()
        self._over = asyncio.Event()

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Listen."""
        try:
            await super().startup(sockets)
        finally:
            self.settled.set()

    async def main_loop(self) -> None:
        """Serve until `end`."""
        await self.on_tick(0)
        await self._over.wait()

    def end(self) -> None:
        """Have it end in good order."""
        self.should_exit = True
        self._over.set()
