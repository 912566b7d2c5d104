"""Limits of what a caller may use in a minute: told after each answer, and refused in the protocol's words."""

from dataclasses import dataclass, field

import msgspec

from vivavoce.session.effect import Charge
from vivavoce.testing.script import Script, Terms
from vivavoce.wire.config import RateLimit
from vivavoce.wire.event import RateLimitsUpdated, ResponseDone


@dataclass
class Minute:
    """Counts for one minute, of which 30 s are left."""

    responses: int = 100
    tokens: int = 10_000
    charges: list[Charge] = field(default_factory=list[Charge])

    def __call__(self, charge: Charge) -> list[RateLimit]:
        self.charges.append(charge)
        used = sum(charge.responses for charge in self.charges), sum(charge.tokens for charge in self.charges)
        return [
            RateLimit(name="requests", limit=self.responses, remaining=self.responses - used[0], reset_seconds=30.0),
            RateLimit(name="tokens", limit=self.tokens, remaining=self.tokens - used[1], reset_seconds=30.0),
        ]


def ask(call: Script, **response: object) -> None:
    call.send({"type": "response.create", "response": {"output_modalities": ["text"], **response}})
    call.wait(1.0)


def test_what_is_left_is_told_after_each_answer_and_last() -> None:
    call = Script(terms=Terms(purse=Minute()))
    ask(call)
    ask(call)
    assert call.types[-2:] == ["response.done", "rate_limits.updated"]
    assert call.types.count("rate_limits.updated") == 2
    usage = [event.response.usage for event in call.events if isinstance(event, ResponseDone)]
    spent = sum(each.total_tokens for each in usage if each and isinstance(each.total_tokens, int))
    assert spent > 0
    assert call.last(RateLimitsUpdated).rate_limits == [
        RateLimit(name="requests", limit=100, remaining=98, reset_seconds=30.0),
        RateLimit(name="tokens", limit=10_000, remaining=10_000 - spent, reset_seconds=30.0),
    ]


def test_one_answer_too_many_fails_and_the_session_lives() -> None:
    minute = Minute(responses=1)
    call = Script(terms=Terms(purse=minute))
    ask(call)
    ask(call)
    response = call.last(ResponseDone).response
    assert response.status == "failed"
    details = msgspec.to_builtins(response.status_details)
    assert (details["error"]["type"], details["error"]["code"]) == ("requests", "rate_limit_exceeded")
    assert "30.0s" in details["error"]["message"]
    assert len(call.thoughts) == 1
    assert call.last(RateLimitsUpdated).rate_limits[0].remaining == 0
    minute.responses = 100
    ask(call)
    assert call.last(ResponseDone).response.status == "completed"


def test_no_answer_begins_when_no_tokens_are_left() -> None:
    call = Script(terms=Terms(purse=Minute(tokens=1)))
    ask(call)
    assert call.last(ResponseDone).response.status == "completed"
    assert call.last(RateLimitsUpdated).rate_limits[1].remaining == 0
    ask(call)
    details = msgspec.to_builtins(call.last(ResponseDone).response.status_details)
    assert (details["error"]["type"], details["error"]["code"]) == ("tokens", "rate_limit_exceeded")


def test_what_was_used_of_an_answer_that_the_end_of_the_call_cut_off_is_paid_for() -> None:
    minute = Minute()
    call = Script(replies=["One two three four five. " * 20], terms=Terms(purse=minute))
    call.send({"type": "response.create"})
    call.wait(0.5)
    call.close()
    assert call.last(ResponseDone).response.status == "cancelled"
    assert minute.charges[-1].tokens > 0


def test_an_answer_that_is_cancelled_before_anybody_counted_ends_once() -> None:
    call = Script(terms=Terms(purse=Minute()))
    call.send({"type": "response.create"})
    call.send({"type": "response.cancel"})
    call.wait(1.0)
    assert call.types == ["session.created", "response.created", "response.done", "rate_limits.updated"]
    assert call.thoughts == []


def test_where_nothing_is_limited_nothing_is_told() -> None:
    call = Script()
    ask(call)
    assert "rate_limits.updated" not in call.types


def test_where_nobody_could_count_answers_are_given_and_nothing_is_told() -> None:
    call = Script(terms=Terms(purse=lambda charge: []))
    ask(call)
    assert call.last(ResponseDone).response.status == "completed"
    assert "rate_limits.updated" not in call.types
