"""Drives one `Peer` over one connection, and over another when that is lost.

The loop has four steps: wait for an input, give it to the peer, run its errands, wake whoever waits for what has become
of it. Everything that runs for the call runs in one task group and ends with it. Each connection is a `Leg`; what one
brings that is not the call's own any more changes nothing.
"""

import asyncio
from asyncio import Future, TaskGroup
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final, assert_never

from vivavoce.audio.frame import Pcm
from vivavoce.client.crew import Crew
from vivavoce.client.ending import over
from vivavoce.client.leg import Arrived, Leg, Ticked
from vivavoce.client.line import Step as LineStep
from vivavoce.client.outlet import Outlets
from vivavoce.client.plan import Plan
from vivavoce.client.player import LATE_S
from vivavoce.client.state import (
    MOVES,
    Closed,
    Connected,
    Connecting,
    Disrupted,
    Failed,
    Kept,
    Minting,
    Negotiating,
    New,
    Restoring,
    State,
)
from vivavoce.client.succession import Succession
from vivavoce.client.voice import Voice
from vivavoce.client.waiting import Held, Inbox, Order, Returned, Speech, Waiters
from vivavoce.errors import VivaError
from vivavoce.session.answers import Sound as SoundWay
from vivavoce.session.errand import CallTool, Errand, Flush, Play, Send, Show
from vivavoce.session.ledger import Ledger
from vivavoce.session.past import Past
from vivavoce.session.peer import Peer
from vivavoce.telemetry.log import Log
from vivavoce.transport.interface import Closed as Gone
from vivavoce.transport.interface import ClosedBy, Inbound, Sound, Text
from vivavoce.wire.codec import decode_server
from vivavoce.wire.config import Session, merge
from vivavoce.wire.event import ClientEvent, ResponseCreate, ServerEvent, UnknownEvent
from vivavoce.wire.item import Item

_EVENTS: Final[dict[type, str]] = {Minting: "mint", Negotiating: "offer", Connecting: "answered"}
"""By which event of the table each step of placing a call begins."""

_log = Log("client")


# ── what goes in ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Listened:
    """Samples of the assistant that this side's player has played."""

    samples: Pcm


@dataclass(frozen=True, slots=True)
class Broke:
    """Something that the call cannot do without has failed."""

    error: VivaError


@dataclass(frozen=True, slots=True)
class Hung:
    """The application hangs up."""


Input = Arrived | Ticked | Order | Speech | Returned | Listened | Broke | Hung


