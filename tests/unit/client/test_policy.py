"""What is done about each kind of failure."""

import pytest

from vivavoce.client.policy import Call, GiveUp, History, Persistence, Renew, Resume, Step, Wait
from vivavoce.errors import (
    Fault,
    Never,
    NewSecret,
    OfferError,
    OtherTransport,
    RefusedError,
    Retry,
    TransportError,
    VivaError,
)

LOST = TransportError("fell silent")
NO_WAY = TransportError("no way for sound", next=OtherTransport())
RESTARTED = TransportError("1012", fault=Fault.PROVIDER)
BUSY = RefusedError("429", status=429, next=Retry(7.0))
BROKEN = RefusedError("500", status=500, next=Retry(1.0))
STALE = RefusedError("401", status=401, fault=Fault.CALLER, next=NewSecret())
WRONG_KEY = RefusedError("401", status=401, fault=Fault.CALLER, next=Never())
NO_QUOTA = RefusedError("429", status=429, code="insufficient_quota", fault=Fault.CALLER, next=Never())
FORGOTTEN = RefusedError("404", status=404, code="call_id_not_found", fault=Fault.CALLER, next=Never())


def decide(
    failure: VivaError,
    *steps: Step,
    now: float = 0.0,
    chance: float = 0.5,
    resumes_until: float | None = None,
    renews: bool = False,
    falls_back: bool = False,
) -> Step:
    return Persistence().decide(failure, History(0.0, steps, resumes_until, renews, falls_back), now, chance)


def test_a_lost_connection_is_made_again_at_once() -> None:
    assert decide(LOST) == Call()


def test_the_shortest_way_back_is_taken_while_the_server_keeps_the_session() -> None:
    assert decide(LOST, resumes_until=60.0, now=59.0) == Resume()
    assert decide(LOST, Resume(), Wait(1.0), resumes_until=60.0, now=59.0) == Resume()
    assert decide(LOST, Resume(), Wait(1.0), resumes_until=60.0, now=60.0) == Call()


def test_a_way_back_that_waited_for_the_network_itself_is_taken_again_soon() -> None:
    tried = [Resume(), Wait(0.25)] * 5
    assert decide(LOST, *tried, Resume(), resumes_until=60.0, chance=0.5) == Wait(0.25)
    assert decide(BROKEN, *tried, Resume(), resumes_until=60.0, chance=0.5) == Wait(5.0)


def test_a_session_whose_way_is_found_shut_twice_is_given_up_for_a_call_that_may_take_another() -> None:
    assert decide(NO_WAY, Resume(), Wait(0.1), resumes_until=60.0) == Resume()
    assert decide(NO_WAY, Resume(), Wait(0.1), Resume(), resumes_until=60.0) == Call()
    assert decide(NO_WAY, Resume(), resumes_until=60.0, falls_back=True) == Call()


@pytest.mark.parametrize("resumes_until", [None, 999.0])
def test_an_attempt_lasts_no_longer_than_all_of_them_may(resumes_until: float | None) -> None:
    attempt = decide(LOST, Call(), Wait(0.1), now=290.0, resumes_until=resumes_until)
    assert isinstance(attempt, Resume if resumes_until else Call)
    assert attempt.within_s == pytest.approx(10.0)
    assert decide(FORGOTTEN, Resume(), now=300.0) == GiveUp(FORGOTTEN)


@pytest.mark.parametrize("status", [404, 409, 410])
def test_a_session_that_the_server_has_not_any_more_is_called_anew_without_waiting(status: int) -> None:
    gone = RefusedError("gone", status=status, fault=Fault.CALLER, next=Never())
    assert decide(gone, Resume(), resumes_until=60.0) == Call()


def test_the_same_refusal_of_a_new_call_is_the_end() -> None:
    assert decide(FORGOTTEN, Call()) == GiveUp(FORGOTTEN)


def test_clients_that_lost_the_same_server_do_not_come_back_in_one_moment() -> None:
    assert decide(RESTARTED, chance=0.0) == Call()
    assert decide(RESTARTED, chance=0.5) == Wait(0.25)
    assert decide(RESTARTED, Wait(0.25), now=0.25) == Call()


def test_waits_double_up_to_a_bound() -> None:
    waits = [decide(LOST, *[Call(), Wait(1.0)] * tried, Call(), chance=0.5) for tried in range(6)]
    assert waits == [Wait(0.5), Wait(1.0), Wait(2.0), Wait(4.0), Wait(4.0), Wait(4.0)]


def test_a_server_that_asks_for_time_gets_it() -> None:
    step = decide(BUSY, Call(), chance=0.0)
    assert step == Wait(7.0)
    assert decide(BUSY, Call(), step, now=7.0) == Call()


def test_a_server_that_asks_for_more_time_than_there_is_is_not_waited_for() -> None:
    late = RefusedError("503", status=503, next=Retry(400.0))
    assert decide(late, Call()) == GiveUp(late)


@pytest.mark.parametrize("failure", [LOST, BROKEN, RESTARTED])
def test_some_time_everything_is_given_up(failure: VivaError) -> None:
    assert decide(failure, Call(), now=299.9, chance=0.9) == GiveUp(failure)
    assert decide(failure, Call(), Wait(1.0), now=300.0) == GiveUp(failure)


@pytest.mark.parametrize(
    "failure",
    [WRONG_KEY, NO_QUOTA, FORGOTTEN, OfferError("no SDP"), RefusedError("4000", next=Never())],
    ids=["wrong key", "no quota", "not found", "bad answer", "thrown out"],
)
def test_what_trying_again_cannot_help_is_not_tried_again(failure: VivaError) -> None:
    assert decide(failure) == GiveUp(failure)
    assert decide(failure, Call(), Wait(1.0)) == GiveUp(failure)


def test_an_expired_secret_is_renewed_once() -> None:
    assert decide(STALE, Call(), renews=True) == Renew()
    assert decide(STALE, Call(), Renew(), renews=True) == Call()
    assert decide(STALE, Resume(), Renew(), renews=True, resumes_until=60.0) == Resume()
    assert decide(STALE, Call(), Renew(), Call(), renews=True) == GiveUp(STALE)


def test_a_secret_that_nobody_can_renew_is_the_end() -> None:
    assert decide(STALE, Call()) == GiveUp(STALE)
