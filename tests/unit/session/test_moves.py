"""Tables of legal moves."""

from dataclasses import dataclass

import pytest

from vivavoce.session.moves import Moves


@dataclass(frozen=True)
class Shut:
    """A door."""


@dataclass(frozen=True)
class Open:
    """The door, open."""

    width: int


@dataclass(frozen=True)
class Gone:
    """No door."""


DOOR = Moves("door", Shut, {Shut: {"pushed": Open}, Open: {"pulled": Shut, "pushed": Open, "broken": Gone}, Gone: {}})


def test_a_legal_move_gives_the_new_state() -> None:
    assert DOOR.take(Shut(), "pushed", Open(3)) == Open(3)
    assert DOOR.take(Open(3), "pushed", Open(4)) == Open(4)


@pytest.mark.parametrize(
    ("old", "event", "new"),
    [(Shut(), "pulled", Shut()), (Shut(), "pushed", Gone()), (Gone(), "pushed", Open(1)), (3, "pushed", Open(1))],
)
def test_an_illegal_move_says_what_was_tried(old: object, event: str, new: object) -> None:
    with pytest.raises(AssertionError, match=f"door: no move '{event}' from {type(old).__name__}"):
        DOOR.take(old, event, new)


def test_the_table_can_be_drawn() -> None:
    assert DOOR.lines() == [
        "stateDiagram-v2",
        "    [*] --> Shut",
        "    Shut --> Open: pushed",
        "    Open --> Shut: pulled",
        "    Open --> Open: pushed",
        "    Open --> Gone: broken",
        "    Gone --> [*]",
    ]
