"""One loss of a connection, from the moment it is known until the call stands again or is given up."""

from collections.abc import Callable

from vivavoce.client.policy import Call, GiveUp, History, Policy, Step, Wait
from vivavoce.client.state import Restoring
from vivavoce.clock import Clock
from vivavoce.errors import VivaError
from vivavoce.telemetry.log import Log

Chance = Callable[[], float]
"""Draws a number from 0 up to, not including, 1."""

_log = Log("client")


class Restoration:
    """What has been tried, and what is next. Every decision is logged; none of them is made here."""

    def __init__(
        self, policy: Policy, clock: Clock, chance: Chance, since: float, resumes_until: float | None = None
    ) -> None:
        """Begin.

        Args:
            policy: decides.
            clock: tells the time.
            chance: draws lots.
            since: when the server was last heard of, in monotonic seconds.
            resumes_until: until when the session can be come back to.
        """
        self.since = since
        self._policy = policy
        self._clock = clock
        self._chance = chance
        self._begun = clock.now()
        self._resumes_until = resumes_until
        self._steps: list[Step] = []

    @property
    def state(self) -> Restoring:
        """What is being done now."""
        return Restoring(self.since, self._steps[-1], len(self._steps))

    def next(self, failure: VivaError, *, renews: bool = False, falls_back: bool = False) -> Step:
        """What to do now that something has failed."""
        now = self._clock.now()
        if any(isinstance(step, Call) for step in self._steps):
            self._resumes_until = None  # the session was given up for it
        history = History(self._begun, tuple(self._steps), self._resumes_until, renews, falls_back)
        step = self._policy.decide(failure, history, now, self._chance())
        self._steps.append(step)
        _log.info(
            "step_back" if not isinstance(step, GiveUp) else "given_up",
            step=type(step).__name__,
            number=len(self._steps),
            wait_s=step.seconds if isinstance(step, Wait) else None,
            failure=type(failure).__name__,
            fault=failure.fault.value,
            silent_s=round(now - self.since, 3),
        )
        return step
