"""Makes the connections of a call, the first and those after a loss, beside its loop."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, Protocol

from vivavoce.client.ending import no_way
from vivavoce.client.greeting import Expecting, Greeting
from vivavoce.client.leg import Leg
from vivavoce.client.line import Configured, Line, Progress, update_of
from vivavoce.client.line import Step as LineStep
from vivavoce.client.plan import Plan
from vivavoce.client.policy import Attempt, Call, GiveUp, Renew, Resume, Step, Wait
from vivavoce.client.race import Contender, Stuck, race
from vivavoce.client.restoration import Restoration
from vivavoce.client.signalling import Claim
from vivavoce.errors import OtherTransport, TransportError, VivaError
from vivavoce.session.answers import Sound
from vivavoce.session.effect import Ids
from vivavoce.session.past import Retold
from vivavoce.telemetry.log import Log
from vivavoce.wire.config import Session

ALONE_S: Final = 2.0
"""For so long WebRTC may look for a way before a WebSocket is opened beside it. It takes six round trips at most."""

OPEN_S: Final = 4.0
"""How long the way to a server that lets a session go on may take to be found."""

QUIET_S: Final = 0.8
"""Beyond the time that the server took to answer, so long may pass without one packet before UDP is taken for shut.

Some twenty checks go each way meanwhile. Where packets are only lost, or slow, one of them arrives, and `OPEN_S` holds.
"""

MOVED_S: Final = 2.0
"""So much later it may be where this machine has another address: the engine looks at its networks that seldom."""

_log = Log("client")


class Home(Protocol):
    """The call that connections are made for."""

    @property
    def config(self) -> Session:
        """The config that another session is to have."""
        ...

    def retell(self) -> Retold:
        """End the session that was lost: what another is to be told of it."""
        ...

    def returns(self) -> Leg | None:
        """The last connection of a session that can be come back to."""
        ...

    def claim(self) -> Claim:
        """What is to be said to come back to it, as things are now."""
        ...

    def meet(self, leg: Leg) -> None:
        """A connection is being made; its `ready` tells what becomes of it."""
        ...

    def part(self, leg: Leg) -> None:
        """Nothing will become of it."""
        ...

    def step(self, step: Step) -> None:
        """Something is about to be done to come back."""
        ...

    def broke(self, error: VivaError) -> None:
        """It cannot be done."""
        ...


class Reach:
    """Opens lines, has their sessions greeted, and hands the first connection over that is ready."""

    def __init__(self, plan: Plan, home: Home, ids: Ids) -> None:
        self._plan = plan
        self._home = home
        self._ids = ids

    async def first(self, progress: Progress, stage: Callable[[], str]) -> None:
        """Place the call; `stage` names how far it is."""
        try:
            await self._within(Retold((), complete=True), progress, stage)
        except VivaError as error:
            self._home.broke(error)

    async def back(self, restoration: Restoration, failure: VivaError, step: Step) -> None:
        """Carry out the policy's steps, beginning with this one, until the call stands again or is given up."""
        while True:
            try:
                match step:
                    case GiveUp(error):
                        self._home.broke(error)
                        return
                    case Wait(seconds):
                        await asyncio.sleep(seconds)
                    case Renew():
                        pass  # each connection is made under a credential that is asked for anew
                    case Resume(within_s) | Call(within_s):
                        async with asyncio.timeout(within_s):
                            await self._attempt(step)
                        return
            except VivaError as error:
                failure = error
            except TimeoutError:
                pass  # what has failed before is why
            falls_back = self._plan.fallback is not None
            step = restoration.next(failure, renews=self._plan.line.renews, falls_back=falls_back)
            self._home.step(step)

    async def replace(self, retold: Retold) -> None:
        """Make another session ready while the one that there is goes on. Nothing is lost if that fails."""
        try:
            await self._within(retold, _quietly, lambda: "making another session ready")
        except VivaError as error:
            _log.info("not_replaced", failure=type(error).__name__, fault=error.fault.value)

    async def improve(self, retold: Retold) -> None:
        """Make a session ready over WebRTC while a WebSocket serves, should there be a way again."""

        def shut() -> None:
            raise no_way()

        here = await self._here()
        try:
            async with asyncio.timeout(self._plan.connect_s):
                await self._over(self._plan.line, retold, _quietly, shut, [])
        except (VivaError, TimeoutError) as error:
            _log.info("not_improved", failure=type(error).__name__)
            if isinstance(error, VivaError) and isinstance(error.next, OtherTransport):
                self._plan.shut.learn(here, self._plan.clock.now())
        else:
            self._plan.shut.forget(here)

    async def _attempt(self, step: Attempt) -> None:
        lost = self._home.returns()
        if isinstance(step, Resume) and lost is not None:
            await self._resume(lost)
        else:
            await self._within(self._home.retell(), _quietly, lambda: "coming back")

    async def _resume(self, lost: Leg) -> None:
        """Make another connection for the session of this one, which may still stand.

        Raises:
            VivaError: it could not be made.
        """
        try:
            async with asyncio.timeout(self._plan.connect_s):
                placed = await lost.course.line.resume(self._home.claim)
                leg = Leg(lost.course.line, placed, None, self._ids)
                self._home.meet(leg)
                try:
                    async with asyncio.timeout(OPEN_S):
                        await self._found(leg, lost)
                finally:
                    self._unless_ready(leg)
        except TimeoutError as error:
            if lost.way is Sound.MEDIA:
                self._plan.shut.learn(await self._here(), self._plan.clock.now())
            raise no_way() from error

    async def _found(self, leg: Leg, lost: Leg) -> None:
        """Wait for the way to a server that has agreed to go on.

        Raises:
            TimeoutError: there is none, since it answers by TCP and not a packet comes by UDP; and there is another.
        """
        moved = lost.address is not None and lost.address.host != await self._here()
        quiet_s = QUIET_S + leg.placed.answered_s + (MOVED_S if moved else 0.0)
        await asyncio.wait([leg.ready], timeout=quiet_s)
        waits = not leg.ready.done() and self._plan.fallback is not None
        if waits and (await leg.transport.link()).checks_answered == 0:
            raise TimeoutError
        await leg.ready

    async def _within(self, retold: Retold, progress: Progress, stage: Callable[[], str]) -> None:
        """Make one connection, in bounded time.

        Raises:
            VivaError: it could not be made.
        """
        legs: list[Leg] = []
        try:
            async with asyncio.timeout(self._plan.connect_s):
                await race(list(self._ways(retold, progress, legs, await self._here())))
        except TimeoutError as error:
            raise self._too_slow(legs, stage()) from error

    async def _here(self) -> str:
        """The address of this machine at which the way to the server begins; empty where nobody knows."""
        address = None if self._plan.fallback is None else await self._plan.line.address()
        return "" if address is None else address.host

    def _ways(self, retold: Retold, progress: Progress, legs: list[Leg], here: str) -> Iterator[Contender]:
        """The line; and what is taken beside it while it does not get through."""
        shut, clock = self._plan.shut, self._plan.clock

        async def preferred(stuck: Stuck) -> None:
            if shut.known(here, clock.now()):  # what is shut is not waited for a second time
                stuck()
            await self._over(self._plan.line, retold, progress, stuck, legs)
            shut.forget(here)

        async def other(line: Line, stuck: Stuck) -> None:
            await self._over(line, retold, _quietly, stuck, legs)
            shut.learn(here, clock.now())

        yield preferred
        if self._plan.fallback is not None:
            yield partial(other, self._plan.fallback)

    async def _over(self, line: Line, retold: Retold, progress: Progress, stuck: Stuck, legs: list[Leg]) -> None:
        """Make a connection over one line. Nothing of it is left if it is not needed, or there is none."""
        config = self._home.config
        placed = await line.open(config, progress)
        update = update_of(config) if placed.configured is Configured.NOT_YET else None
        leg = Leg(line, placed, Greeting(update, retold, self._ids), self._ids)
        legs.append(leg)
        self._home.meet(leg)
        try:
            await asyncio.wait([leg.opened, leg.ready], timeout=ALONE_S, return_when=asyncio.FIRST_COMPLETED)
            if not leg.opened.done():
                stuck()
            await leg.ready
        finally:
            self._unless_ready(leg)

    def _unless_ready(self, leg: Leg) -> None:
        if not leg.ready.done() or leg.ready.cancelled() or leg.ready.exception():
            self._home.part(leg)

    def _too_slow(self, legs: list[Leg], stage: str) -> VivaError:
        greetings = [leg.greeting for leg in legs if leg.way is Sound.MEDIA]
        if any(greeting is not None and isinstance(greeting.stage, Expecting) for greeting in greetings):
            return no_way()
        return TransportError(f"No call within {self._plan.connect_s:.0f} s; it was {stage}.")


def _quietly(_: LineStep) -> None:
    """What is made beside something else is not told step by step."""
