"""What a client is told of an engine's failure."""

from collections.abc import Mapping
from typing import Final

from vivavoce.errors import EngineError, Fault
from vivavoce.session.result import Failed
from vivavoce.telemetry.log import Log

log = Log("answer")

_NAMED: Final[Mapping[str, Failed]] = {
    # Type and code of a capture of 2025.
    "inference_rate_limit_exceeded": Failed(
        "Too many requests are being processed. Try again later.",
        code="inference_rate_limit_exceeded",
        type="invalid_request_error",
    ),
    "insufficient_quota": Failed(
        "Whoever runs this server has no credit left for its model.",
        code="insufficient_quota",
        type="insufficient_quota",
    ),
    "credit_balance_exhausted": Failed(
        "Whoever runs this server has used up the credit for its model.", code="credit_balance_exhausted"
    ),
    "billing_hard_limit_reached": Failed(
        "Whoever runs this server has reached the limit of what its model may cost.", code="billing_hard_limit_reached"
    ),
    "account_deactivated": Failed(
        "The account that this server has for its model is not active.", code="account_deactivated"
    ),
    "engine_misconfigured": Failed(
        "The model's server refuses this server. Whoever runs it can read why in its log.", code="engine_misconfigured"
    ),
    "context_length_exceeded": Failed(
        "The conversation is longer than the model can read. Delete items, or let `truncation` drop the oldest.",
        code="context_length_exceeded",
        type="invalid_request_error",
    ),
}
"""Told in our words: those of a provider may name its account."""


def failure(error: EngineError) -> Failed:
    """The failure in the protocol's terms. What only the operator can mend is told in the log."""
    named = None if error.code is None else _NAMED.get(error.code)
    if named is None:
        return Failed(error.message, code="engine_error")
    if error.fault is Fault.CALLER:
        log.failure("engine_refused", error)
    return named
