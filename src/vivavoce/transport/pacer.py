"""One clock for the sound of every call of a process."""

import asyncio
from asyncio import TaskGroup
from typing import Final, Protocol, Self

from vivavoce.telemetry.log import Log

PERIOD_S: Final = 0.02
LATE_BEATS: Final = 3
"""Beats made up for at once after a stall. More would leave as a burst that the listener's jitter buffer takes
for a change of the network: it would play everything later from then on."""

_log = Log("transport")


class Paced(Protocol):
    """One call's share of the clock."""

    def beat(self, beats: int, now: float) -> None:
        """So many periods of 20 ms are due; `now` is the event loop's time. Must not block."""
        ...

    def broke(self, error: Exception) -> None:
        """`beat` raised this. There will be no more beats."""
        ...


class Schedule:
    """When the next beat is due, and how many are, whatever the time between two looks. Pure."""

    def __init__(self, start: float) -> None:
        """The first beat is due at `start` (seconds)."""
        self._next = start

    @property
    def next(self) -> float:
        """When the next beat is due."""
        return self._next

    def due(self, now: float) -> int:
        """Take the beats that are due, at most `LATE_BEATS`; time that is lost beyond that stays lost."""
        if now < self._next:
            return 0
        beats = int((now - self._next) / PERIOD_S) + 1
        if beats <= LATE_BEATS:
            self._next += beats * PERIOD_S
            return beats
        self._next = now + PERIOD_S
        return LATE_BEATS


class Pacer:
    """Beats every 20 ms for everyone who was added, in one task; sleeps while there is nobody.

    An async context manager that owns its task. Members are served one after another in the same turn of the
    event loop, so a beat costs one wake-up for all calls together.
    """

    def __init__(self) -> None:
        self._members: dict[Paced, None] = {}
        self._somebody = asyncio.Event()
        self._tasks = TaskGroup()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._task = self._tasks.create_task(self._run(), name="pacer")
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._task is not None:
            self._task.cancel()
        await self._tasks.__aexit__(None, None, None)

    def __len__(self) -> int:
        """How many are served."""
        return len(self._members)

    def add(self, member: Paced) -> None:
        """Serve this one from the next beat on."""
        self._members[member] = None
        self._somebody.set()

    def remove(self, member: Paced) -> None:
        """Serve it no more. Harmless if it is not served."""
        self._members.pop(member, None)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._somebody.wait()
            schedule = Schedule(loop.time())
            while self._members:
                await asyncio.sleep(schedule.next - loop.time())
                now = loop.time()
                beats = schedule.due(now)
                if beats:
                    self._beat(beats, now)
            self._somebody.clear()

    def _beat(self, beats: int, now: float) -> None:
        for member in tuple(self._members):
            if member not in self._members:
                continue  # removed by a member before it
            try:
                member.beat(beats, now)
            except Exception as error:  # one call's trouble must not silence the others
                _log.failure("beat_failed", error)
                self.remove(member)
                member.broke(error)
