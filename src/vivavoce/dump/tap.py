"""A call that is written down: its connections, policy and states are like others in all else."""

from asyncio import Future
from collections.abc import Callable, Mapping
from itertools import count
from types import TracebackType
from typing import Final, Self

from vivavoce.audio.frame import Pcm
from vivavoce.client.line import Dial, Dialled
from vivavoce.client.policy import History, Policy, Step
from vivavoce.client.quality import Watch
from vivavoce.client.secret import Credential
from vivavoce.client.state import State
from vivavoce.clock import Clock
from vivavoce.dump.record import plain
from vivavoce.dump.writer import Dump
from vivavoce.errors import VivaError
from vivavoce.transport.interface import (
    Closed,
    Deliver,
    Inbound,
    Link,
    Offering,
    Opened,
    Sound,
    Text,
    Transport,
)
from vivavoce.transport.wrapper import Wrapper

EVERY_S: Final = 1.0
"""Between two readings that are written down."""


class Taps:
    """Writes down one call: what it is told of its states and policy, and all that passes over its connections.

    A context manager that ends the dump with the call.
    """

    def __init__(self, dump: Dump, clock: Clock) -> None:
        self._dump = dump
        self._clock = clock
        self._numbers = count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._dump.end(error)

    def on_state(self, told: Callable[[State], None] | None) -> Callable[[State], None]:
        """Who is told of states, and the dump before."""

        def both(state: State) -> None:
            self._dump.state(state)
            if told is not None:
                told(state)

        return both

    def policy(self, policy: Policy) -> Policy:
        """The same, its decisions written down."""
        return Noted(policy, self._dump)

    def dial(self, dial: Dial) -> Dial:
        """The same, its connections tapped."""

        async def tapped(url: str, headers: Mapping[str, str]) -> Dialled:
            for value in headers.values():
                self._dump.scrub.hide(value.removeprefix("Bearer "))
            return TappedSocket(await dial(url, headers), self._dump, self._clock, next(self._numbers))

        return tapped

    def offering(self, offering: Callable[[Credential], Offering]) -> Callable[[Credential], Offering]:
        """The same, its connections tapped."""

        def tapped(credential: Credential) -> Offering:
            self._dump.scrub.hide(credential.secret.reveal())
            return TappedOffering(offering(credential), self._dump, self._clock, next(self._numbers))

        return tapped


class Noted:
    """A policy whose decisions are written down."""

    def __init__(self, policy: Policy, dump: Dump) -> None:
        self._policy = policy
        self._dump = dump

    def decide(self, failure: VivaError, history: History, now: float, chance: float) -> Step:
        """See `Policy.decide`."""
        step = self._policy.decide(failure, history, now, chance)
        self._dump.decided(failure, history, step)
        return step


class TappedOffering:
    """See `Offering`."""

    def __init__(self, inner: Offering, dump: Dump, clock: Clock, leg: int) -> None:
        self._inner = inner
        self._dump = dump
        self._clock = clock
        self._leg = leg

    async def offer(self) -> str:
        """See `Offering.offer`."""
        sdp = await self._inner.offer()
        self._dump.write("offer", leg=self._leg, sdp=self._dump.scrub.sdp(sdp))
        return sdp

    async def accept(self, answer: str) -> Transport:
        """See `Offering.accept`."""
        self._dump.write("answer", leg=self._leg, sdp=self._dump.scrub.sdp(answer))
        return Tapped(await self._inner.accept(answer), self._dump, self._clock, self._leg)

    async def abandon(self) -> None:
        """See `Offering.abandon`."""
        await self._inner.abandon()


class Tapped(Wrapper):
    """See `Transport`."""

    def __init__(self, inner: Transport, dump: Dump, clock: Clock, leg: int) -> None:
        super().__init__(inner)
        self._dump = dump
        self._clock = clock
        self._leg = leg
        self._watch = Watch()
        self._read_at: float | None = None

    async def run(self, deliver: Deliver) -> None:
        """See `Transport.run`."""
        await self._inner.run(lambda inbound: self._deliver(inbound, deliver))

    def _deliver(self, inbound: Inbound, deliver: Deliver) -> "Future[None] | None":
        match inbound:
            case Text(text):
                self._dump.write("in", leg=self._leg, event=self._dump.scrub.event(text))
            case Sound(samples):
                self._watch.heard(samples)
            case Opened():
                self._dump.write("opened", leg=self._leg, traits=plain(self.traits))
            case Closed(by, code, reason):
                reason = self._dump.scrub.text(reason)
                self._dump.write("gone", leg=self._leg, by=by.value, code=code, reason=reason)
            case _:
                pass
        return deliver(inbound)

    def send(self, text: str) -> None:
        """See `Transport.send`."""
        self._dump.write("out", leg=self._leg, event=self._dump.scrub.event(text))
        self._inner.send(text)

    def play(self, samples: Pcm) -> None:
        """See `Transport.play`."""
        self._watch.spoke(samples)
        self._inner.play(samples)

    async def link(self) -> Link:
        """See `Transport.link`."""
        link, now = await self._inner.link(), self._clock.now()
        if self._read_at is None or now - self._read_at >= EVERY_S:
            self._read_at = now
            snapshot = self._watch.read(link, now)
            mos = None if snapshot.mos is None else round(snapshot.mos, 2)
            self._dump.write("stats", leg=self._leg, snapshot=plain(snapshot), mos=mos)
        return link


class TappedSocket(Tapped):
    """A tapped WebSocket."""

    def __init__(self, inner: Dialled, dump: Dump, clock: Clock, leg: int) -> None:
        super().__init__(inner, dump, clock, leg)
        self.handshake = inner.handshake
