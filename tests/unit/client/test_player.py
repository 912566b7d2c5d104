"""A player without a loudspeaker: time is all that plays."""

import asyncio

import numpy as np
import pytest

from vivavoce.audio.frame import RATE_HZ, Pcm
from vivavoce.client.player import BEAT, Clockwork

pytestmark = pytest.mark.realtime


def ramp(samples: int) -> Pcm:
    return np.arange(samples).astype(np.int16)


async def test_sound_is_heard_whole_in_order_and_as_fast_as_time_goes_by() -> None:
    player, heard, done = Clockwork(), list[Pcm](), asyncio.Event()
    sound = ramp(BEAT * 10 + 100)

    def listen(samples: Pcm) -> None:
        heard.append(samples)
        if sum(map(len, heard)) == len(sound):
            done.set()

    async with asyncio.TaskGroup() as tasks, asyncio.timeout(5):
        playing = tasks.create_task(player.run(listen))
        began = asyncio.get_running_loop().time()
        player.play(sound[:50])
        player.play(sound[50:])
        player.play(sound[:0])
        await done.wait()
        took = asyncio.get_running_loop().time() - began
        playing.cancel()
    assert np.array_equal(np.concatenate(heard), sound)
    assert player.played() == len(sound)
    assert took >= 10 * BEAT / RATE_HZ - 0.001


async def test_what_is_dropped_is_not_heard_and_not_counted() -> None:
    player, first = Clockwork(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(5):
        playing = tasks.create_task(player.run(lambda _: first.set()))
        player.play(ramp(RATE_HZ))
        await first.wait()
        played = player.flush()
        assert 0 < played < RATE_HZ
        first.clear()
        player.play(ramp(10))
        await first.wait()
        assert player.played() == played + 10
        playing.cancel()
