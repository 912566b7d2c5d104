"""What well-behaved clients and servers say."""

import json
from functools import cache
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
TRANSCRIPTS: Final = HERE.parent / "tests" / "page" / "transcripts"
KEY: Final = "sk-of-the-fuzzer-0123456789"


@cache
def offers() -> tuple[bytes, ...]:
    """Offers as browsers and libraries make them."""
    files = sorted((HERE / "offers").glob("*.sdp"))
    # Git may have made the line ends those of this computer.
    return tuple(b"".join(line + b"\r\n" for line in path.read_bytes().splitlines()) for path in files)


@cache
def transcripts() -> tuple[dict[str, object], ...]:
    """Every line of the page's conversations."""
    return tuple(
        json.loads(line) for path in sorted(TRANSCRIPTS.glob("*.jsonl")) for line in path.read_text().splitlines()
    )


def packed(value: object) -> bytes:
    """JSON as clients send it."""
    return json.dumps(value, separators=(",", ":")).encode()


@cache
def server_events() -> tuple[bytes, ...]:
    """Events that a server sent."""
    return tuple(packed(line["server"]) for line in transcripts() if "server" in line)


SESSION: Final[dict[str, object]] = {
    "type": "realtime",
    "model": "gpt-realtime",
    "instructions": "Be brief.",
    "output_modalities": ["audio"],
    "max_output_tokens": 400,
    "tool_choice": {"type": "function", "name": "weather"},
    "tools": [
        {
            "type": "function",
            "name": "weather",
            "description": "The weather.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        }
    ],
    "audio": {
        "input": {
            "format": {"type": "audio/pcmu"},
            "noise_reduction": {"type": "near_field"},
            "transcription": {"model": "whisper-1", "language": "en"},
            "turn_detection": {
                "type": "server_vad",
                "threshold": 0.5,
                "silence_duration_ms": 300,
                "prefix_padding_ms": 100,
                "idle_timeout_ms": 6000,
            },
        },
        "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin", "speed": 1.2},
    },
}
LISTENING: Final[dict[str, object]] = {
    "type": "transcription",
    "audio": {"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "high"}}},
    "include": ["item.input_audio_transcription.logprobs"],
}


def message(*content: dict[str, object], role: str = "user", id: str = "item_mine") -> dict[str, object]:
    """A message item."""
    return {"id": id, "type": "message", "role": role, "content": list(content)}


CLIENT_EVENTS: Final[tuple[dict[str, object], ...]] = (
    {"type": "session.update", "event_id": "mine", "session": SESSION},
    {"type": "session.update", "session": LISTENING},
    {"type": "session.update", "session": {"type": "realtime", "audio": {"input": {"turn_detection": None}}}},
    {"type": "input_audio_buffer.append", "audio": "AAABAAIAAwAEAAUABgAHAA=="},
    {"type": "input_audio_buffer.append", "audio": "A" * 4_000},
    {"type": "input_audio_buffer.commit"},
    {"type": "input_audio_buffer.clear"},
    {"type": "output_audio_buffer.clear"},
    {"type": "conversation.item.create", "item": message({"type": "input_text", "text": "Well?"})},
    {
        "type": "conversation.item.create",
        "previous_item_id": "root",
        "item": message({"type": "input_audio", "audio": "AAAA", "transcript": None}, id="item_sound"),
    },
    {
        "type": "conversation.item.create",
        "item": message(
            {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "high"}, id="item_eye"
        ),
    },
    {
        "type": "conversation.item.create",
        "item": message({"type": "output_text", "text": "So."}, role="assistant", id="item_said"),
    },
    {
        "type": "conversation.item.create",
        "item": {"type": "function_call_output", "call_id": "call_1", "output": '{"sun": true}'},
    },
    {"type": "conversation.item.retrieve", "item_id": "item_1"},
    {"type": "conversation.item.truncate", "item_id": "item_2", "content_index": 0, "audio_end_ms": 300},
    {"type": "conversation.item.delete", "item_id": "item_mine"},
    {"type": "response.create"},
    {
        "type": "response.create",
        "event_id": "aside",
        "response": {
            "conversation": "none",
            "output_modalities": ["text"],
            "metadata": {"topic": "aside"},
            "input": [{"type": "item_reference", "id": "item_mine"}, message({"type": "input_text", "text": "Hm"})],
            "tool_choice": "none",
            "max_output_tokens": "inf",
        },
    },
    {"type": "response.cancel", "response_id": "resp_1"},
)


@cache
def client_events() -> tuple[bytes, ...]:
    """Events that a client sends, one of each kind at least."""
    return tuple(packed(event) for event in CLIENT_EVENTS)


@cache
def json_words() -> tuple[bytes, ...]:
    """Names and values of the protocol, and what is hard about JSON."""
    names = {word for event in (*client_events(), *server_events()) for word in event.split(b'"') if word[:1].isalpha()}
    hard = (b'"\\ud800"', b"\\u0000", b"[" * 200, b"1e400", b"-0", b"9223372036854775808", b"null", b"true", b"{}")
    return tuple(sorted(name for name in names if len(name) < 40)) + hard
