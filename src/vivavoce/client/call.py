"""One call, as a program sees it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from math import isfinite
from typing import Self

import msgspec
import numpy as np
from msgspec import UNSET, Struct

from vivavoce.audio.frame import Pcm, duration_ms, from_bytes
from vivavoce.client.drive import Drive, Hung
from vivavoce.client.plan import Plan
from vivavoce.client.quality import Snapshot
from vivavoce.client.resource import Commands, Fields
from vivavoce.client.state import Connected, Connecting, Disrupted, Failed, Restoring, State
from vivavoce.errors import ConfigError, RequestError
from vivavoce.session.caption import Caption
from vivavoce.session.ledger import Cost
from vivavoce.session.peer import Activity
from vivavoce.session.timing import Turn
from vivavoce.session.tokens import Tokens
from vivavoce.transport.interface import Link
from vivavoce.wire.codec import decode_client
from vivavoce.wire.config import Session
from vivavoce.wire.event import ClientEvent, Error, ServerEvent, UnknownEvent
from vivavoce.wire.item import Item


@dataclass(frozen=True)
class Timings:
    """How long things took; None for what has not happened."""

    signalling_ms: float | None
    """From the first step to the server's agreement."""
    connect_ms: float | None
    """From the first step until both sides could hear each other and the session had its config."""
    turns: tuple[Turn, ...]


