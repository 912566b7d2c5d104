"""Each move that a call can make, and that it can make no other."""

import pytest

from vivavoce.client.policy import Call, Resume
from vivavoce.client.state import (
    MOVES,
    Closed,
    Connected,
    Connecting,
    Disrupted,
    Failed,
    Kept,
    Minting,
    Negotiating,
    New,
    Restored,
    Restoring,
    State,
)
from vivavoce.errors import TransportError
from vivavoce.transport.interface import ClosedBy

BACK = Connected("rtc_1", Restored(Kept.NEW, complete=True, gap_s=1.0))
ONE: dict[type, State] = {
    New: New(),
    Minting: Minting(),
    Negotiating: Negotiating(),
    Connecting: Connecting(),
    Connected: BACK,
    Disrupted: Disrupted(1.0),
    Restoring: Restoring(1.0, Resume(), 1),
    Closed: Closed(ClosedBy.US),
    Failed: Failed(TransportError("gone")),
}
EVENTS = {event for moves in MOVES.table.values() for event in moves}


def test_the_table_knows_every_state() -> None:
    assert set(MOVES.table) == set(ONE)


@pytest.mark.parametrize("old", ONE.values(), ids=lambda state: type(state).__name__)
@pytest.mark.parametrize("event", sorted(EVENTS))
def test_a_call_moves_as_the_table_says_and_no_other_way(old: State, event: str) -> None:
    for new in ONE.values():
        if MOVES.table[type(old)].get(event) is type(new):
            assert MOVES.take(old, event, new) is new
        else:
            with pytest.raises(AssertionError):
                MOVES.take(old, event, new)


def test_a_call_that_is_over_stays_so_and_any_other_can_end() -> None:
    for kind, moves in MOVES.table.items():
        assert {Closed, Failed} <= set(moves.values()) or (kind in (Closed, Failed) and not moves)


def test_steps_of_coming_back_are_states_of_their_own() -> None:
    assert Restoring(1.0, Resume(), 1) != Restoring(1.0, Call(), 2)
