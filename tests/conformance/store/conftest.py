"""The stores that must be interchangeable."""

from collections.abc import AsyncIterator

import pytest

from vivavoce.store.interface import Store
from vivavoce.store.memory import MemoryStore
from vivavoce.testing.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["memory"])
async def store(request: pytest.FixtureRequest, clock: ManualClock) -> AsyncIterator[Store]:
    match request.param:
        case "memory":
            async with MemoryStore(clock, backlog=16) as memory:
                yield memory
        case other:
            raise AssertionError(f"no such store: {other}")
