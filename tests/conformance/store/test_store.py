"""What every store does alike, seen from outside."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from vivavoce.errors import StoreError
from vivavoce.store.interface import Store
from vivavoce.testing.clock import ManualClock


async def test_a_value_put_is_the_value_got(store: Store) -> None:
    assert await store.put_if_absent("a", b"\x00one", 60.0)
    assert await store.get("a") == b"\x00one"


async def test_a_key_that_never_was_is_none(store: Store) -> None:
    assert await store.get("nothing") is None
    assert not await store.delete("nothing")
    assert not await store.expire("nothing", 60.0)


async def test_the_first_of_two_puts_wins(store: Store) -> None:
    assert await store.put_if_absent("a", b"first", 60.0)
    assert not await store.put_if_absent("a", b"second", 60.0)
    assert await store.get("a") == b"first"


async def test_of_many_who_put_at_once_one_wins(store: Store) -> None:
    async with asyncio.TaskGroup() as group:
        puts = [group.create_task(store.put_if_absent("a", b"%d" % number, 60.0)) for number in range(20)]
    winners = [number for number, put in enumerate(puts) if put.result()]
    assert len(winners) == 1
    assert await store.get("a") == b"%d" % winners[0]


async def test_a_key_ends_with_its_time(store: Store, clock: ManualClock) -> None:
    await store.put_if_absent("a", b"one", 10.0)
    clock.advance(9.5)
    assert await store.get("a") == b"one"
    clock.advance(0.6)
    assert await store.get("a") is None


async def test_an_ended_key_counts_as_absent_for_every_operation(store: Store, clock: ManualClock) -> None:
    for key in ("a", "b", "c", "d"):
        await store.put_if_absent(key, b"1", 10.0)
    clock.advance(11.0)
    assert not await store.delete("a")
    assert not await store.expire("b", 60.0)
    assert await store.put_if_absent("c", b"new", 60.0)
    assert await store.get("c") == b"new"
    assert await store.increment("d", 5, 60.0) == 5


async def test_a_key_can_be_given_another_end(store: Store, clock: ManualClock) -> None:
    await store.put_if_absent("longer", b"1", 10.0)
    await store.put_if_absent("shorter", b"1", 100.0)
    assert await store.expire("longer", 100.0)
    assert await store.expire("shorter", 10.0)
    clock.advance(50.0)
    assert await store.get("longer") == b"1"
    assert await store.get("shorter") is None
    clock.advance(51.0)
    assert await store.get("longer") is None


async def test_of_many_who_delete_at_once_one_is_told_that_it_did(store: Store) -> None:
    await store.put_if_absent("a", b"one", 60.0)
    async with asyncio.TaskGroup() as group:
        deletions = [group.create_task(store.delete("a")) for _ in range(20)]
    assert sum(deletion.result() for deletion in deletions) == 1
    assert await store.get("a") is None


async def test_a_deleted_key_made_anew_keeps_its_new_end(store: Store, clock: ManualClock) -> None:
    await store.put_if_absent("a", b"old", 10.0)
    await store.delete("a")
    await store.put_if_absent("a", b"new", 100.0)
    clock.advance(50.0)
    await store.put_if_absent("other", b"1", 10.0)
    assert await store.get("a") == b"new"


async def test_a_counter_adds_up_whoever_counts(store: Store) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(store.increment("n", 2, 60.0))
    assert await store.increment("n", -1, 60.0) == 99
    assert await store.get("n") == b"99"


async def test_a_counter_is_a_window_that_later_counts_do_not_prolong(store: Store, clock: ManualClock) -> None:
    await store.increment("n", 1, 10.0)
    clock.advance(8.0)
    assert await store.increment("n", 1, 10.0) == 2
    clock.advance(3.0)
    assert await store.increment("n", 1, 10.0) == 1


async def test_counting_on_words_is_an_error_and_harms_nothing(store: Store) -> None:
    await store.put_if_absent("a", b"words", 60.0)
    with pytest.raises(StoreError):
        await store.increment("a", 1, 60.0)
    assert await store.get("a") == b"words"


async def test_everybody_subscribed_hears_messages_in_order(store: Store) -> None:
    async with asyncio.timeout(5), store.subscribe("news") as one, store.subscribe("news") as two:
        for number in range(5):
            await store.publish("news", b"%d" % number)
        for subscriber in (one, two):
            assert [await anext(subscriber) for _ in range(5)] == [b"0", b"1", b"2", b"3", b"4"]


async def test_nobody_hears_what_was_published_before_or_elsewhere(store: Store) -> None:
    await store.publish("news", b"early")
    async with asyncio.timeout(5), store.subscribe("news") as subscriber:
        await store.publish("other", b"elsewhere")
        await store.publish("news", b"now")
        assert await anext(subscriber) == b"now"


async def test_a_subscriber_waits_for_what_is_still_to_come(store: Store) -> None:
    listening = asyncio.Event()

    async def hear(subscriber: AsyncIterator[bytes]) -> bytes:
        listening.set()
        return await anext(subscriber)

    async with asyncio.timeout(5), store.subscribe("news") as subscriber, asyncio.TaskGroup() as group:
        hearing = group.create_task(hear(subscriber))
        await listening.wait()
        assert not hearing.done()
        await store.publish("news", b"later")
        assert await hearing == b"later"


async def test_who_falls_too_far_behind_is_told_instead_of_missing_something(store: Store) -> None:
    async with asyncio.timeout(5), store.subscribe("news") as slow:
        for number in range(5000):
            await store.publish("news", b"%d" % number)
        heard: list[bytes] = []

        async def hear_all() -> None:
            async for message in slow:
                heard.append(message)

        with pytest.raises(StoreError):
            await hear_all()
    assert heard == [b"%d" % number for number in range(len(heard))]


async def test_a_log_keeps_the_newest_in_order(store: Store) -> None:
    for number in range(10):
        await store.append("trail", b"%d" % number, keep=4)
    assert await store.tail("trail", 100) == [b"6", b"7", b"8", b"9"]
    assert await store.tail("trail", 2) == [b"8", b"9"]
    assert await store.tail("trail", 0) == []
    assert await store.tail("nothing", 5) == []


async def test_keys_channels_and_logs_of_one_name_do_not_meet(store: Store) -> None:
    async with asyncio.timeout(5), store.subscribe("x") as subscriber:
        await store.put_if_absent("x", b"key", 60.0)
        await store.append("x", b"log", keep=5)
        await store.publish("x", b"channel")
        assert await store.get("x") == b"key"
        assert await store.tail("x", 5) == [b"log"]
        assert await anext(subscriber) == b"channel"
