import pytest

from vivavoce.errors import RequestError, Retry
from vivavoce.gateway.quota import Quota
from vivavoce.store.memory import MemoryStore
from vivavoce.testing.clock import ManualClock


async def test_a_minute_has_a_share_and_says_when_the_next_one_begins() -> None:
    clock = ManualClock(wall=1_795_176_000.0)
    clock.advance(45.0)
    async with MemoryStore(clock) as store:
        quota = Quota(store, clock)
        for _ in range(3):
            await quota.spend("anna", "calls", 3)
        with pytest.raises(RequestError) as refused:
            await quota.spend("anna", "calls", 3)
        assert (refused.value.status, refused.value.code) == (429, "rate_limit_exceeded")
        assert refused.value.next == Retry(15.0)
        clock.advance(15.0)
        await quota.spend("anna", "calls", 3)


async def test_shares_are_counted_apart_by_identity_and_by_what_is_done() -> None:
    clock = ManualClock()
    async with MemoryStore(clock) as store:
        quota = Quota(store, clock)
        await quota.spend("anna", "calls", 1)
        await quota.spend("bela", "calls", 1)
        await quota.spend("anna", "client secrets", 1)


async def test_processes_that_share_a_store_share_the_count() -> None:
    clock = ManualClock()
    async with MemoryStore(clock) as store:
        await Quota(store, clock).spend("anna", "calls", 1)
        with pytest.raises(RequestError):
            await Quota(store, clock).spend("anna", "calls", 1)


async def test_a_store_that_fails_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    async with MemoryStore(clock, limit_bytes=1) as full:
        for _ in range(5):
            await Quota(full, clock).spend("anna", "calls", 1)
    assert [record.getMessage() for record in caplog.records] == ["quota_not_counted"] * 5
