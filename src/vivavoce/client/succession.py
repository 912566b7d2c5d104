"""Which connection is the call's: the one there is, those that are being made, and how one follows another.

One that has fallen silent stands while another is made for the same session. Whichever is heard of first is the call's
from then on: until the server has agreed to go on elsewhere, that may be the old one.
"""

from asyncio import Task
from collections.abc import Sequence
from math import inf
from typing import Protocol

from vivavoce.client.crew import Crew
from vivavoce.client.ending import lost, meaning, never_came
from vivavoce.client.greeting import Greeting, Ready, Refused
from vivavoce.client.leg import Arrived, Leg, Ticked
from vivavoce.client.lifetime import AGAIN_S, BETTER_S, replaced_at
from vivavoce.client.plan import Plan
from vivavoce.client.policy import Call, GiveUp, Step
from vivavoce.client.pulse import Alive, Dead, Silent
from vivavoce.client.reach import Reach
from vivavoce.client.restoration import Restoration
from vivavoce.client.signalling import Claim
from vivavoce.client.state import Closed, Connected, Disrupted, Failed, Kept, Restored, Restoring, State
from vivavoce.errors import TransportError, VivaError
from vivavoce.session.answers import Sound
from vivavoce.session.effect import Ids
from vivavoce.session.past import Past, Retold, retold
from vivavoce.session.peer import Activity, Peer
from vivavoce.telemetry.log import Log
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.interface import Closed as Gone
from vivavoce.transport.interface import ClosedBy, Inbound, Opened, Text
from vivavoce.wire.codec import decode_server
from vivavoce.wire.config import Session
from vivavoce.wire.item import Item

_log = Log("client")


class Owner(Protocol):
    """The call that the connections are made for."""

    state: State
    peer: Peer

    @property
    def config(self) -> Session:
        """The config that another session is to have."""
        ...

    def misses(self, session: Kept) -> bool:
        """Whether that session lacks something that the user has said."""
        ...

    def post(self, arrived: Arrived | Ticked) -> None:
        """Something has come over a connection."""
        ...

    def broke(self, error: VivaError) -> None:
        """The call has failed."""
        ...

    def move(self, event: str, state: State) -> None:
        """Something has become of the call."""
        ...

    def begin(self, leg: Leg, past: Past | None) -> None:
        """Another session begins over this connection, which goes on from that one."""
        ...

    def catch_up(self, past: Past | None = None, told: Sequence[Item] = ()) -> None:
        """Do what waited for the connection."""
        ...


