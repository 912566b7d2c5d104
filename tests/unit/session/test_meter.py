"""What may begin, by what is left."""

import pytest

from tests.unit.session.outcome import counting, of_kind, the
from vivavoce.session.effect import Begin, Charge
from vivavoce.session.meter import Meter
from vivavoce.session.outbox import Outbox
from vivavoce.session.result import Charged, Failed
from vivavoce.wire.config import RateLimit
from vivavoce.wire.event import RateLimitsUpdated


def left(requests: int, tokens: int) -> Charged:
    limits = {"requests": requests, "tokens": tokens}
    return Charged(
        tuple(
            RateLimit(name="requests" if name == "requests" else "tokens", limit=5, remaining=rest, reset_seconds=1.0)
            for name, rest in limits.items()
        )
    )


@pytest.mark.parametrize(
    ("result", "refused"),
    [
        (left(3, 3), None),
        (left(0, 1), None),  # the last one
        (left(-1, 3), "requests"),
        (left(0, 0), "tokens"),
        (left(3, -7), "tokens"),
        (Charged(()), None),
        (Failed("The store is gone."), None),
    ],
)
def test_a_response_may_begin_while_something_is_left(result: Charged | Failed, refused: str | None) -> None:
    out = Outbox(counting())
    meter = Meter(out, counted=True)
    meter.ask("resp_1")
    (begun,) = of_kind(out.drain(), Begin)
    assert begun.work == Charge(responses=1, tokens=0)
    verdict = meter.result(begun.job, result)
    assert verdict is not None
    assert verdict[0] == "resp_1"
    assert (verdict[1].type if verdict[1] else None) == refused
    assert not meter.owns(begun.job)
    assert out.drain() == []


def test_what_is_left_is_never_told_to_be_less_than_nothing() -> None:
    out = Outbox(counting())
    meter = Meter(out, counted=True)
    meter.pay(7)
    (begun,) = of_kind(out.drain(), Begin)
    assert meter.result(begun.job, left(-2, -7)) is None
    assert [limit.remaining for limit in the(out.drain(), RateLimitsUpdated).rate_limits] == [0, 0]


def test_who_is_not_counted_pays_nothing() -> None:
    out = Outbox(counting())
    Meter(out, counted=False).pay(7)
    assert out.drain() == []
