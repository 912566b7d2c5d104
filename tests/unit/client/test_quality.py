"""How a call is doing."""

import numpy as np
import pytest

from vivavoce.audio.frame import silence
from vivavoce.client.quality import Watch, mean_opinion, r_factor
from vivavoce.transport.interface import Link

TONE = (3277 * np.sin(np.arange(2400) * 0.2)).astype(np.int16)


@pytest.mark.parametrize(
    ("r", "mos"),
    [
        (-5, 1.0),
        (0, 1.0),
        (3, 1.0),
        (50, 2.58),
        (60, 3.10),
        (70, 3.60),
        (80, 4.02),
        (90, 4.34),
        (93.2, 4.41),
        (110, 4.5),
    ],
)
def test_ratings_mean_what_the_recommendation_says(r: float, mos: float) -> None:
    assert mean_opinion(r) == pytest.approx(mos, abs=0.006)


@pytest.mark.parametrize(
    ("delay_ms", "loss", "r"),
    [
        (0, 0.0, 93.2),
        (100, 0.0, 90.8),
        (177.3, 0.0, 88.94),
        (277.3, 0.0, 75.54),
        (0, 0.01, 89.56),
        (0, 0.251, 45.7),
    ],
)
def test_delay_and_loss_take_from_the_rating(delay_ms: float, loss: float, r: float) -> None:
    assert r_factor(delay_ms, loss) == pytest.approx(r, abs=0.01)


def test_a_snapshot_tells_what_has_happened_since_the_one_before() -> None:
    watch = Watch()
    first = watch.read(Link(packets_received=90, packets_lost=10, bytes_sent=1000, bytes_received=2000), 5.0)
    assert first.loss_ratio == pytest.approx(0.1)
    assert (first.sent_bps, first.received_bps) == (None, None)
    second = watch.read(Link(packets_received=190, packets_lost=10, bytes_sent=2000, bytes_received=6000), 7.0)
    assert (second.at, second.loss_ratio, second.sent_bps, second.received_bps) == (7.0, 0.0, 4000.0, 16000.0)
    late = watch.read(Link(packets_received=200, packets_lost=9), 8.0)
    assert late.loss_ratio == 0.0, "a packet that was late is not lost"


def test_another_connections_figures_are_not_taken_for_a_loss() -> None:
    watch = Watch()
    watch.read(Link(packets_received=1000, packets_lost=2, bytes_sent=10_000, bytes_received=10_000), 1.0)
    later = watch.read(Link(packets_received=30, packets_lost=10, bytes_sent=100, bytes_received=100), 2.0)
    assert later.loss_ratio == pytest.approx(0.25)
    assert (later.sent_bps, later.received_bps) == (None, None)


def test_levels_are_those_since_the_snapshot_before() -> None:
    watch = Watch()
    watch.spoke(TONE)
    watch.heard(silence(20))
    snapshot = watch.read(Link(), 1.0)
    assert snapshot.user.rms_db == pytest.approx(-23, abs=0.1)
    assert snapshot.assistant.silent
    assert watch.read(Link(), 2.0).user.silent


def test_what_a_listener_would_say_is_estimated_from_delay_and_loss() -> None:
    good = Link(round_trip_ms=40.0, packets_received=100, packets_lost=0, buffer_ms=60.0)
    assert Watch().read(good, 1.0).mos == pytest.approx(mean_opinion(r_factor(100.0, 0.0)))
    bad = Link(round_trip_ms=40.0, packets_received=90, packets_lost=10, buffer_ms=60.0)
    assert Watch().read(bad, 1.0).mos == pytest.approx(mean_opinion(r_factor(100.0, 0.1)))


def test_nothing_is_estimated_where_nothing_is_known() -> None:
    snapshot = Watch().read(Link(round_trip_ms=40.0), 1.0)
    assert (snapshot.loss_ratio, snapshot.mos) == (None, None)
    assert Watch().read(Link(packets_received=10, packets_lost=0), 1.0).mos is None
