"""Those who wait for something to become true of a call, and what waits for the call to be connected again."""

import asyncio
from asyncio import Future
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from vivavoce.audio.frame import RATE_HZ, Pcm
from vivavoce.errors import Fault, Retry, TransportError, VivaError
from vivavoce.session.errand import CallTool
from vivavoce.wire.event import ClientEvent

T = TypeVar("T")

HELD: Final = 256
"""Commands that wait for a connection."""
HELD_S: Final = 10
"""Seconds of the user's sound that wait for one."""


@dataclass(frozen=True, slots=True)
class Order:
    """Something to be sent: an event, or JSON of a kind that no type here knows."""

    event: ClientEvent | str
    done: "Future[None]"


@dataclass(frozen=True, slots=True)
class Speech:
    """The user's sound."""

    samples: Pcm
    done: "Future[None]"


@dataclass(frozen=True, slots=True)
class Returned:
    """A function has ended."""

    call: CallTool
    output: str


class Waiters:
    """Conditions, and who waits for each."""

    def __init__(self) -> None:
        self._waiters: list[tuple[Callable[[], bool], Future[None]]] = []

    async def wait(self, condition: Callable[[], bool], timeout_s: float | None) -> None:
        """Return as soon as the condition holds.

        Raises:
            TimeoutError: it has not come true in time.
            VivaError: it never will.
        """
        waiter = condition, asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                await waiter[1]
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def look(self, never: VivaError | None) -> None:
        """Wake whoever waits for what has become true; all others too, should nothing ever happen again."""
        for condition, waiter in list(self._waiters):
            if waiter.done():
                continue
            if condition():
                waiter.set_result(None)
            elif never is not None:
                waiter.set_exception(never)


class Held:
    """What is to be sent once there is a connection again, in order, within bounds."""

    def __init__(self) -> None:
        self._orders: deque[Order | Returned] = deque()
        self._sound: deque[Pcm] = deque()
        self._samples = 0
        self.muted = False
        """Whether the user's sound is dropped."""
        self.overflowed = False
        """Whether some of the user's sound had to go because there was too much."""

    def put(self, wish: Order | Speech | Returned) -> None:
        """Keep it. Whoever gives sound is not made to wait: of that the oldest goes when there is too much."""
        match wish:
            case Speech(samples, done):
                self._sound.append(samples)
                self._samples += len(samples)
                self.overflowed = self.overflowed or self._samples > HELD_S * RATE_HZ
                while self._samples > HELD_S * RATE_HZ:
                    self._samples -= len(self._sound.popleft())
                done.set_result(None)
            case Order(_, done) if len(self._orders) >= HELD:
                done.set_exception(
                    TransportError(
                        f"The connection is lost, and {HELD} commands wait for its return; this one is one too many.",
                        fault=Fault.CALLER,
                        next=Retry(),
                    )
                )
            case _:
                self._orders.append(wish)

    def mute(self) -> None:
        """The user is muted: his sound does not wait any more."""
        self.muted = True
        self._sound.clear()
        self._samples = 0

    @property
    def orders(self) -> tuple[Order | Returned, ...]:
        """What waits, but for sound."""
        return tuple(self._orders)

    def take(self) -> tuple[list[Order | Returned], list[Pcm]]:
        """All of it; nothing waits any more."""
        orders, sound = list(self._orders), list(self._sound)
        self._orders.clear()
        self._sound.clear()
        self._samples = 0
        self.overflowed = False
        return orders, sound


class Inbox(Generic[T]):
    """What has happened and was not dealt with yet, in order."""

    def __init__(self) -> None:
        self._waiting: deque[T] = deque()
        self._something = asyncio.Event()

    def put(self, thing: T) -> None:
        """It has happened."""
        self._waiting.append(thing)
        self._something.set()

    async def more(self) -> None:
        """Return when there is something."""
        await self._something.wait()
        self._something.clear()

    @property
    def waiting(self) -> Iterator[T]:
        """All of it."""
        return iter(self._waiting)

    def take(self) -> T | None:
        """The oldest of it; None when there is nothing."""
        return self._waiting.popleft() if self._waiting else None
