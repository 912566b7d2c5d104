"""The other end of a call, worked by the test: what it is told, and what it tells."""

import asyncio
import json
from asyncio import TaskGroup
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from vivavoce.audio.frame import Pcm
from vivavoce.client.address import Address
from vivavoce.client.call import Call
from vivavoce.client.line import Claims, Configured, Placed, Progress
from vivavoce.client.plan import Plan
from vivavoce.client.player import Player
from vivavoce.client.policy import Persistence
from vivavoce.client.signalling import Terms
from vivavoce.client.state import Connecting, Negotiating
from vivavoce.client.tool import Function, tools
from vivavoce.clock import SystemClock
from vivavoce.errors import RefusedError, VivaError
from vivavoce.session.price import Price
from vivavoce.transport.interface import Closed, Inbound, Sound, SoundPath, Text
from vivavoce.transport.memory import MemoryTransport, join
from vivavoce.wire.codec import decode_client
from vivavoce.wire.config import RealtimeSession, Session
from vivavoce.wire.event import ClientEvent

PATIENCE_S = 10.0
ONCE = Persistence(total_s=0.0)
"""A policy for calls whose one connection is all there is."""
SESSION = '{"type":"session.created","session":{"type":"realtime","instructions":"theirs"}}'
PRICES = {"m": Price(audio_out=64.0)}


class FarEnd:
    """A server that says only what the test makes it say."""

    def __init__(self, transport: MemoryTransport) -> None:
        self.transport = transport
        self.gone = asyncio.Event()
        self.heard: list[Pcm] = []
        self._texts: asyncio.Queue[str] = asyncio.Queue()

    def take(self, inbound: Inbound) -> None:
        match inbound:
            case Text(text):
                self._texts.put_nowait(text)
            case Sound(samples):
                self.heard.append(samples)
            case Closed():
                self.gone.set()
            case _:
                pass

    def tell(self, *texts: str) -> None:
        for text in texts:
            self.transport.send(text)

    async def raw(self) -> dict[str, object]:
        """The next message, as JSON."""
        async with asyncio.timeout(PATIENCE_S):
            return json.loads(await self._texts.get())

    async def told(self) -> ClientEvent:
        """The next event."""
        async with asyncio.timeout(PATIENCE_S):
            return decode_client(await self._texts.get())

    @property
    def silent(self) -> bool:
        """Whether nothing has come that was not read."""
        return self._texts.empty()


class JoinedLine:
    """A line to a far end in this process."""

    def __init__(self, near: MemoryTransport, configured: Configured, failure: VivaError | None = None) -> None:
        self._near = near
        self._configured = configured
        self._failure = failure
        self.renews = False

    async def open(self, session: Session, progress: Progress) -> Placed:
        progress(Negotiating())
        if self._failure is not None:
            raise self._failure
        progress(Connecting())
        return Placed(self._near, self._configured, Terms("rtc_1"))

    async def address(self) -> Address | None:
        return None

    async def resume(self, claims: Claims) -> Placed:
        raise RefusedError(f"{claims().call_id} is not kept here.", status=404)


def call_to(
    sound: SoundPath,
    *,
    session: Session | None = None,
    configured: Configured = Configured.ALREADY,
    functions: Sequence[Function] = (),
    player: Player | None = None,
    connect_s: float = PATIENCE_S,
    failure: VivaError | None = None,
    budget: float | None = None,
) -> tuple[Call, FarEnd]:
    """A call that is not placed yet, and who will be called."""
    near, far = join(sound)
    line = JoinedLine(near, configured, failure)
    plan = Plan(
        line,
        session or RealtimeSession(),
        SystemClock(),
        tools(functions),
        player,
        connect_s,
        policy=ONCE,
        prices=PRICES,
        budget=budget,
    )
    return Call(plan), FarEnd(far)


@asynccontextmanager
async def answered(far: FarEnd, *first: str) -> AsyncGenerator[FarEnd]:
    """Let the far end run and say something first."""
    async with TaskGroup() as tasks:
        running = tasks.create_task(far.transport.run(far.take))
        far.tell(*first)
        try:
            yield far
        finally:
            running.cancel()
