"""A clock that stands still until it is moved."""


class ManualClock:
    """Both readings of time under the test's control. `wall` starts at 20 November 2026, 12:00 UTC."""

    def __init__(self, *, now: float = 1000.0, wall: float = 1_795_176_000.0) -> None:
        self._now = now
        self._wall = wall

    def now(self) -> float:
        """Monotonic seconds."""
        return self._now

    def wall(self) -> float:
        """Unix seconds."""
        return self._wall

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on both."""
        self._now += seconds
        self._wall += seconds