class Call(Commands):
    """A conversation by voice. An async context manager: entering connects, leaving hangs up.

    Commands have the names of OpenAI's SDK (`call.session.update`, `call.response.create`, …); iterating yields the
    server's events. A failure shows in the state and is raised by every method that waits.
    """

    def __init__(self, plan: Plan) -> None:
        self._drive = Drive(plan)
        self._tasks = asyncio.TaskGroup()
        self._running: asyncio.Task[None] | None = None
        super().__init__(self._order)

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def state(self) -> State:
        """How far the call is."""
        return self._drive.state

    @property
    def activity(self) -> Activity:
        """What is going on: nothing, the user speaks, the assistant thinks or is heard."""
        return self._drive.peer.activity

    @property
    def history(self) -> tuple[Item, ...]:
        """The conversation as it was heard: of the assistant's speech only words that have reached the listener."""
        return self._drive.peer.history()

    @property
    def transcript(self) -> tuple[Caption, ...]:
        """What both sides have said so far; of an answer that was cut short, only what was heard."""
        return self._drive.peer.captions

    @property
    def config(self) -> Session | None:
        """The session's config, as the server says it is in force."""
        return self._drive.peer.session

    @property
    def tokens(self) -> Tokens:
        """What the call has cost so far, in tokens by kind."""
        return self._drive.peer.tokens

    @property
    def cost(self) -> Cost:
        """What the call has cost so far, in money: in all, and by turn."""
        return self._drive.outlets.ledger.cost

    @property
    def timings(self) -> Timings:
        """How long connecting took, and each turn."""
        stamps = self._drive.stamps
        start = min(stamps.values(), default=None)
        agreed, connected = stamps.get(Connecting), stamps.get(Connected)
        return Timings(
            signalling_ms=None if start is None or agreed is None else (agreed - start) * 1000,
            connect_ms=None if start is None or connected is None else (connected - start) * 1000,
            turns=self._drive.peer.turns,
        )

    @property
    def unsent_ms(self) -> int:
        """Sound of the user that waits to be sent in real time; 0 where it is sent at once."""
        return duration_ms(self._drive.unsent)

    @property
    def muted(self) -> bool:
        """Whether the user's sound is kept from the server."""
        return self._drive.muted

    def blame(self, error: Error) -> ClientEvent | None:
        """The command that an error event is about, if it is one of the last."""
        return self._drive.peer.blame(error)

    async def link(self) -> Link:
        """How good the connection is; ask about once a second. While it is lost, nothing is known of it.

        Raises:
            TransportError: there is none.
        """
        if not isinstance(self.state, Connected | Disrupted | Restoring):
            raise self._drive.ended()
        leg = self._drive.leg
        return Link() if leg is None else await leg.transport.link()

    async def recv(self) -> ServerEvent | UnknownEvent:
        """The server's next event, typed; kinds that are not known here come as `UnknownEvent`.

        Raises:
            VivaError: events were dropped because nobody read them (the next call goes on), or the call has failed.
            TransportError: the call has ended.
        """
        return await self._drive.outlets.events.get()

    async def __aiter__(self) -> AsyncIterator[ServerEvent | UnknownEvent]:
        """The server's events until the call ends; raises as `recv` does."""
        async for event in self._drive.outlets.events:
            yield event

    async def audio(self) -> AsyncGenerator[Pcm, None]:
        """The assistant's sound as it is heard, from now on: int16 mono at 24 kHz, in real time.

        Over WebRTC it has no gaps; over a WebSocket nothing comes while nothing is heard. A listener who falls ten
        seconds behind loses the oldest.
        """
        outlets = self._drive.outlets
        feed = outlets.tap_sound()
        try:
            async with aclosing(aiter(feed)) as sounds:
                async for samples in sounds:
                    yield samples
        finally:
            outlets.untap(feed)

    async def captions(self) -> AsyncGenerator[Caption, None]:
        """What both sides say: all so far, then each one again whenever its text or state has changed."""
        outlets = self._drive.outlets
        feed = outlets.tap_captions()
        for caption in self._drive.peer.captions:
            feed.put(caption)
        try:
            async with aclosing(aiter(feed)) as captions:
                async for caption in captions:
                    yield caption
        finally:
            outlets.untap(feed)

    async def stats(self, every_s: float = 1.0) -> AsyncGenerator[Snapshot, None]:
        """How the call is doing, so often, until it ends: levels, loss, bit rates, and the connection's own figures.

        Raises:
            VivaError: the call has failed.
            ConfigError: not a time that one can wait.
        """
        if not (isfinite(every_s) and every_s > 0):
            raise ConfigError(f"Snapshots every {every_s} s cannot be taken; it must be more than 0.")
        watch = self._drive.outlets.watch()
        try:
            while not await self._over_within(every_s):
                yield watch.read(await self.link(), asyncio.get_running_loop().time())
        finally:
            self._drive.outlets.unwatch(watch)
        if isinstance(self.state, Failed):
            raise self.state.error

    async def _over_within(self, seconds: float) -> bool:
        try:
            await self._drive.until(lambda: self._drive.over, seconds)
        except TimeoutError:
            return False
        return True

    # ── commanding ─────────────────────────────────────────────────────────────────────────────────────

    async def send(self, event: Fields) -> None:
        """Send any client event, typed or as a dictionary; the server judges what is not known here.

        Raises:
            TransportError: the call is not connected, or the event too large for it.
            ConfigError: it is no event at all.
        """
        if isinstance(event, ClientEvent):
            await self._drive.order(event)
        elif isinstance(event, Struct):
            raise ConfigError(f"{type(event).__name__} is not a client event.")
        else:
            await self._order(event)

    async def send_audio(self, samples: Pcm | bytes) -> None:
        """The user's sound: int16 mono at 24 kHz, any length. Over WebRTC it is spoken in real time; muted, nowhere.

        Raises:
            TransportError: the call is not connected.
            ConfigError: not 16-bit samples of one channel.
        """
        await self._drive.speak(_samples(samples))

    def mute(self) -> None:
        """Send nothing of the user's sound any more, until `unmute`; what was given and still waited is dropped, too.

        Over WebRTC packets stop after two seconds of silence, over a WebSocket a last pause is sent. So a turn that
        was open ends.
        """
        self._drive.mute()

    def unmute(self) -> None:
        """Send the user's sound again, from now on."""
        self._drive.unmute()

    async def until(self, condition: "Callable[[Call], bool]", timeout_s: float | None = None) -> None:
        """Return as soon as something is true of the call, `lambda call: call.activity is Activity.IDLE` for instance.

        Raises:
            TimeoutError: it has not become true in time.
            VivaError: the call has failed.
            TransportError: the call has ended and it is not true.
        """
        await self._drive.until(lambda: condition(self), timeout_s)

    async def close(self) -> None:
        """Hang up. Returns when everything is released; harmless when the call is over already."""
        if self._running is not None:
            self._drive.post(Hung())
            await asyncio.wait([self._running])

    async def hangup(self) -> None:
        """Hang up; another name for `close`."""
        await self.close()

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            VivaError: no call could be made; the error says why, whose fault it is and what to do.
        """
        await self._tasks.__aenter__()
        self._running = self._tasks.create_task(self._drive.run(), name="call")
        try:
            await self._drive.until(lambda: isinstance(self.state, Connected))
        except BaseException:
            await self._leave(self._running)
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Hang up."""
        if self._running is not None:
            try:
                await self.close()
            finally:
                await self._leave(self._running)

    async def _leave(self, running: "asyncio.Task[None]") -> None:
        running.cancel()
        # What ended the body is none of the group's business: it would wrap it.
        await self._tasks.__aexit__(None, None, None)

    async def _order(self, fields: Mapping[str, object]) -> None:
        """Send an event given by its fields."""
        present = {name: value for name, value in fields.items() if value is not UNSET}
        if not isinstance(present.get("type"), str):
            raise ConfigError("An event needs a 'type', for instance 'response.create'.")
        try:
            text = msgspec.json.encode(present).decode()
        except (TypeError, ValueError) as error:
            raise ConfigError(f"The event {present['type']!r} cannot be written as JSON: {error}.") from error
        try:
            event = decode_client(text)
        except RequestError:
            event = text  # newer than the types here, or wrong: the server knows
        await self._drive.order(event)


def _samples(sound: Pcm | bytes) -> Pcm:
    """What a program calls sound, checked."""
    if isinstance(sound, bytes | bytearray | memoryview):
        if len(sound) % 2:
            raise ConfigError(f"Sound is 16-bit samples, an even number of bytes; got {len(sound)}.")
        return from_bytes(bytes(sound))
    if sound.dtype != np.int16 or sound.ndim != 1:
        raise ConfigError(f"Sound is int16 in one dimension; got {sound.dtype} in {sound.ndim}.")
    return sound
