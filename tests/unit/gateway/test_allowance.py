"""What the calls of one identity may cost."""

import pytest

from tests.unit.gateway.stand import KEY, settings, standing
from vivavoce.gateway.allowance import Allowance
from vivavoce.gateway.quota import Quota
from vivavoce.gateway.settings import Limits
from vivavoce.store.memory import MemoryStore
from vivavoce.testing.clock import ManualClock
from vivavoce.wire.config import RateLimit


async def test_calls_and_processes_draw_on_one_share_that_each_minute_renews() -> None:
    clock = ManualClock(wall=1_795_176_000.0)
    clock.advance(45.0)
    async with MemoryStore(clock) as store:
        one, other = (Allowance(Quota(store, clock), "anna", 2, 100) for _ in range(2))
        await one.charge(1, 60)
        assert await other.charge(2, 60) == (
            RateLimit(name="requests", limit=2, remaining=-1, reset_seconds=15.0),
            RateLimit(name="tokens", limit=100, remaining=-20, reset_seconds=15.0),
        )
        clock.advance(15.0)
        assert [limit.remaining for limit in await one.charge(0, 0)] == [2, 100]


async def test_only_what_is_limited_is_told() -> None:
    clock = ManualClock()
    async with MemoryStore(clock) as store:
        (left,) = await Allowance(Quota(store, clock), "anna", None, 10).charge(1, 3)
        assert (left.name, left.remaining) == ("tokens", 7)


async def test_a_store_that_fails_limits_nobody() -> None:
    clock = ManualClock()
    async with MemoryStore(clock, limit_bytes=1) as full:
        assert await Allowance(Quota(full, clock), "anna", 1, 1).charge(5, 5) == ()


@pytest.mark.parametrize("limits", [Limits(responses_per_minute=3), Limits(tokens_per_minute=3)])
def test_calls_and_sockets_are_charged_to_their_key(limits: Limits) -> None:
    with standing(settings(limits=limits)) as stand:
        stand.call()
        with stand.socket("/v1/realtime?model=house", authorization=f"Bearer {KEY}"):
            pass
        requests = [*stand.answerer.call_requests, *stand.answerer.socket_requests]
        assert [request.allowance and request.allowance.identity for request in requests] == [requests[0].identity] * 2


def test_who_has_no_limits_is_not_counted() -> None:
    with standing() as stand:
        stand.call()
        assert stand.answerer.call_requests[0].allowance is None
