"""Which moves of which machine are taken while a test runs."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from vivavoce.session.moves import Moves

Row = tuple[str, str, str, str]
"""Machine, old state, event, new state."""


@contextmanager
def watched() -> Generator[set[Row]]:
    """The moves that are taken meanwhile. The interpreter tells of each call; nothing is replaced."""
    taken: set[Row] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is Moves.take.__code__:
            moves, old, new = (frame.f_locals[name] for name in ("self", "old", "new"))
            taken.add((moves.name, type(old).__name__, frame.f_locals["event"], type(new).__name__))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield taken
    finally:
        sys.setprofile(before)


def rows(machine: Moves) -> set[Row]:
    return {
        (machine.name, old.__name__, event, new.__name__)
        for old, moves in machine.table.items()
        for event, new in moves.items()
    }
