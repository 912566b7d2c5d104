"""What a session is before anybody has said otherwise, as `session.created` shows it."""

import json
from typing import Any, Final

import pytest

from tests.strict import parse
from vivavoce.session.answers import Sound
from vivavoce.testing.script import Script
from vivavoce.wire.codec import decode_session, encode

PCM: Final = {"type": "audio/pcm", "rate": 24000}
INPUT: Final = {
    "format": PCM,
    "transcription": None,
    "noise_reduction": None,
    "turn_detection": {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 200,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    },
}
REALTIME: Final = {
    "type": "realtime",
    "object": "realtime.session",
    "id": "sess_1",
    "model": "house",
    "output_modalities": ["audio"],
    "tools": [],
    "tool_choice": "auto",
    "max_output_tokens": "inf",
    "tracing": None,
    "truncation": "auto",
    "prompt": None,
    "expires_at": 3600,
    "include": None,
    "audio": {"input": INPUT, "output": {"format": PCM, "voice": "alloy", "speed": 1.0}},
}
TRANSCRIPTION: Final = {
    "type": "transcription",
    "object": "realtime.transcription_session",
    "id": "sess_1",
    "expires_at": 3600,
    "include": None,
    "audio": {"input": INPUT},
}


def created(type: str, sound: Sound = Sound.TEXT) -> dict[str, Any]:
    call = Script(session=decode_session(f'{{"type":"{type}"}}'), sound=sound)
    text = encode(call.events[0])
    parse(text)
    event = json.loads(text)
    assert event["type"] == "session.created"
    return event["session"]


@pytest.mark.parametrize("sound", list(Sound))
def test_a_conversation_begins_as_the_live_service_begins_it(sound: Sound) -> None:
    session = created("realtime", sound)
    assert isinstance(session.pop("instructions"), str)
    assert session == REALTIME


@pytest.mark.parametrize("sound", list(Sound))
def test_a_transcription_begins_as_the_live_service_begins_it(sound: Sound) -> None:
    assert created("transcription", sound) == TRANSCRIPTION


def test_what_only_some_models_have_is_shown_once_it_is_set() -> None:
    call = Script()
    session = {"type": "realtime", "reasoning": {"effort": "high"}, "parallel_tool_calls": False}
    call.send({"type": "session.update", "session": session})
    shown = json.loads(encode(call.events[-1]))["session"]
    assert (shown["reasoning"], shown["parallel_tool_calls"]) == ({"effort": "high"}, False)
