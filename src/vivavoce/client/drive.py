"""Drives one `Peer` over one transport.

The loop has four steps: wait for an input, give it to the peer, run its errands, wake whoever waits for what has become
of it. Everything that runs for the call runs in one task group and ends with it.
"""

import asyncio
from asyncio import Future, Task, TaskGroup
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Final, assert_never

from vivavoce.audio.frame import Pcm
from vivavoce.client.line import Configured, Line, Placed, Step, update_of
from vivavoce.client.outlet import Outlets
from vivavoce.client.player import Clockwork, Player
from vivavoce.client.state import MOVES, Closed, Connected, Connecting, Failed, Minting, Negotiating, New, State
from vivavoce.client.tool import Tool
from vivavoce.clock import Clock
from vivavoce.errors import Fault, Never, OtherTransport, RefusedError, TransportError, VivaError
from vivavoce.session.answers import Sound as SoundWay
from vivavoce.session.errand import CallTool, Errand, Flush, Play, Send, Show
from vivavoce.session.peer import Peer
from vivavoce.telemetry.log import Log
from vivavoce.transport.interface import Closed as Gone
from vivavoce.transport.interface import ClosedBy, Inbound, Opened, Played, Sound, SoundPath, Text, Transport
from vivavoce.wire.codec import decode_server, encode
from vivavoce.wire.config import Session
from vivavoce.wire.event import ClientEvent, Error, ErrorBody, SessionUpdate

CONNECT_S: Final = 20.0
"""How long a call may take to be connected, by default."""
CLEAN_CODES: Final = (1000, 1001, 1005)
"""Close codes with which a server ends a session as it should."""
BROKEN_CODES: Final = (1006, 1011, 1012, 1013, 1014, 1015)
"""Close codes of a server in trouble, which say nothing against the caller (RFC 6455 and IANA's registry)."""

_log = Log("client")

# ── what goes in ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Order:
    """Something to be sent: an event, or JSON of a kind that no type here knows."""

    event: ClientEvent | str
    done: "Future[None]"


@dataclass(frozen=True, slots=True)
class Speech:
    """The user's sound."""

    samples: Pcm
    done: "Future[None]"


@dataclass(frozen=True, slots=True)
class Listened:
    """Samples of the assistant that this side's player has played."""

    samples: Pcm


@dataclass(frozen=True, slots=True)
class Returned:
    """A function has ended."""

    call_id: str
    output: str


@dataclass(frozen=True, slots=True)
class Broke:
    """Something that the call cannot do without has failed."""

    error: VivaError


@dataclass(frozen=True, slots=True)
class Hung:
    """The application hangs up."""


Happening = Opened | Text | Sound | Played | Order | Speech | Listened | Returned
Input = Inbound | Happening | Broke | Hung


@dataclass(frozen=True)
class Plan:
    """What a call is to be. Without a `player`, sound is only handed on to whoever reads it."""

    line: Line
    session: Session
    clock: Clock
    tools: Mapping[str, Tool] = field(default_factory=dict[str, Tool])
    player: Player | None = None
    connect_s: float = CONNECT_S
    on_state: Callable[[State], None] | None = None


class Crew:
    """Who works for a running call, besides whoever carries its texts and sound."""

    def __init__(self, tasks: TaskGroup, transport: Transport, player: Player | None) -> None:
        self.transport = transport
        self.player = player
        self._tasks = tasks
        self._working: set[Task[None]] = set()

    def start(self, work: Coroutine[object, object, None]) -> None:
        """Have something done beside the call, at most until its end."""
        task = self._tasks.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    def dismiss(self) -> None:
        """Stop all of it."""
        for task in self._working:
            task.cancel()


