"""Makes the connections of a call, the first and those after a loss, beside its loop."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from vivavoce.client.ending import no_way
from vivavoce.client.greeting import Expecting, Greeting
from vivavoce.client.leg import Leg
from vivavoce.client.line import Configured, Progress, update_of
from vivavoce.client.plan import Plan
from vivavoce.client.policy import Call, FallBack, GiveUp, Renew, Resume, Step, Wait
from vivavoce.client.restoration import Restoration
from vivavoce.errors import TransportError, VivaError
from vivavoce.session.answers import Sound
from vivavoce.session.effect import Ids
from vivavoce.session.past import Retold
from vivavoce.telemetry.log import Log
from vivavoce.wire.config import Session

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
    """Opens the line, has the session greeted, and hands the connection over."""

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
                    case Call() | Resume() | FallBack():
                        await self._within(self._home.retell(), lambda _: None, lambda: "coming back")
                        return
            except VivaError as error:
                failure = error
            step = restoration.next(failure, renews=self._plan.line.renews)
            self._home.step(step)

    async def replace(self, retold: Retold) -> None:
        """Make another session ready while the one that there is goes on. Nothing is lost if that fails."""
        try:
            await self._within(retold, lambda _: None, lambda: "making another session ready")
        except VivaError as error:
            _log.info("not_replaced", failure=type(error).__name__, fault=error.fault.value)

    async def _within(self, retold: Retold, progress: Progress, stage: Callable[[], str]) -> None:
        """Make one connection, in bounded time.

        Raises:
            VivaError: it could not be made.
        """
        leg: Leg | None = None
        try:
            async with asyncio.timeout(self._plan.connect_s):
                leg = await self._open(retold, progress)
                await leg.ready
        except TimeoutError as error:
            raise self._too_slow(leg, stage()) from error
        finally:
            if leg is not None and (not leg.ready.done() or leg.ready.cancelled() or leg.ready.exception()):
                self._home.part(leg)

    async def _open(self, retold: Retold, progress: Progress) -> Leg:
        config = self._home.config
        placed = await self._plan.line.open(config, progress)
        update = update_of(config) if placed.configured is Configured.NOT_YET else None
        leg = Leg(placed, Greeting(update, retold.items, self._ids), self._ids)
        self._home.meet(leg)
        return leg

    def _too_slow(self, leg: Leg | None, stage: str) -> VivaError:
        if leg is not None and leg.way is Sound.MEDIA and isinstance(leg.greeting.stage, Expecting):
            return no_way()
        return TransportError(f"No call within {self._plan.connect_s:.0f} s; it was {stage}.")
