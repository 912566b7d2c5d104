"""A few children for many jobs."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from vivavoce.engine.child import Child, Talk
from vivavoce.engine.pipe import Kind
from vivavoce.engine.pool import Pool, Seat
from vivavoce.errors import EngineError


async def parrot() -> Child:
    return await Child.spawn("parrot", "tests.unit.engine.parrot_worker", patience_s=20)


@asynccontextmanager
async def pool_of(size: int, *, waiting: int = 4, idle_s: float = 60.0) -> AsyncGenerator[Pool]:
    pool = Pool("parrots", parrot, size=size, waiting=waiting, idle_s=idle_s)
    await pool.open()
    try:
        yield pool
    finally:
        await pool.close()


async def say(seat: Seat, words: bytes) -> bytes:
    seat.talk.send(Kind.WORDS, words)
    return (await seat.talk.receive(10)).body


async def job(pool: Pool, words: bytes) -> bytes:
    async with pool.seat() as seat:
        return await say(seat, words)


async def test_the_second_child_starts_when_two_work_at_once() -> None:
    async with pool_of(2) as pool:
        assert len(pool.children) == 1
        async with pool.seat() as first, pool.seat() as second:
            assert first.child is not second.child
        assert len(pool.children) == 2


async def test_jobs_in_turn_share_one_child() -> None:
    async with pool_of(3) as pool:
        assert [await job(pool, word) for word in (b"a", b"b")] == [b"a", b"b"]
        assert len(pool.children) == 1


async def test_waiting_jobs_are_served_in_order() -> None:
    served: list[bytes] = []

    async def queued(pool: Pool, word: bytes) -> None:
        served.append(await job(pool, word))

    async with pool_of(1) as pool, asyncio.TaskGroup() as tasks, pool.seat():
        for word in (b"1", b"2", b"3"):
            tasks.create_task(queued(pool, word))
            await asyncio.sleep(0)
    assert served == [b"1", b"2", b"3"]


async def test_a_full_queue_refuses_and_recovers() -> None:
    async with pool_of(1, waiting=1) as pool, asyncio.TaskGroup() as tasks:
        async with pool.seat():
            waiting = tasks.create_task(job(pool, b"patient"))
            await asyncio.sleep(0)
            with pytest.raises(EngineError, match="busy"):
                await job(pool, b"one too many")
        assert await waiting == b"patient"
        assert await job(pool, b"later") == b"later"


async def test_a_job_cancelled_while_it_waits_or_works_frees_its_place() -> None:
    async with pool_of(1, waiting=1) as pool, asyncio.TaskGroup() as tasks:
        async with pool.seat():
            for _ in range(3):
                waiting = tasks.create_task(job(pool, b"x"))
                await asyncio.sleep(0)
                waiting.cancel()
                await asyncio.sleep(0)
        working = tasks.create_task(job(pool, b"silence"))
        await asyncio.sleep(0)
        working.cancel()
        assert await job(pool, b"next") == b"next"
        assert len(pool.children) == 1


async def test_a_job_cancelled_in_the_moment_of_its_turn_passes_it_on() -> None:
    async with pool_of(1) as pool, asyncio.TaskGroup() as tasks:
        async with pool.seat():
            unlucky = tasks.create_task(job(pool, b"x"))
            lucky = tasks.create_task(job(pool, b"y"))
            await asyncio.sleep(0)
        unlucky.cancel()
        assert await lucky == b"y"


async def test_a_killed_child_fails_its_job_and_is_replaced() -> None:
    async with pool_of(1) as pool:
        async with pool.seat() as seat:
            killed = seat.child.pid
            os.kill(killed, signal.SIGKILL)
            with pytest.raises(EngineError, match="signal 9"):
                await seat.talk.receive(10)
        assert await job(pool, b"again") == b"again"
        assert [child.pid for child in pool.children] != [killed]


async def test_a_child_killed_while_idle_is_not_noticed_by_anybody() -> None:
    async with pool_of(1) as pool:
        child = pool.children[0]
        os.kill(child.pid, signal.SIGKILL)
        await child.close()
        assert await job(pool, b"hello") == b"hello"


async def test_a_job_that_idles_loses_its_seat_to_one_that_waits_and_still_gets_its_last_answer() -> None:
    def last_words(talk: Talk) -> None:
        talk.send(Kind.WORDS, b"so far")

    async with pool_of(1, idle_s=0.05) as pool:
        async with pool.seat(last_words) as idler:
            await say(idler, b"hello")
            idler.rest()
            assert await job(pool, b"urgent") == b"urgent"
            assert idler.lost
            assert (await idler.talk.receive(10)).body == b"so far"
        async with pool.seat():
            assert len(pool.children) == 1


async def test_a_job_that_works_keeps_its_seat() -> None:
    async with pool_of(1, idle_s=0.02) as pool, asyncio.TaskGroup() as tasks:
        async with pool.seat() as seat:
            seat.rest()
            seat.work()
            waiting = tasks.create_task(job(pool, b"patient"))
            # Ten times what an idler would have had.
            _, pending = await asyncio.wait([waiting], timeout=0.2)
            assert pending == {waiting}
            assert not seat.lost
        assert await waiting == b"patient"


async def test_closing_ends_jobs_that_work_and_jobs_that_wait() -> None:
    errors: list[EngineError] = []

    async def doomed(pool: Pool) -> None:
        try:
            await job(pool, b"silence")
        except EngineError as error:
            errors.append(error)

    async with asyncio.TaskGroup() as tasks, pool_of(1) as pool:
        for _ in range(3):
            tasks.create_task(doomed(pool))
            await asyncio.sleep(0)
        children = pool.children
    assert len(errors) == 3
    assert not any(child.alive for child in children)
    with pytest.raises(EngineError, match="not running"):
        await job(pool, b"too late")


async def test_a_child_that_cannot_be_replaced_fails_the_job_and_frees_the_place() -> None:
    starts = 0

    async def once() -> Child:
        nonlocal starts
        starts += 1
        if starts == 2:
            raise EngineError("no more parrots today")
        return await parrot()

    pool = Pool("parrots", once, size=1, waiting=1)
    await pool.open()
    async with pool.seat() as seat:
        seat.child.kill("was killed by a test")
    with pytest.raises(EngineError, match="no more parrots"):
        await job(pool, b"hello")
    assert await job(pool, b"hello") == b"hello"
    await pool.close()
