"""A wire that is cut is dead for both sides, and tells nobody."""

import asyncio
from asyncio import TaskGroup

from vivavoce.check.wire import Wire
from vivavoce.transport.interface import Inbound, SoundPath, Text
from vivavoce.transport.memory import join


async def test_after_the_cut_nothing_passes_and_the_figures_stand_still() -> None:
    ours, theirs = join(SoundPath.TEXT)
    wire = Wire(ours)
    here: list[Inbound] = []
    there: list[Inbound] = []
    async with TaskGroup() as tasks:
        tasks.create_task(wire.run(here.append))
        tasks.create_task(theirs.run(there.append))
        wire.send("one")
        theirs.send("one")
        for _ in range(20):
            await asyncio.sleep(0)
        assert Text("one") in here
        assert Text("one") in there
        before = await wire.link()
        wire.cut()
        wire.send("two")
        theirs.send("two")
        assert await wire.link() == before
        await wire.close()
    assert Text("two") not in here
    assert Text("two") not in there
    assert wire.traits == ours.traits
