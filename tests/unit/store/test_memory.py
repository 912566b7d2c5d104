"""What the memory store does beyond what every store does: it bounds what it holds."""

import pytest

from vivavoce.errors import Retry, StoreError
from vivavoce.store.memory import MemoryStore
from vivavoce.testing.clock import ManualClock


async def test_a_full_store_refuses_and_says_when_to_come_back() -> None:
    async with MemoryStore(ManualClock(), limit_bytes=4096) as store:
        assert await store.put_if_absent("a", bytes(3000), 60.0)
        with pytest.raises(StoreError) as refused:
            await store.put_if_absent("b", bytes(3000), 60.0)
        assert refused.value.next == Retry(after_s=10.0)
        with pytest.raises(StoreError):
            await store.append("log", bytes(3000), keep=5)
        assert await store.get("a") == bytes(3000)
        assert await store.get("b") is None


async def test_ended_and_deleted_keys_make_room_again() -> None:
    clock = ManualClock()
    async with MemoryStore(clock, limit_bytes=4096) as store:
        await store.put_if_absent("a", bytes(3000), 10.0)
        clock.advance(11.0)
        assert await store.put_if_absent("b", bytes(3000), 60.0)
        assert await store.delete("b")
        assert await store.put_if_absent("c", bytes(3000), 60.0)


async def test_entries_that_leave_a_log_make_room_again() -> None:
    async with MemoryStore(ManualClock(), limit_bytes=8192) as store:
        for _ in range(100):
            await store.append("log", bytes(1000), keep=3)
        assert store.held_bytes < 4096


async def test_counting_does_not_leak_what_it_holds() -> None:
    clock = ManualClock()
    async with MemoryStore(clock) as store:
        for number in range(10_000):
            await store.increment(f"window:{number % 7}", 1, 5.0)
            clock.advance(1.0)
        clock.advance(6.0)
        await store.put_if_absent("last", b"", 1.0)
        assert store.held_bytes < 300


async def test_prolonging_one_key_again_and_again_takes_no_more_room() -> None:
    async with MemoryStore(ManualClock()) as store:
        await store.put_if_absent("lease", b"node", 10.0)
        for _ in range(10_000):
            await store.expire("lease", 10.0)
        assert store.noted_ends < 200


async def test_a_closed_store_has_forgotten_everything() -> None:
    async with MemoryStore(ManualClock()) as store:
        await store.put_if_absent("a", b"1", 60.0)
        await store.append("log", b"1", keep=5)
    assert store.held_bytes == 0
    assert await store.get("a") is None
    assert await store.tail("log", 5) == []
