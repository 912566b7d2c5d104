"""What the `openai` package's types of the beta would say of an event, if they were strict.

As `tests/strict.py` for GA. Where these types are narrower than the service was, `BEYOND` and `_widen` say so.
"""

import json
from typing import Any, Final, cast, get_args

from openai.types.beta.realtime import RealtimeServerEvent, TranscriptionSessionUpdatedEvent
from pydantic import BaseModel, ValidationError

from tests.strict import undeclared

_CACHED: Final = "the service sent it, and every calculation of costs reads it"
_SHOWN: Final = "the service sent it in its session events; the package declares only what a client may set"

BEYOND: Final = {
    ("Session", "object"): _SHOWN,
    ("Session", "expires_at"): _SHOWN,
    ("TranscriptionSession", "id"): _SHOWN,
    ("TranscriptionSession", "object"): _SHOWN,
    ("TranscriptionSession", "expires_at"): _SHOWN,
    ("TranscriptionSession", "include"): _SHOWN,
    ("TranscriptionSession", "input_audio_noise_reduction"): _SHOWN,
    ("TurnDetection", "create_response"): "of a transcription session, for which a client may set it",
    ("TurnDetection", "interrupt_response"): "of a transcription session, for which a client may set it",
    ("TurnDetection", "eagerness"): "of a transcription session, for which a client may set it",
    ("InputTokenDetails", "cached_tokens_details"): _CACHED,
}
"""Model and key that we send although the package does not declare it."""


def _models() -> dict[str, type[BaseModel]]:
    union: object = get_args(RealtimeServerEvent)[0]
    members = cast("tuple[type[BaseModel], ...]", get_args(union))
    return {get_args(member.model_fields["type"].annotation)[0]: member for member in members}


MODELS: Final = _models()
"""The package's model of every server event of the beta."""


def parse(text: str | bytes) -> RealtimeServerEvent:
    """An event as the package's own object.

    Raises:
        AssertionError: it is not an event as the package declares it; says where and why.
    """
    raw = json.loads(text)
    tag = raw["type"]
    if tag == "transcription_session.created":
        # Documented and seen, but not typed; it has the shape of the one that is.
        raw["type"] = tag = "transcription_session.updated"
    assert tag in MODELS, f"the beta knows no event {tag!r}"
    if "session" in raw:
        _widen(raw["session"], transcription=MODELS[tag] is TranscriptionSessionUpdatedEvent)
    try:
        event = MODELS[tag].model_validate_json(json.dumps(raw), strict=True)
    except ValidationError as refused:
        raise AssertionError(f"{tag} is not as the package declares it: {refused}\n{text!r}") from None
    unknown = [f"{where}.{key}" for where, key in undeclared(event) if (where, key) not in BEYOND]
    assert unknown == [], f"{tag} has keys that the package does not declare: {unknown}"
    return cast("RealtimeServerEvent", event)


def _widen(session: dict[str, Any], *, transcription: bool) -> None:
    """Let through what the package's types are too narrow for."""
    if "model" in session:
        session["model"] = "gpt-realtime"  # the package lists the names of its day
    if isinstance(session.get("tool_choice"), dict):
        session["tool_choice"] = "auto"  # typed as a string, although its text says "or specify a function"
    if transcription:
        assert session.pop("client_secret") is None  # typed as always there; no running session has one
        session["client_secret"] = {"value": "", "expires_at": 0}
        wanted = cast("dict[str, Any] | None", session.get("input_audio_transcription"))
        if wanted is not None and "model" in wanted:
            wanted["model"] = "whisper-1"  # the names of its day, again
