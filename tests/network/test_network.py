"""Calls through networks that fail: real packets, real engines, and the gap that a listener hears.

Run by `./dev test --network`, as root. Each prints its gap in seconds.
"""

import sys

import pytest

from tests.network.rows import ROWS
from tests.network.stage import Row, Stage

pytestmark = [
    pytest.mark.network,
    pytest.mark.timeout(180),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_call_comes_back_soon_and_remembers_or_says_that_it_is_over(
    row: Row, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = row.play(stage)
    with capsys.disabled():
        sys.stdout.write(f"\n{row.what}: {outcome}\n")
    assert outcome.ended in row.endings, outcome.said
    assert outcome.kept is not False, outcome.said
    assert outcome.gap_s is not None
    assert outcome.gap_s <= row.within_s, outcome.said
