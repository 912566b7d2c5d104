"""Who counts what a call costs, or judges its pauses, may fail or hang; the call goes on."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from tests.unit.transport.virtual import run
from tests.viva import engines
from vivavoce.answer.job import CHARGE_S, Allowance, Jobs
from vivavoce.engine.fake import Die, ScriptedTurnModel
from vivavoce.session.effect import Charge, Judge
from vivavoce.session.result import Charged, Failed, Judged, Result
from vivavoce.wire.config import RateLimit

LEFT = RateLimit(name="requests", limit=3, remaining=2, reset_seconds=5.0)


@dataclass
class Till:
    """Counts after a while."""

    seconds: float = 0.0
    error: Exception | None = None
    counted: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    async def charge(self, responses: int, tokens: int) -> Sequence[RateLimit]:
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        self.counted.append((responses, tokens))
        return [LEFT]


def charged(allowance: Allowance | None) -> list[tuple[int, Result]]:
    """What is reported of a charge, though all work is cancelled meanwhile."""
    posted: list[tuple[int, Result]] = []

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            jobs = Jobs(tasks, engines(), allowance, lambda job, result: posted.append((job, result)))
            jobs.begin(7, Charge(responses=1, tokens=20))
            jobs.cancel_all()

    run(main())
    return posted


def test_what_is_left_is_reported_and_the_end_of_a_call_loses_no_charge() -> None:
    till = Till(seconds=1.0)
    assert charged(till) == [(7, Charged((LEFT,)))]
    assert till.counted == [(1, 20)]


@pytest.mark.parametrize("till", [Till(error=ZeroDivisionError("of the till's own")), Till(seconds=CHARGE_S + 1), None])
def test_nobody_is_kept_waiting_by_who_cannot_count(till: Till | None) -> None:
    assert charged(till) == [(7, Charged(()))]


async def test_a_turn_model_is_shown_the_sound_and_where_it_fails_the_turn_ends_by_its_words() -> None:
    posted: list[Result] = []
    sound = np.arange(480, dtype=np.int16)
    async with ScriptedTurnModel([0.8, Die()]) as model, asyncio.TaskGroup() as tasks:
        jobs = Jobs(tasks, replace(engines(), turn_model=model), None, lambda _, result: posted.append(result))
        jobs.begin(1, Judge(sound))
        jobs.begin(2, Judge(sound))
    assert posted[0] == Judged(0.8)
    assert isinstance(posted[1], Failed)
    assert [np.array_equal(heard, sound) for heard in model.heard] == [True, True]
