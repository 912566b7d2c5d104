"""How many calls there may be at once, in all and for one identity."""

from collections import Counter
from enum import Enum

from vivavoce.errors import RequestError, Retry
from vivavoce.gateway.settings import Limits


class Stage(Enum):
    """How far the holder of a place has come."""

    HALF_OPEN = "half open"
    CONNECTED = "connected"
    LEFT = "left"


class Place:
    """One call's place. Leaving it twice is harmless."""

    def __init__(self, admission: "Admission", identity: str) -> None:
        self._admission = admission
        self._identity = identity
        self.stage = Stage.HALF_OPEN

    def connected(self) -> None:
        """The caller is really there."""
        if self.stage is Stage.HALF_OPEN:
            self.stage = Stage.CONNECTED
            self._admission.half_open -= 1

    def leave(self) -> None:
        """The call is over, or never came about."""
        self.connected()
        if self.stage is Stage.CONNECTED:
            self.stage = Stage.LEFT
            self._admission.release(self._identity)


class Knock:
    """Somebody comes back to a call whose place they hold already. Leaving twice is harmless."""

    def __init__(self, admission: "Admission") -> None:
        self._admission = admission
        self._waits = True

    def leave(self) -> None:
        """They are connected, or never will be."""
        if self._waits:
            self._waits = False
            self._admission.half_open -= 1


class Admission:
    """Gives out places and refuses politely when there are none. Counts this process only."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held: Counter[str] = Counter()
        self.half_open = 0

    @property
    def held(self) -> int:
        """Places taken at present."""
        return self._held.total()

    def enter(self, identity: str) -> Place:
        """A place, to be left by whoever got it.

        Raises:
            RequestError: there is none (429); its `next` says when to come back.
        """
        if self._held[identity] >= self._limits.calls_per_identity:
            raise too_many(f"You have {self._held[identity]} calls, as many as one key may have. End one first.", 5.0)
        if self.held >= self._limits.calls:
            raise too_many("This server has as many calls as it can hold. Try again shortly.", 5.0)
        self._open_half()
        self._held[identity] += 1
        return Place(self, identity)

    def knock(self) -> Knock:
        """Let somebody connect to a call that has its place.

        Raises:
            RequestError: too many are connecting (429).
        """
        self._open_half()
        return Knock(self)

    def _open_half(self) -> None:
        if self.half_open >= self._limits.half_open:
            raise too_many("Too many calls are being set up at once. Try again in a second.", 1.0)
        self.half_open += 1

    def release(self, identity: str) -> None:
        """A place has become free. Called by `Place` alone."""
        self._held[identity] -= 1
        if self._held[identity] <= 0:
            del self._held[identity]


def too_many(message: str, after_s: float) -> RequestError:
    """A 429 that says when to come back."""
    error = RequestError(message, code="rate_limit_exceeded", type="rate_limit_error", status=429)
    error.next = Retry(after_s)
    return error
