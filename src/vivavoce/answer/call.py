"""Drives one `Host` over one transport with engines.

The loop has four steps: wait for an input or the deadline, give it to the machine, carry out the effects, note the
next deadline. Everything that runs for the call runs in one task group and ends with it.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from vivavoce.answer.attention import Attention
from vivavoce.answer.job import Allowance, Engines, Jobs
from vivavoce.clock import Clock
from vivavoce.errors import TransportError
from vivavoce.session.effect import (
    Begin,
    Cancel,
    Effect,
    Feed,
    Finish,
    Flush,
    Hangup,
    Job,
    Listen,
    Play,
    Send,
)
from vivavoce.session.host import Host
from vivavoce.session.lean import lean
from vivavoce.session.result import Result
from vivavoce.telemetry.log import Log
from vivavoce.transport.interface import Closed, Inbound, Opened, Played, Sound, Text, Transport
from vivavoce.wire.codec import encode
from vivavoce.wire.event import ServerEvent

log = Log("answer")

ENDED: Final = "The call has ended."
_RETRIEVE: Final = '"conversation.item.retrieve"'
"""Short to ask, long to answer: a minute of telephone sound takes 40 ms to code."""
LONG: Final = 32 * 1024
"""Characters of a message that is no longer read, or written, in one go with others.

Reading one of these takes up to 5 ms of hostile JSON, and up to half a second for the 20 MiB that may come. So a thread
reads what is longer, while the loop serves the other calls and this one's sound.
"""
AT_ONCE: Final = 16
"""Inputs of one call that are taken before other calls have their turn."""
INTERNAL_ERROR: Final = 1011
"""WebSocket's close code for a fault of ours."""


@dataclass(frozen=True, slots=True)
class Probability:
    """The detector's word."""

    value: float
    heard: int


@dataclass(frozen=True, slots=True)
class Reported:
    """An engine's word."""

    job: Job
    result: Result


@dataclass(frozen=True, slots=True)
class Fault:
    """The detector failed."""

    message: str


@dataclass(frozen=True, slots=True)
class Hung:
    """Somebody here ends the call, with a close code and words for people."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody listens in."""

    transport: Transport


@dataclass(frozen=True, slots=True)
class Written:
    """An event that is as good as sent: what a long message is answered with is often as long."""

    event: ServerEvent
    text: str


Input = Inbound | Probability | Reported | Fault | Hung | Joined


@dataclass(frozen=True, slots=True)
class Crew:
    """Who works for a running call."""

    jobs: Jobs
    attention: Attention


