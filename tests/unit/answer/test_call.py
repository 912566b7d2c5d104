"""What one call owes to the others, and to whoever sends it long messages."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec

from tests.room import NoOffers, Wish
from tests.viva import engines
from vivavoce.answer.call import AT_ONCE, LONG
from vivavoce.answer.local import LocalAnswers
from vivavoce.gateway.ids import new_id
from vivavoce.testing.clock import ManualClock
from vivavoce.transport.interface import Closed, ClosedBy, Deliver, Inbound, SoundPath, Text
from vivavoce.transport.memory import MemoryTransport
from vivavoce.wire.codec import decode_session

MANY = 100 * AT_ONCE
NOTHING = "{}"


class Near(MemoryTransport):
    """The server's end, whose listener the test may speak to as the transport does."""

    deliver: Deliver

    async def run(self, deliver: Deliver) -> None:
        self.deliver = deliver
        await super().run(deliver)


class Caller:
    """One call, and all that its client was told."""

    def __init__(self) -> None:
        self.near, self.far = Near(SoundPath.TEXT), MemoryTransport(SoundPath.TEXT)
        self.near.meet(self.far)
        self.far.meet(self.near)
        self.told: list[str] = []
        self._came = asyncio.Event()

    def take(self, arrived: Inbound) -> None:
        if isinstance(arrived, Text):
            self.told.append(json.loads(arrived.text)["type"])
            self._came.set()

    async def until(self, number: int) -> None:
        while len(self.told) < number:
            self._came.clear()
            await self._came.wait()


@asynccontextmanager
async def calls(number: int) -> AsyncGenerator[list[Caller]]:
    """So many, which have been greeted."""
    callers = [Caller() for _ in range(number)]
    wanted = decode_session(msgspec.json.encode({"type": "realtime"}))
    async with (
        asyncio.timeout(20),
        LocalAnswers(engines(), NoOffers(), ManualClock(), new_id, models=("house",)) as answers,
        asyncio.TaskGroup() as tasks,
    ):
        for caller in callers:
            answers.converse(Wish(wanted), caller.near)
            tasks.create_task(caller.far.run(caller.take))
            await caller.until(1)
        yield callers
        for caller in callers:
            await caller.far.close()


async def test_a_call_with_much_to_say_lets_another_have_its_turn() -> None:
    async with calls(2) as (busy, other):
        for _ in range(MANY):
            busy.far.send(NOTHING)
        other.far.send(NOTHING)
        before = len(busy.told)
        await other.until(2)
        assert len(busy.told) - before <= 4 * AT_ONCE
        await busy.until(1 + MANY)


async def test_who_sends_a_long_message_is_held_back_until_it_has_been_taken() -> None:
    async with calls(1) as (caller,):
        assert caller.near.deliver(Text(NOTHING)) is None
        held = caller.near.deliver(Text("x" * (LONG + 1)))
        assert held is not None
        assert not held.done()
        await held
        await caller.until(3)


async def test_nobody_is_held_back_by_a_call_that_is_over() -> None:
    async with calls(1) as (caller,):
        held = caller.near.deliver(Text("x" * (LONG + 1)))
        assert held is not None
        caller.near.deliver(Closed(ClosedBy.PEER))
        behind = caller.near.deliver(Text("x" * (LONG + 1)))
        assert behind is held
        await held
