"""The only place that reads a clock.

`now` counts monotonic seconds and orders everything inside a process; `wall` is Unix time and is only
ever shown or sent. The pure layers take both as arguments.
"""

import time
from typing import Protocol


class Clock(Protocol):
    """Two readings of time, in seconds."""

    def now(self) -> float:
        """Monotonic seconds since an unnamed moment."""
        ...

    def wall(self) -> float:
        """Seconds since the Unix epoch."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Monotonic seconds; comparable with `asyncio`'s loop time."""
        return time.monotonic()

    def wall(self) -> float:
        """Unix seconds."""
        return time.time()
