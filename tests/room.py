"""A room with a loudspeaker, a microphone and somebody in it, at the far end of a call that this process answers.

Time is virtual and passes 20 ms at a step, so that a call goes as fast as the engines can hear it. The call is the real
one: driver, transport in memory, machine, and whatever engines the test gives.
"""

import asyncio
import json
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from vivavoce.answer.job import Allowance, Engines
from vivavoce.answer.local import LocalAnswers
from vivavoce.audio.frame import RATE_HZ, Pcm, from_bytes, sample_count, silence, to_bytes
from vivavoce.audio.noise import Suppressor
from vivavoce.errors import OfferError
from vivavoce.gateway.ids import new_id
from vivavoce.session.microphone import Kind
from vivavoce.testing.clock import ManualClock
from vivavoce.transport.interface import Inbound, Sound, SoundPath, Text, Transport
from vivavoce.transport.memory import MemoryTransport, join
from vivavoce.wire.codec import decode_session
from vivavoce.wire.config import Session

STEP: Final = sample_count(20)
TURNS: Final = 12
"""Turns of the event loop in which everything that a step leads to has happened."""
TAPS: Final = ((0.0, 0.0), (6.3, -8.0), (13.7, -11.0), (23.1, -13.0), (37.9, -16.0), (61.3, -20.0), (83.2, -25.0))
"""How a small furnished room answers: milliseconds after the direct sound, and decibels below it."""
DRIVE: Final = 2.0
"""How far a small loudspeaker is overdriven."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Wish:
    """What the caller asks for."""

    session: Session
    allowance: Allowance | None = None
    id: str = "rtc_room"


@dataclass(frozen=True)
class Acoustics:
    """The way from loudspeaker to microphone. `echo_db` is the echo's level against what is played; None is no way."""

    delay_ms: float = 100.0
    echo_db: float | None = 0.0
    noise_db: float = -66.0


class NoOffers:
    """Nobody calls over WebRTC."""

    async def answer(self, offer: str) -> tuple[Transport, str]:
        """Never.

        Raises:
            OfferError: always.
        """
        raise OfferError("there is no WebRTC here")


