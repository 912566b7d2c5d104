"""Speech that travels twice while the network loses it."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest

from tests.conformance.transport.listener import Listener, listening
from tests.unit.transport.webrtc.lossy import Network, Way, lossy_network
from vivavoce.audio.frame import sample_count
from vivavoce.transport.interface import Sound
from vivavoce.transport.pacer import Pacer
from vivavoce.transport.webrtc.answerer import WebRtcAnswerer
from vivavoce.transport.webrtc.offerer import WebRtcOfferer
from vivavoce.transport.webrtc.opus import Opus
from vivavoce.transport.webrtc.settings import WebRtcSettings

ONCE, TWICE = 111, 63
"""Payload types of Opus and of RED in offers of libwebrtc."""
NOISE = np.random.default_rng(2).normal(0, 4000, sample_count(20_000)).astype(np.int16)

SLOW_S = 18.0
"""A busy machine is late with packets, which the engine takes for a network that carries less."""

pytestmark = pytest.mark.realtime


@asynccontextmanager
async def call(
    opus: Opus | None = None, *, on_offer: Callable[[str], str] = lambda offer: offer
) -> AsyncGenerator[tuple[Network, Listener, Listener]]:
    """Both talk at once, over a network that loses nothing yet; `opus` is the caller's."""
    async with Pacer() as pacer, lossy_network() as network:
        offerer = WebRtcOfferer(pacer, WebRtcSettings(opus=opus or Opus(), look_s=0.2))
        offer = on_offer(network.offer(await offerer.offer()))
        far, answer = await WebRtcAnswerer(pacer, WebRtcSettings(look_s=0.2)).answer(offer)
        near = await offerer.accept(network.answer(answer))
        try:
            async with listening(near, far) as (here, there):
                near.play(NOISE)
                far.play(NOISE)
                yield network, here, there
        finally:
            await near.close()
            await far.close()


async def test_speech_travels_twice_where_a_tenth_is_lost_and_once_before() -> None:
    async with call() as (network, here, there):
        await there.until(lambda: network.kinds[Way.THERE, ONCE] >= 60)
        assert network.kinds[Way.THERE, TWICE] == network.kinds[Way.BACK, TWICE] == 0
        network.every = 10
        await there.until(lambda: all(network.kinds[way, TWICE] >= 10 for way in Way), SLOW_S)
        heard = len(here.all(Sound)), len(there.all(Sound))
        await here.until(lambda: len(here.all(Sound)) > heard[0] + 10)
        await there.until(lambda: len(there.all(Sound)) > heard[1] + 10)


async def test_a_peer_that_cannot_read_it_is_sent_its_speech_once() -> None:
    def bare(offer: str) -> str:
        lines = offer.replace(f"SAVPF {ONCE} {TWICE} ", f"SAVPF {ONCE} ").split("\r\n")
        return "\r\n".join(line for line in lines if f":{TWICE} " not in line)

    async with call(on_offer=bare) as (network, _, there):
        network.every = 5
        await there.until(lambda: network.kinds[Way.THERE, ONCE] >= 100)
        assert {kind for _, kind in network.kinds} == {ONCE}


async def test_who_does_not_want_it_sends_it_once_and_may_hear_it_twice() -> None:
    async with call(Opus(redundancy=False)) as (network, _, there):
        network.every = 5
        await there.until(lambda: network.kinds[Way.BACK, TWICE] >= 10, SLOW_S)
        assert network.kinds[Way.THERE, TWICE] == 0