class Drive:
    """One call from the first step to its end. It is driven once."""

    def __init__(self, plan: Plan) -> None:
        self.state: State = New()
        self.outlets = Outlets()
        self.stamps: dict[type, float] = {}
        """When each state began, in monotonic seconds."""
        self.spoken = 0
        """Samples of the user in all."""
        self._plan = plan
        self._numbers = count(1)
        self.peer = Peer(ids=self._id, sound=SoundWay.MEDIA)
        self.transport: Transport | None = None
        self._inbox: deque[Input] = deque()
        self._wake = asyncio.Event()
        self._waiters: list[tuple[Callable[[], bool], Future[None]]] = []
        self._complaint: ErrorBody | None = None

    # ── what others may ask of it ──────────────────────────────────────────────────────────────────────

    @property
    def over(self) -> bool:
        """Whether the call has ended or failed."""
        return isinstance(self.state, Closed | Failed)

    def ended(self) -> VivaError:
        """Why nothing can be asked of the call."""
        match self.state:
            case Failed(error):
                return error
            case Closed(by, code, reason):
                words = f" ({code}{': ' + reason if reason else ''})" if code != 1000 or reason else ""
                who = "We hung up" if by is ClosedBy.US else "The server ended the call"
                return TransportError(f"{who}{words}.", fault=Fault.CALLER, next=Never())
            case _:
                return TransportError("The call is not connected.", fault=Fault.CALLER, next=Never())

    def post(self, arrived: Input) -> None:
        """Something has happened."""
        self._inbox.append(arrived)
        self._wake.set()

    async def order(self, event: ClientEvent | str) -> None:
        """Send something; returns when it is on its way.

        Raises:
            VivaError: the call has failed.
            TransportError: the call is not connected, or the event too large for it.
        """
        done: Future[None] = asyncio.get_running_loop().create_future()
        await self._wish(Order(event, done), done)

    async def speak(self, samples: Pcm) -> None:
        """The user's sound; raises as `order` does."""
        done: Future[None] = asyncio.get_running_loop().create_future()
        await self._wish(Speech(samples, done), done)

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
        waiter = condition, asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                await waiter[1]
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    async def _wish(self, wish: Order | Speech, done: "Future[None]") -> None:
        if self.transport is None or self.over:
            raise self.ended()
        self.post(wish)
        await done

    # ── from beginning to end ──────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Place the call and hold it to its end, which `state` tells. Raises nothing but cancellation."""
        end: Closed | Failed = Closed(ClosedBy.US)
        try:
            deadline = asyncio.get_running_loop().time() + self._plan.connect_s
            async with asyncio.timeout_at(deadline):
                placed = await self._plan.line.open(self._plan.session, self._progress)
            end = await self._hold(placed, deadline)
        except VivaError as error:
            end = Failed(error)
        except TimeoutError:
            end = Failed(self._too_slow())
        except Exception as error:  # a fault of ours ends this call, not the program around it
            _log.failure("call_failed", error)
            end = Failed(VivaError("The call broke off because of a fault in this program; its log says more."))
        finally:
            self._finish(end)

    async def _hold(self, placed: Placed, deadline: float) -> Closed | Failed:
        transport = self.transport = placed.transport
        way = SoundWay.MEDIA if transport.traits.sound is SoundPath.MEDIA else SoundWay.TEXT
        self.peer = Peer(ids=self._id, sound=way, tools=self._plan.tools.keys(), now=self._plan.clock.now())
        player = self._plan.player or (Clockwork() if way is SoundWay.TEXT else None)
        try:
            async with TaskGroup() as tasks:
                crew = Crew(tasks, transport, player)
                carrying = tasks.create_task(transport.run(self.post))
                crew.start(self._greet(placed, deadline))
                if player is not None:
                    crew.start(self._listen(player))
                try:
                    end = await self._converse(crew)
                finally:
                    crew.dismiss()
                await transport.close()
                await carrying
        finally:
            await transport.close()
        return end

    async def _converse(self, crew: Crew) -> Closed | Failed:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._inbox:
                arrived = self._inbox.popleft()
                match arrived:
                    case Hung():
                        return Closed(ClosedBy.US)
                    case Broke(error):
                        return Failed(error)
                    case Gone():
                        return self._gone(arrived)
                    case _:
                        self._take(arrived, crew)
            self._look()

    def _take(self, arrived: Happening, crew: Crew) -> None:
        if not isinstance(arrived, Order | Speech):
            self._carry_out(self._step(arrived, crew), crew)
            return
        if arrived.done.done():
            return  # whoever wished for it has given up
        try:
            self._carry_out(self._grant(arrived, crew), crew)
        except VivaError as error:
            arrived.done.set_exception(error)
        else:
            arrived.done.set_result(None)

    def _step(self, arrived: Opened | Text | Sound | Played | Listened | Returned, crew: Crew) -> list[Errand]:
        now = self._plan.clock.now()
        match arrived:
            case Text(text):
                return self._read(text, now, crew)
            case Sound(samples):
                self.peer.hear(samples, now)
                if crew.player is None:
                    self.outlets.sound(samples)
                else:
                    crew.player.play(samples)
                return []
            case Listened(samples):
                self._count(now, crew)
                self.outlets.sound(samples)
                return []
            case Returned(call_id, output):
                return self.peer.returned(call_id, output, now)
            case Opened() | Played():
                return []
            case _:
                assert_never(arrived)

    def _read(self, text: str, now: float, crew: Crew) -> list[Errand]:
        event = decode_server(text)
        self._count(now, crew)
        errands = self.peer.receive(event, now)
        if isinstance(event, Error) and not isinstance(self.state, Connected):
            self._complaint = event.error
            if isinstance(self.peer.blame(event), SessionUpdate):
                self.post(Broke(refused(event.error)))
        self.outlets.events.put(event, len(text))
        return errands

    def _count(self, now: float, crew: Crew) -> None:
        """Tell the peer how much was heard, where this side plays."""
        if crew.player is not None and crew.transport.traits.sound is SoundPath.TEXT:
            self.peer.played(crew.player.played(), now)

    def _grant(self, wish: Order | Speech, crew: Crew) -> list[Errand]:
        now = self._plan.clock.now()
        match wish:
            case Order(event):
                if isinstance(event, str):
                    crew.transport.send(event)
                    return []
                self._count(now, crew)
                return self.peer.command(event, now)
            case Speech(samples):
                ahead = self.unsent
                self.spoken += len(samples)
                if crew.transport.traits.sound is SoundPath.MEDIA:
                    crew.transport.play(samples)
                return self.peer.speak(samples, now, ahead=ahead)

    @property
    def unsent(self) -> int:
        """Samples of the user that wait to be sent in real time; none where they are sent at once."""
        if self.transport is None or self.transport.traits.sound is SoundPath.TEXT:
            return 0
        return max(0, self.spoken - self.transport.played())

    def _carry_out(self, errands: list[Errand], crew: Crew) -> None:
        for errand in errands:
            match errand:
                case Send(event):
                    crew.transport.send(encode(event))
                case Show(caption):
                    self.outlets.caption(caption)
                case Play(samples):
                    if crew.player is not None:
                        crew.player.play(samples)
                case Flush():
                    if crew.player is not None:
                        crew.player.flush()
                case CallTool():
                    crew.start(self._call_tool(errand))
                case _:
                    assert_never(errand)

    # ── beside the loop ────────────────────────────────────────────────────────────────────────────────

    async def _greet(self, placed: Placed, deadline: float) -> None:
        """Wait for the session to begin and to have the config that is wanted; then the call is connected."""
        try:
            async with asyncio.timeout_at(deadline):
                await self.until(lambda: self.peer.session is not None)
                begun, update = self.peer.session, update_of(self._plan.session)
                if placed.configured is Configured.NOT_YET and update is not None:
                    await self.order(SessionUpdate(session=update))
                    await self.until(lambda: self.peer.session is not begun)
        except TimeoutError:
            self.post(Broke(self._too_slow()))
        except VivaError as error:
            self.post(Broke(error))
        else:
            self._move("greeted", Connected(placed.call_id))

    async def _listen(self, player: Player) -> None:
        try:
            await player.run(lambda samples: self.post(Listened(samples)))
        except VivaError as error:
            self.post(Broke(error))

    async def _call_tool(self, call: CallTool) -> None:
        self.post(Returned(call.call_id, await self._plan.tools[call.name].run(call.arguments)))

    # ── states ─────────────────────────────────────────────────────────────────────────────────────────

    def _progress(self, step: Step) -> None:
        match step:
            case Minting():
                self._move("mint", step)
            case Negotiating():
                self._move("offer", step)
            case Connecting():
                self._move("answered", step)

    def _move(self, event: str, state: State) -> None:
        self.state = MOVES.take(self.state, event, state)
        self.stamps.setdefault(type(state), self._plan.clock.now())
        if self._plan.on_state is not None:
            self._plan.on_state(state)
        self._look()

    def _gone(self, gone: Gone) -> Closed | Failed:
        """What the end of the connection means."""
        if not isinstance(self.state, Connected):
            return Failed(self._never_came(gone))
        if gone.by is ClosedBy.LOST:
            return Failed(TransportError("The connection was lost: the server has fallen silent. Call again."))
        if gone.code in CLEAN_CODES or gone.by is ClosedBy.US:
            return Closed(gone.by, gone.code, gone.reason)
        words = f"The server broke the call off with code {gone.code}{': ' + gone.reason if gone.reason else ''}."
        if gone.code in BROKEN_CODES:
            return Failed(TransportError(f"{words} Call again.", fault=Fault.PROVIDER))
        return Failed(RefusedError(words, code=str(gone.code)))

    def _never_came(self, gone: Gone) -> VivaError:
        if self._complaint is not None:
            return refused(self._complaint)
        if self.transport is not None and self.transport.traits.sound is SoundPath.MEDIA and gone.by is ClosedBy.LOST:
            return no_way()
        reason = f" ({gone.code}: {gone.reason})" if gone.reason else ""
        return TransportError(f"The server ended the call before it had begun{reason}.")

    def _too_slow(self) -> VivaError:
        media = self.transport is not None and self.transport.traits.sound is SoundPath.MEDIA
        if isinstance(self.state, Connecting) and media and self.peer.session is None:
            return no_way()
        return TransportError(
            f"No call within {self._plan.connect_s:.0f} s; it was {type(self.state).__name__.lower()}."
        )

    def _finish(self, end: Closed | Failed) -> None:
        if not self.over:
            self._move("failed" if isinstance(end, Failed) else "closed", end)
        self.peer.close(self._plan.clock.now())
        error = end.error if isinstance(end, Failed) else None
        self.outlets.close(error)
        for arrived in self._inbox:
            if isinstance(arrived, Order | Speech) and not arrived.done.done():
                arrived.done.set_exception(self.ended())
        self._inbox.clear()

    def _look(self) -> None:
        """Wake whoever waits for what has become true, or never will."""
        for condition, waiter in list(self._waiters):
            if waiter.done():
                continue
            if condition():
                waiter.set_result(None)
            elif self.over:
                waiter.set_exception(self.ended())

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers)}"


def refused(error: ErrorBody) -> RefusedError:
    """An error event that ends the making of a call."""
    code = error.code if isinstance(error.code, str) else None
    at = f" at {error.param}" if isinstance(error.param, str) else ""
    return RefusedError(f"The server refused the session{at}: {error.message}", code=code, fault=Fault.CALLER)


def no_way() -> TransportError:
    """The server answered, but nothing gets through."""
    return TransportError(
        "The server agreed to the call, but no way for sound and data was found. Does a firewall block UDP? "
        "A WebSocket may work where WebRTC does not.",
        next=OtherTransport(),
    )