class LocalCall:
    """One call that this process answers itself, from `run` on."""

    def __init__(
        self,
        id: str,
        host: Host,
        transport: Transport,
        engines: Engines,
        clock: Clock,
        allowance: Allowance | None = None,
    ) -> None:
        self.id = id
        self._host = host
        self._transport = transport
        self._engines = engines
        self._clock = clock
        self._allowance = allowance
        self._inbox: deque[Input] = deque()
        self._taken: asyncio.Future[None] | None = None
        """Done when the inbox is empty; who has sent a long message waits for it."""
        self._wake = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None
        self._guests: set[Transport] = set()
        """Who listens in."""
        self._listeners: dict[Transport, None] = {}
        """Those of them who have been greeted, so that nothing reaches anybody before `session.created`."""
        self._ending = (1000, "")
        self._connected = asyncio.Event()
        self._over = asyncio.Event()

    # ── what others may ask of it ──────────────────────────────────────────────────────────────────────

    async def connected(self) -> None:
        """Return when the caller is there, or the call is over."""
        await self._connected.wait()

    async def ended(self) -> None:
        """Return when the call is over and has freed what it held."""
        await self._over.wait()

    async def hangup(self, code: int = 1000) -> None:
        """End the call. The first to do so says why."""
        self._post(Hung(code))
        await self._over.wait()

    async def join(self, transport: Transport) -> None:
        """Let somebody listen in and send events until they leave or the call ends."""
        if self._over.is_set():
            await transport.close(1000, ENDED)
            return
        self._guests.add(transport)
        self._post(Joined(transport))
        try:
            await transport.run(self._take_in_aside)
        finally:
            self._guests.discard(transport)
            self._listeners.pop(transport, None)

    # ── the loop ───────────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Hold the conversation until it is over. Everything is released when this returns."""
        try:
            async with asyncio.TaskGroup() as tasks:
                jobs = Jobs(
                    tasks, self._engines, self._allowance, lambda job, result: self._post(Reported(job, result))
                )
                attention = Attention(
                    self._engines.detector,
                    self._clock,
                    lambda value, heard: self._post(Probability(value, heard)),
                    lambda message: self._post(Fault(message)),
                )
                carrying = tasks.create_task(self._transport.run(self._take_in))
                try:
                    await self._converse(Crew(jobs, attention))
                except Exception:
                    self._ending = (INTERNAL_ERROR, "The server had an error while processing the call.")
                    raise
                finally:
                    attention.close()
                    jobs.cancel_all()
                    self._let_go()
                    await self._transport.close(*self._ending)
                    await carrying
        finally:
            self._connected.set()
            self._over.set()
            if self._alarm is not None:
                self._alarm.cancel()
            code, reason = self._ending
            for guest in list(self._guests):
                await guest.close(code, reason or ENDED)

    async def _converse(self, crew: Crew) -> None:
        self._set_alarm(self._host.deadline(self._clock.now()))
        while True:
            await self._wake.wait()
            for _ in range(min(AT_ONCE, len(self._inbox))):
                arrived = self._inbox.popleft()
                if isinstance(arrived, Closed | Hung):
                    if isinstance(arrived, Hung):
                        self._ending = (arrived.code, arrived.reason)
                    await self._carry_out(self._host.close(self._clock.now()), crew)
                    return
                await self._carry_out(await self._step(arrived), crew)
            now = self._clock.now()
            deadline = self._host.deadline(now)
            if now >= deadline:
                effects = self._host.played(self._transport.played(), now) + self._host.tick(now)
                await self._carry_out(effects, crew)
                deadline = self._host.deadline(now)
            self._set_alarm(deadline)
            if self._inbox:
                await asyncio.sleep(0)
            else:
                # Only now, so that what was posted meanwhile and has been taken wakes nobody.
                self._wake.clear()
                self._let_go()

    async def _step(
        self, arrived: Opened | Text | Sound | Played | Probability | Reported | Fault | Joined
    ) -> Sequence[Effect | Written]:
        now = self._clock.now()
        match arrived:
            case Sound(samples):
                return self._host.hear(samples, now)
            case Probability(value, heard):
                return self._host.speech(value, heard, now)
            case Text(text):
                return await self._read(text, now)
            case Reported(job, result):
                return self._host.result(job, result, now)
            case Played(samples):
                return self._host.played(samples, now)
            case Fault(message):
                return self._host.fault(message)
            case Opened():
                self._connected.set()
                created, *rest = self._host.open(now)
                # The caller alone: whoever joined before has been greeted.
                self._tell_caller([created])
                return rest
            case Joined(transport):
                if transport in self._guests:
                    transport.send(encode(self._host.introduction()))
                    self._listeners[transport] = None
                return []
            case _:
                assert_never(arrived)

    async def _read(self, text: str, now: float) -> Sequence[Effect | Written]:
        # An escape may hide the name of what takes long.
        if len(text) <= LONG and _RETRIEVE not in text and "\\u" not in text:
            return self._host.receive(text, now)
        # The host is this loop's alone, and the loop waits here: everything keeps its order.
        return await asyncio.to_thread(self._read_aside, text, now)

    def _read_aside(self, text: str, now: float) -> list[Effect | Written]:
        effects = self._host.receive(text, now)
        return [Written(each.event, encode(each.event)) if isinstance(each, Send) else each for each in effects]

    def _tell_caller(self, effects: list[Effect]) -> None:
        """Send events to the caller and to nobody who listens in."""
        for effect in effects:
            if isinstance(effect, Send):
                self._transport.send(encode(effect.event))

    async def _send(self, event: ServerEvent, text: str) -> None:
        for listener in self._listeners:
            listener.send(text)
        try:
            self._transport.send(text)
        except TransportError:
            self._send_lean(event)
        if len(text) > LONG:
            await asyncio.sleep(0)

    def _send_lean(self, event: ServerEvent) -> None:
        """A party on a socket may say what no data channel carries, a picture for instance."""
        try:
            self._transport.send(encode(lean(event)))
        except TransportError as error:
            log.failure("event_left_out", error, call_id=self.id, type=event.type)
            self._tell_caller(self._host.fault(f"The event {event.type} was left out: {error.message}"))

    async def _carry_out(self, effects: Sequence[Effect | Written], crew: Crew) -> None:
        for effect in effects:
            match effect:
                case Send(event):
                    await self._send(event, encode(event))
                case Written(event, text):
                    await self._send(event, text)
                case Listen(samples):
                    crew.attention.push(samples)
                case Play(samples):
                    self._transport.play(samples)
                case Flush():
                    played = self._transport.flush()
                    await self._carry_out(self._host.flushed(played, self._clock.now()), crew)
                case Hangup(code, reason):
                    self._post(Hung(code, reason))
                case _:
                    self._work(effect, crew.jobs)

    def _work(self, effect: Begin | Feed | Finish | Cancel, jobs: Jobs) -> None:
        match effect:
            case Feed(job, samples):
                jobs.feed(job, samples)
            case Begin(job, work):
                jobs.begin(job, work)
            case Finish(job):
                jobs.finish(job)
            case Cancel(job):
                jobs.cancel(job)
            case _:
                assert_never(effect)

    # ── waiting ────────────────────────────────────────────────────────────────────────────────────────

    def _post(self, arrived: Input) -> None:
        self._inbox.append(arrived)
        self._wake.set()

    def _take_in(self, arrived: Inbound) -> asyncio.Future[None] | None:
        """After a long message nothing more shall come until it has been taken."""
        self._post(arrived)
        if not isinstance(arrived, Text) or len(arrived.text) <= LONG:
            return None
        if self._taken is None:
            self._taken = asyncio.get_running_loop().create_future()
        return self._taken

    def _let_go(self) -> None:
        taken, self._taken = self._taken, None
        if taken is not None and not taken.done():
            taken.set_result(None)

    def _take_in_aside(self, arrived: Inbound) -> asyncio.Future[None] | None:
        """What somebody who listens in sends counts as if the caller had sent it; their leaving ends nothing."""
        return self._take_in(arrived) if isinstance(arrived, Text) else None

    def _set_alarm(self, deadline: float) -> None:
        """Wake at the machine's deadline. An alarm that is early enough stays: it costs one look."""
        loop = asyncio.get_running_loop()
        time = loop.time()
        at = time + deadline - self._clock.now()
        if self._alarm is not None:
            if time <= self._alarm.when() <= at:
                return
            self._alarm.cancel()
        self._alarm = loop.call_at(at, self._wake.set)