class Desk:
    """What others may ask of a call, and what is known of it."""

    _legs: Succession

    def __init__(self, plan: Plan) -> None:
        self.state: State = New()
        self.outlets = Outlets(Ledger(plan.prices, plan.budget))
        self.stamps: dict[type, float] = {}
        """When each state began for the first time, in monotonic seconds."""
        self._plan = plan
        self._numbers = count(1)
        self.peer = Peer(ids=self._id, sound=SoundWay.MEDIA)
        self._inbox: Inbox[Input] = Inbox()
        self._waiters = Waiters()
        self._held = Held()
        self._voice = Voice()
        self._crew = Crew(TaskGroup(), plan.player)

    @property
    def over(self) -> bool:
        """Whether the call has ended or failed."""
        return isinstance(self.state, Closed | Failed)

    @property
    def config(self) -> Session:
        """The config that the session has, or another is to have: as first wished, and changed since."""
        past = self._legs.past
        changes = self.peer.changes if past is None else past.changes
        return self._plan.session if changes is None else changed(self._plan.session, changes)

    def misses(self, session: Kept) -> bool:
        """See `Owner.misses`. Of a recording that was cut the beginning is in the session before."""
        return self._held.overflowed or (session is Kept.NEW and self._voice.cut)

    @property
    def leg(self) -> Leg | None:
        """The connection that the call goes over; None before the first and after a loss."""
        return self._legs.leg

    @property
    def unsent(self) -> int:
        """Samples of the user that wait to be sent in real time; none where they are sent at once."""
        return self._voice.unsent

    def ended(self) -> VivaError:
        """Why nothing can be asked of the call."""
        return over(self.state)

    def post(self, arrived: Input) -> None:
        """Something has happened."""
        self._inbox.put(arrived)

    async def order(self, event: ClientEvent | str) -> None:
        """Send something; returns when it is on its way, which may be after the connection has come back.

        Raises:
            VivaError: the call has failed.
            TransportError: the call is not connected, too much waits for its return, or the event is too large for it.
        """
        done: Future[None] = asyncio.get_running_loop().create_future()
        await self._wish(Order(event, done), done)

    async def speak(self, samples: Pcm) -> None:
        """The user's sound, dropped while he is muted; raises as `order` does."""
        done: Future[None] = asyncio.get_running_loop().create_future()
        if self.muted:
            done.set_result(None)
        await self._wish(Speech(samples, done), done)

    @property
    def muted(self) -> bool:
        """Whether the user's sound is dropped."""
        return self._held.muted

    def mute(self) -> None:
        """From this moment on nothing of the user is sent, not even what was said before and still waits."""
        if self.muted:
            return
        self._held.mute()
        for wish in self._inbox.waiting:
            if isinstance(wish, Speech) and not wish.done.done():
                wish.done.set_result(None)  # and so it is passed over
        self._voice.hush(self._plan.clock.now())
        if self.leg is not None:
            for event in self.peer.hush(self._plan.clock.now()):
                self.leg.send(event)

    def unmute(self) -> None:
        """The user's sound is sent again from now on."""
        self._held.muted = False

    async def until(self, condition: Callable[[], bool], timeout_s: float | None = None) -> None:
        """Return as soon as a condition holds; it is looked at whenever something has happened.

        Raises:
            TimeoutError: it has not come true in time.
            VivaError: the call has ended first.
        """
        if condition():
            return
        if self.over:
            raise self.ended()
        await self._waiters.wait(condition, timeout_s)

    async def _wish(self, wish: Order | Speech, done: "Future[None]") -> None:
        if not isinstance(self.state, Connected | Disrupted | Restoring):
            raise self.ended()
        self.post(wish)
        await done

    def _look(self) -> None:
        """Wake whoever waits for what has become true, or never will."""
        self._waiters.look(self.ended() if self.over else None)

    def _listened(self, samples: Pcm) -> None:
        self.post(Listened(samples))

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers)}"


