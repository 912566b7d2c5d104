"""Which of several ways is taken, and what becomes of the others."""

import asyncio
from asyncio import Event

import pytest

from tests.unit.transport.virtual import VirtualLoop
from vivavoce.client.race import Stuck, race
from vivavoce.errors import RefusedError, TransportError, VivaError


class Way:
    """A way that takes so long, after which it fails or not; it is stuck some time before."""

    def __init__(self, seconds: float, failure: Exception | None = None, *, stuck_s: float | None = None) -> None:
        self._seconds = seconds
        self._failure = failure
        self._stuck_s = stuck_s
        self.begun: float | None = None
        self.ended = Event()

    async def go(self, stuck: Stuck) -> None:
        loop = asyncio.get_running_loop()
        self.begun = loop.time()
        if self._stuck_s is not None:
            loop.call_later(self._stuck_s, stuck)
        try:
            await asyncio.sleep(self._seconds)
        finally:
            self.ended.set()
        if self._failure is not None:
            raise self._failure


def run(*ways: Way) -> float:
    """Race them; how long it took."""

    async def main() -> float:
        await race([way.go for way in ways])
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


def test_a_way_that_works_has_no_other_beside_it() -> None:
    first, second = Way(1.5, stuck_s=2.0), Way(0.1)
    assert run(first, second) == 1.5
    assert second.begun is None


def test_the_next_way_is_tried_beside_one_that_is_stuck_and_the_first_there_wins() -> None:
    slow, quick = Way(9.0, stuck_s=2.0), Way(0.3)
    assert run(slow, quick) == pytest.approx(2.3)
    assert slow.ended.is_set()
    late, slower = Way(2.2, stuck_s=2.0), Way(0.3)
    assert run(late, slower) == pytest.approx(2.2)
    assert slower.ended.is_set()


def test_a_way_that_cannot_be_connected_is_not_waited_for() -> None:
    assert run(Way(0.5, TransportError("unreachable")), Way(0.3)) == pytest.approx(0.8)


def test_who_is_refused_is_refused_every_way() -> None:
    other = Way(0.3)
    with pytest.raises(RefusedError, match="no"):
        run(Way(0.5, RefusedError("no")), other)
    assert other.begun is None


def test_a_way_that_is_refused_beside_another_does_not_end_the_other() -> None:
    assert run(Way(3.0, stuck_s=2.0), Way(0.1, RefusedError("no"))) == 3.0


@pytest.mark.parametrize("other", [RefusedError("no"), TransportError("unreachable")])
def test_where_nothing_helps_the_first_way_says_why(other: VivaError) -> None:
    with pytest.raises(TransportError, match="no way"):
        run(Way(10.0, TransportError("no way"), stuck_s=2.0), Way(0.1, other))


def test_a_fault_of_ours_is_not_taken_for_a_shut_door() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        run(Way(9.0, stuck_s=0.0), Way(0.1, ZeroDivisionError()))
    assert caught.group_contains(ZeroDivisionError)


def test_whoever_gives_up_the_race_leaves_nobody_running() -> None:
    ways = [Way(9.0, stuck_s=0.0), Way(9.0)]

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await race([way.go for way in ways])
        assert all(way.ended.is_set() for way in ways)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())
