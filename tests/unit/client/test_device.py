"""Microphone and loudspeaker, on a sound card that a test works by hand."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import wraps

import numpy as np
import pytest

from tests.unit.transport.virtual import run
from vivavoce.audio.cleaner import Processing
from vivavoce.audio.frame import RATE_HZ, Pcm, from_bytes, sample_count, to_bytes
from vivavoce.client.card import Callback, Kind, probe
from vivavoce.client.device import LEAD_S, DeviceChange, Loudspeaker, Microphone
from vivavoce.engine.webrtc_cleaner import WebRtcCleaner
from vivavoce.errors import DeviceError
from vivavoce.testing.clock import ManualClock

PATIENCE_S = 10


class PortAudioError(Exception):
    """The driver's own."""


@dataclass(frozen=True)
class Moments:
    """The driver's times of one block: it was heard, or will be, so many seconds away from now."""

    ahead_s: float
    currentTime: float = 50.0

    @property
    def inputBufferAdcTime(self) -> float:
        return self.currentTime - self.ahead_s

    @property
    def outputBufferDacTime(self) -> float:
        return self.currentTime + self.ahead_s


@dataclass(eq=False)
class ScriptedStream:
    """An open device. `give` and `take` are one call of the card each, in a thread of its own as cards have it."""

    callback: Callback
    rate_hz: float
    blocksize: int
    latency: float = 0.0
    active: bool = True
    calls: list[str] = field(default_factory=list[str])

    def start(self) -> None:
        self.calls.append("start")

    def abort(self) -> None:
        self.calls.append("abort")

    def close(self) -> None:
        self.calls.append("close")

    def give(self, samples: Pcm, air_s: float | None = None) -> None:
        self._turn(to_bytes(samples), len(samples), air_s)

    def take(self, frames: int | None = None, air_s: float | None = None) -> Pcm:
        frames = frames or self.blocksize
        buffer = bytearray(b"\x01" * frames * 2)
        self._turn(buffer, frames, air_s)
        return from_bytes(bytes(buffer))

    def _turn(self, buffer: bytes | bytearray, frames: int, air_s: float | None) -> None:
        times = None if air_s is None else Moments(air_s)
        turn = threading.Thread(target=self.callback, args=(memoryview(buffer), frames, times, None))
        turn.start()
        turn.join()


@dataclass
class ScriptedCard:
    """A card whose devices can do some rates. `names` are the system's own devices; those who look see them change."""

    rates: tuple[int, ...] = (RATE_HZ,)
    default_samplerate: float = 48_000.0
    present: tuple[str, ...] = ("input", "output")
    names: dict[Kind, str | None] = field(default_factory=lambda: {"input": "built-in", "output": "built-in"})
    moves_streams: bool = True
    looks: int = 0
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
        return {"name": self.names[kind], "default_samplerate": self.default_samplerate}

    def look(self, known: int) -> None:
        if self.looks == known:
            self.looks += 1

    async def defaults(self) -> Mapping[Kind, str | None]:
        return {kind: self.names[kind] if kind in self.present else None for kind in self.names}


