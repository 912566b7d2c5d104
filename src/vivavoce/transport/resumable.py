"""A transport that outlives the connections that carry it.

Whoever drives it sees one connection from `Opened` to `Closed`. Beneath, a connection that is lost may be followed by
another (`fence`, `attach`); what was sent meanwhile, or before and did not arrive, is sent again. A client shows by its
first `connection.ping` that it knows how to come back: for one that never does, nothing is different.
docs/reference/resumption.md says what travels.
"""

import asyncio
from asyncio import TaskGroup
from dataclasses import dataclass
from functools import partial
from typing import Final

from vivavoce.audio.frame import Pcm, sample_count, silence
from vivavoce.audio.reel import Reel
from vivavoce.errors import Fault, Never, TransportError
from vivavoce.telemetry.log import Log
from vivavoce.transport.backlog import utf8_size
from vivavoce.transport.carriage import Carried, Doubtful, Leaving, Over, State, Waiting
from vivavoce.transport.inbox import Inbox
from vivavoce.transport.interface import (
    Closed,
    ClosedBy,
    Deliver,
    Inbound,
    Link,
    Opened,
    Played,
    Sound,
    SoundPath,
    Text,
    Traits,
    Transport,
)
from vivavoce.transport.leg import Leg
from vivavoce.transport.ring import Ring, label_of
from vivavoce.wire.codec import encode
from vivavoce.wire.heartbeat import ConnectionClosing, ConnectionPing, ConnectionPong, decode_ping

LOOK_S: Final = 0.1
"""How often a connection is looked after, once its client has shown that it can come back."""
NARROW_BYTES: Final = 64 * 1024
"""Kept of what was sent to a client that has not yet shown that it can come back."""
TRANSIT_S: Final = 0.2
"""How long sound is on its way and waits to be heard: what left so shortly before the silence was not heard either."""
_AWAY: Final = Closed(ClosedBy.LOST, 1006, "The connection was lost, and the caller did not come back.")
_LET_GO: Final = Closed(ClosedBy.US, 1001, "The server has let go of the connection.")

log = Log("transport")


@dataclass(frozen=True)
class Terms:
    """How long who is waited for, in seconds, and how much is kept.

    Attributes:
        keep_s: how long a session outlives its connection; with 0 it never does.
        doubt_s: without a sign of life for so long, sound waits: whether it would be heard is not known.
        dead_s: without one for so long, the connection is given up. Not sooner: over WebRTC that says goodbye, and a
            client may just be back to hear it; over a socket a long message on its way looks like silence.
        repeat_s: at most so much of the sound that was sent last is played again.
        ring_bytes: what is kept of the messages that were sent.
    """

    keep_s: float = 60.0
    doubt_s: float = 1.0
    dead_s: float = 60.0
    repeat_s: float = 2.0
    ring_bytes: int = 8 * 2**20


