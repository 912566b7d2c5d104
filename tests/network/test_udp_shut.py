"""Calls where UDP is shut; each prints how long setting up took and what gap was heard."""

import sys

import pytest

from tests.network.stage import Row, Stage
from tests.network.udp_shut import SHUT

pytestmark = [
    pytest.mark.network,
    pytest.mark.timeout(180),
]


@pytest.mark.parametrize("row", SHUT, ids=lambda row: row.name)
def test_a_call_goes_over_a_websocket_for_as_long_as_udp_is_shut(
    row: Row, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = row.play(stage)
    with capsys.disabled():
        sys.stdout.write(f"\n{row.what}: {outcome}\n")
    assert outcome.ended in row.endings, outcome.said
    assert outcome.kept is True, outcome.said
    assert outcome.gap_s is not None
    assert outcome.gap_s <= row.within_s, outcome.said
