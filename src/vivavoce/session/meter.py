"""What responses cost, and whether there may be another one: the `rate_limits` of the protocol.

Who counts, and for whom, is not known here: each `Charge` is answered by a `Charged` with what is left. A response asks
before it thinks and pays when it is done, so a limit can be overdrawn by what is running, and never by more.
"""

from msgspec.structs import replace

from vivavoce.session.effect import Charge, Job
from vivavoce.session.outbox import Outbox
from vivavoce.session.result import Charged, Failed
from vivavoce.session.settings import known
from vivavoce.wire.config import RateLimit
from vivavoce.wire.event import RateLimitsUpdated


class Meter:
    """The charges of one call. One that is not `counted` costs nothing and says nothing."""

    def __init__(self, out: Outbox, *, counted: bool) -> None:
        self.counted = counted
        self._out = out
        self._asked: dict[Job, str] = {}
        self._paid: set[Job] = set()

    def owns(self, job: Job) -> bool:
        """Whether a result of that job is meant for the meter."""
        return job in self._asked or job in self._paid

    def ask(self, response_id: str) -> None:
        """A response wants to begin; `result` brings the word."""
        self._asked[self._out.begin(Charge(responses=1, tokens=0))] = response_id

    def pay(self, tokens: int) -> None:
        """A response is done, and cost so much. What is left is told when that has been counted."""
        if self.counted:
            self._paid.add(self._out.begin(Charge(responses=0, tokens=tokens)))

    def result(self, job: Job, result: Charged | Failed) -> tuple[str, Failed | None] | None:
        """The word on a charge.

        Returns:
            For a response that asked: its id, and why it may not begin, if it may not. Where nobody could count, it
            may: better to count too little than to refuse everybody.
        """
        limits = result.limits if isinstance(result, Charged) else ()
        if job in self._asked:
            return self._asked.pop(job), _refusal(limits)
        self._paid.discard(job)
        if limits:
            left = [replace(limit, remaining=max(0, known(limit.remaining, 0))) for limit in limits]
            self._out.send(RateLimitsUpdated(rate_limits=left))
        return None


def _refusal(limits: tuple[RateLimit, ...]) -> Failed | None:
    """Why another response may not begin: this one was too many, or no tokens are left for it."""
    for limit in limits:
        least = 0 if limit.name == "requests" else 1
        if known(limit.remaining, least) < least:
            wait_s = known(limit.reset_seconds, 0.0)
            return Failed(
                f"Rate limit reached: {limit.limit} {limit.name} per minute. Please try again in {wait_s:.1f}s.",
                code="rate_limit_exceeded",
                type=str(limit.name),
            )
    return None
