from dataclasses import dataclass, field
from typing import Self

import pytest

from vivavoce.answer.attention import EARS, PATIENCE_S, UNNOTICED, Attention
from vivavoce.audio.frame import Pcm, silence
from vivavoce.engine.interface import DetectorTraits, Ear, Report
from vivavoce.errors import EngineError
from vivavoce.testing.clock import ManualClock

WINDOW = 480


@dataclass
class FrailEar:
    """Says how many samples it has heard, and breaks after some pushes."""

    report: Report
    strength: int | None
    heard: int = 0
    open: bool = True

    def push(self, samples: Pcm) -> None:
        if self.strength == 0:
            raise ZeroDivisionError("of the detector's own")
        if self.strength is not None:
            self.strength -= 1
        self.heard += len(samples)
        self.report(0.5, self.heard)

    def close(self) -> None:
        self.open = False


class MuteEar(FrailEar):
    """Never says anything."""

    def push(self, samples: Pcm) -> None:
        self.heard += len(samples)


class ClingingEar(FrailEar):
    """Cannot be closed."""

    def close(self) -> None:
        raise ZeroDivisionError("of the detector's own")


@dataclass
class Ears:
    """A detector with one ear after another."""

    kinds: list[tuple[type[FrailEar], int | None]]
    opened: list[FrailEar] = field(default_factory=list[FrailEar])

    traits = DetectorTraits(name="frail", window=WINDOW)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None: ...

    def open(self, report: Report) -> Ear:
        if not self.kinds:
            raise EngineError("no more ears.")
        kind, strength = self.kinds.pop(0)
        self.opened.append(kind(report, strength))
        return self.opened[-1]


@dataclass
class Call:
    """What a call hears of its detector."""

    detector: Ears
    clock: ManualClock = field(default_factory=ManualClock)
    reports: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    faults: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.attention = Attention(
            self.detector, self.clock, lambda value, heard: self.reports.append((value, heard)), self.faults.append
        )

    def push(self, times: int = 1) -> None:
        for _ in range(times):
            self.attention.push(silence(WINDOW))


def test_reports_are_passed_on_with_their_place_in_the_call() -> None:
    call = Call(Ears([(FrailEar, None)]))
    call.push(3)
    assert call.reports == [(0.5, 480), (0.5, 960), (0.5, 1440)]
    assert call.faults == []


def test_an_ear_that_breaks_is_replaced_without_an_error_or_a_jump_in_the_count() -> None:
    call = Call(Ears([(FrailEar, 2), (FrailEar, None)]))
    call.push(5)
    broken, second = call.detector.opened
    assert not broken.open
    assert second.open
    # The third push was lost with the ear that broke over it.
    assert [heard for _, heard in call.reports] == [480, 960, 1920, 2400]
    assert call.faults == []


def test_an_ear_that_was_given_up_is_not_believed_any_more() -> None:
    call = Call(Ears([(FrailEar, 1), (FrailEar, None)]))
    call.push(2)
    call.detector.opened[0].report(1.0, 480)
    assert len(call.reports) == 1


@pytest.mark.parametrize("ears", [[], [(FrailEar, 0)]])
def test_a_detector_that_never_worked_is_told_of_once(ears: list[tuple[type[FrailEar], int | None]]) -> None:
    call = Call(Ears(ears))
    call.push(4)
    assert call.reports == []
    assert len(call.faults) == 1
    assert call.faults[0].endswith("Commit turns yourself from here on.")


def test_a_detector_that_keeps_breaking_is_not_asked_for_ever() -> None:
    call = Call(Ears([(FrailEar, 1)] * 10))
    call.push(20)
    assert len(call.detector.opened) == EARS
    # Only the last of them changes anything for the caller.
    assert len(call.faults) == 1
    assert call.faults[0].endswith("Commit turns yourself from here on.")


@pytest.mark.parametrize(("lost", "told"), [(UNNOTICED - WINDOW, 0), (UNNOTICED, 0), (UNNOTICED + 1, 1)])
def test_an_ear_that_breaks_is_told_of_when_it_has_missed_enough_to_matter(lost: int, told: int) -> None:
    call = Call(Ears([(FrailEar, 1), (FrailEar, None)]))
    call.push()
    call.attention.push(silence(lost))
    assert len(call.faults) == told
    call.push()
    assert call.reports[-1] == (0.5, lost + 2 * WINDOW)


def test_a_detector_that_falls_silent_is_replaced() -> None:
    call = Call(Ears([(FrailEar, None), (FrailEar, None)]))
    call.push()
    first = call.detector.opened[0]
    first.report = lambda value, heard: None
    call.attention.push(silence(UNNOTICED))
    call.clock.advance(PATIENCE_S - 0.1)
    call.push()
    assert call.faults == []
    call.clock.advance(0.1)
    call.push()
    assert "gave no sign for 10 s" in call.faults[0]
    call.push()
    assert call.reports[-1] == (0.5, UNNOTICED + 4 * WINDOW)


def test_a_detector_that_is_given_no_sound_owes_nothing() -> None:
    call = Call(Ears([(MuteEar, None)]))
    call.attention.push(silence(WINDOW - 1))
    call.clock.advance(PATIENCE_S * 2)
    call.attention.push(silence(0))
    assert call.faults == []


def test_closing_ends_it_whatever_the_ear_does() -> None:
    call = Call(Ears([(ClingingEar, None)]))
    call.push()
    call.attention.close()
    call.attention.close()
    call.push()
    call.detector.opened[0].report(1.0, 480)
    assert len(call.reports) == 1
    assert call.faults == []
