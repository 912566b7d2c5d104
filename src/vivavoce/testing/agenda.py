"""What is still to happen on virtual time."""

import heapq
import itertools
from collections.abc import Callable
from math import inf
from typing import Generic, TypeVar

T = TypeVar("T")


class Agenda(Generic[T]):
    """Acts by their time. What is noted for one moment happens in the order in which it was noted."""

    def __init__(self) -> None:
        self._acts: list[tuple[float, int, Callable[[], T]]] = []
        self._order = itertools.count()

    @property
    def next(self) -> float:
        """When the next act is due; infinity when there is none."""
        return self._acts[0][0] if self._acts else inf

    def note(self, at: float, act: Callable[[], T]) -> None:
        """Do something at that time."""
        heapq.heappush(self._acts, (at, next(self._order), act))

    def take(self) -> Callable[[], T]:
        """The next act, taken off.

        Raises:
            IndexError: there is none.
        """
        return heapq.heappop(self._acts)[2]
