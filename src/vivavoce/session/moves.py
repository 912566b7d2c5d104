"""Legal moves as data.

A machine with states keeps a `Moves` beside them and changes state only through it; the diagrams in the docs are
drawn from the same tables.
"""

from collections.abc import Mapping
from typing import TypeVar

State = TypeVar("State", bound=object)


class Moves:
    """Which event leads from which kind of state to which. `name` is the machine's, `start` its first state."""

    def __init__(self, name: str, start: type, table: Mapping[type, Mapping[str, type]]) -> None:
        self.name = name
        self.start = start
        self.table = table

    def take(self, old: object, event: str, new: State) -> State:
        """The new state.

        Raises:
            AssertionError: the table knows no such move; a fault of ours.
        """
        expected = self.table.get(type(old), {}).get(event)
        if expected is not type(new):
            raise AssertionError(f"{self.name}: no move {event!r} from {type(old).__name__} to {type(new).__name__}")
        return new

    def lines(self) -> list[str]:
        """The table as a Mermaid state diagram, a line each."""
        rows = [f"    [*] --> {self.start.__name__}"]
        for old, moves in self.table.items():
            rows += [f"    {old.__name__} --> {new.__name__}: {event}" for event, new in moves.items()]
            rows += [] if moves else [f"    {old.__name__} --> [*]"]
        return ["stateDiagram-v2", *rows]
