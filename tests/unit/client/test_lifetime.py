"""When a session is replaced before its server ends it."""

from math import inf

import pytest

from vivavoce.client.lifetime import replaced_at
from vivavoce.wire.config import RealtimeSession

WALL = 1_795_176_000.0


@pytest.mark.parametrize(
    ("expires_in_s", "after_s"),
    [(3600, 3240.0), (600, 540.0), (4200, 3240.0), (-600, 3240.0)],
    ids=["an hour", "ten minutes", "our clock is behind", "our clock is ahead"],
)
def test_a_session_is_replaced_when_a_tenth_of_its_life_is_left(expires_in_s: int, after_s: float) -> None:
    session = RealtimeSession(expires_at=int(WALL) + expires_in_s)
    assert replaced_at(session, WALL, 1000.0) == 1000.0 + after_s


def test_a_session_whose_end_nobody_knows_is_kept() -> None:
    assert replaced_at(RealtimeSession(), WALL, 0.0) == inf
    assert replaced_at(RealtimeSession(expires_at=0), WALL, 0.0) == inf
    assert replaced_at(None, WALL, 0.0) == inf