class LoopClock:
    """The event loop's own time, which is virtual here."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def now(self) -> float:
        return self._loop.time()

    def wall(self) -> float:
        return self.now()


def on_virtual_time(test: Callable[[], Coroutine[object, object, None]]) -> Callable[[], None]:
    @wraps(test)
    def running() -> None:
        run(test())

    return running


def tone(samples: int, rate_hz: int = RATE_HZ) -> Pcm:
    return (8000 * np.sin(2 * np.pi * 440 * np.arange(samples) / rate_hz)).astype(np.int16)


async def test_what_the_microphone_hears_comes_out() -> None:
    card = ScriptedCard()
    async with Microphone(card) as microphone:
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
    async with Microphone(card) as microphone:
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


@on_virtual_time
async def test_what_is_played_reaches_the_loudspeaker_and_is_counted() -> None:
    card, listener = ScriptedCard(), Listener()
    player = Loudspeaker(card, clock=LoopClock())
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


@on_virtual_time
async def test_what_was_dropped_counts_as_not_heard_even_if_the_card_still_has_it() -> None:
    card, listener = ScriptedCard(), Listener()
    player = Loudspeaker(card, clock=LoopClock())
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


@on_virtual_time
async def test_a_loudspeaker_of_another_rate_plays_the_same_length() -> None:
    card, listener = ScriptedCard(rates=(44_100,), default_samplerate=44_100.0), Listener()
    player = Loudspeaker(card, clock=LoopClock())
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


@on_virtual_time
async def test_sound_that_comes_in_real_time_does_not_pile_up() -> None:
    card = ScriptedCard()
    player = Loudspeaker(card, clock=LoopClock())
    async with asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(player.run(lambda _: None))
        await asyncio.sleep(0)
        for number in range(10):
            player.play(np.full(480, number, np.int16), 0.1)
        assert card.opened[0].take()[0] == 5
        playing.cancel()


@pytest.mark.parametrize("card", [ScriptedCard(present=()), ScriptedCard(rates=())])
async def test_a_missing_device_is_told_as_one(card: ScriptedCard) -> None:
    with pytest.raises(DeviceError):
        await Microphone(card).__aenter__()
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


# ── when what is played is heard ────────────────────────────────────────────────────────────────────────


async def test_sound_counts_as_heard_from_the_moment_that_the_driver_says_it_is_in_the_air() -> None:
    card, clock = ScriptedCard(), ManualClock()
    player = Loudspeaker(card, clock=clock)
    async with asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(player.run(lambda _: None))
        await asyncio.sleep(0)
        player.play(tone(900))
        card.opened[0].take(air_s=0.150)
        counts = [player.played()]
        clock.advance(0.020)
        card.opened[0].take(air_s=0.150)
        for seconds in (0.129, 0.006, 0.020, 0.015, 1.0):
            clock.advance(seconds)
            counts.append(player.played())
        playing.cancel()
    # 149 ms after the first block was given, 155, 175, 190, and long after
    assert np.allclose(counts, [0, 0, 120, 600, 900, 900], atol=1)


async def test_an_interruption_cuts_at_the_sample_that_was_in_the_air() -> None:
    card, clock = ScriptedCard(), ManualClock()
    player = Loudspeaker(card, clock=clock)
    async with asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(player.run(lambda _: None))
        await asyncio.sleep(0)
        player.play(tone(4800))
        for _ in range(4):
            card.opened[0].take(air_s=0.050)
            clock.advance(0.020)
        assert abs(player.flush() - sample_count(30)) <= 1
        clock.advance(1.0)
        assert abs(player.played() - sample_count(30)) <= 1
        playing.cancel()


async def test_times_that_waver_do_not_move_what_was_heard() -> None:
    card, clock = ScriptedCard(), ManualClock()
    player = Loudspeaker(card, clock=clock)
    wavering = np.random.default_rng(1).uniform(-0.008, 0.008, 100)
    async with asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(player.run(lambda _: None))
        await asyncio.sleep(0)
        player.play(tone(100 * 480))
        for off_s in wavering:
            card.opened[0].take(air_s=0.1 + off_s)
            clock.advance(0.020)
        assert abs(player.played() - sample_count(1900)) < sample_count(9)
        playing.cancel()


# ── a microphone beside a loudspeaker ───────────────────────────────────────────────────────────────────


class Witness:
    """A cleaner that only looks on."""

    def __init__(self) -> None:
        self.heard: list[Pcm] = []
        self.played: list[Pcm] = []

    def process(self, heard: Pcm, played: Pcm) -> Pcm:
        assert len(heard) == len(played)
        self.heard.append(heard)
        self.played.append(played)
        return heard


async def hold_together(card: ScriptedCard, clock: ManualClock, microphone: Microphone, player: Loudspeaker) -> Pcm:
    """A second of noise out of the loudspeaker, 60 ms ahead, into the microphone, 30 ms ago; and what comes out."""
    noise = np.random.default_rng(5).normal(0, 4000, 50 * 480).astype(np.int16)
    air = np.zeros(60 * 480, np.int16)
    async with asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(player.run(lambda _: None))
        await asyncio.sleep(0)
        async with microphone:
            loud, ear = card.opened
            player.play(noise)
            for number in range(50):
                # The block that is given now sounds from 60 ms on; the one that is heard now ended 10 ms ago.
                at = number * 480 + sample_count(60)
                air[at : at + 480] = loud.take(air_s=0.060)[: len(air) - at]
                heard_at = max(0, number * 480 - sample_count(30))
                ear.give(air[heard_at : heard_at + 480], air_s=0.030)
                clock.advance(0.020)
            heard: list[Pcm] = []
            async with asyncio.timeout(PATIENCE_S):
                async for samples in microphone:
                    heard.append(samples)
                    if sum(map(len, heard)) >= 45 * 480:
                        break
        playing.cancel()
    return np.concatenate(heard)


async def test_a_canceller_is_shown_what_is_in_the_air_a_little_early() -> None:
    card, clock, witness = ScriptedCard(), ManualClock(), Witness()
    player = Loudspeaker(card, clock=clock)
    await hold_together(card, clock, Microphone(card, cleaner=witness, loudspeaker=player, clock=clock), player)
    heard, played = (np.concatenate(side).astype(np.float64) for side in (witness.heard, witness.played))
    middle = slice(sample_count(300), sample_count(900))
    early = sample_count(1000 * LEAD_S)
    alike = [float(np.dot(heard[middle], np.roll(played, lag)[middle])) for lag in range(early - 100, early + 100)]
    assert abs(int(np.argmax(alike)) - 100) <= sample_count(1)
    assert max(alike) > 0.9 * float(np.dot(heard[middle], heard[middle]))


async def test_what_the_loudspeaker_plays_is_not_heard_by_the_microphone_beside_it() -> None:
    card, clock = ScriptedCard(), ManualClock()
    player = Loudspeaker(card, clock=clock)
    cleaner = WebRtcCleaner(Processing(), round(1000 * LEAD_S))
    clean = await hold_together(card, clock, Microphone(card, cleaner=cleaner, loudspeaker=player, clock=clock), player)
    late = clean[sample_count(600) : sample_count(880)].astype(np.float64)
    assert 20 * np.log10(np.sqrt(np.mean(late**2)) / 4000) < -20


# ── devices that come and go ────────────────────────────────────────────────────────────────────────────


class Changes:
    """What an application is told."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[DeviceChange] = asyncio.Queue()

    async def next(self) -> DeviceChange:
        async with asyncio.timeout(PATIENCE_S):
            return await self.told.get()


