"""Laws of coming back, whatever fails and however often."""

from hypothesis import given
from hypothesis import strategies as st

from vivavoce.client.policy import Call, GiveUp, History, Persistence, Renew, Step, Wait
from vivavoce.errors import (
    Fault,
    Never,
    NewSecret,
    Next,
    OfferError,
    OtherTransport,
    RefusedError,
    Retry,
    TransportError,
    VivaError,
)

LONGEST_ATTEMPT_S = 20.0

afters = st.floats(0, 1000)
nexts = st.one_of(st.builds(Retry, afters), st.just(Never()), st.just(NewSecret()), st.just(OtherTransport()))


def refused(next: Next, fault: Fault, status: int | None) -> VivaError:
    return RefusedError("x", status=status, fault=fault, next=next)


def broken(next: Next, fault: Fault) -> VivaError:
    return TransportError("x", fault=fault, next=next)


statuses = st.sampled_from([None, 401, 404, 409, 410, 429, 500, 503])
failures = st.one_of(
    st.builds(broken, nexts, st.sampled_from(Fault)),
    st.builds(refused, nexts, st.sampled_from(Fault), statuses),
    st.just(OfferError("x")),
)
chances = st.floats(0, 1, exclude_max=True)


@given(st.data(), st.booleans(), st.one_of(st.none(), st.floats(0, 100)))
def test_every_loss_comes_to_an_end_in_bounded_time(
    data: st.DataObject, renews: bool, resumes_until: float | None
) -> None:
    policy, now = Persistence(), 0.0
    steps: list[Step] = []
    failure: VivaError = TransportError("lost")
    while True:
        history = History(0.0, tuple(steps), resumes_until, renews)
        step = policy.decide(failure, history, now, data.draw(chances))
        steps.append(step)
        match step:
            case GiveUp(error):
                assert error is failure
                break
            case Wait(seconds):
                asked = failure.next.after_s if isinstance(failure.next, Retry) else 0.0
                assert asked <= seconds <= asked + policy.cap_s
                now += seconds
            case Renew():
                pass
            case _:
                now += data.draw(st.floats(0.1, LONGEST_ATTEMPT_S))
                failure = data.draw(failures)
    assert now < policy.total_s + LONGEST_ATTEMPT_S
    assert sum(isinstance(step, Renew) for step in steps) <= 1 or renews
    for one, other in zip(steps, steps[1:], strict=False):
        assert not (isinstance(one, Wait) and isinstance(other, Wait))
        assert not (isinstance(one, Renew) and isinstance(other, Renew))


@given(st.lists(st.floats(0, 5), max_size=6), chances)
def test_a_fault_of_the_caller_is_never_tried_again(waits: list[float], chance: float) -> None:
    wrong = RefusedError("x", status=403, fault=Fault.CALLER, next=Never())
    history = History(0.0, tuple(map(Wait, waits)), None, renews=True)
    assert Persistence().decide(wrong, history, 10.0, chance) == GiveUp(wrong)


@given(st.integers(0, 200), chances)
def test_no_wait_but_one_that_was_asked_for_is_longer_than_the_bound(tried: int, chance: float) -> None:
    policy = Persistence(total_s=1e9)
    step = policy.decide(TransportError("lost"), History(0.0, (Call(),) * tried), 0.0, chance)
    assert not isinstance(step, Wait) or 0 < step.seconds <= policy.cap_s
