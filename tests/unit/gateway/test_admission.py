import pytest

from vivavoce.errors import ConfigError, RequestError, Retry
from vivavoce.gateway.admission import Admission
from vivavoce.gateway.settings import Limits


def test_one_identity_gets_no_more_than_its_share() -> None:
    admission = Admission(Limits(calls_per_identity=2))
    first = admission.enter("anna")
    admission.enter("anna")
    with pytest.raises(RequestError) as refused:
        admission.enter("anna")
    assert (refused.value.status, refused.value.code) == (429, "rate_limit_exceeded")
    assert refused.value.next == Retry(5.0)
    admission.enter("bela")
    first.leave()
    admission.enter("anna")


def test_all_together_get_no_more_than_the_server_holds() -> None:
    admission = Admission(Limits(calls=3))
    places = [admission.enter(name) for name in ("anna", "bela", "cili")]
    with pytest.raises(RequestError) as refused:
        admission.enter("dora")
    assert refused.value.status == 429
    places[1].leave()
    assert admission.enter("dora") is not None
    assert admission.held == 3


def test_callers_who_are_not_connected_yet_are_bounded_apart() -> None:
    admission = Admission(Limits(half_open=1))
    first = admission.enter("anna")
    with pytest.raises(RequestError) as refused:
        admission.enter("bela")
    assert refused.value.next == Retry(1.0)
    first.connected()
    admission.enter("bela")
    assert (admission.held, admission.half_open) == (2, 1)


def test_leaving_twice_frees_one_place_only() -> None:
    admission = Admission(Limits())
    first, second = admission.enter("anna"), admission.enter("anna")
    first.leave()
    first.leave()
    first.connected()
    assert (admission.held, admission.half_open) == (1, 1)
    second.connected()
    second.connected()
    second.leave()
    assert (admission.held, admission.half_open) == (0, 0)


def test_a_limit_of_nothing_is_a_mistake() -> None:
    with pytest.raises(ConfigError):
        Limits(calls=0)
