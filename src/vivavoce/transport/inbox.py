"""What has arrived, on its way to whoever runs the transport."""

import asyncio
from collections import deque
from dataclasses import dataclass

from vivavoce.transport.interface import Closed, Deliver, Inbound, Text


@dataclass(frozen=True)
class _Keeping:
    """Nobody has asked yet."""


@dataclass(frozen=True)
class _Passing:
    """Straight through."""

    deliver: Deliver
    over: "asyncio.Future[None]"


@dataclass(frozen=True)
class _Over:
    """Closed, or given up: whatever still arrives is nobody's."""


class Inbox:
    """Keeps what arrives before `run`, then hands on everything at once and in order, until `Closed`.

    Knows nothing of what it carries except that `Closed` is the last.
    """

    def __init__(self) -> None:
        self._kept: deque[Inbound] = deque()
        self._kept_characters = 0
        self._state: _Keeping | _Passing | _Over = _Keeping()

    @property
    def passing(self) -> bool:
        """Whether somebody takes what arrives."""
        return isinstance(self._state, _Passing)

    @property
    def kept_characters(self) -> int:
        """Length of the texts that wait for `run`; a transport bounds it."""
        return self._kept_characters

    def put(self, inbound: Inbound) -> "asyncio.Future[None] | None":
        """Hand on or keep one thing. Nothing is taken after `Closed`.

        Returns:
            What `deliver` gave: before it is done the peer shall be held back, by a transport that can.
        """
        match self._state:
            case _Keeping():
                if not (self._kept and isinstance(self._kept[-1], Closed)):
                    self._kept.append(inbound)
                    if isinstance(inbound, Text):
                        self._kept_characters += len(inbound.text)
            case _Passing(deliver, over):
                return self._pass(inbound, deliver, over)
            case _Over():
                pass
        return None

    async def run(self, deliver: Deliver) -> None:
        """Hand on what was kept and everything after it; return after `Closed`.

        Raises:
            RuntimeError: called a second time.
            Exception: whatever `deliver` raised.
        """
        if not isinstance(self._state, _Keeping):
            raise RuntimeError("Transport.run() was called twice; a connection has one listener.")
        try:
            while self._kept:
                inbound = self._kept.popleft()
                deliver(inbound)
                if isinstance(inbound, Closed):
                    return
            over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._state = _Passing(deliver, over)
            await over
        finally:
            self._state = _Over()

    def _pass(self, inbound: Inbound, deliver: Deliver, over: "asyncio.Future[None]") -> "asyncio.Future[None] | None":
        try:
            taken = deliver(inbound)
        except Exception as broken:  # the listener's own failure: it belongs to the task that runs us
            self._state = _Over()
            if not over.done():
                over.set_exception(broken)
            return None
        if isinstance(inbound, Closed):
            self._state = _Over()
            if not over.done():
                over.set_result(None)
        return taken
