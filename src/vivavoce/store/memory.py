"""The store of a single process."""

import asyncio
import heapq
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

from vivavoce.clock import Clock
from vivavoce.errors import Retry, StoreError

_BACKLOG = 1024
_LIMIT_BYTES = 64 * 1024 * 1024
_ENTRY_BYTES = 200
"""What an entry costs beside its key and value, roughly, so that many tiny ones count too."""


@dataclass
class _Fact:
    value: bytes
    ends: float


class MemoryStore:
    """Keeps everything in this process; gone when it ends.

    Ended keys are dropped whenever something is written, so an idle store needs no timer. `limit_bytes`
    bounds all that is kept, since whoever may mint secrets decides how much that is.
    """

    def __init__(self, clock: Clock, *, limit_bytes: int = _LIMIT_BYTES, backlog: int = _BACKLOG) -> None:
        self._clock = clock
        self._limit_bytes = limit_bytes
        self._backlog = backlog
        self._held_bytes = 0
        self._facts: dict[str, _Fact] = {}
        self._ends: list[tuple[float, str]] = []
        self._subscribers: dict[str, list[asyncio.Queue[bytes | None]]] = {}
        self._logs: dict[str, deque[bytes]] = {}

    async def __aenter__(self) -> Self:
        """Nothing to open."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Forget everything."""
        self._facts.clear()
        self._ends.clear()
        self._logs.clear()
        self._held_bytes = 0

    @property
    def held_bytes(self) -> int:
        """What keys and logs take at present, ended ones included until the next write."""
        return self._held_bytes

    @property
    def noted_ends(self) -> int:
        """How many notes of when a key ends are held."""
        return len(self._ends)

    async def put_if_absent(self, key: str, value: bytes, ttl_s: float) -> bool:
        """See `Store.put_if_absent`."""
        self._purge()
        if key in self._facts:
            return False
        self._claim(_weight(key, value))
        self._facts[key] = _Fact(value, 0.0)
        self._set_end(key, ttl_s)
        return True

    async def get(self, key: str) -> bytes | None:
        """See `Store.get`."""
        fact = self._living(key)
        return None if fact is None else fact.value

    async def delete(self, key: str) -> bool:
        """See `Store.delete`."""
        self._purge()
        return self._drop(key)

    async def expire(self, key: str, ttl_s: float) -> bool:
        """See `Store.expire`."""
        self._purge()
        if key not in self._facts:
            return False
        self._set_end(key, ttl_s)
        return True

    async def increment(self, key: str, by: int, ttl_s: float) -> int:
        """See `Store.increment`."""
        if await self.put_if_absent(key, b"%d" % by, ttl_s):
            return by
        fact = self._facts[key]
        try:
            total = int(fact.value) + by
        except ValueError:
            raise StoreError(
                f"The key {key!r} holds something that is not a counter; count under another key."
            ) from None
        self._held_bytes -= _weight(key, fact.value)
        fact.value = b"%d" % total
        self._held_bytes += _weight(key, fact.value)
        return total

    async def publish(self, channel: str, message: bytes) -> None:
        """See `Store.publish`."""
        for queue in self._subscribers.get(channel, ()):
            # One place is kept for the None that says "you missed something".
            if queue.qsize() < self._backlog:
                queue.put_nowait(message)
            elif queue.qsize() == self._backlog:
                queue.put_nowait(None)

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        """See `Store.subscribe`. A subscriber may be `backlog` messages behind."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._subscribers.setdefault(channel, []).append(queue)
        try:
            yield _Messages(queue, channel)
        finally:
            queues = self._subscribers[channel]
            queues[:] = [other for other in queues if other is not queue]
            if not queues:
                del self._subscribers[channel]

    async def append(self, log: str, entry: bytes, keep: int) -> None:
        """See `Store.append`."""
        self._purge()
        self._claim(_weight(log, entry))
        entries = self._logs.setdefault(log, deque())
        entries.append(entry)
        while len(entries) > max(keep, 1):
            self._held_bytes -= _weight(log, entries.popleft())

    async def tail(self, log: str, count: int) -> list[bytes]:
        """See `Store.tail`."""
        entries = self._logs.get(log, deque[bytes]())
        return list(entries)[max(0, len(entries) - count) :]

    def _living(self, key: str) -> _Fact | None:
        fact = self._facts.get(key)
        return fact if fact is not None and fact.ends > self._clock.now() else None

    def _set_end(self, key: str, ttl_s: float) -> None:
        fact = self._facts[key]
        fact.ends = self._clock.now() + ttl_s
        heapq.heappush(self._ends, (fact.ends, key))
        # Notes about deleted or prolonged keys stay behind in the heap; do not let them outnumber the keys.
        if len(self._ends) > 2 * len(self._facts) + 64:
            self._ends = [(other.ends, name) for name, other in self._facts.items()]
            heapq.heapify(self._ends)

    def _drop(self, key: str) -> bool:
        fact = self._facts.pop(key, None)
        if fact is None:
            return False
        self._held_bytes -= _weight(key, fact.value)
        return True

    def _claim(self, weight: int) -> None:
        if self._held_bytes + weight > self._limit_bytes:
            raise StoreError(
                f"The memory store is full ({self._held_bytes} of {self._limit_bytes} bytes); "
                "wait for entries to run out, or give it more room.",
                next=Retry(after_s=10.0),
            )
        self._held_bytes += weight

    def _purge(self) -> None:
        now = self._clock.now()
        while self._ends and self._ends[0][0] <= now:
            _, key = heapq.heappop(self._ends)
            # The key may have been deleted, made anew or given another end since this note was written.
            if (fact := self._facts.get(key)) is not None and fact.ends <= now:
                self._drop(key)


def _weight(key: str, value: bytes) -> int:
    return len(key) + len(value) + _ENTRY_BYTES


class _Messages:
    """What one subscriber has not read yet."""

    def __init__(self, queue: asyncio.Queue[bytes | None], channel: str) -> None:
        self._queue = queue
        self._channel = channel

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        message = await self._queue.get()
        if message is None:
            raise StoreError(
                f"A subscriber of {self._channel!r} fell too far behind; subscribe again and look up the present state."
            )
        return message
