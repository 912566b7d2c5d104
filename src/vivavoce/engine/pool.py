"""A few child processes for many calls.

A job has a seat for as long as it works: one child of its own. The first child starts with the pool, the others when
they are first needed; a dead one is replaced when somebody wants its seat. Who finds all seats taken waits in
a bounded queue, and while somebody waits a job that lets its child idle loses its seat.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from vivavoce.engine.child import Child, Talk
from vivavoce.errors import EngineError, Never, Retry

IDLE_S: Final = 2.0
"""So long a job may let its child idle while others wait."""

Spawn = Callable[[], Awaitable[Child]]
LastWords = Callable[[Talk], None]


class Seat:
    """One job's hold on a child."""

    def __init__(self, child: Child, last_words: LastWords | None) -> None:
        self.child = child
        self.talk: Final = child.talk()
        self._last_words = last_words
        self._idle_since: float | None = None
        self._lost = False

    @property
    def lost(self) -> bool:
        """Whether the child now works for somebody else. What the talk had asked before is still answered."""
        return self._lost

    def rest(self) -> None:
        """From now on the child has nothing to do for this job."""
        self._idle_since = asyncio.get_running_loop().time()

    def work(self) -> None:
        """The child has something to do again."""
        self._idle_since = None

    def idle_s(self, now: float) -> float:
        """How long the child has had nothing to do."""
        return 0.0 if self._lost or self._idle_since is None else now - self._idle_since

    def lose(self) -> None:
        """Give the child up to somebody else."""
        self._lost = True
        if self._last_words is not None:
            # A dead child hears no last words; whoever holds the seat finds out on its own.
            with suppress(EngineError):
                self._last_words(self.talk)


class Pool:
    """The children and who holds them."""

    def __init__(self, name: str, spawn: Spawn, *, size: int, waiting: int, idle_s: float = IDLE_S) -> None:
        """Not yet open.

        Args:
            name: what messages call it.
            spawn: starts one child.
            size: how many children at most.
            waiting: how many jobs may wait for a seat.
            idle_s: how long a job may let its child idle while others wait.
        """
        self.name = name
        self._spawn = spawn
        self._size = size
        self._waiting = waiting
        self._idle_s = idle_s
        self._idle: list[Child] = []
        self._seats: set[Seat] = set()
        self._taken = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._watch: asyncio.TimerHandle | None = None
        self._open = False

    @property
    def children(self) -> tuple[Child, ...]:
        """The living children, idle and busy."""
        return tuple(child for child in self._all() if child.alive)

    async def open(self) -> None:
        """Start the first child.

        Raises:
            EngineError: it cannot work here.
        """
        self._idle.append(await self._spawn())
        self._open = True

    async def close(self) -> None:
        """End all children; jobs that still run or wait get an `EngineError`."""
        self._open = False
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        while self._queue:
            place = self._queue.popleft()
            if not place.done():
                place.set_exception(self._closed())
        children = self._all()
        self._idle.clear()
        await asyncio.gather(*(child.close() for child in children))

    @asynccontextmanager
    async def seat(self, last_words: LastWords | None = None) -> AsyncGenerator[Seat]:
        """A seat for one job.

        Args:
            last_words: called when the seat is lost; may still ask something of the talk.

        Raises:
            EngineError: the queue is full, the pool is closed, or no child can be started.
        """
        await self._take_place()
        try:
            seat = Seat(await self._child(), last_words)
        except BaseException:
            self._free_place()
            raise
        self._seats.add(seat)
        try:
            yield seat
        finally:
            seat.talk.close()
            self._vacate(seat)

    def _all(self) -> list[Child]:
        return [*self._idle, *(seat.child for seat in self._seats)]

    async def _child(self) -> Child:
        while self._idle:
            child = self._idle.pop()
            if child.alive:
                return child
        child = await self._spawn()
        if not self._open:
            await child.close()
            raise self._closed()
        return child

    def _vacate(self, seat: Seat) -> None:
        if seat in self._seats:
            self._seats.discard(seat)
            if seat.child.alive:
                self._idle.append(seat.child)
            self._free_place()

    # ── places: as many as there may be children ───────────────────────────────────────────────────────

    async def _take_place(self) -> None:
        if not self._open:
            raise self._closed()
        if self._taken < self._size:
            self._taken += 1
            return
        if len(self._queue) >= self._waiting:
            raise EngineError(
                f"{self.name} is busy: {self._size} jobs run and {len(self._queue)} wait, which is the limit",
                next=Retry(1.0),
            )
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        self._watch_idlers()
        try:
            await place
        except asyncio.CancelledError:
            with suppress(ValueError):
                self._queue.remove(place)
            if place.done() and not place.cancelled() and place.exception() is None:
                # Cancelled in the very moment in which the place was handed over.
                self._free_place()
            raise

    def _free_place(self) -> None:
        """Hand the place to whoever has waited longest."""
        while self._queue:
            place = self._queue.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._taken -= 1

    def _watch_idlers(self) -> None:
        if self._watch is None:
            self._watch = asyncio.get_running_loop().call_later(self._idle_s / 4, self._evict)

    def _evict(self) -> None:
        """Take seats from those who idle, for those who wait."""
        self._watch = None
        now = asyncio.get_running_loop().time()
        idlers = sorted(self._seats, key=lambda seat: seat.idle_s(now), reverse=True)
        for seat in idlers[: len(self._queue)]:
            if seat.idle_s(now) >= self._idle_s:
                seat.lose()
                self._vacate(seat)
        if self._queue:
            self._watch_idlers()

    def _closed(self) -> EngineError:
        return EngineError(f"{self.name} is not running; enter it with `async with` first", next=Never())
