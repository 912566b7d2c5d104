"""What every detector keeps: one that listens and one that is scripted."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import numpy as np
import pytest
import pytest_asyncio

from tests.unit.engine.voice import babbling, room
from vivavoce.clock import SystemClock
from vivavoce.engine.fake import ScriptedDetector, Span
from vivavoce.engine.interface import Detector
from vivavoce.engine.silero import open_detector

BEGINS, ENDS = 24_000, 60_000
SPOKEN = np.concatenate((room(1.0), babbling(1.5), room(1.0)))


@asynccontextmanager
async def silero() -> AsyncGenerator[Detector]:
    async with open_detector({}, SystemClock()) as detector:
        yield detector


@asynccontextmanager
async def scripted() -> AsyncGenerator[Detector]:
    async with ScriptedDetector([Span(BEGINS, ENDS)]) as detector:
        yield detector


@pytest_asyncio.fixture(params=[silero, scripted], ids=lambda one: one.__name__)
async def detector(
    request: pytest.FixtureRequest,
) -> AsyncGenerator[Detector]:
    opened: Callable[[], AbstractAsyncContextManager[Detector]] = request.param
    async with opened() as one:
        yield one


class Reports:
    def __init__(self) -> None:
        self.all: list[tuple[float, int]] = []
        self._more = asyncio.Event()

    def __call__(self, probability: float, position: int) -> None:
        self.all.append((probability, position))
        self._more.set()

    async def until(self, count: int) -> list[tuple[float, int]]:
        async with asyncio.timeout(10):
            while len(self.all) < count:
                self._more.clear()
                await self._more.wait()
        return self.all


async def test_every_window_is_reported_once_in_order_by_its_end(detector: Detector) -> None:
    reports, window = Reports(), detector.traits.window
    ear = detector.open(reports)
    for at in range(0, len(SPOKEN), 480):
        ear.push(SPOKEN[at : at + 480])
    count = (len(SPOKEN) - 480) // window
    assert [end for _, end in await reports.until(count)][:count] == [window * (at + 1) for at in range(count)]
    ear.close()


async def test_speech_is_likely_where_somebody_speaks_and_unlikely_elsewhere(detector: Detector) -> None:
    reports, window = Reports(), detector.traits.window
    ear = detector.open(reports)
    ear.push(SPOKEN)
    heard = await reports.until((len(SPOKEN) - 480) // window)
    assert all(0 <= probability <= 1 for probability, _ in heard)
    assert all(probability < 0.5 for probability, end in heard if end <= BEGINS)
    assert all(probability > 0.5 for probability, end in heard if BEGINS + 4 * window < end <= ENDS)
    assert all(probability < 0.5 for probability, end in heard if end > ENDS + 6 * window)
    ear.close()


async def test_each_call_has_its_own_place_in_its_own_sound(detector: Detector) -> None:
    early, late = Reports(), Reports()
    window = detector.traits.window
    first = detector.open(early)
    first.push(SPOKEN[: 20 * window])
    await early.until(18)
    second = detector.open(late)
    second.push(SPOKEN[: 5 * window])
    assert (await late.until(3))[0][1] == window
    first.close()
    second.close()


async def test_a_closed_ear_says_no_more_and_may_be_closed_again(detector: Detector) -> None:
    reports, other = Reports(), Reports()
    ear, witness = detector.open(reports), detector.open(other)
    ear.close()
    ear.close()
    ear.push(SPOKEN)
    witness.push(SPOKEN)
    await other.until(10)
    assert reports.all == []
    witness.close()


async def test_nothing_is_reported_of_less_than_a_window(detector: Detector) -> None:
    reports, other = Reports(), Reports()
    window = detector.traits.window
    detector.open(reports).push(SPOKEN[: window - 1])
    detector.open(other).push(SPOKEN[: 4 * window])
    await other.until(2)
    assert reports.all == []
