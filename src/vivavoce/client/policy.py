"""What to do when a connection is lost: one failure, what was tried and the time go in, one step comes out.

Nothing here waits, draws lots or knows a transport. Whoever carries the steps out asks again after each that failed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from vivavoce.errors import Fault, Never, NewSecret, OtherTransport, RefusedError, Retry, VivaError

GONE: Final = frozenset({404, 409, 410})
"""Statuses with which a server says that a session cannot be gone on with: unknown, not this way, too long ago."""

# ── steps ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for so long, then ask again."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Resume:
    """Come back to the same session on another connection, within so many seconds where they are given."""

    within_s: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Renew:
    """Let the next connection be made under a fresh client secret; then ask again."""


@dataclass(frozen=True, slots=True)
class Call:
    """Place a new call and tell it the config and the conversation, within so many seconds where they are given."""

    within_s: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Nothing helps; the call has failed."""

    error: VivaError


Step = Wait | Resume | Renew | Call | GiveUp
Attempt = Resume | Call
"""Steps that make a connection, over WebRTC or a WebSocket: whichever is there first."""


@dataclass(frozen=True, slots=True)
class History:
    """What has happened since a connection was lost, and what can be done.

    Attributes:
        since: when it was lost, in monotonic seconds.
        steps: those taken since, oldest first.
        resumes_until: until when the server keeps the session; None where it does not, or not any more.
        renews: whether somebody can be asked for a fresh client secret.
        falls_back: whether a new call may go over a WebSocket where UDP is shut.
    """

    since: float
    steps: tuple[Step, ...] = ()
    resumes_until: float | None = None
    renews: bool = False
    falls_back: bool = False

    def attempts(self) -> Iterator[Attempt]:
        """The connections that were tried."""
        return (step for step in self.steps if isinstance(step, Attempt))


class Policy(Protocol):
    """Decides what becomes of a lost connection. Any object with this method may stand in for `Persistence`."""

    def decide(self, failure: VivaError, history: History, now: float, chance: float) -> Step:
        """The next step.

        Args:
            failure: of the connection, or of the last step.
            history: what has been tried.
            now: monotonic seconds.
            chance: a fresh random number from 0 up to, not including, 1.
        """
        ...


# ── the policy that holds unless another is given ───────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Persistence:
    """Tries at once, then after random waits that double in length, up to a bound for all of it together.

    Attributes:
        first_s: the longest wait before the second attempt.
        cap_s: the longest wait of all, unless the server asks for more.
        total_s: after so long the call is given up.
        stubborn: so often the way back to a session may be found shut; once where a WebSocket is there.
    """

    first_s: float = 0.5
    cap_s: float = 8.0
    total_s: float = 300.0
    stubborn: int = 2

    def decide(self, failure: VivaError, history: History, now: float, chance: float) -> Step:
        """See `Policy.decide`."""
        last = history.steps[-1] if history.steps else None
        left_s = history.since + self.total_s - now
        if isinstance(last, Resume) and left_s > 0 and (_gone(failure) or self._shut(failure, history)):
            return Call(left_s)  # nothing to wait for: the server has no such session, or the way to it is shut
        if isinstance(failure.next, NewSecret):
            if not history.renews or _renewed(history):
                return GiveUp(failure)
            if not isinstance(last, Renew):
                return Renew()
        elif _hopeless(failure):
            return GiveUp(failure)
        wait_s = 0.0 if isinstance(last, Wait | Renew) else self._wait(failure, history, chance)
        if wait_s >= left_s:
            return GiveUp(failure)
        return Wait(wait_s) if wait_s > 0 else self._attempt(history, now, left_s)

    def _wait(self, failure: VivaError, history: History, chance: float) -> float:
        asked_s = failure.next.after_s if isinstance(failure.next, Retry) else 0.0
        attempts = list(history.attempts())
        tried = len(attempts)
        if failure.fault is Fault.NETWORK:
            if not tried:
                return asked_s
            if isinstance(attempts[-1], Resume):
                tried = 0  # it has waited for the network itself
        # Clients that lost the same server must not all come back in one moment.
        return asked_s + chance * min(self.cap_s, self.first_s * 2.0 ** min(tried, 32))

    def _shut(self, failure: VivaError, history: History) -> bool:
        """Whether the way back is shut. A session cannot change its transport; a new call can."""
        often = 1 if history.falls_back else self.stubborn
        return isinstance(failure.next, OtherTransport) and sum(1 for _ in history.attempts()) >= often

    def _attempt(self, history: History, now: float, left_s: float) -> Attempt:
        kept = history.resumes_until is not None and now < history.resumes_until
        return Resume(left_s) if kept else Call(left_s)


def _gone(failure: VivaError) -> bool:
    return isinstance(failure, RefusedError) and failure.status in GONE


def _hopeless(failure: VivaError) -> bool:
    return failure.fault is Fault.CALLER or isinstance(failure.next, Never)


def _renewed(history: History) -> bool:
    """Whether a fresh secret was tried, too."""
    steps = history.steps
    return any(isinstance(step, Renew) and place < len(steps) - 1 for place, step in enumerate(steps))
