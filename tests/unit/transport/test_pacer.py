"""The clock that every call's sound hangs on."""

import asyncio
import random
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.transport.virtual import run, this_loop
from vivavoce.transport.pacer import LATE_BEATS, PERIOD_S, Pacer, Schedule


class Player:
    """Notes when it was served."""

    def __init__(self, on_beat: Callable[[], None] = lambda: None) -> None:
        self.beats: list[tuple[float, int]] = []
        self.error: Exception | None = None
        self._on_beat = on_beat

    def beat(self, beats: int, now: float) -> None:
        self.beats.append((now, beats))
        self._on_beat()

    def broke(self, error: Exception) -> None:
        self.error = error

    @property
    def total(self) -> int:
        return sum(beats for _, beats in self.beats)


@given(st.lists(st.floats(0.0, 0.2), max_size=200))
def test_no_more_sound_leaves_than_time_has_passed(waits: list[float]) -> None:
    schedule, now, total = Schedule(0.0), 0.0, 0
    for wait in waits:
        now = max(now, schedule.next) + wait
        due = schedule.due(now)
        assert 1 <= due <= LATE_BEATS
        total += due
        assert total <= now / PERIOD_S + 1 + 1e-6


def test_an_hour_of_small_delays_loses_nothing() -> None:
    schedule, total, chance = Schedule(0.0), 0, random.Random(7)
    while schedule.next < 3600.0:
        total += schedule.due(schedule.next + chance.uniform(0.0, 0.035))
    assert abs(total - 180_000) <= LATE_BEATS


def test_looking_too_early_yields_nothing() -> None:
    schedule = Schedule(1.0)
    assert schedule.due(0.99) == 0
    assert schedule.due(1.0) == 1
    assert schedule.due(1.01) == 0


def test_after_a_long_stall_only_a_little_is_made_up_for() -> None:
    schedule = Schedule(0.0)
    assert schedule.due(5.0) == LATE_BEATS
    assert schedule.due(5.0) == 0
    assert schedule.due(5.0 + PERIOD_S) == 1


def test_every_call_is_served_every_20_ms_by_one_wake_up() -> None:
    async def main() -> None:
        players = [Player() for _ in range(20)]
        async with Pacer() as pacer:
            for player in players:
                pacer.add(player)
            woken = this_loop().looks
            await asyncio.sleep(2.0)
            woken = this_loop().looks - woken
        assert {player.total for player in players} == {100} or {player.total for player in players} == {101}
        moments = [now for now, _ in players[0].beats]
        assert all(abs(later - earlier - PERIOD_S) < 1e-6 for earlier, later in zip(moments, moments[1:], strict=False))
        assert woken < 250

    run(main())


def test_a_stall_of_the_process_is_followed_by_at_most_60_ms_at_once() -> None:
    async def main() -> None:
        player = Player()
        async with Pacer() as pacer:
            pacer.add(player)
            await asyncio.sleep(0.1)
            this_loop().stall(1.0)
            await asyncio.sleep(0.1)
        assert max(beats for _, beats in player.beats) == LATE_BEATS
        assert player.total <= 6 + LATE_BEATS + 6

    run(main())


def test_one_call_that_breaks_is_told_and_the_others_play_on() -> None:
    class Hiccup(Exception):
        pass

    def hiccup() -> None:
        raise Hiccup

    async def main() -> None:
        broken, sound = Player(hiccup), Player()
        async with Pacer() as pacer:
            pacer.add(broken)
            pacer.add(sound)
            await asyncio.sleep(0.2)
            assert len(pacer) == 1
        assert isinstance(broken.error, Hiccup)
        assert broken.total == 1
        assert sound.total >= 10
        assert sound.error is None

    run(main())


def test_a_call_that_ends_another_in_its_beat_ends_it_at_once() -> None:
    async def main() -> None:
        async with Pacer() as pacer:
            second = Player()
            first = Player(lambda: pacer.remove(second))
            pacer.add(first)
            pacer.add(second)
            await asyncio.sleep(0.1)
            assert second.total == 0
            assert first.total >= 5
            pacer.remove(second)

    run(main())


def test_an_hour_without_calls_wakes_nobody_and_the_next_call_is_served() -> None:
    async def main() -> None:
        async with Pacer() as pacer:
            first = Player()
            pacer.add(first)
            await asyncio.sleep(0.1)
            pacer.remove(first)
            await asyncio.sleep(0.1)
            woken = this_loop().looks
            await asyncio.sleep(3600.0)
            assert this_loop().looks - woken < 5
            second = Player()
            pacer.add(second)
            await asyncio.sleep(0.1)
            assert second.beats[0][1] == 1
            assert 5 <= second.total <= 6

    run(main())
