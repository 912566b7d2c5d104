"""What becomes of a session whose caller is away: an answer is repeated and interrupted, or its time runs out."""

import asyncio

import numpy as np

from tests.room import Acoustics, Room, room
from tests.unit.transport.virtual import run, this_loop
from tests.viva import engines
from vivavoce.audio.frame import sample_count
from vivavoce.engine.fake import Span
from vivavoce.testing.clock import ManualClock
from vivavoce.transport.interface import SoundPath, Transport
from vivavoce.transport.memory import join
from vivavoce.transport.resumable import Resumable, Terms


class LoopClock(ManualClock):
    """Whose time the event loop shares."""

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        this_loop().stall(seconds)


async def talk(here: Room, seconds: float) -> None:
    """Let time pass for a client that gives signs of life."""
    for _ in range(round(seconds * 5)):
        here.send(type="connection.ping")
        await here.wait(0.2)


def test_an_interruption_during_a_repeat_truncates_where_the_answer_was_really_heard() -> None:
    async def main() -> None:
        carried: list[Resumable] = []

        def over(near: Transport) -> Resumable:
            carried.append(Resumable(near, Terms()))
            return carried[0]

        speech = Span(sample_count(1_060), sample_count(3_000))
        script = engines(thought=["This is an answer that is long enough to be cut off twice."], spans=[speech])
        async with (
            room(script, SoundPath.MEDIA, Acoustics(echo_db=None), clock=LoopClock(), over=over) as here,
            asyncio.TaskGroup() as tasks,
        ):
            here.send(type="response.create")
            await talk(here, 1.0)
            # The network broke 400 ms ago; nobody has noticed before now.
            here.far.vanish()
            await here.settle()
            last = str([event["event_id"] for event in here.events if "event_id" in event][-1])
            carried[0].fence()
            here.near, here.far = join(SoundPath.MEDIA)
            tasks.create_task(here.far.run(here.deliver))
            assert carried[0].attach(here.near, last, silent_s=0.4) is not None
            here.say(np.random.default_rng(1).normal(0, 3_000, sample_count(1_000)).astype(np.int16))
            await here.until("conversation.item.truncated", within_s=1.0)
            (truncated,) = here.all("conversation.item.truncated")
            heard_ms = truncated["audio_end_ms"]
            assert isinstance(heard_ms, int)
            assert 300 <= heard_ms <= 800
            await here.far.close()

    run(main())


def test_a_session_whose_caller_is_away_ends_when_its_time_is_over() -> None:
    async def main() -> None:
        carried: list[Resumable] = []

        def over(near: Transport) -> Resumable:
            carried.append(Resumable(near, Terms()))
            return carried[0]

        clock = LoopClock()
        async with room(engines(), SoundPath.TEXT, Acoustics(), clock=clock, over=over) as here:
            await talk(here, 1.0)
            clock.advance(3_600 - 30)
            await talk(here, 1.0)
            here.far.vanish()
            await here.settle()
            clock.advance(20)
            await here.settle()
            assert not carried[0].over
            clock.advance(10)
            await here.settle()
            assert carried[0].over
            carried[0].fence()
            near, _ = join(SoundPath.TEXT)
            assert carried[0].attach(near, None, None) is None
            assert here.all("error") == [], "nobody was there to be told"

    run(main())
