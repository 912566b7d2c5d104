"""The detector: many ears, one network."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from tests.unit.engine.voice import babbling, room
from vivavoce.audio.frame import Pcm
from vivavoce.clock import SystemClock
from vivavoce.engine.silero import WINDOW, Silero, open_detector
from vivavoce.errors import ConfigError, EngineError

SPOKEN = np.concatenate((room(1.0), babbling(1.5), room(1.0)))


class Listener:
    """Keeps what an ear reports, and says when enough has come."""

    def __init__(self) -> None:
        self.reports: list[tuple[float, int]] = []
        self._more = asyncio.Event()

    def __call__(self, probability: float, position: int) -> None:
        self.reports.append((probability, position))
        self._more.set()

    async def has(self, count: int) -> list[tuple[float, int]]:
        async with asyncio.timeout(10):
            while len(self.reports) < count:
                self._more.clear()
                await self._more.wait()
        return self.reports


@pytest_asyncio.fixture
async def detector() -> AsyncIterator[Silero]:
    async with open_detector({}, SystemClock()) as one:
        yield one


async def hear(detector: Silero, sound: Pcm, size: int) -> list[tuple[float, int]]:
    listener = Listener()
    ear = detector.open(listener)
    for at in range(0, len(sound), size):
        ear.push(sound[at : at + size])
    reports = await listener.has((len(sound) - 60) // WINDOW)
    ear.close()
    return reports


async def test_the_first_window_above_one_half_is_where_speech_begins(detector: Silero) -> None:
    reports = await hear(detector, SPOKEN, 480)
    onset = next(position for probability, position in reports if probability > 0.5)
    last = max(position for probability, position in reports if probability > 0.5)
    assert 24_000 < onset <= 24_000 + 4 * WINDOW
    assert 60_000 - 2 * WINDOW < last <= 60_000 + 5 * WINDOW


async def test_positions_count_samples_window_by_window(detector: Silero) -> None:
    reports = await hear(detector, SPOKEN, 480)
    assert [position for _, position in reports] == [WINDOW * (at + 1) for at in range(len(reports))]


@pytest.mark.parametrize("size", [1, 333, 24_000, len(SPOKEN)])
async def test_it_does_not_matter_how_the_sound_is_cut(detector: Silero, size: int) -> None:
    usual = await hear(detector, SPOKEN[:40_000], 480)
    other = await hear(detector, SPOKEN[:40_000], size)
    assert [position for _, position in other] == [position for _, position in usual]
    assert np.abs(np.array([p for p, _ in other]) - [p for p, _ in usual]).max() < 1e-5


async def test_fifty_calls_hear_what_each_would_hear_alone(detector: Silero) -> None:
    alone = await hear(detector, SPOKEN, 480)
    listeners = [Listener() for _ in range(50)]
    ears = [detector.open(listener) for listener in listeners]
    # Every call joins at a moment of its own, so that windows of different ages share a batch.
    for step in range(0, len(SPOKEN) + 50 * 160, 480):
        for late, ear in enumerate(ears):
            ear.push(SPOKEN[max(0, step - late * 160) : max(0, step + 480 - late * 160)])
        await asyncio.sleep(0)
    for listener in listeners:
        reports = await listener.has(len(alone))
        assert [position for _, position in reports] == [position for _, position in alone]
        assert np.abs(np.array([p for p, _ in reports]) - [p for p, _ in alone]).max() < 1e-5


async def test_a_minute_at_once_does_not_stop_the_loop_nor_the_other_calls(detector: Silero) -> None:
    hoarder, other = Listener(), Listener()
    detector.open(hoarder).push(np.tile(SPOKEN, 20))
    detector.open(other).push(SPOKEN[: 2 * WINDOW])
    turns = 0
    while len(hoarder.reports) < 2_000:
        await asyncio.sleep(0)
        turns += 1
        if turns == 4:
            assert len(other.reports) == 1
    assert turns > 10


async def test_a_closed_ear_is_silent_at_once(detector: Silero) -> None:
    closed, other = Listener(), Listener()
    ear = detector.open(closed)
    ear.push(SPOKEN[:4_000])
    ear.close()
    ear.close()
    ear.push(SPOKEN[:4_000])
    detector.open(other).push(SPOKEN[:4_000])
    await other.has(5)
    assert closed.reports == []


async def test_an_ear_may_be_closed_from_its_own_report(detector: Silero) -> None:
    heard = Listener()

    def once(probability: float, position: int) -> None:
        heard(probability, position)
        ear.close()

    ear = detector.open(once)
    other = Listener()
    ear.push(SPOKEN[:8_000])
    detector.open(other).push(SPOKEN[:8_000])
    await other.has(10)
    assert len(heard.reports) == 1


async def test_a_listener_that_fails_harms_no_other_call(detector: Silero) -> None:
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context["exception"]))

    def broken(probability: float, position: int) -> None:
        raise RuntimeError("this listener is broken")

    listener = Listener()
    detector.open(broken).push(SPOKEN[:4_000])
    detector.open(listener).push(SPOKEN[:4_000])
    assert len(await listener.has(5)) == 5
    assert {type(one) for one in failures} == {RuntimeError}


@pytest.mark.parametrize(("kind", "shape"), [("float32", (480,)), ("int32", (480,)), ("int16", (480, 2))])
async def test_sound_of_another_shape_is_refused_at_the_door(
    detector: Silero, kind: str, shape: tuple[int, ...]
) -> None:
    ear = detector.open(Listener())
    with pytest.raises(ValueError, match=kind):
        ear.push(np.zeros(shape, kind))


async def test_leaving_closes_every_ear_and_a_later_one_is_refused() -> None:
    listener = Listener()
    async with Silero() as detector:
        ear = detector.open(listener)
        ear.push(SPOKEN[:4_000])
    ear.push(SPOKEN[:4_000])
    await asyncio.sleep(0)
    assert listener.reports == []
    with pytest.raises(EngineError):
        detector.open(listener)


async def test_it_can_be_entered_again() -> None:
    detector = Silero()
    for _ in range(2):
        async with detector:
            assert len(await hear(detector, SPOKEN[:8_000], 480)) == 10


def test_an_option_that_it_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigError):
        open_detector({"threshold": "0.3"}, SystemClock())