class Drive(Desk):
    """One call from the first step to its end. It is driven once."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self._legs = Succession(plan, self._crew, self, self._id)

    # ── from beginning to end ──────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Place the call and hold it to its end, which `state` tells. Raises nothing but cancellation."""
        end: Closed | Failed = Closed(ClosedBy.US)
        crew = self._crew
        try:
            async with crew.tasks:
                crew.listen(self._listened, self.broke)
                crew.start(self._legs.reach.first(self._progress, self._stage))
                try:
                    end = await self._converse()
                finally:
                    crew.dismiss()
                if isinstance(end, Failed) and isinstance(self.state, Disrupted | Restoring):
                    self.move("failed", end)  # nobody hears the goodbye, which is waited for nevertheless
                await crew.leave()
        except Exception as error:  # a fault of ours ends this call, not the program around it
            _log.failure("call_failed", error)
            end = Failed(VivaError("The call broke off because of a fault in this program; its log says more."))
        finally:
            self._finish(end)

    def _stage(self) -> str:
        return type(self.state).__name__.lower()

    async def _converse(self) -> Closed | Failed:
        while True:
            await self._inbox.more()
            while (arrived := self._inbox.take()) is not None:
                match arrived:
                    case Hung():
                        return Closed(ClosedBy.US)
                    case Broke(error):
                        return Failed(error)
                    case Arrived(leg, Gone() as gone) if leg is self.leg:
                        end = self._legs.end(leg, gone)
                        if end is not None:
                            return end
                    case _:
                        self._take(arrived)
                spent = self.outlets.ledger.over(audible=self.peer.audible)
                if spent is not None:
                    return Closed(ClosedBy.US, reason=spent)
            self._look()

    def _take(self, arrived: Arrived | Ticked | Order | Speech | Returned | Listened) -> None:
        match arrived:
            case Arrived(leg, inbound) if leg is self.leg:
                if leg.heard(inbound, self._plan.clock.now()):
                    self._step(leg, inbound)
            case Arrived(leg, inbound):
                self._legs.greet(leg, inbound)
            case Ticked(leg):
                self._voice.look(self._plan.clock.now())
                self._legs.feel(leg)
            case Listened(samples):
                self._count()
                self.outlets.sound(samples)
            case Returned(call, output):
                if self._standing(arrived) is not None:
                    self._carry_out(self.peer.returned(call.call_id, output, self._plan.clock.now()))
            case _:
                self._grant(arrived)

    def _step(self, leg: Leg, inbound: Inbound) -> None:
        match inbound:
            case Text(text):
                self._read(decode_server(text), len(text))
            case Sound(samples):
                self.peer.hear(samples, self._plan.clock.now())
                if leg.course.player is None:
                    self.outlets.sound(samples)
                else:
                    leg.course.player.play(samples, LATE_S)
            case _:
                pass

    def _read(self, event: ServerEvent | UnknownEvent, size: int) -> None:
        if self.leg is not None and self.leg.knows(event):
            return
        self._count()
        self.outlets.ledger.take(event)
        self._carry_out(self.peer.receive(event, self._plan.clock.now()))
        self.outlets.events.put(event, size)

    def _count(self) -> None:
        """Tell the peer how much was heard, where this side plays."""
        leg = self.leg
        if leg is not None and leg.course.player is not None and leg.way is SoundWay.TEXT:
            self.peer.played(leg.course.player.played() - leg.course.played_before, self._plan.clock.now())

    def _standing(self, wish: Order | Speech | Returned) -> Leg | None:
        """The connection that a wish can be granted over; None where it waits for another."""
        if self.leg is not None and isinstance(self.state, Connected):
            return self.leg
        self._held.put(wish)
        return None

    def _grant(self, wish: Order | Speech) -> None:
        if wish.done.done():
            return  # whoever wished for it has given up
        try:
            match wish:
                case Speech(samples) if self._voice.in_real_time or self._standing(wish) is not None:
                    self.outlets.spoken(samples)
                    self._speak(samples)
                case Order(event) if (leg := self._standing(wish)) is not None:
                    self._command(event, leg)
                case _:
                    return
        except VivaError as error:
            wish.done.set_exception(error)
        else:
            wish.done.set_result(None)

    def _command(self, event: ClientEvent | str, leg: Leg) -> None:
        if isinstance(event, str):
            leg.send(event)
            return
        if isinstance(event, ResponseCreate):
            self.outlets.ledger.check()
        self._count()
        self._carry_out(self.peer.command(event, self._plan.clock.now()))

    def _speak(self, samples: Pcm) -> None:
        now = self._plan.clock.now()
        ahead = self._voice.speak(samples, now)
        if ahead is not None:
            self._carry_out(self.peer.speak(samples, now, ahead=ahead))

    def _carry_out(self, errands: list[Errand]) -> None:
        player = None if self.leg is None else self.leg.course.player
        for errand in errands:
            match errand:
                case Send(event):
                    self._send(event)
                case Show(caption):
                    self.outlets.caption(caption)
                case Play(samples):
                    if player is not None:
                        player.play(samples)
                case Flush():
                    if player is not None:
                        player.flush()
                case CallTool():
                    self._crew.start(self._call_tool(errand))
                case _:
                    assert_never(errand)

    def _send(self, event: ClientEvent) -> None:
        """Nothing asks for an answer beyond the budget: the call ends when what is being said has been heard."""
        beyond = isinstance(event, ResponseCreate) and self.outlets.ledger.spent
        if self.leg is not None and not beyond:
            self.leg.send(event)

    async def _call_tool(self, call: CallTool) -> None:
        self.post(Returned(call, await self._plan.tools[call.name].run(call.arguments)))

    # ── one connection after another ───────────────────────────────────────────────────────────────────

    def broke(self, error: VivaError) -> None:
        """See `Owner.broke`."""
        self.post(Broke(error))

    def begin(self, leg: Leg, past: Past | None) -> None:
        """See `Owner.begin`."""
        now = self._plan.clock.now()
        leg.course.player = self._plan.player
        if leg.way is SoundWay.TEXT:
            leg.course.player = self._crew.need_player(self._listened, self.broke)
            leg.course.played_before = leg.course.player.flush()
        self.peer = Peer(ids=self._id, sound=leg.way, tools=self._plan.tools.keys(), now=now, past=past)
        if past is None:
            self._voice_over(leg)
        for event in () if past is None else past.unseen:
            self._carry_out(self.peer.command(event, now))
        for event, size in leg.kept:
            self._read(event, size)

    def catch_up(self, past: Past | None = None, told: Sequence[Item] = ()) -> None:
        """See `Owner.catch_up`. An answer that was due is asked for again, unless somebody else does."""
        unsaid = self._voice_over(self.leg)
        orders, sound = self._held.take()
        asks = any(isinstance(wish, Order) and isinstance(wish.event, ResponseCreate) for wish in orders)
        if past is not None and past.unanswered(told) and not asks:
            self._carry_out(self.peer.command(ResponseCreate(), self._plan.clock.now()))
        for wish in orders:
            self._take(wish)
        if self.leg is not None and self.leg.way is SoundWay.TEXT:
            unsaid += sound
        for samples in unsaid:
            self._speak(samples)

    def _pause(self, since: float) -> None:
        """What the user says is not heard any more, and has not been since then."""
        now = self._plan.clock.now()
        if self._voice.unsent:
            self.peer.hush(now)
        self._voice.pause(since, now)

    def _voice_over(self, leg: Leg | None) -> list[Pcm]:
        """Let the user be heard over this connection; what he has still to say."""
        now = self._plan.clock.now()
        transport = leg.transport if leg is not None and leg.way is SoundWay.MEDIA else None
        if self._voice.speaks_over(transport):
            return []
        if self._voice.unsent:
            self.peer.hush(now)
        return self._voice.go_on(transport, now)

    # ── states ─────────────────────────────────────────────────────────────────────────────────────────

    def _progress(self, step: LineStep) -> None:
        self.move(_EVENTS[type(step)], step)

    def move(self, event: str, state: State) -> None:
        """See `Owner.move`."""
        match state:
            case Restoring(since):
                self._pause(since)
            case Disrupted(since) if self.leg is not None and self.leg.terms.pings:
                self._pause(since)  # without pings it is no more than a suspicion
            case _:
                pass
        self.state = MOVES.take(self.state, event, state)
        self.stamps.setdefault(type(state), self._plan.clock.now())
        if self._plan.on_state is not None:
            self._plan.on_state(state)
        self._look()

    def _finish(self, end: Closed | Failed) -> None:
        if not self.over:
            self.move("failed" if isinstance(end, Failed) else "closed", end)
        self.peer.close(self._plan.clock.now())
        self.outlets.close(end.error if isinstance(end, Failed) else None)
        waiting = self._held.take()[0]
        while (arrived := self._inbox.take()) is not None:
            waiting += [arrived] if isinstance(arrived, Order | Speech) else []
        for wish in waiting:
            if not isinstance(wish, Returned) and not wish.done.done():
                wish.done.set_exception(self.ended())


def changed(session: Session, changes: Session) -> Session:
    """A config with what was changed since; a change to a session of another kind is none."""
    return merge(session, changes) if type(session) is type(changes) else session