class Resumable:
    """Carries one call over one connection after another."""

    def __init__(self, carrier: Transport, terms: Terms) -> None:
        """`carrier` is the first connection."""
        self._loop = asyncio.get_running_loop()
        self._terms = terms
        self._inbox = Inbox()
        self._ring = Ring(min(NARROW_BYTES, terms.ring_bytes))
        self._reel = Reel(sample_count(round(terms.repeat_s * 1000)))
        self._traits = carrier.traits
        self._known = asyncio.Event()
        """The client has shown that it can come back."""
        self._pinged = False
        """The client understands events about its connection."""
        self._last_read: str | None = None
        self._tasks: TaskGroup | None = None
        self._legs: set[Leg] = set()
        self.first = Leg(carrier, 0, None, self._loop.time())
        self._state: State = Carried(self.first)

    # ── what a driver sees ──────────────────────────────────────────────────────────────────────────────

    @property
    def traits(self) -> Traits:
        """Those of the first connection."""
        return self._traits

    async def run(self, deliver: Deliver) -> None:
        """See `Transport.run`."""
        broken: Exception | None = None
        try:
            async with TaskGroup() as self._tasks:
                watching = self._tasks.create_task(self._watch())
                self._start(self.first)
                try:
                    await self._inbox.run(deliver)
                except Exception as failure:  # the listener's own failure: raised below, outside the group
                    broken = failure
                    await self.close(1011)
                watching.cancel()
                for leg in self._legs:
                    leg.cancel()
        finally:
            self._state, self._tasks = Over(), None
            self.first.end()
        if broken is not None:
            raise broken

    def send(self, text: str) -> None:
        """See `Transport.send`. What is sent while nothing carries it is kept."""
        size = utf8_size(text)
        match self._state:
            case Over():
                return
            case Carried(leg) | Doubtful(leg) | Leaving(leg):
                leg.carrier.send(text)
            case Waiting() if self._traits.largest_text is not None and size > self._traits.largest_text:
                message = f"A message of {size} bytes; the peer accepts {self._traits.largest_text}. Send less at once."
                raise TransportError(message, fault=Fault.OURS, next=Never())
            case Waiting():
                pass
        self._ring.push(text, size, label_of(text))

    def play(self, samples: Pcm) -> None:
        """See `Transport.play`. What is played while nobody hears it waits."""
        if self._traits.sound is SoundPath.TEXT:
            self.first.carrier.play(samples)
            return
        match self._state:
            case Carried(leg):
                leg.carrier.play(samples)
            case Doubtful() | Waiting():
                pass
            case Leaving() | Over():
                return
        self._reel.push(samples)

    def played(self) -> int:
        """See `Transport.played`. A leg that repeats what may not have been heard begins with a smaller number."""
        if isinstance(self._state, Carried):
            self._reel.reach(self._state.leg.played(), self._loop.time())
        return self._reel.played

    def flush(self) -> int:
        """See `Transport.flush`. May be less than `played` has said before: what was really heard."""
        self._stop_playing()
        self._reel.clear()
        return self._reel.played

    async def link(self) -> Link:
        """See `Transport.link`."""
        match self._state:
            case Carried(leg) | Doubtful(leg):
                return await leg.carrier.link()
            case Waiting() | Leaving() | Over():
                return Link()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Transport.close`. A connection that is still being made is let go.

        Where no close frame tells the client code and reason, an event does, if it has shown that it knows it.
        """
        if isinstance(self._state, Carried | Doubtful) and self._pinged and self._traits.sound is SoundPath.MEDIA:
            self._state.leg.carrier.send(encode(ConnectionClosing(code=code, reason=reason)))
        match self._state:
            case Carried(leg) | Doubtful(leg) | Leaving(leg):
                self._state = Leaving(leg)
                await leg.carrier.close(code, reason)
            case Waiting(leg=leg):
                self._end(Closed(ClosedBy.US, code, reason))
                if leg is not None:
                    await leg.carrier.close(code, reason)
            case Over():
                pass

    # ── what brings it back ─────────────────────────────────────────────────────────────────────────────

    @property
    def over(self) -> bool:
        """Whether nothing can bring it back any more."""
        return isinstance(self._state, Leaving | Over) or self._tasks is None

    def holds(self, last_label: str | None) -> bool:
        """Whether everything can be sent again that came after this message, or everything (None)."""
        return self._ring.place(last_label) is not None

    def fence(self) -> str | None:
        """Take nothing more from the connection there is, whether or not it seems alive.

        Returns:
            The label of the last message that was read.
        """
        match self._state:
            case Carried(leg) | Doubtful(leg):
                self._known.set()
                self._detach(leg)
            case Waiting() as waiting:
                self._put_off(waiting)
            case Leaving() | Over():
                pass
        return self._last_read

    def attach(self, carrier: Transport, last_label: str | None, silent_s: float | None) -> Leg | None:
        """Go on over another connection, once it is open. To be called after `fence`.

        Args:
            carrier: not run yet.
            last_label: of the last message that the client has received.
            silent_s: for how long the listener has heard nothing; None where nobody says.

        Returns:
            The leg; None where what the client lacks has been forgotten, the call has ended meanwhile, or somebody else
            has come back: the carrier is the caller's to close then.
        """
        place = self._ring.place(last_label)
        if not isinstance(self._state, Waiting) or place is None:
            return None
        self._put_off(self._state)
        now = self._loop.time()
        silent_since = self._state.heard_until if silent_s is None else now - silent_s
        leg = self._state.leg = Leg(carrier, place, silent_since, now)
        self._start(leg)
        return leg

    def drop(self, leg: Leg) -> None:
        """Whoever lent a leg its socket needs it back: where it is the one in use, the call ends."""
        if self._state.leg is leg:
            self._end(_LET_GO)

    # ── one leg ─────────────────────────────────────────────────────────────────────────────────────────

    def _start(self, leg: Leg) -> None:
        assert self._tasks is not None
        self._legs.add(leg)
        leg.task = self._tasks.create_task(leg.carrier.run(partial(self._take, leg)))
        # Not within the task: one that is cancelled before its first step does nothing at all.
        leg.task.add_done_callback(lambda _: self._gone(leg))

    def _gone(self, leg: Leg) -> None:
        self._legs.discard(leg)
        leg.end()

    def _take(self, leg: Leg, arrived: Inbound) -> "asyncio.Future[None] | None":
        if self._state.leg is not leg:
            return None
        match arrived:
            case Opened():
                self._open(leg)
            case Closed():
                self._lost(leg, arrived)
            case Text(text):
                return self._read(leg, text)
            case Played(samples):
                self._reel.reach(leg.of_call(samples), self._loop.time())
                return self._inbox.put(Played(self._reel.played))
            case Sound():
                return self._inbox.put(arrived)
        return None

    def _open(self, leg: Leg) -> None:
        leg.alive_at = self._loop.time()
        leg.settled.set()
        if leg is self.first:
            self._traits = leg.carrier.traits
            self._inbox.put(Opened())
            return
        self._be_silent()
        missed = self._ring.since(leg.place)
        if missed is None:
            # It took so long that more was sent than is kept.
            self._lost(leg, Closed(ClosedBy.LOST, 1006))
            leg.cancel()
            return
        log.info("call_resumed", events=len(missed))
        self._state = Carried(leg)
        for text in missed:
            try:
                leg.carrier.send(text)
            except TransportError as error:  # it would not fit through this connection
                log.failure("event_left_out", error)
        if self._traits.sound is SoundPath.MEDIA:
            if leg.silent_since is not None:
                self._reel.rewind(leg.silent_since - TRANSIT_S)
            leg.play_rest(self._reel)

    def _read(self, leg: Leg, text: str) -> "asyncio.Future[None] | None":
        leg.heard_from(self._loop.time())
        self._believe()
        ping = decode_ping(text)
        if ping is not None:
            self._pong(leg, ping)
            return None
        self._last_read = label_of(text) or self._last_read
        return self._inbox.put(Text(text))

    def _pong(self, leg: Leg, ping: ConnectionPing) -> None:
        """Answer at once, also while the model talks. A pong is no part of the conversation: it is not sent again."""
        self._pinged = True
        asked = ping.event_id if isinstance(ping.event_id, str) else None
        leg.carrier.send(encode(ConnectionPong(ping_event_id=asked)))
        if self._terms.keep_s > 0:
            self._known.set()
            self._ring.limit_bytes = self._terms.ring_bytes

    # ── how a leg is lost ───────────────────────────────────────────────────────────────────────────────

    def _lost(self, leg: Leg, closed: Closed) -> None:
        """A leg has closed. Only one that nobody said goodbye on is waited for."""
        match self._state:
            case Carried() | Doubtful() if closed.by is ClosedBy.LOST and self._known.is_set():
                self._detach(leg)
            case Waiting() as waiting if closed.by is ClosedBy.LOST:
                waiting.leg = None
            case _:
                self._end(closed)

    def _detach(self, leg: Leg) -> None:
        self._stop_playing()
        now = self._loop.time()
        self._state = Waiting(now + self._terms.keep_s, heard_until=leg.alive_at, quiet_from=now)
        leg.cancel()
        log.info("call_detached", keep_s=self._terms.keep_s)

    @staticmethod
    def _put_off(waiting: Waiting) -> None:
        """Let go of a connection that is being made."""
        if waiting.leg is not None:
            waiting.leg.cancel()
            waiting.leg = None

    def _end(self, closed: Closed) -> None:
        self._state = Over()
        self._inbox.put(closed)

    # ── whether it is alive ─────────────────────────────────────────────────────────────────────────────

    async def _watch(self) -> None:
        await self._known.wait()
        while True:
            slept_at = self._loop.time()
            await asyncio.sleep(LOOK_S)
            if isinstance(self._state, Carried | Doubtful):
                # While this process was stalled nobody could be heard.
                self._state.leg.excuse(self._loop.time() - slept_at - LOOK_S)
                await self._state.leg.look(self._loop.time())
            self._judge(self._loop.time())

    def _judge(self, now: float) -> None:
        match self._state:
            case Carried(leg) | Doubtful(leg):
                self.played()
                silent_s = now - leg.alive_at
                if silent_s >= self._terms.dead_s:
                    self._detach(leg)
                elif silent_s >= self._terms.doubt_s:
                    self._doubt()
                else:
                    self._believe()
            case Waiting(until=until, leg=leg):
                self._be_silent()
                if leg is None and now >= until:
                    self._end(_AWAY)
            case Leaving() | Over():
                pass

    def _doubt(self) -> None:
        if isinstance(self._state, Carried):
            self._stop_playing()
            self._state = Doubtful(self._state.leg)

    def _believe(self) -> None:
        if isinstance(self._state, Doubtful):
            leg = self._state.leg
            self._state = Carried(leg)
            if self._traits.sound is SoundPath.MEDIA:
                leg.play_rest(self._reel)

    # ── sound ───────────────────────────────────────────────────────────────────────────────────────────

    def _stop_playing(self) -> None:
        """Have the connection play no more; the reel keeps what has not been played."""
        if isinstance(self._state, Carried):
            self._reel.reach(self._state.leg.flush(), self._loop.time())

    def _be_silent(self) -> None:
        """A caller who is away is heard as one who is muted."""
        if not isinstance(self._state, Waiting) or self._traits.sound is not SoundPath.MEDIA:
            return
        samples = sample_count(int((self._loop.time() - self._state.quiet_from) * 1000))
        if samples > 0:
            self._state.quiet_from += samples / sample_count(1000)
            self._inbox.put(Sound(silence(samples)))
