"""A call whose connections break, on virtual time, and servers that the test works by hand."""

import asyncio
import json
from asyncio import TaskGroup
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from tests.unit.client.far import SESSION, FarEnd
from tests.unit.transport.virtual import VirtualLoop
from vivavoce.client.address import Address
from vivavoce.client.call import Call
from vivavoce.client.line import Claims, Configured, Placed, Progress
from vivavoce.client.plan import Plan
from vivavoce.client.policy import Persistence, Policy
from vivavoce.client.shut import Shut
from vivavoce.client.signalling import Claim, Terms
from vivavoce.client.state import Connecting, Minting, Negotiating, State
from vivavoce.client.tool import Function, tools
from vivavoce.errors import VivaError
from vivavoce.transport.interface import Closed, ClosedBy, Deliver, Link, SoundPath
from vivavoce.transport.memory import MemoryTransport, join
from vivavoce.wire.config import RealtimeSession, Session
from vivavoce.wire.resumption import Ticket

UNREACHED_S = 10.0
"""After so long a transport that finds no way is lost."""


class Hang:
    """In place of a failure: the server never answers."""


class LoopClock:
    """The loop's own time."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def wall(self) -> float:
        return 1_795_176_000.0 + self.now()


class Measured:
    """A connection whose figures the test makes up."""

    def __init__(self, inner: MemoryTransport, read: Callable[[], Link]) -> None:
        self._inner = inner
        self._read = read
        self.leaving_s = 0.0
        """How long a goodbye is waited for."""
        self.traits, self.run, self.send, self.play = inner.traits, inner.run, inner.send, inner.play
        self.played, self.flush, self.close = inner.played, inner.flush, self.leave

    async def leave(self, code: int = 1000, reason: str = "") -> None:
        await asyncio.sleep(self.leaving_s)
        await self._inner.close(code, reason)

    async def link(self) -> Link:
        return self._read()


class Unreached(Measured):
    """A connection to which no way is found, until it is given up."""

    def __init__(self, inner: MemoryTransport) -> None:
        super().__init__(inner, lambda: Link(checks_answered=0))
        self.run, self.close = self.seek, self.give_up
        self._given_up = asyncio.Event()

    async def seek(self, deliver: Deliver) -> None:
        try:
            async with asyncio.timeout(UNREACHED_S):
                await self._given_up.wait()
        except TimeoutError:
            deliver(Closed(ClosedBy.LOST, 1006))

    async def give_up(self, code: int = 1000, reason: str = "") -> None:
        self._given_up.set()
        await self._inner.close(code, reason)


class Slow(Measured):
    """A connection to which the way is long: some of the first packets arrive, or none yet, and it opens later."""

    def __init__(self, inner: MemoryTransport, after_s: float, arrived: int) -> None:
        super().__init__(inner, lambda: Link(checks_answered=arrived))
        self.run = self.find
        self._inner_run = inner.run
        self._after_s = after_s

    async def find(self, deliver: Deliver) -> None:
        await asyncio.sleep(self._after_s)
        await self._inner_run(deliver)


class Uplink(Address):
    """An address of this machine for as long as the test wants."""

    def __init__(self, host: str = "192.0.2.1") -> None:
        super().__init__(0, (host, 9))
        self.gone = False

    @property
    def stands(self) -> bool:
        return not self.gone


class Exchange:
    """A line on which every opening is another connection; what goes wrong with each is data."""

    def __init__(
        self, tasks: TaskGroup, sound: SoundPath, failures: Sequence[VivaError | Hang | None], *, renews: bool = False
    ) -> None:
        self.far: list[FarEnd] = []
        self.near: list[MemoryTransport] = []
        self.asked: list[tuple[float, Session]] = []
        self.renews = renews
        self.lifetime_s: float | None = None
        self.figures: Callable[[float], Link] = lambda _: Link()
        self.keeps_s: int | None = None
        """How long a server that answers pings keeps a session that is lost; None for one that answers none."""
        self.uplink = Uplink()
        self.network = asyncio.Event()
        """Set while the server can be reached by those who come back."""
        self.network.set()
        self.claims: list[Claim] = []
        self.refusals: list[VivaError | None] = []
        """What the server says to those who come back, in order."""
        self.last_read: str | None = None
        self.shut = False
        """Whether nothing gets through."""
        self.slow_s: float | None = None
        """How long a way takes to be found, while so many packets of it have `arrived`."""
        self.arrived = 1
        self.leaving_s = 0.0
        self.withdrawn: list[str] = []
        """Calls that were given up before they were reached."""
        self._tasks = tasks
        self._sound = sound
        self._failures = list(failures)
        self._placed = asyncio.Event()

    async def open(self, session: Session, progress: Progress) -> Placed:
        self.asked.append((asyncio.get_running_loop().time(), session))
        if self.renews:
            progress(Minting())
        progress(Negotiating())
        failure = self._failures.pop(0) if self._failures else None
        if isinstance(failure, VivaError):
            raise failure
        if failure is not None:
            await asyncio.get_running_loop().create_future()
        progress(Connecting())
        return self._connect(f"rtc_{len(self.far) + 1}", None)

    async def address(self) -> Address | None:
        return self.uplink

    async def resume(self, claims: Claims) -> Placed:
        await self.network.wait()
        claim = claims()
        self.claims.append(claim)
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal is not None:
            raise refusal
        return self._connect(claim.call_id, self.last_read)

    def _connect(self, call_id: str, last_read: str | None) -> Placed:
        near, far = join(self._sound)
        end = FarEnd(far)
        self._tasks.create_task(far.run(end.take))
        self.far.append(end)
        self.near.append(near)
        self._placed.set()
        ticket = Ticket(f"token_{len(self.far)}", self.keeps_s) if self.keeps_s else None
        terms = Terms(call_id, self.keeps_s is not None, ticket, last_read)
        if self.shut:
            transport = Unreached(near)
        elif self.slow_s is not None:
            transport = Slow(near, self.slow_s, self.arrived)
        else:
            transport = Measured(near, self._read)
        transport.leaving_s = self.leaving_s
        return Placed(transport, Configured.ALREADY, terms, partial(self._withdraw, call_id))

    def _read(self) -> Link:
        return self.figures(asyncio.get_running_loop().time())

    async def _withdraw(self, call_id: str) -> None:
        self.withdrawn.append(call_id)

    def _session(self) -> str:
        if self.lifetime_s is None:
            return SESSION
        session = {"type": "realtime", "expires_at": round(LoopClock().wall() + self.lifetime_s)}
        return json.dumps({"type": "session.created", "session": session})

    async def next(self, number: int, *, greets: bool = True) -> FarEnd:
        """The far end of the connection of that number, counted from 1, once there is one."""
        while len(self.far) < number:
            self._placed.clear()
            await self._placed.wait()
        if greets:
            self.far[number - 1].tell(self._session())
        return self.far[number - 1]


class Stage:
    """A call and its exchange."""

    def __init__(self, call: Call, exchange: Exchange, sockets: Exchange, states: list[State]) -> None:
        self.call = call
        self.exchange = exchange
        self.sockets = sockets
        self.states = states

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def wait(self, seconds: float) -> None:
        """Let so much virtual time pass."""
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()
        loop.call_later(seconds, over.set_result, None)
        await over

    async def acknowledge(self, far: FarEnd, number: int) -> list[dict[str, object]]:
        """Take so many items of the conversation as a server does; the items."""
        items: list[dict[str, object]] = []
        for _ in range(number):
            told = await far.raw()
            assert told["type"] == "conversation.item.create", told
            item = cast("dict[str, object]", told["item"])
            items.append(item)
            far.tell(json.dumps({"type": "conversation.item.added", "item": {"status": "completed", **item}}))
        return items


@dataclass
class Scene:
    """What an act is played in; see `play`.

    With `falls_back` there are WebSockets beside the line, unless they are `refused`; with `shut` nothing else gets
    through, and what of it was `learned` before is known. A goodbye takes
    `leaving_s`.
    """

    sound: SoundPath = SoundPath.MEDIA
    failures: Sequence[VivaError | Hang | None] = ()
    functions: Sequence[Function] = ()
    policy: Policy | None = None
    renews: bool = False
    lifetime_s: float | None = None
    keeps_s: int | None = None
    falls_back: bool = False
    refused: VivaError | None = None
    leaving_s: float = 0.0
    shut: bool = False
    learned: Shut = field(default_factory=Shut)


def play(
    act: Callable[[Stage], Awaitable[None]],
    *,
    sound: SoundPath = SoundPath.MEDIA,
    failures: Sequence[VivaError | Hang | None] = (),
    functions: Sequence[Function] = (),
    policy: Policy | None = None,
    renews: bool = False,
    lifetime_s: float | None = None,
    keeps_s: int | None = None,
) -> Stage:
    """Let an act be played in a connected call; what came of it. The first connection stands already."""
    return perform(act, Scene(sound, failures, functions, policy, renews, lifetime_s, keeps_s))


def perform(act: Callable[[Stage], Awaitable[None]], scene: Scene) -> Stage:
    """Play an act in a scene."""
    states: list[State] = []

    async def main() -> Stage:
        async with TaskGroup() as tasks:
            exchange = Exchange(tasks, scene.sound, scene.failures, renews=scene.renews)
            exchange.lifetime_s, exchange.keeps_s, exchange.shut = scene.lifetime_s, scene.keeps_s, scene.shut
            exchange.leaving_s = scene.leaving_s
            sockets = Exchange(tasks, SoundPath.TEXT, [scene.refused] * 99)
            plan = Plan(
                exchange,
                RealtimeSession(model="m", instructions="ours"),
                LoopClock(),
                tools(scene.functions),
                on_state=states.append,
                policy=scene.policy or Persistence(),
                chance=lambda: 0.5,
                fallback=sockets if scene.falls_back else None,
                shut=scene.learned,
            )
            call = Call(plan)
            greeting = tasks.create_task((sockets if scene.shut else exchange).next(1))
            stage = Stage(call, exchange, sockets, states)
            async with call:
                await greeting
                await act(stage)
            await asyncio.sleep(0)
            for far in (*exchange.far, *sockets.far):
                await far.transport.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left
        return stage

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())
