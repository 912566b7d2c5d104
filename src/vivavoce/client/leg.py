"""One connection of a call. A call outlives its connections, and what comes of one that is gone changes nothing."""

import asyncio
from asyncio import Future
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf
from typing import Final

from msgspec import UNSET
from msgspec.structs import replace

from vivavoce.client.address import Address
from vivavoce.client.greeting import Greeting
from vivavoce.client.line import Line, Placed
from vivavoce.client.player import Player
from vivavoce.client.pulse import PING_S, Alive, Pulse, Sign, Verdict
from vivavoce.client.receipts import Receipts
from vivavoce.client.signalling import Terms
from vivavoce.clock import Clock
from vivavoce.session.answers import Sound as SoundWay
from vivavoce.session.effect import Ids
from vivavoce.transport.interface import Closed, ClosedBy, Inbound, Opened, SoundPath, Text, Transport
from vivavoce.wire.codec import encode
from vivavoce.wire.event import ClientEvent, ServerEvent, UnknownEvent
from vivavoce.wire.heartbeat import ConnectionPing, decode_closing, decode_pong
from vivavoce.wire.resumption import Ticket

TICK_S: Final = 0.1
"""How often the time that a connection has been silent is looked at."""
LOOK_TICKS: Final = 2
"""Between two looks at the figures of a connection."""
PING_TICKS: Final = round(PING_S / TICK_S)
FENCED_S: Final = 10.0
"""So long after it was asked to go on elsewhere, a server may close the connection there is."""


@dataclass(frozen=True)
class Arrived:
    """Something has come over a connection."""

    leg: "Leg"
    inbound: Inbound


@dataclass(frozen=True)
class Ticked:
    """A connection was looked at."""

    leg: "Leg"


Post = Callable[[Arrived | Ticked], None]


@dataclass
class Course:
    """What lasts as long as one session, over however many connections it goes.

    Attributes:
        line: how it was reached.
        ticket: what it is come back to by: the newest that the server gave.
        receipts: kept where it can be.
        player: who plays what comes in it; None where that is only handed on.
        played_before: samples that the player had played when it began.
        ends_at: when another should take over because it comes to its end, in monotonic seconds.
        better_at: when a better way should be tried.
        withdraw: ends it at the server where it cannot be told so over a connection.
    """

    line: Line
    ticket: Ticket | None
    receipts: Receipts | None = None
    player: Player | None = None
    played_before: int = 0
    ends_at: float = inf
    better_at: float = inf
    withdraw: Callable[[], Awaitable[None]] | None = None


