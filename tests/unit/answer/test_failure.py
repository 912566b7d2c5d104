"""What a client is told of an engine's failure."""

import pytest

from vivavoce.answer.failure import failure
from vivavoce.errors import EngineError, Fault
from vivavoce.session.result import Failed


def test_an_engines_own_words_are_told() -> None:
    assert failure(EngineError("espeak is busy")) == Failed("espeak is busy", code="engine_error", type="server_error")


@pytest.mark.parametrize(
    ("code", "type"),
    [
        ("inference_rate_limit_exceeded", "invalid_request_error"),
        ("insufficient_quota", "insufficient_quota"),
        ("credit_balance_exhausted", "server_error"),
        ("billing_hard_limit_reached", "server_error"),
        ("account_deactivated", "server_error"),
        ("context_length_exceeded", "invalid_request_error"),
        ("engine_misconfigured", "server_error"),
    ],
)
def test_what_a_provider_says_of_its_account_is_not_told(code: str, type: str) -> None:
    told = failure(EngineError("organization org-1234 may not", code=code, fault=Fault.CALLER))
    assert (told.code, told.type) == (code, type)
    assert "org-1234" not in told.message
