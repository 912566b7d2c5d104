"""What brings a call back, as it travels."""

import pytest

from vivavoce.wire.resumption import Ticket, read_ticket


def test_a_ticket_holds_a_token_and_how_long_it_is_good() -> None:
    assert read_ticket("resume_0aZ; max-age=60") == Ticket("resume_0aZ", 60)
    assert read_ticket(" resume_0aZ;Max-Age=0 ") == Ticket("resume_0aZ", 0)


@pytest.mark.parametrize(
    "value", ["", "resume_0aZ", "resume_0aZ; max-age=", "a b; max-age=60", "; max-age=60", "a; max-age=-1"]
)
def test_what_is_no_ticket_brings_nothing_back(value: str) -> None:
    assert read_ticket(value) is None
