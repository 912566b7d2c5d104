"""What a server's refusal means: whose fault it is, whether to try again, and which part of the request it disliked."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Final

import msgspec

from vivavoce.errors import EngineError, Fault, Never, Next, Retry

_ACCOUNT: Final = (
    "insufficient_quota",
    "credit_balance_exhausted",
    "billing_hard_limit_reached",
    "account_deactivated",
)
"""Codes with which providers say that the operator's account is not in order."""
_SHOWN: Final = 300
"""Characters of a server's own words that go into a message."""


class Quirk(Enum):
    """A part of a request that some servers refuse; a request can do without each."""

    TOOL_CHOICE = "tool_choice"
    PARALLEL = "parallel_tool_calls"
    USAGE = "stream_options"
    EFFORT = "reasoning_effort"
    TEMPERATURE = "temperature"
    TOKEN_LIMIT = "the other name of the token limit"
    LATE_SYSTEM = "a system message after the first"


_FIELDS = {
    Quirk.TOOL_CHOICE: "tool_choice",
    Quirk.PARALLEL: "parallel_tool_calls",
    Quirk.USAGE: "stream_options",
    Quirk.EFFORT: "reasoning_effort",
    Quirk.TEMPERATURE: "temperature",
}
_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|maximum context length|context (?:size|window)", re.I
)
"""How OpenAI and vLLM, llama.cpp, and others say that a conversation does not fit."""
_SYSTEM_FIRST = re.compile(r"system (?:message|role|prompt).{0,40}(?:begin|first|start)|roles must alternate", re.I)


def quirk(status: int, text: str, body: Mapping[str, object]) -> Quirk | None:
    """Which part of `body` the server refused, if it is one that can be left out.

    A template that cannot place a message makes llama.cpp answer 500, so that status counts too.
    """
    if status not in {400, 422, 500}:
        return None
    if status != 500:
        for kind, name in _FIELDS.items():
            if name in body and name in text:
                return kind
        if "max_completion_tokens" in text and {"max_tokens", "max_completion_tokens"} & set(body):
            return Quirk.TOKEN_LIMIT
    return Quirk.LATE_SYSTEM if _SYSTEM_FIRST.search(text) else None


def refused(status: int, headers: Mapping[str, str], text: str, wall: float) -> EngineError:
    """The failure that an HTTP status stands for.

    Args:
        status: an HTTP status that is not a success.
        headers: of the response, for `Retry-After` (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after).
        text: its body.
        wall: Unix seconds, to count down to a `Retry-After` date.
    """
    said = spoken_reason(text)
    seen = f"the chat server answered {status}" + (f": {said}" if said else "")
    account = next((code for code in _ACCOUNT if f'"{code}"' in text), None)
    match status:
        case 402 | 403 | 429 if account is not None:
            return EngineError(
                f"{seen}; the account must be put in order first", code=account, fault=Fault.CALLER, next=Never()
            )
        case 401 | 403:
            return EngineError(f"{seen}; check the key", code="engine_misconfigured", fault=Fault.CALLER, next=Never())
        case 404:
            return EngineError(
                f"{seen}; check the URL and the model's name",
                code="engine_misconfigured",
                fault=Fault.CALLER,
                next=Never(),
            )
        case 429:
            return EngineError(seen, code="inference_rate_limit_exceeded", next=_after(headers, wall, 1.0))
        case 400 | 413 | 422 | 500 if _TOO_LONG.search(text):
            return EngineError(seen, code="context_length_exceeded", next=Never())
        case 408 | 409 | 425:
            return EngineError(seen, fault=Fault.PROVIDER, next=_after(headers, wall, 1.0))
        case _ if status >= 500:
            return EngineError(seen, fault=Fault.PROVIDER, next=_after(headers, wall, 1.0))
        case _:
            return EngineError(seen, fault=Fault.OURS, next=Never())


def failed(error: object) -> EngineError:
    """The failure that an `error` object inside a stream stands for; its `code` may be an HTTP status."""
    text = msgspec.json.encode({"error": error}).decode()
    match error:
        case {"code": int() as status} if 400 <= status < 600:
            return refused(status, {}, text, 0.0)
        case _:
            return EngineError(f"the chat server broke off: {spoken_reason(text)}")


def spoken_reason(text: str) -> str:
    """The sentence inside an error body, short; the shapes differ by server (`error.message`, `error`, `detail`)."""
    try:
        body: object = msgspec.json.decode(text)
    except msgspec.DecodeError:
        body = text
    match body:
        case {"error": {"message": str() as reason}} | {"error": str() as reason}:
            pass
        case {"message": str() as reason} | {"detail": str() as reason}:
            pass
        case _:
            reason = text
    reason = " ".join(reason.split())
    return reason if len(reason) <= _SHOWN else reason[: _SHOWN - 1] + "…"


def _after(headers: Mapping[str, str], wall: float, default_s: float) -> Next:
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            return Retry(max(0.0, float(value) * unit))
        except ValueError:
            pass
        try:
            return Retry(max(0.0, parsedate_to_datetime(value).timestamp() - wall))
        except ValueError:
            pass
    return Retry(default_s)
