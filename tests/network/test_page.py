"""The page of the server, in a real browser, whose network fails."""

import sys
from dataclasses import replace

import pytest

from tests.network.rows import KEPT, ROWS
from tests.network.stage import Row, Stage

pytestmark = [
    pytest.mark.network,
    pytest.mark.timeout(180),
]

BOUNDS_S = {"outage-25": 27, "switch-1": 3, "rebinding": 3.5, "restart": 8}
ENDINGS = {"restart": ("failed",)}
"""The page does not tell another session what was said."""


@pytest.mark.parametrize("row", [row for row in ROWS if row.name in BOUNDS_S], ids=lambda row: row.name)
def test_a_page_comes_back_to_its_session_or_says_that_the_call_is_lost(
    row: Row, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = row.play(replace(stage, caller="tests.network.page"))
    with capsys.disabled():
        sys.stdout.write(f"\nthe page; {row.what}: {outcome}\n")
    assert outcome.ended in ENDINGS.get(row.name, KEPT), outcome.said
    assert outcome.kept is not False, outcome.said
    assert outcome.gap_s is not None
    assert outcome.gap_s <= BOUNDS_S[row.name], outcome.said
