"""Every move in the table of a call is taken on virtual time: a row that no call ever takes has no place in it."""

import asyncio
from asyncio import TaskGroup
from collections.abc import Sequence
from contextlib import suppress

from tests.scenario.coming_back import Exchange, LoopClock, Stage, play
from tests.scenario.taken import rows, watched
from tests.unit.transport.virtual import VirtualLoop
from vivavoce.client.call import Call
from vivavoce.client.line import Placed, Progress
from vivavoce.client.plan import Plan
from vivavoce.client.policy import GiveUp, History, Persistence, Policy, Step
from vivavoce.client.state import (
    MOVES,
    Closed,
    Connected,
    Connecting,
    Disrupted,
    Failed,
    Minting,
    Negotiating,
    Restoring,
    State,
)
from vivavoce.errors import TransportError, VivaError
from vivavoce.transport.interface import Link, SoundPath
from vivavoce.wire.config import RealtimeSession, Session

STEPS = (Minting(), Negotiating(), Connecting())


class Halting(Exchange):
    """A line on which a call gets so far, and then no further."""

    def __init__(
        self, tasks: TaskGroup, steps: Sequence[Minting | Negotiating | Connecting], failure: VivaError | None
    ):
        super().__init__(tasks, SoundPath.MEDIA, [])
        self._steps = steps
        self._failure = failure

    async def open(self, session: Session, progress: Progress) -> Placed:
        for step in self._steps:
            progress(step)
        if self._failure is not None:
            raise self._failure
        return await asyncio.get_running_loop().create_future()


def place(steps: Sequence[Minting | Negotiating | Connecting], failure: VivaError | None) -> State:
    """How a call ends that gets so far, and then fails, or else is given up by the caller."""

    async def main() -> State:
        async with TaskGroup() as tasks:
            line = Halting(tasks, steps, failure)
            call = Call(Plan(line, RealtimeSession(model="m"), LoopClock(), {}, policy=Persistence()))
            with suppress(TimeoutError, VivaError):
                async with asyncio.timeout(1.0), call:
                    pass
        return call.state

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


class Resigned:
    """Gives up whatever is lost."""

    def decide(self, failure: VivaError, history: History, now: float, chance: float) -> Step:
        return GiveUp(failure)


async def silence(stage: Stage) -> None:
    """The server talks for ten seconds, then it falls silent."""
    stage.exchange.figures = lambda now: Link(
        packets_received=int(min(now, 10) * 50), checks_answered=int(min(now, 10) / 2.5)
    )
    await stage.call.until(lambda call: isinstance(call.state, Disrupted))


async def voice(stage: Stage) -> None:
    """It is heard of again."""
    stage.exchange.figures = lambda now: Link(packets_received=int(now * 50), checks_answered=int(now / 2.5))
    await stage.call.until(lambda call: isinstance(call.state, Connected))


async def failure(stage: Stage) -> None:
    """The call fails."""
    with suppress(VivaError):
        await stage.call.until(lambda _: False)


async def loss(stage: Stage) -> None:
    """The connection breaks."""
    stage.exchange.far[-1].transport.vanish()
    with suppress(VivaError):
        await stage.call.until(lambda call: not isinstance(call.state, Connected | Disrupted))


async def come_back(stage: Stage) -> None:
    await silence(stage)
    await voice(stage)
    await loss(stage)
    await stage.exchange.next(2)
    await stage.call.until(lambda call: isinstance(call.state, Connected))


async def give_up_while_silent(stage: Stage) -> None:
    await silence(stage)
    await failure(stage)


async def leave_a_silent_one(stage: Stage) -> None:
    await silence(stage)
    await loss(stage)
    assert isinstance(stage.call.state, Restoring)


async def go_on_elsewhere(stage: Stage) -> None:
    """The session goes on over another connection, while the silent one stands."""
    await stage.call.until(lambda call: isinstance(call.state, Disrupted))
    await stage.exchange.next(2, greets=False)
    await stage.call.until(lambda call: isinstance(call.state, Connected))


async def be_replaced(stage: Stage) -> None:
    await stage.exchange.next(2)
    await stage.call.until(lambda call: isinstance(call.state, Connected) and call.state.restored is not None)


async def lose_for_good(stage: Stage) -> None:
    await loss(stage)
    await failure(stage)


def ending(stage: Stage) -> type[State]:
    return type(stage.call.state)


def test_every_move_in_the_table_of_a_call_is_taken_by_some_call() -> None:
    resigned: Policy = Resigned()
    down = [None, *[TransportError("no net")] * 99]
    with watched() as taken:
        for number in range(len(STEPS) + 1):
            assert isinstance(place(STEPS[:number], None), Closed)
            assert isinstance(place(STEPS[:number], TransportError("gone")), Failed)
        assert ending(play(come_back, renews=True)) is Closed
        assert ending(play(come_back)) is Closed
        assert ending(play(silence)) is Closed
        assert ending(play(leave_a_silent_one)) is Closed
        assert ending(play(give_up_while_silent, policy=resigned)) is Failed
        assert ending(play(loss, policy=resigned)) is Failed
        assert ending(play(lose_for_good, failures=down, policy=Persistence(total_s=9.0))) is Failed
        assert ending(play(go_on_elsewhere, keeps_s=60)) is Closed
        assert ending(play(be_replaced, lifetime_s=600.0)) is Closed
    allowed = rows(MOVES)
    taken = {row for row in taken if row[0] == MOVES.name}
    assert allowed - taken == set(), "no call takes these moves"
    assert taken <= allowed
