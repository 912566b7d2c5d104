"""What refusals mean."""

import pytest

from vivavoce.engine.chat.refusal import Quirk, failed, quirk, refused, spoken_reason
from vivavoce.errors import Fault, Never, Next, Retry

WALL = 1_795_176_000.0


@pytest.mark.parametrize(
    ("status", "headers", "text", "fault", "then"),
    [
        (401, {}, "", Fault.CALLER, Never()),
        (403, {}, "", Fault.CALLER, Never()),
        (404, {}, '{"error": {"message": "model \'x\' not found"}}', Fault.CALLER, Never()),
        (400, {}, "", Fault.OURS, Never()),
        (422, {}, "", Fault.OURS, Never()),
        (301, {}, "", Fault.OURS, Never()),
        (429, {}, "", Fault.PROVIDER, Retry(1.0)),
        (429, {"retry-after": "7"}, "", Fault.PROVIDER, Retry(7.0)),
        (429, {"retry-after": "0.5"}, "", Fault.PROVIDER, Retry(0.5)),
        (429, {"retry-after-ms": "250", "retry-after": "7"}, "", Fault.PROVIDER, Retry(0.25)),
        (429, {"retry-after": "Fri, 20 Nov 2026 12:00:30 GMT"}, "", Fault.PROVIDER, Retry(30.0)),
        (429, {"retry-after": "Fri, 20 Nov 2026 11:00:00 GMT"}, "", Fault.PROVIDER, Retry(0.0)),
        (429, {"retry-after": "soon"}, "", Fault.PROVIDER, Retry(1.0)),
        (429, {}, '{"error": {"code": "insufficient_quota"}}', Fault.CALLER, Never()),
        (408, {}, "", Fault.PROVIDER, Retry(1.0)),
        (500, {}, "", Fault.PROVIDER, Retry(1.0)),
        (503, {"retry-after": "3"}, "", Fault.PROVIDER, Retry(3.0)),
    ],
)
def test_a_status_says_whose_fault_it_is_and_what_to_do(
    status: int, headers: dict[str, str], text: str, fault: Fault, then: Next
) -> None:
    error = refused(status, headers, text, WALL)
    assert error.fault is fault
    assert error.next == then


@pytest.mark.parametrize(
    ("status", "text", "code"),
    [
        (401, "", "engine_misconfigured"),
        (404, "", "engine_misconfigured"),
        (429, "", "inference_rate_limit_exceeded"),
        (429, '{"error": {"code": "insufficient_quota"}}', "insufficient_quota"),
        (402, '{"error": {"code": "credit_balance_exhausted"}}', "credit_balance_exhausted"),
        (429, '{"error": {"code": "billing_hard_limit_reached"}}', "billing_hard_limit_reached"),
        (403, '{"error": {"code": "account_deactivated"}}', "account_deactivated"),
        (400, '{"error": {"code": "context_length_exceeded"}}', "context_length_exceeded"),
        (400, "This model's maximum context length is 4096 tokens.", "context_length_exceeded"),
        (400, "the request exceeds the available context size", "context_length_exceeded"),
        (400, "no", None),
        (500, "", None),
    ],
)
def test_a_refusal_bears_the_protocols_name_where_it_has_one(status: int, text: str, code: str | None) -> None:
    assert refused(status, {}, text, WALL).code == code


@pytest.mark.parametrize(
    ("error", "fault", "then"),
    [
        ({"code": 400, "message": "too long"}, Fault.OURS, Never()),
        ({"code": 503, "message": "loading"}, Fault.PROVIDER, Retry(1.0)),
        ({"code": "server_error", "message": "oops"}, Fault.PROVIDER, Retry()),
        ("oops", Fault.PROVIDER, Retry()),
    ],
)
def test_an_error_inside_a_stream_is_read_the_same_way(error: object, fault: Fault, then: Next) -> None:
    told = failed(error)
    assert (told.fault, told.next) == (fault, then)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"error": {"message": "No such\\n model"}}', "No such model"),
        ('{"error": "No such model"}', "No such model"),
        ('{"message": "No such model", "code": 404}', "No such model"),
        ('{"detail": "No such model"}', "No such model"),
        ("<html>Bad gateway</html>", "<html>Bad gateway</html>"),
        ('{"error": {}}', '{"error": {}}'),
        ("", ""),
    ],
)
def test_the_reason_is_found_in_every_servers_shape(text: str, reason: str) -> None:
    assert spoken_reason(text) == reason


def test_a_long_reason_is_cut() -> None:
    assert len(spoken_reason("x" * 1000)) == 300


FULL: dict[str, object] = {
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "stream_options": {},
    "reasoning_effort": "none",
    "temperature": 1,
    "max_tokens": 5,
}


@pytest.mark.parametrize(
    ("status", "text", "body", "found"),
    [
        (400, "Unknown field: tool_choice", FULL, Quirk.TOOL_CHOICE),
        (422, "parallel_tool_calls: extra fields not permitted", FULL, Quirk.PARALLEL),
        (400, "stream_options is not supported", FULL, Quirk.USAGE),
        (400, "Unsupported parameter: 'reasoning_effort'", FULL, Quirk.EFFORT),
        (400, "Unsupported value: 'temperature'", FULL, Quirk.TEMPERATURE),
        (400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", FULL, Quirk.TOKEN_LIMIT),
        (400, "unknown field max_completion_tokens", {"max_completion_tokens": 5}, Quirk.TOKEN_LIMIT),
        (400, "max_completion_tokens", {}, None),
        (400, "'max_tokens' is too large: 9000. This model supports 4096.", FULL, None),
        (400, "tool_choice", {}, None),
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set', FULL, None),
        (500, "System message must be at the beginning.", FULL, Quirk.LATE_SYSTEM),
        (400, "Conversation roles must alternate user/assistant/user/assistant", FULL, Quirk.LATE_SYSTEM),
        (500, "tool_choice", FULL, None),
        (401, "tool_choice", FULL, None),
        (400, "no", FULL, None),
    ],
)
def test_the_refused_part_of_a_request_is_found(
    status: int, text: str, body: dict[str, object], found: Quirk | None
) -> None:
    assert quirk(status, text, body) is found
