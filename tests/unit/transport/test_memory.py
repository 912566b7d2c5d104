"""What the joined pair offers to tests beyond what every transport does."""

import numpy as np
import pytest

from tests.conformance.transport.listener import listening
from vivavoce.audio.frame import silence
from vivavoce.errors import TransportError
from vivavoce.transport.interface import Closed, ClosedBy, Opened, Played, SoundPath
from vivavoce.transport.memory import join


async def test_time_passes_only_when_told() -> None:
    near, far = join()
    async with listening(near, far) as (here, there):
        near.play(np.ones(1000, np.int16))
        near.send("marker")
        await there.until(lambda: there.texts == ["marker"])
        assert len(there.sound) == near.played() == 0
        near.advance(600)
        await there.until(lambda: len(there.sound) == 600)
        assert (near.played(), near.queued) == (600, 400)
        near.advance(600)
        near.advance(600)
        await here.until(lambda: len(here.all(Played)) == 2)
        assert here.all(Played) == [Played(600), Played(1000)]
        await there.until(lambda: len(there.sound) == 1800)
        assert np.array_equal(there.sound[:1000], np.ones(1000))
        assert not np.any(there.sound[1000:])


async def test_silence_is_heard_where_nothing_is_said() -> None:
    near, far = join()
    async with listening(near, far) as (_, there):
        near.advance(480)
        await there.until(lambda: len(there.sound) == 480)
        assert np.array_equal(there.sound, silence(480))


async def test_an_end_can_vanish_without_a_word() -> None:
    near, far = join()
    async with listening(near, far) as (here, there):
        near.vanish()
        assert (await there.closed()).by is ClosedBy.LOST
        assert (await here.closed()).by is ClosedBy.LOST


async def test_a_pair_of_text_moves_no_sound() -> None:
    near, far = join(SoundPath.TEXT)
    async with listening(near, far) as (_, there):
        near.advance(480)
        near.send("after")
        await there.until(lambda: bool(there.texts))
        assert len(there.sound) == 0


async def test_a_limit_on_texts_can_be_tried() -> None:
    near, far = join(largest_text=4)
    async with listening(near, far) as (_, there):
        with pytest.raises(TransportError):
            near.send("hello")
        near.send("hi")
        await there.until(lambda: there.texts == ["hi"])
        assert near.traits.largest_text == 4


async def test_a_pacer_may_break_an_end() -> None:
    near, far = join()
    async with listening(near, far) as (_, there):
        near.broke(ValueError())
        assert there.delivered[0] == Opened()
        assert await there.closed() == Closed(ClosedBy.LOST, 1011)