@on_virtual_time
async def test_a_microphone_that_goes_away_is_replaced_by_the_one_that_there_is() -> None:
    card, changes = ScriptedCard(), Changes()
    async with Microphone(card, on_change=changes.told.put_nowait, clock=LoopClock()) as microphone:
        card.names["input"] = "headset"
        card.opened[0].active = False
        assert await changes.next() == DeviceChange("input", None)
        assert await changes.next() == DeviceChange("input", "headset")
        assert card.opened[0].calls[-1] == "close"
        card.opened[1].give(tone(480))
        async with asyncio.timeout(PATIENCE_S):
            async for samples in microphone:
                assert np.array_equal(samples, tone(480))
                break
    assert card.opened[1].calls == ["start", "abort", "close"]


@on_virtual_time
async def test_a_device_that_stands_still_is_gone() -> None:
    card, changes = ScriptedCard(), Changes()
    async with Microphone(card, on_change=changes.told.put_nowait, clock=LoopClock()):
        card.opened[0].give(tone(480))
        assert await changes.next() == DeviceChange("input", None)
        assert await changes.next() == DeviceChange("input", "built-in")


@on_virtual_time
async def test_without_any_device_the_call_waits_in_silence_and_disturbs_no_other() -> None:
    card, changes = ScriptedCard(), Changes()
    player = Loudspeaker(card, on_change=changes.told.put_nowait, clock=LoopClock())
    async with asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(player.run(lambda _: None))
        await asyncio.sleep(0)
        card.present = ("input",)
        card.opened[0].active = False
        assert await changes.next() == DeviceChange("output", None)
        player.play(tone(480))
        await asyncio.sleep(20)
        assert (len(card.opened), card.looks, player.played()) == (1, 0, 0)
        card.present = ("input", "output")
        assert await changes.next() == DeviceChange("output", "built-in")
        assert np.array_equal(card.opened[1].take(), tone(480))
        playing.cancel()


@on_virtual_time
async def test_a_headset_that_is_plugged_in_is_taken_where_the_system_leaves_that_to_programs() -> None:
    card, changes = ScriptedCard(moves_streams=False), Changes()
    async with Microphone(card, on_change=changes.told.put_nowait, clock=LoopClock()):
        card.names["input"] = "headset"
        while changes.told.empty() and asyncio.get_running_loop().time() < 8:
            card.opened[0].give(tone(480))
            await asyncio.sleep(0.1)
        assert await changes.next() == DeviceChange("input", None)
        assert await changes.next() == DeviceChange("input", "headset")


@on_virtual_time
async def test_a_device_that_was_named_is_kept_whatever_else_is_plugged_in() -> None:
    card, changes = ScriptedCard(moves_streams=False), Changes()
    async with Microphone(card, 3, on_change=changes.told.put_nowait, clock=LoopClock()):
        card.names["input"] = "headset"
        while asyncio.get_running_loop().time() < 8:
            card.opened[0].give(tone(480))
            await asyncio.sleep(0.1)
    assert changes.told.empty()
