"""What every transport promises of text, of its beginning and of its end."""

import asyncio

import pytest

from tests.conformance.transport.conftest import Connect
from tests.conformance.transport.listener import PATIENCE_S, listening
from vivavoce.transport.interface import Closed, ClosedBy, Inbound, Opened, Sound, Text


async def test_texts_arrive_whole_and_in_order_both_ways(connect: Connect) -> None:
    async with connect() as pair, listening(*pair) as (near, far):
        sent = [f'{{"type": "number", "n": {n}}}' for n in range(500)]
        for text in sent:
            near.transport.send(text)
            far.transport.send(text)
        await far.until(lambda: len(far.texts) == len(sent))
        await near.until(lambda: len(near.texts) == len(sent))
        assert far.texts == sent
        assert near.texts == sent


@pytest.mark.parametrize(
    "text",
    ["", "čau, 世界 🎙️ \u0000 \u2028 \U0010ffff", "é" * 100_000, "x" * 200_000],
    ids=["empty", "odd", "é", "long"],
)
async def test_any_text_arrives_as_it_was(connect: Connect, text: str) -> None:
    async with connect() as pair, listening(*pair) as (near, far):
        near.transport.send(text)
        near.transport.send("after it")
        await far.until(lambda: len(far.texts) == 2)
        assert far.texts == [text, "after it"]


async def test_texts_sent_before_anybody_listens_are_kept(connect: Connect) -> None:
    async with connect() as (near, far):
        near.send("early")
        async with listening(near, far) as (_, listener):
            await listener.until(lambda: bool(listener.texts))
            assert [each for each in listener.delivered if not isinstance(each, Sound)] == [Opened(), Text("early")]


async def test_each_end_is_told_once_and_first_that_the_connection_is_up(connect: Connect) -> None:
    async with connect() as pair, listening(*pair) as (near, far):
        near.transport.send("a")
        far.transport.send("b")
        await far.until(lambda: bool(far.texts))
        await near.until(lambda: bool(near.texts))
        for end in (near, far):
            assert end.delivered[0] == Opened()
            assert len(end.all(Opened)) == 1


@pytest.mark.parametrize("who", [0, 1], ids=["the caller hangs up", "the called hangs up"])
async def test_hanging_up_is_seen_by_both_once_and_last(connect: Connect, who: int) -> None:
    async with connect() as pair, listening(*pair) as ends:
        mine, theirs = ends[who], ends[1 - who]
        await mine.transport.close(1000, "enough")
        await mine.ended()
        await theirs.ended()
        assert mine.delivered[-1] == Closed(ClosedBy.US, 1000, "enough")
        farewell = theirs.delivered[-1]
        assert isinstance(farewell, Closed)
        assert (farewell.by, farewell.code) == (ClosedBy.PEER, 1000)
        assert len(mine.all(Closed)) == len(theirs.all(Closed)) == 1


async def test_what_was_queued_is_sent_before_hanging_up(connect: Connect) -> None:
    async with connect() as pair, listening(*pair) as (near, far):
        for n in range(100):
            near.transport.send(f"{n} " + "y" * 20_000)
        await near.transport.close()
        await far.ended()
        assert [text.split()[0] for text in far.texts] == [str(n) for n in range(100)]
        assert isinstance(far.delivered[-1], Closed)


async def test_hanging_up_twice_or_from_both_ends_is_harmless(connect: Connect) -> None:
    async with connect() as pair, listening(*pair) as (near, far):
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(near.transport.close(), near.transport.close(), far.transport.close())
            await near.transport.close(1011, "again")
        await near.ended()
        await far.ended()
        assert near.all(Closed) == [Closed(ClosedBy.US)]
        assert len(far.all(Closed)) == 1


async def test_after_the_end_nothing_that_is_sent_hurts_or_arrives(connect: Connect) -> None:
    async with connect() as pair, listening(*pair) as (near, far):
        await near.transport.close()
        await far.ended()
        near.transport.send("late")
        far.transport.send("late")
        near.transport.flush()
        assert (await near.transport.link()).path is None
        assert "late" not in near.texts + far.texts


async def test_a_connection_that_nobody_ran_can_be_closed(connect: Connect) -> None:
    async with connect() as (near, far), listening(far) as (listener,):
        async with asyncio.timeout(PATIENCE_S):
            await near.close(1000, "never mind")
        assert (await listener.closed()).by is ClosedBy.PEER
        delivered: list[Inbound] = []
        async with asyncio.timeout(PATIENCE_S):
            await near.run(delivered.append)
        assert delivered[-1] == Closed(ClosedBy.US, 1000, "never mind")


async def test_cancelling_the_run_closes_the_connection(connect: Connect) -> None:
    async with connect() as pair, listening(*pair) as (near, far):
        near.cancel()
        await near.ended()
        farewell = await far.closed()
        assert farewell.by is ClosedBy.PEER
        assert not near.all(Closed)


async def test_a_failing_listener_learns_of_its_own_failure_and_ends_the_call(connect: Connect) -> None:
    class Slip(Exception):
        pass

    def slip(inbound: Inbound) -> None:
        if isinstance(inbound, Text):
            raise Slip

    async with connect() as (near, far), listening(far) as (listener,):
        far.send("trip over this")
        with pytest.raises(Slip):
            async with asyncio.timeout(PATIENCE_S):
                await near.run(slip)
        assert (await listener.closed()).by is ClosedBy.PEER


async def test_a_connection_has_one_listener(connect: Connect) -> None:
    async with connect() as pair, listening(*pair) as (near, _):
        with pytest.raises(RuntimeError):
            await near.transport.run(lambda _: None)


async def test_the_link_can_be_read_while_it_lasts(connect: Connect) -> None:
    async with connect() as pair, listening(*pair) as (near, far):
        near.transport.send("z" * 10_000)
        await far.until(lambda: bool(far.texts))
        assert (await near.transport.link()).path
        received = (await far.transport.link()).bytes_received
        assert received is not None
        assert received >= 10_000