class Succession:
    """The connections of one call. Its methods are called from the call's loop."""

    def __init__(self, plan: Plan, crew: Crew, owner: Owner, ids: Ids) -> None:
        self.leg: Leg | None = None
        """The connection that the call goes over; None before the first and after a loss."""
        self.past: Past | None = None
        """What the session that was lost has left, once it is given up."""
        self.reach = Reach(plan, self, ids)
        self._plan = plan
        self._crew = crew
        self._owner = owner
        self._candidates: set[Leg] = set()
        self._lost: Leg | None = None
        """The last connection of a session that may be come back to: closing it might tell the server to end it."""
        self._restoration: Restoration | None = None
        self._returning: Task[None] | None = None
        self._replacing: Task[None] | None = None

    # ── what is being made ─────────────────────────────────────────────────────────────────────────────

    @property
    def config(self) -> Session:
        """See `Home.config`."""
        return self._owner.config

    def meet(self, leg: Leg) -> None:
        """See `Home.meet`."""
        known = self.leg or self._lost
        if leg.greeting is None and known is not None:
            known.course.ticket = leg.course.ticket or known.course.ticket
        self._candidates.add(leg)
        self._crew.carry(leg, self._owner.post)

    def part(self, leg: Leg) -> None:
        """See `Home.part`."""
        self._candidates.discard(leg)
        self._crew.let_go(leg)

    def broke(self, error: VivaError) -> None:
        """See `Home.broke`. While a connection stands, the call does not hang on another."""
        if self.leg is None:
            self._owner.broke(error)
        self._restoration = None

    def retell(self) -> Retold:
        """See `Home.retell`. What this side still has to play of the lost session is not heard any more."""
        now = self._plan.clock.now()
        if self.past is None:
            self._forget()
            if self._crew.player is not None:
                self._crew.player.flush()
            self.past = self._owner.peer.part(now)
        return self.past.retold(now)

    def step(self, step: Step) -> None:
        """See `Home.step`."""
        if isinstance(step, GiveUp) or self._restoration is None:
            return
        if isinstance(step, Call):
            self._lose()
        if self.leg is None:
            event = "step" if isinstance(self._owner.state, Restoring) else "lost"
            self._owner.move(event, self._restoration.state)

    def returns(self) -> Leg | None:
        """See `Home.returns`."""
        leg = self.leg or self._lost
        return None if leg is None or leg.course.receipts is None else leg

    def claim(self) -> Claim:
        """See `Home.claim`."""
        leg, now = self.returns(), self._plan.clock.now()
        if leg is None or leg.course.ticket is None or leg.course.receipts is None:
            raise TransportError("There is no session to come back to.")
        leg.asked_at = now
        silent_s = now - leg.lost_since(now)
        return Claim(leg.terms.call_id or "", Secret(leg.course.ticket.token), leg.course.receipts.asked(), silent_s)

    # ── what becomes of it ─────────────────────────────────────────────────────────────────────────────

    def greet(self, leg: Leg, inbound: Inbound) -> None:
        """Something has come over a connection that is not the call's own, or not any more."""
        if leg not in self._candidates or leg.ready.done():
            return
        match inbound:
            case Gone():
                self._candidates.discard(leg)
                complaint = None if leg.greeting is None else leg.greeting.complaint
                leg.fail(never_came(inbound, leg.transport.traits.sound, complaint))
            case Opened() if leg.greeting is None:
                self._rejoin(leg)
            case Text(text) if leg.greeting is not None:
                self._hear(leg, leg.greeting, text)
            case _:
                pass

    def _hear(self, leg: Leg, greeting: Greeting, text: str) -> None:
        event = decode_server(text)
        leg.kept.append((event, len(text)))
        for answer in greeting.take(event):
            leg.send(answer)
        match greeting.stage:
            case Ready(refused):
                self._take_over(leg, greeting.retold, refused)
            case Refused(error):
                leg.fail(error)
            case _:
                pass

    def _take_over(self, leg: Leg, told: Retold, refused: int) -> None:
        """Its session is ready. One that is to replace another is no use once the conversation has gone on."""
        old, call = self.leg, self._owner
        if old is None:
            self._adopt(leg, told, refused)
            return
        same = retold(call.peer.history()).items == told.items
        if not (same and isinstance(call.state, Connected) and call.peer.activity is Activity.IDLE):
            leg.fail(TransportError("The conversation has gone on meanwhile."))
            return
        self.past = call.peer.part(self._plan.clock.now())
        self._adopt(leg, told, refused)
        self._crew.let_go(old)

    def _adopt(self, leg: Leg, told: Retold, refused: int) -> None:
        """The call goes on in another session, over this connection."""
        now, past = self._plan.clock.now(), self.past
        self._forget()
        self.leg, self.past = leg, None
        self._candidates.clear()
        self._owner.begin(leg, past)
        self._crew.watch(leg, self._owner.post, self._plan.clock)
        leg.course.ends_at = replaced_at(self._owner.peer.session, self._plan.clock.wall(), now)
        leg.course.better_at = now + BETTER_S if leg.way is Sound.TEXT and self._plan.fallback is not None else inf
        if past is None:
            self._owner.move("greeted", Connected(leg.terms.call_id))
        else:
            self._return(leg, Kept.NEW, whole=told.complete and not refused)
            self._owner.catch_up(past, told.items)
        leg.ready.set_result(None)

    def _rejoin(self, leg: Leg) -> None:
        """The session goes on over this connection, as if it were the one before."""
        old = self.returns()
        if old is None or old.course.receipts is None:
            leg.fail(TransportError("The session was given up meanwhile."))
            return
        leg.go_on_from(old)
        self._crew.let_go(old)
        self.leg, self._lost = leg, None
        self._candidates.clear()
        for text in old.course.receipts.resumed(leg.terms.last_read):
            leg.transport.send(text)
        self._crew.watch(leg, self._owner.post, self._plan.clock)
        self._return(leg, Kept.SAME, whole=True)
        self._owner.catch_up()
        leg.ready.set_result(None)

    def _return(self, leg: Leg, session: Kept, *, whole: bool) -> None:
        gap_s = 0.0 if self._restoration is None else self._plan.clock.now() - self._restoration.since
        event = "moved" if self._restoration is None else "back"
        self._restoration = None
        whole = whole and not self._owner.misses(session)
        self._owner.move(event, Connected(leg.terms.call_id, Restored(session, whole, gap_s)))

    # ── whether the one there is will do ───────────────────────────────────────────────────────────────

    def feel(self, leg: Leg) -> None:
        """See whether the server is still there."""
        if leg is not self.leg:
            return
        now = self._plan.clock.now()
        match leg.verdict(now), self._owner.state:
            case Silent(since), Connected():
                self._owner.move("silent", Disrupted(since))
                self._look_elsewhere(leg, since)
            case Dead(since), Connected() | Disrupted():
                self._owner.post(Arrived(leg, Gone(ClosedBy.LOST, 1006)))
                leg.silent_since = since
            case Alive(), Disrupted() if all(other.greeting is not None for other in self._candidates):
                self._stay(leg)
                self._owner.move("heard", Connected(leg.terms.call_id))
                self._owner.catch_up()
            case Alive(), Connected() if self._owner.peer.activity is Activity.IDLE:
                self._renew(leg, now)
            case _:
                pass

    def _look_elsewhere(self, leg: Leg, since: float) -> None:
        """Make another connection beside one that has fallen silent, if the session can go on over it."""
        restoration, failure = self._restore(leg, since), lost()
        step = None if leg.course.receipts is None else restoration.next(failure)
        if step is not None and not isinstance(step, Call | GiveUp):
            self._restoration = restoration
            self._returning = self._crew.start(self.reach.back(restoration, failure, step))

    def _stay(self, leg: Leg) -> None:
        """It is heard again before the server has agreed to go on elsewhere."""
        self._restoration = None
        if self._returning is not None:
            self._returning.cancel()
        if leg.course.receipts is not None:
            leg.course.receipts.stays()

    def _renew(self, leg: Leg, now: float) -> None:
        """Nobody speaks: make another connection ready where this one will not last, or there may be a better one."""
        if now < min(leg.course.ends_at, leg.course.better_at) or (
            self._replacing is not None and not self._replacing.done()
        ):
            return
        told = retold(self._owner.peer.history())
        if now >= leg.course.ends_at:
            leg.course.ends_at = now + AGAIN_S
            self._replacing = self._crew.start(self.reach.replace(told))
        else:
            leg.course.better_at = now + BETTER_S
            if told.complete:  # nothing is worth forgetting for
                self._replacing = self._crew.start(self.reach.improve(told))

    def end(self, leg: Leg, gone: Gone) -> Closed | Failed | None:
        """The call's connection has ended: so has the call, unless another can be made."""
        now = self._plan.clock.now()
        mute = gone.by is ClosedBy.PEER and leg.farewell is None
        deaf = mute and (leg.deaf(now) or isinstance(self._owner.state, Disrupted))
        end = lost() if deaf else meaning(gone)
        if isinstance(end, Closed):
            return end
        if self._restoration is not None:  # another is being made already
            self._lose()
            self._owner.move("lost", self._restoration.state)
            return None
        restoration = self._restore(leg, leg.lost_since(now))
        step = restoration.next(end)
        if isinstance(step, GiveUp):
            return Failed(step.error)
        if self._replacing is not None:
            self._replacing.cancel()
        self._restoration = restoration
        self._candidates.clear()
        self._lose()
        self.step(step)
        self._returning = self._crew.start(self.reach.back(restoration, end, step))
        return None

    def _restore(self, leg: Leg, since: float) -> Restoration:
        plan = self._plan
        until = (
            None if leg.course.ticket is None or leg.course.receipts is None else since + leg.course.ticket.max_age_s
        )
        return Restoration(plan.policy, plan.clock, plan.chance, since, until)

    def _lose(self) -> None:
        """The connection there is is the call's no more."""
        leg, self.leg = self.leg, None
        if leg is not None and leg.course.receipts is not None:
            self._lost = leg
        elif leg is not None:
            self._crew.let_go(leg)

    def _forget(self) -> None:
        """Nobody comes back to the session that was lost."""
        if self._lost is not None:
            self._crew.give_up(self._lost)
            self._lost = None
