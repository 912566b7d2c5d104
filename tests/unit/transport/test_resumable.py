"""One call over several connections, on virtual time."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from tests.unit.transport.virtual import run, this_loop
from vivavoce.audio.frame import RATE_HZ, sample_count, silence
from vivavoce.transport.interface import Closed, ClosedBy, Inbound, Opened, Sound, SoundPath, Text
from vivavoce.transport.memory import MemoryTransport, join
from vivavoce.transport.playback import FRAME
from vivavoce.transport.resumable import Leg, Resumable, Terms

PING = '{"type":"connection.ping","event_id":"ping_1"}'


def event(number: int) -> str:
    return json.dumps({"type": "any", "event_id": f"event_{number}"})


@dataclass
class Client:
    """The far end of one leg."""

    end: MemoryTransport
    got: list[str] = field(default_factory=list[str])
    heard: list[int] = field(default_factory=list[int])
    closed: Closed | None = None

    def take(self, arrived: Inbound) -> None:
        match arrived:
            case Text(text):
                self.got.append(text)
            case Sound(samples):
                self.heard += [int(sample) for sample in samples if sample]
            case Closed():
                self.closed = arrived
            case _:
                pass

    @property
    def events(self) -> list[str]:
        return [text for text in self.got if "connection.pong" not in text]

    @property
    def last_id(self) -> str | None:
        return json.loads(self.events[-1])["event_id"] if self.events else None


@dataclass
class Held:
    """A resumable transport with somebody who drives it."""

    transport: Resumable
    tasks: asyncio.TaskGroup
    path: SoundPath
    got: list[Inbound] = field(default_factory=list[Inbound])
    clients: list[Client] = field(default_factory=list[Client])

    @property
    def client(self) -> Client:
        return self.clients[-1]

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.got if isinstance(each, Text)]

    @property
    def closed(self) -> list[Closed]:
        return [each for each in self.got if isinstance(each, Closed)]

    @property
    def silence_s(self) -> float:
        return sum(len(each.samples) for each in self.got if isinstance(each, Sound)) / RATE_HZ

    def dial(self) -> MemoryTransport:
        near, far = join(self.path)
        self.clients.append(Client(far))
        self.tasks.create_task(far.run(self.client.take))
        return near

    async def resume(self, last_id: str | None, silent_s: float | None = None) -> Leg | None:
        self.transport.fence()
        leg = self.transport.attach(self.dial(), last_id, silent_s)
        await settle()
        return leg

    async def ping(self) -> None:
        self.client.end.send(PING)
        await settle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@asynccontextmanager
async def holding(
    path: SoundPath = SoundPath.TEXT,
    terms: Terms | None = None,
    ends: tuple[MemoryTransport, MemoryTransport] | None = None,
) -> AsyncGenerator[Held]:
    near, far = ends or join(path)
    async with asyncio.TaskGroup() as tasks:
        transport = Resumable(near, terms or Terms())
        held = Held(transport, tasks, path)
        held.clients.append(Client(far))
        tasks.create_task(far.run(held.client.take))

        def deliver(arrived: Inbound) -> None:
            held.got.append(arrived)

        driving = tasks.create_task(transport.run(deliver))
        await settle()
        try:
            yield held
        finally:
            await transport.close()
            await driving
            assert len([each for each in held.got if isinstance(each, Opened)]) == 1
            assert held.got.count(Opened()) == 1
            assert len(held.closed) == 1
            assert held.got[-1] == held.closed[0]


def test_a_lost_connection_is_followed_by_another_and_nobody_is_told() -> None:
    async def main() -> None:
        async with holding() as held:
            await held.ping()
            held.transport.send(event(1))
            await settle()
            held.client.end.vanish()
            held.transport.send(event(2))
            await asyncio.sleep(30)
            held.transport.send(event(3))
            assert held.closed == []
            await held.resume("event_1")
            assert held.client.got == [event(2), event(3)]
            held.transport.send(event(4))
            held.client.end.send(event(9))
            await settle()
            assert held.client.got == [event(2), event(3), event(4)]
            assert held.texts == [event(9)]

    run(main())


def test_a_client_that_never_sent_a_ping_is_not_waited_for() -> None:
    async def main() -> None:
        async with holding() as held:
            held.client.end.send(event(1))
            await settle()
            held.client.end.vanish()
            await settle()
            assert [closed.by for closed in held.closed] == [ClosedBy.LOST]

    run(main())


def test_who_says_goodbye_is_not_waited_for() -> None:
    async def main() -> None:
        async with holding() as held:
            await held.ping()
            await held.client.end.close(1001)
            await settle()
            assert held.closed == [Closed(ClosedBy.PEER, 1001)]

    run(main())


def test_who_does_not_come_back_is_given_up() -> None:
    async def main() -> None:
        async with holding(terms=Terms(keep_s=60)) as held:
            await held.ping()
            held.client.end.vanish()
            await asyncio.sleep(59.5)
            assert held.closed == []
            await asyncio.sleep(1)
            assert [(closed.by, closed.code) for closed in held.closed] == [(ClosedBy.LOST, 1006)]
            assert held.transport.attach(held.dial(), None, None) is None
            await held.client.end.close()

    run(main())


def test_a_ping_is_answered_at_once_and_is_nobody_elses_business() -> None:
    async def main() -> None:
        async with holding() as held:
            await held.ping()
            assert held.client.got == ['{"type":"connection.pong","ping_event_id":"ping_1"}']
            assert held.texts == []
            held.client.end.vanish()
            held.transport.send(event(1))
            await settle()
            assert await held.resume(None) is not None
            assert held.client.got == [event(1)]

    run(main())


def test_a_connection_is_fenced_though_it_seems_alive() -> None:
    async def main() -> None:
        async with holding() as held:
            await held.ping()
            old = held.client
            old.end.send(event(1))
            await settle()
            assert held.transport.fence() == "event_1"
            old.end.send(event(2))
            await settle()
            leg = held.transport.attach(held.dial(), None, None)
            assert leg is not None
            old.end.send(event(3))
            await settle()
            held.client.end.send(event(4))
            await settle()
            assert held.texts == [event(1), event(4)]
            assert old.closed is not None
            assert leg.spoken.is_set()

    run(main())


def test_a_dead_connection_is_known_by_silence() -> None:
    async def main() -> None:
        async with holding(SoundPath.MEDIA, Terms(dead_s=5)) as held:
            await held.ping()
            await asyncio.sleep(4.5)
            assert held.client.closed is None
            await asyncio.sleep(1)
            assert held.client.closed is not None
            assert held.closed == []

    run(main())


def test_a_client_that_comes_back_without_a_ping_is_given_up_all_the_same_when_it_goes_for_good() -> None:
    async def main() -> None:
        async with holding(terms=Terms(keep_s=60)) as held:
            held.transport.fence()
            await asyncio.sleep(61)
            assert [closed.by for closed in held.closed] == [ClosedBy.LOST]

    run(main())


def test_with_nothing_kept_a_ping_is_answered_and_a_lost_call_is_over() -> None:
    async def main() -> None:
        async with holding(terms=Terms(keep_s=0)) as held:
            await held.ping()
            assert len(held.client.got) == 1
            await asyncio.sleep(30)
            assert held.client.closed is None
            held.client.end.vanish()
            await settle()
            assert [closed.by for closed in held.closed] == [ClosedBy.LOST]

    run(main())


def test_who_needs_the_socket_of_a_connection_back_ends_the_call() -> None:
    async def main() -> None:
        async with holding() as held:
            await held.ping()
            held.client.end.vanish()
            await settle()
            held.transport.drop(held.transport.first)
            assert held.closed == []
            leg = await held.resume(None)
            assert leg is not None
            held.transport.drop(leg)
            await settle()
            assert [(closed.by, closed.code) for closed in held.closed] == [(ClosedBy.US, 1001)]
            assert leg.over.is_set()

    run(main())


@pytest.mark.parametrize("keep_s", [0, 60])
def test_where_no_close_frame_says_why_a_call_ends_its_last_event_does(keep_s: float) -> None:
    async def main() -> None:
        async with holding(SoundPath.MEDIA, Terms(keep_s=keep_s)) as held:
            await held.ping()
            held.transport.send(event(1))
            await held.transport.close(1012, "restart")
            await settle()
            assert held.client.events[0] == event(1)
            assert json.loads(held.client.events[-1]) == {
                "type": "connection.closing",
                "code": 1012,
                "reason": "restart",
            }

    run(main())


@pytest.mark.parametrize(("path", "pings"), [(SoundPath.MEDIA, False), (SoundPath.TEXT, True)])
def test_nobody_is_told_twice_or_without_knowing_how_to_read_it(path: SoundPath, pings: bool) -> None:
    async def main() -> None:
        async with holding(path) as held:
            if pings:
                await held.ping()
            await held.transport.close(1012)
            await settle()
            assert held.client.events == []
            assert held.client.closed is not None

    run(main())


class Slow(MemoryTransport):
    """Takes its time to say goodbye."""

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await asyncio.sleep(2)
        await super().close(code, reason)


@pytest.mark.parametrize("breaks", [True, False])
def test_nobody_comes_back_to_a_call_that_says_goodbye(breaks: bool) -> None:
    async def main() -> None:
        near, far = Slow(SoundPath.TEXT), MemoryTransport(SoundPath.TEXT)
        near.meet(far)
        far.meet(near)
        async with holding(ends=(near, far)) as held:
            await held.ping()
            closing = held.tasks.create_task(held.transport.close(1000))
            await settle()
            assert held.transport.over
            held.transport.fence()
            assert held.transport.attach(held.dial(), None, None) is None
            await held.client.end.close()
            if breaks:
                far.vanish()
                await settle()
            await closing
            await settle()
            assert [closed.by for closed in held.closed] == [ClosedBy.LOST if breaks else ClosedBy.US]

    run(main())


def test_of_two_that_come_back_the_later_one_stays() -> None:
    async def main() -> None:
        async with holding() as held:
            await held.ping()
            held.transport.fence()
            first = held.transport.attach(held.dial(), None, None)
            later = held.transport.attach(held.dial(), None, None)
            await settle()
            assert first is not None
            assert later is not None
            assert first.over.is_set()
            held.client.end.send(event(1))
            await settle()
            assert held.texts == [event(1)]
            assert held.transport.attach(near := held.dial(), None, None) is None
            await near.close()
            await held.clients[1].end.close()

    run(main())


def test_a_silent_connection_is_not_given_up_before_its_client_may_have_come_back() -> None:
    async def main() -> None:
        async with holding(SoundPath.MEDIA) as held:
            await held.ping()
            await asyncio.sleep(30)
            held.transport.send(event(1))
            assert held.client.closed is None
            await held.ping()
            assert held.client.events == [event(1)]
            assert held.closed == []

    run(main())


def test_a_server_that_stalls_does_not_take_its_callers_for_dead() -> None:
    async def main() -> None:
        async with holding(SoundPath.MEDIA, Terms(doubt_s=1, dead_s=5)) as held:
            await held.ping()
            await asyncio.sleep(0.5)
            this_loop().stall(10)
            await asyncio.sleep(0.3)
            assert held.client.closed is None
            await asyncio.sleep(5)
            assert held.client.closed is not None

    run(main())


def test_a_leg_that_never_opens_leaves_the_call_waiting() -> None:
    async def main() -> None:
        async with holding() as held:
            await held.ping()
            held.client.end.vanish()
            await settle()
            near = held.dial()
            held.client.end.vanish()
            leg = held.transport.attach(near, None, None)
            await settle()
            assert leg is not None
            assert leg.over.is_set()
            held.transport.send(event(1))
            await held.resume(None)
            assert held.client.got == [event(1)]

    run(main())


def test_what_is_no_longer_kept_is_not_promised() -> None:
    async def main() -> None:
        async with holding(terms=Terms(ring_bytes=1000)) as held:
            await held.ping()
            held.transport.send(event(1))
            await settle()
            held.client.end.vanish()
            await settle()
            for number in range(2, 50):
                held.transport.send(event(number))
            assert not held.transport.holds("event_1")
            assert held.transport.holds("event_48")
            assert await held.resume("event_1") is None
            await held.client.end.close()

    run(main())


def counted(start: int, end: int) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    return np.arange(start, end, dtype=np.int16)


def test_sound_waits_for_who_is_away_and_goes_on_where_it_stopped() -> None:
    async def main() -> None:
        async with holding(SoundPath.MEDIA) as held:
            await held.ping()
            near = held.transport.first.carrier
            assert isinstance(near, MemoryTransport)
            held.transport.play(counted(1, 1 + 20 * FRAME))
            near.advance(5 * FRAME)
            await settle()
            held.client.end.vanish()
            await settle()
            await asyncio.sleep(20)
            assert held.transport.played() == 5 * FRAME
            held.transport.play(counted(1 + 20 * FRAME, 1 + 22 * FRAME))
            leg = await held.resume(held.client.last_id, silent_s=0.0)
            assert leg is not None
            assert isinstance(leg.carrier, MemoryTransport)
            leg.carrier.advance(30 * FRAME)
            await settle()
            assert held.client.heard == list(range(1 + 5 * FRAME, 1 + 22 * FRAME))
            assert held.transport.played() == 22 * FRAME

    run(main())


def test_what_may_not_have_been_heard_is_played_again_and_an_interruption_counts_only_what_was() -> None:
    async def main() -> None:
        async with holding(SoundPath.MEDIA, Terms(repeat_s=2)) as held:
            await held.ping()
            near = held.transport.first.carrier
            assert isinstance(near, MemoryTransport)
            held.transport.play(silence(sample_count(10_000)))
            for _ in range(10):
                near.advance(5 * FRAME)
                await held.ping()
                await asyncio.sleep(0.1)
            assert held.transport.played() == 50 * FRAME
            held.client.end.vanish()
            await settle()
            leg = await held.resume(held.client.last_id, silent_s=0.5)
            assert leg is not None
            assert isinstance(leg.carrier, MemoryTransport)
            leg.carrier.advance(2 * FRAME)
            # Half a second, and what was on its way then.
            assert 10 * FRAME <= held.transport.played() - 2 * FRAME <= 15 * FRAME
            heard = held.transport.flush()
            assert heard == held.transport.played() < 50 * FRAME

    run(main())


def test_sound_waits_while_nobody_is_known_to_hear_it() -> None:
    async def main() -> None:
        async with holding(SoundPath.MEDIA, Terms(doubt_s=1, dead_s=5)) as held:
            await held.ping()
            near = held.transport.first.carrier
            assert isinstance(near, MemoryTransport)
            held.transport.play(counted(1, 1 + 100 * FRAME))
            near.advance(10 * FRAME)
            await asyncio.sleep(1.5)
            near.advance(10 * FRAME)
            assert held.transport.played() == 10 * FRAME
            await held.ping()
            near.advance(10 * FRAME)
            await settle()
            assert held.client.heard == list(range(1, 1 + 20 * FRAME))

    run(main())


def test_a_caller_who_is_away_is_heard_as_one_who_is_muted() -> None:
    async def main() -> None:
        async with holding(SoundPath.MEDIA) as held:
            await held.ping()
            held.client.end.vanish()
            await asyncio.sleep(10)
            assert 9.8 <= held.silence_s <= 10.1

    run(main())


class Cut:
    """A client that is cut off and comes back, and knows what it has said and got."""

    def __init__(self, held: Held) -> None:
        self.held = held
        self.sent, self.said = count(1), count(1001)
        self.got: list[str] = []
        self.last: str | None = None
        self.pending: list[str] = []

    async def step(self, step: str) -> None:
        match step:
            case "send":
                self.held.transport.send(event(next(self.sent)))
            case "say":
                self.pending.append(event(next(self.said)))
                self.held.client.end.send(self.pending[-1])
            case "cut":
                self.held.client.end.vanish()
            case "resume":
                await self.resume()
            case "wait":
                await asyncio.sleep(0.3)
            case _:
                await settle()

    async def resume(self) -> None:
        await settle()
        self.collect()
        read = self.held.transport.fence()
        unread = [json.loads(text)["event_id"] for text in self.pending]
        if read in unread:
            del self.pending[: unread.index(read) + 1]
        assert self.held.transport.attach(self.held.dial(), self.last, None) is not None
        for text in self.pending:
            self.held.client.end.send(text)
        await settle()

    def collect(self) -> None:
        self.got += self.held.client.events
        self.last = self.held.client.last_id or self.last
        self.held.client.got.clear()


@with_settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.sampled_from(["send", "settle", "cut", "resume", "say", "wait"]), max_size=40))
def test_wherever_the_connection_is_cut_nothing_is_lost_or_doubled(steps: Sequence[str]) -> None:
    async def main() -> None:
        async with holding() as held:
            await held.ping()
            cut = Cut(held)
            for step in (*steps, "resume"):
                await cut.step(step)
            cut.collect()
            assert cut.got == [event(number) for number in range(1, next(cut.sent))]
            assert held.texts == [event(number) for number in range(1001, next(cut.said))]

    run(main())
