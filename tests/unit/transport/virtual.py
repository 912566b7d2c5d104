"""An event loop on virtual time: instead of waiting, it lets the time pass."""

import asyncio
import selectors
from collections.abc import Coroutine


class _Impatient(selectors.SelectSelector):
    """Looks without waiting, and tells how long it would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.looks = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.looks += 1
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "nothing will ever happen: every task waits for another"
            self.now += max(0.0, timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Starts at 0 s."""

    def __init__(self) -> None:
        self._impatient = _Impatient()
        super().__init__(self._impatient)

    def time(self) -> float:
        return self._impatient.now

    def stall(self, seconds: float) -> None:
        """As if whatever runs now took so long."""
        self._impatient.now += seconds

    @property
    def looks(self) -> int:
        """How often it has woken."""
        return self._impatient.looks


def run(main: Coroutine[object, object, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main)


def this_loop() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop
