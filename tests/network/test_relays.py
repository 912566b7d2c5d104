"""Calls through relays and to a server behind NAT; each prints how long setting up took and what gap was heard."""

import sys

import pytest

from tests.network.relays import RELAYS
from tests.network.stage import Row, Stage

pytestmark = [
    pytest.mark.network,
    pytest.mark.timeout(180),
]

SETUP_S = 6.0
"""Where nothing answers, 2 s are waited for the relay and 2 s for the call; otherwise it is below 1.5 s."""


@pytest.mark.parametrize("row", RELAYS, ids=lambda row: row.name)
def test_a_call_finds_the_way_that_is_left_or_says_why_there_is_none(
    row: Row, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = row.play(stage)
    with capsys.disabled():
        sys.stdout.write(f"\n{row.what}: {outcome}\n")
    assert outcome.ended in row.endings, outcome.said
    assert outcome.setup_s <= SETUP_S
    assert outcome.gap_s is not None
    assert outcome.gap_s <= row.within_s, outcome.said
