"""Microphone and loudspeaker, on a sound card that a test works by hand."""

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest

from vivavoce.audio.frame import RATE_HZ, Pcm, from_bytes, to_bytes
from vivavoce.client.device import Callback, Kind, Loudspeaker, Microphone, probe
from vivavoce.errors import DeviceError

PATIENCE_S = 10


class PortAudioError(Exception):
    """The driver's own."""


@dataclass
class ScriptedStream:
    """An open device. `turn` is one call of the card, in a thread of its own as cards have it."""

    callback: Callback
    rate_hz: float
    blocksize: int
    latency: float = 0.0
    calls: list[str] = field(default_factory=list[str])

    def start(self) -> None:
        self.calls.append("start")

    def abort(self) -> None:
        self.calls.append("abort")

    def close(self) -> None:
        self.calls.append("close")

    def give(self, samples: Pcm) -> None:
        self._turn(to_bytes(samples), len(samples))

    def take(self, frames: int | None = None) -> Pcm:
        frames = frames or self.blocksize
        buffer = bytearray(b"\x01" * frames * 2)
        self._turn(buffer, frames)
        return from_bytes(bytes(buffer))

    def _turn(self, buffer: bytes | bytearray, frames: int) -> None:
        turn = threading.Thread(target=self.callback, args=(memoryview(buffer), frames, None, None))
        turn.start()
        turn.join()


@dataclass
class ScriptedCard:
    """A card whose devices can do some rates."""

    rates: tuple[int, ...] = (RATE_HZ,)
    default_samplerate: float = 48_000.0
    present: tuple[str, ...] = ("input", "output")
    opened: list[ScriptedStream] = field(default_factory=list[ScriptedStream])

    def RawInputStream(
        self, *, samplerate: float, blocksize: int, channels: int, dtype: str, callback: Callback, device: object
    ) -> ScriptedStream:
        assert (channels, dtype) == (1, "int16")
        if samplerate not in self.rates:
            raise PortAudioError("Invalid sample rate")
        self.opened.append(ScriptedStream(callback, samplerate, blocksize))
        return self.opened[-1]

    RawOutputStream = RawInputStream

    def query_devices(self, device: int | str | None, kind: Kind) -> Mapping[str, object]:
        if kind not in self.present:
            raise PortAudioError("Error querying device -1")
        return {"default_samplerate": self.default_samplerate}


def tone(samples: int, rate_hz: int = RATE_HZ) -> Pcm:
    return (8000 * np.sin(2 * np.pi * 440 * np.arange(samples) / rate_hz)).astype(np.int16)


async def test_what_the_microphone_hears_comes_out() -> None:
    card = ScriptedCard()
    with Microphone(card) as microphone:
        card.opened[0].give(tone(480))
        card.opened[0].give(tone(480))
        heard: list[Pcm] = []
        async with asyncio.timeout(PATIENCE_S):
            async for samples in microphone:
                heard.append(samples)
                if len(heard) == 2:
                    break
    assert np.array_equal(np.concatenate(heard), np.concatenate([tone(480), tone(480)]))
    assert card.opened[0].calls == ["start", "abort", "close"]


async def test_a_microphone_of_another_rate_is_brought_to_ours() -> None:
    card = ScriptedCard(rates=(48_000,))
    with Microphone(card) as microphone:
        for _ in range(10):
            card.opened[0].give(tone(960, 48_000))
        total = 0
        async with asyncio.timeout(PATIENCE_S):
            async for samples in microphone:
                total += len(samples)
                if total > 9 * 480:
                    break
    assert total <= 10 * 480


class Listener:
    def __init__(self) -> None:
        self.samples = 0
        self.came = asyncio.Event()

    def __call__(self, samples: Pcm) -> None:
        self.samples += len(samples)
        self.came.set()

    async def until(self, samples: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.samples < samples:
                await self.came.wait()
                self.came.clear()


async def test_what_is_played_reaches_the_loudspeaker_and_is_counted() -> None:
    card, listener = ScriptedCard(), Listener()
    player = Loudspeaker(card)
    async with asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(player.run(listener))
        await asyncio.sleep(0)
        sound = tone(700)
        player.play(sound[:300])
        player.play(sound[300:])
        out = np.concatenate([card.opened[0].take(), card.opened[0].take(), card.opened[0].take()])
        assert np.array_equal(out, np.concatenate([sound, np.zeros(3 * 480 - 700, np.int16)]))
        await listener.until(700)
        assert player.played() == 700
        playing.cancel()
    assert card.opened[0].calls == ["start", "abort", "close"]


async def test_what_was_dropped_counts_as_not_heard_even_if_the_card_still_has_it() -> None:
    card, listener = ScriptedCard(), Listener()
    player = Loudspeaker(card)
    async with asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(player.run(listener))
        await asyncio.sleep(0)
        player.play(tone(1000))
        card.opened[0].take()
        assert player.flush() == 0
        await listener.until(480)
        assert player.played() == 0
        assert not card.opened[0].take().any()
        playing.cancel()


async def test_a_loudspeaker_of_another_rate_plays_the_same_length() -> None:
    card, listener = ScriptedCard(rates=(44_100,), default_samplerate=44_100.0), Listener()
    player = Loudspeaker(card)
    async with asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(player.run(listener))
        await asyncio.sleep(0)
        player.play(tone(4800))
        out = np.concatenate([card.opened[0].take() for _ in range(12)])
        assert len(out) == 12 * 882
        loud = np.flatnonzero(np.abs(out) > 500)
        assert abs((loud[-1] - loud[0]) / 44_100 - 0.2) < 0.005
        await listener.until(4800)
        playing.cancel()


async def test_sound_that_comes_in_real_time_does_not_pile_up() -> None:
    card = ScriptedCard()
    player = Loudspeaker(card, late_s=0.1)
    async with asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(player.run(lambda _: None))
        await asyncio.sleep(0)
        for number in range(10):
            player.play(np.full(480, number, np.int16))
        assert card.opened[0].take()[0] == 5
        playing.cancel()


@pytest.mark.parametrize("card", [ScriptedCard(present=()), ScriptedCard(rates=())])
async def test_a_missing_device_is_told_as_one(card: ScriptedCard) -> None:
    with pytest.raises(DeviceError), Microphone(card):
        pass
    with pytest.raises(DeviceError):
        await Loudspeaker(card).run(lambda _: None)
    for kind in ("input", "output"):
        with pytest.raises(DeviceError):
            probe(card, kind)


async def test_a_device_can_be_tried_without_a_sound() -> None:
    card = ScriptedCard()
    probe(card, "input")
    probe(card, "output")
    assert [stream.calls for stream in card.opened] == [["close"], ["close"]]