class Leg:
    """One connection, from its making to its end. `greeting` makes its session ready; None if it goes on with one.

    It knows nothing of what is said over it. Whoever made it runs `carry`, and `watch` once it is the call's own.
    """

    def __init__(self, line: Line, placed: Placed, greeting: Greeting | None, ids: Ids) -> None:
        self.course = Course(line, placed.terms.ticket, withdraw=placed.withdraw)
        if placed.terms.pings and placed.terms.ticket is not None:
            self.course.receipts = Receipts()
        self.placed = placed
        self.asked_at = -inf
        """When the server was last asked to let the session go on over another one."""
        self.greeting = greeting
        self._ids = ids
        self.opened: Future[bool] = asyncio.get_running_loop().create_future()
        """Whether there is a way to the server; done when that is known."""
        self.ready: Future[None] = asyncio.get_running_loop().create_future()
        """Done when the call goes on over this leg; it fails when that will never be."""
        self.kept: list[tuple[ServerEvent | UnknownEvent, int]] = []
        """What the server said while it was greeted, and how long that was."""
        self.pulse: Pulse | None = None
        self.farewell: Closed | None = None
        """Why the server ends it, as it has said in words of its own."""
        self.silent_since: float | None = None
        """When the server was last heard of, once it is taken for dead."""
        self.address: Address | None = None
        """This machine's own on the way to the server, when it was made; None where nobody knows."""
        self._gone = asyncio.Event()

    @property
    def terms(self) -> Terms:
        """What the server said of it."""
        return self.placed.terms

    @property
    def transport(self) -> Transport:
        """What carries it."""
        return self.placed.transport

    @property
    def way(self) -> SoundWay:
        """How sound travels over it."""
        return SoundWay.MEDIA if self.transport.traits.sound is SoundPath.MEDIA else SoundWay.TEXT

    async def carry(self, post: Post) -> None:
        """Bring what arrives, until it is closed."""

        def arrived(inbound: Inbound) -> None:
            if isinstance(inbound, Opened):
                self._found(True)
            elif isinstance(inbound, Text) and self.terms.pings and (last := decode_closing(inbound.text)) is not None:
                inbound = self.farewell = Closed(ClosedBy.PEER, last.code, last.reason)
            post(Arrived(self, inbound))

        try:
            await self.transport.run(arrived)
        finally:
            self._found(False)
            self._gone.set()

    def go_on_from(self, old: "Leg") -> None:
        """Be in its place: the session is the same."""
        self.course = old.course

    def verdict(self, now: float) -> Verdict:
        """What its silence means, if it is silent."""
        ahead = 0 if self.course.receipts is None else self.course.receipts.ahead
        return Alive() if self.pulse is None else self.pulse.verdict(now, ahead)

    async def locate(self) -> None:
        """Find the address that it was made from."""
        self.address = await self.course.line.address()

    async def watch(self, post: Post, clock: Clock) -> None:
        """Look at its signs of life, as long as this runs."""
        self.pulse = Pulse(clock.now(), pings=self.terms.pings)
        ticks = 0
        while not self._gone.is_set():
            urgent = self.pulse.urgent(clock.now())
            if urgent or ticks % LOOK_TICKS == 0:
                self.pulse.look(await self.transport.link(), clock.now())
            if self.terms.pings and (urgent or ticks % PING_TICKS == 0):
                self._ping()
                self.pulse.pinged()
            if self.address is not None:
                self.pulse.stranded = not self.address.stands
            post(Ticked(self))
            ticks += 1
            await asyncio.sleep(TICK_S)

    def heard(self, inbound: Inbound, now: float) -> bool:
        """Something came over it; is it for the call? Sound proves nothing: where none arrives, it is made up."""
        if not isinstance(inbound, Text):
            return True
        pong = decode_pong(inbound.text) if self.terms.pings else None
        if self.pulse is not None:
            self.pulse.sign(Sign.TEXT if pong is None else Sign.PONG, now)
        if pong is not None and self.course.receipts is not None:
            self.course.receipts.answered(pong)
        return pong is None

    def knows(self, event: ServerEvent | UnknownEvent) -> bool:
        """Whether an event has come before, by the connection that this one is in the place of."""
        return self.course.receipts is not None and not self.course.receipts.received(event)

    def send(self, message: ClientEvent | str) -> None:
        """Say something, and note it where it may have to be said again.

        Raises:
            TransportError: it is too large; nothing was sent.
        """
        if self.course.receipts is None:
            self.transport.send(message if isinstance(message, str) else encode(message))
        elif isinstance(message, str):
            self.transport.send(message)
            self.course.receipts.sent(message)
        else:
            if message.event_id is UNSET:
                message = replace(message, event_id=self._ids("event"))
            self.transport.send(text := encode(message))
            self.course.receipts.sent(text, str(message.event_id))

    def _ping(self) -> None:
        ping = ConnectionPing(event_id=self._ids("ping"))
        self.transport.send(encode(ping))
        if self.course.receipts is not None:
            self.course.receipts.pinged(str(ping.event_id))

    def deaf(self, now: float) -> bool:
        """Whether the server has not heard us lately, or has been asked to hear us elsewhere.

        It closes a connection for either; the session goes on.
        """
        # An answer that was lost is sent again, and comes late.
        unheard = self.pulse is not None and now - self.pulse.answered_at > 2 * self.pulse.patience_s
        return self.course.receipts is not None and (unheard or now - self.asked_at < FENCED_S)

    def lost_since(self, now: float) -> float:
        """When it was lost that is found broken now: media fall silent first, a socket breaks at once."""
        if self.silent_since is not None:
            return self.silent_since
        return now if self.pulse is None or self.way is SoundWay.TEXT else self.pulse.last

    def fail(self, error: Exception) -> None:
        """It will not do."""
        if not self.ready.done():
            self.ready.set_exception(error)

    async def close(self) -> None:
        """Let go of it. A server that was never reached over it is told so in the way in which it was called."""
        await self.transport.close()
        reached = self.opened.done() and self.opened.result()
        if not reached:
            await self.give_up()

    async def give_up(self) -> None:
        """Let go of it and of its session, which cannot be told so over it."""
        await self.transport.close()
        if self.course.withdraw is not None:
            await self.course.withdraw()

    def _found(self, way: bool) -> None:
        if not self.opened.done():
            self.opened.set_result(way)
