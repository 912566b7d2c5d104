"""Deliveries on their way."""

import asyncio
from asyncio import TaskGroup

import pytest

from vivavoce.transport.inbox import Inbox
from vivavoce.transport.interface import Closed, ClosedBy, Inbound, Opened, Text

GOODBYE = Closed(ClosedBy.PEER)


async def test_what_came_early_is_handed_on_first() -> None:
    inbox, got = Inbox(), list[Inbound]()
    inbox.put(Opened())
    inbox.put(Text("one"))
    assert (inbox.kept_characters, inbox.passing) == (3, False)
    async with TaskGroup() as tasks:
        tasks.create_task(inbox.run(got.append))
        await asyncio.sleep(0)
        assert inbox.passing
        inbox.put(Text("two"))
        inbox.put(GOODBYE)
        inbox.put(Text("too late"))
    assert got == [Opened(), Text("one"), Text("two"), GOODBYE]
    assert not inbox.passing


async def test_a_connection_that_ended_before_it_was_run_is_told_whole() -> None:
    inbox, got = Inbox(), list[Inbound]()
    inbox.put(Text("last words"))
    inbox.put(GOODBYE)
    inbox.put(Text("too late"))
    await inbox.run(got.append)
    assert got == [Text("last words"), GOODBYE]


async def test_what_arrives_while_the_early_is_handed_on_keeps_its_place() -> None:
    inbox, got = Inbox(), list[Inbound]()

    def deliver(inbound: Inbound) -> None:
        got.append(inbound)
        if inbound == Text("one"):
            inbox.put(Text("three"))
            inbox.put(GOODBYE)

    inbox.put(Text("one"))
    inbox.put(Text("two"))
    await inbox.run(deliver)
    assert got == [Text("one"), Text("two"), Text("three"), GOODBYE]


async def test_the_listeners_failure_belongs_to_the_listener() -> None:
    def slip(_: Inbound) -> None:
        raise LookupError

    async def run(inbox: Inbox) -> None:
        with pytest.raises(LookupError):
            await inbox.run(slip)

    inbox = Inbox()
    async with TaskGroup() as tasks:
        tasks.create_task(run(inbox))
        await asyncio.sleep(0)
        inbox.put(Text("trip over this"))
        inbox.put(Text("and not over this"))

    early = Inbox()
    early.put(Text("trip over this"))
    await run(early)


async def test_it_is_run_once() -> None:
    inbox = Inbox()
    inbox.put(GOODBYE)
    await inbox.run(lambda _: None)
    with pytest.raises(RuntimeError):
        await inbox.run(lambda _: None)


async def test_who_hands_on_learns_what_to_wait_for_before_more_may_come() -> None:
    inbox, taken = Inbox(), asyncio.get_running_loop().create_future()
    async with asyncio.timeout(10), TaskGroup() as tasks:
        tasks.create_task(inbox.run(lambda arrived: taken if isinstance(arrived, Text) else None))
        await asyncio.sleep(0)
        assert inbox.put(Opened()) is None
        assert inbox.put(Text("long")) is taken
        inbox.put(GOODBYE)