@dataclass
class Room:
    """The far end. `events` is all that the server said; what a person would say waits in `say`."""

    far: MemoryTransport
    near: MemoryTransport
    clock: ManualClock
    acoustics: Acoustics
    append_ms: int = 20
    events: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    times: list[float] = field(default_factory=list[float])
    """When each of them came, in seconds since the beginning."""
    player: deque[Pcm] = field(default_factory=deque[Pcm])
    """Over a WebSocket: what the client has yet to play."""
    now: float = 0.0

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(7)
        self._arrived: deque[Pcm] = deque()
        self._played: Floats = np.zeros(sample_count(1000))
        self._voice: deque[Pcm] = deque()
        self._unsent: list[Pcm] = []

    def deliver(self, inbound: Inbound) -> None:
        """Something comes from the server."""
        match inbound:
            case Sound(samples):
                self._arrived.append(samples)
            case Text(text):
                event = json.loads(text)
                self.events.append(event)
                self.times.append(self.now)
                self._play_by_event(event)
            case _:
                pass

    def send(self, **event: object) -> None:
        """The client sends an event."""
        self.far.send(json.dumps(event))

    async def ask(self, **response: object) -> None:
        """The client asks for an answer, which is made in no time, however long the engines take."""
        self.send(type="response.create", response=response)
        await self.unfold("response.done")

    def say(self, *sounds: Pcm) -> None:
        """Somebody in the room speaks from now on."""
        for sound in sounds:
            self._voice.extend(sound[at : at + STEP] for at in range(0, len(sound), STEP))

    def types(self) -> list[object]:
        """Of all events, in order."""
        return [event["type"] for event in self.events]

    def all(self, type: str) -> list[dict[str, object]]:
        """The events of a type."""
        return [event for event in self.events if event["type"] == type]

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds * 50)):
            await self._step()

    async def until(self, type: str, within_s: float = 20.0) -> float:
        """Let time pass until another event of a type comes; when that was.

        Raises:
            AssertionError: it does not come in time.
        """
        known = len(self.all(type))
        end = self.now + within_s
        while len(self.all(type)) == known:
            assert self.now < end, f"no {type} within {within_s} s, but {sorted(set(map(str, self.types())))}"
            await self._step()
        return self.now

    async def unfold(self, type: str) -> None:
        """Let an engine work, of whose real time the call must not notice, until another event of a type comes."""
        known = len(self.all(type))
        async with asyncio.timeout(20):
            while len(self.all(type)) == known:
                await self.settle()

    async def _step(self) -> None:
        self.clock.advance(0.02)
        self.now += 0.02
        self.near.advance(STEP)
        await self.settle()
        heard = self._microphone(self._loudspeaker())
        if self.far.traits.sound is SoundPath.MEDIA:
            self.far.play(heard)
            self.far.advance(STEP)
        else:
            self._append(heard)
        await self.settle()

    async def settle(self) -> None:
        """Let happen what takes no time."""
        for _ in range(TURNS):
            await asyncio.sleep(0)

    def _loudspeaker(self) -> Pcm:
        """What is played in this step."""
        queue = self._arrived if self.far.traits.sound is SoundPath.MEDIA else self.player
        return queue.popleft() if queue else silence(STEP)

    def _microphone(self, played: Pcm) -> Pcm:
        """What the room makes of it, and what is said in there."""
        driven = np.tanh(played / 32_768 * DRIVE) / DRIVE * 32_768
        self._played = np.concatenate((self._played[STEP:], driven))
        heard = self._random.normal(0, 32_768 * 10 ** (self.acoustics.noise_db / 20), STEP)
        if self.acoustics.echo_db is not None:
            power = sum(10 ** (db / 10) for _, db in TAPS)
            gain = 10 ** (self.acoustics.echo_db / 20) / np.sqrt(power)
            for ms, db in TAPS:
                end = len(self._played) - sample_count(self.acoustics.delay_ms + ms)
                heard += gain * 10 ** (db / 20) * self._played[end - STEP : end]
        if self._voice:
            voice = self._voice.popleft()
            heard[: len(voice)] += voice
        return np.rint(heard).clip(-32_768, 32_767).astype(np.int16)

    def _append(self, heard: Pcm) -> None:
        self._unsent.append(heard)
        if len(self._unsent) * 20 >= self.append_ms:
            sound, self._unsent = np.concatenate(self._unsent), []
            self.send(type="input_audio_buffer.append", audio=b64encode(to_bytes(sound)).decode())

    def _play_by_event(self, event: dict[str, object]) -> None:
        """Over a WebSocket the client plays what it is sent, and stops when somebody speaks."""
        if event["type"] == "response.output_audio.delta":
            sound = from_bytes(b64decode(str(event["delta"])))
            if self.player and len(self.player[-1]) < STEP:
                sound = np.concatenate((self.player.pop(), sound))
            self.player.extend(sound[at : at + STEP] for at in range(0, len(sound), STEP))
        elif event["type"] == "input_audio_buffer.speech_started":
            self.player.clear()


@asynccontextmanager
async def room(
    engines: Engines,
    path: SoundPath,
    acoustics: Acoustics,
    session: dict[str, object] | None = None,
    append_ms: int = 20,
    suppressor: Callable[[Kind], Suppressor] | None = None,
    clock: ManualClock | None = None,
    over: Callable[[Transport], Transport] | None = None,
) -> AsyncGenerator[Room, None]:
    """A call that has just been answered, directly or `over` another transport. The engines must have been entered."""
    clock = clock or ManualClock()
    near, far = join(path)
    answers = LocalAnswers(engines, NoOffers(), clock, new_id, models=("house",), suppressor=suppressor)
    wanted = decode_session(msgspec.json.encode({"type": "realtime"} | (session or {})))
    here = Room(far, near, clock, acoustics, append_ms)
    async with answers, asyncio.TaskGroup() as tasks:
        answers.converse(Wish(wanted), near if over is None else over(near))
        tasks.create_task(far.run(here.deliver))
        try:
            yield here
        finally:
            await here.far.close()


def scaled(sound: Pcm, to_db: float) -> Pcm:
    """Sound at another level: of its root mean square, in decibels of full scale."""
    power = float(np.mean(np.square(sound, dtype=np.float64)))
    gain = 32_768 * 10 ** (to_db / 20) / np.sqrt(power)
    return np.rint(sound * gain).clip(-32_768, 32_767).astype(np.int16)


def level_db(sounds: Sequence[Pcm]) -> float:
    """Of the root mean square, in decibels of full scale."""
    power = float(np.mean(np.square(np.concatenate(list(sounds)), dtype=np.float64)))
    return float(10 * np.log10(power / 32_768**2))


def seconds(sound: Pcm) -> float:
    """How long it is."""
    return len(sound) / RATE_HZ
