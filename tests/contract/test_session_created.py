"""The first event, key for key as the live service sends it."""

import json

from vivavoce.session.settings import INSTRUCTIONS
from vivavoce.testing.script import Script
from vivavoce.wire.codec import encode
from vivavoce.wire.config import TranscriptionSession

INPUT: dict[str, object] = {
    "format": {"type": "audio/pcm", "rate": 24000},
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


def test_a_conversation_is_introduced_with_every_setting() -> None:
    created = json.loads(encode(Script().events[0]))
    assert created.pop("event_id").startswith("event_")
    assert created == {
        "type": "session.created",
        "session": {
            "type": "realtime",
            "object": "realtime.session",
            "id": "sess_1",
            "model": "house",
            "output_modalities": ["audio"],
            "instructions": INSTRUCTIONS,
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
            "tracing": None,
            "truncation": "auto",
            "prompt": None,
            "expires_at": 3600,
            "include": None,
            "audio": {
                "input": INPUT,
                "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "alloy", "speed": 1.0},
            },
        },
    }


def test_a_transcription_session_is_introduced_without_what_it_cannot_have() -> None:
    created = json.loads(encode(Script(session=TranscriptionSession()).events[0]))
    assert created["session"] == {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "id": "sess_1",
        "expires_at": 3600,
        "include": None,
        "audio": {"input": INPUT},
    }


def test_what_only_some_models_have_is_shown_once_it_is_set() -> None:
    call = Script()
    session = {"type": "realtime", "reasoning": {"effort": "high"}, "parallel_tool_calls": False}
    call.send({"type": "session.update", "session": session})
    shown = json.loads(encode(call.events[-1]))["session"]
    assert (shown["reasoning"], shown["parallel_tool_calls"]) == ({"effort": "high"}, False)


def test_a_response_and_its_usage_have_every_key() -> None:
    call = Script(replies=["Yes."])
    call.send({"type": "response.create", "response": {"output_modalities": ["text"], "metadata": {"a": "b"}}})
    call.wait(1.0)
    done = json.loads(encode(call.events[-1]))
    assert done["type"] == "response.done"
    response = done["response"]
    assert response.keys() == {
        "object",
        "id",
        "status",
        "status_details",
        "output",
        "conversation_id",
        "output_modalities",
        "max_output_tokens",
        "audio",
        "usage",
        "metadata",
    }
    assert response["status_details"] == {"type": "completed"}
    assert [item.keys() for item in response["output"]] == [{"id", "type", "role", "status", "content"}]
    assert response["usage"].keys() == {
        "total_tokens",
        "input_tokens",
        "output_tokens",
        "input_token_details",
        "output_token_details",
    }
    kinds = {"text_tokens", "audio_tokens", "image_tokens"}
    read = response["usage"]["input_token_details"]
    assert read.keys() == kinds | {"cached_tokens", "cached_tokens_details"}
    assert read["cached_tokens_details"].keys() == kinds
    assert response["usage"]["output_token_details"].keys() == {"text_tokens", "audio_tokens"}
