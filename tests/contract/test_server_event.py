"""Every event of a server: it is sent, as the SDK declares it, and its keys say what the reference says.

A few conversations on virtual time together tell all that this server ever tells; each event is read by the `openai`
package's own model in strict mode.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import pytest

from tests.scenario.remote import REFUSED, TOOLS, URL, ask, calling, server, update
from tests.strict import MODELS, parse
from vivavoce.session.answers import Sound
from vivavoce.session.result import CallArguments, CallBegun, Failed, Thought, Words
from vivavoce.testing.cast import Remote
from vivavoce.testing.script import Script, Terms
from vivavoce.wire.codec import decode_session, encode
from vivavoce.wire.config import RateLimit

Json = dict[str, Any]

NEVER_SENT: Final[Mapping[str, str]] = {
    "conversation.created": "no client may wait for it, and captures do not show it",
    "conversation.item.created": "the beta's name of `conversation.item.added`",
    "conversation.item.input_audio_transcription.segment": "no transcriber here tells speakers apart",
    "input_audio_buffer.dtmf_event_received": "no telephone can call",
}
ASKED: Final = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello."}]}
HEARD: Final = '{"type":"realtime","audio":{"input":{"transcription":{"model":"whisper-1"}}}}'


def spoken(sound: Sound) -> Script:
    """Two turns; the second interrupts the answer to the first."""
    call = Script(
        session=decode_session(HEARD),
        sound=sound,
        transcripts=["count", "stop"],
        replies=["One two three four. " * 40, "Yes."],
    )
    call.speak(0.8)
    call.wait(1.5)
    call.speak(0.8)
    call.wait(3.0)
    return call


def typed() -> Script:
    """Words, a call of a function, and everything that a client may do with items."""
    steps = [Words("Let me see. "), CallBegun(0, "look"), CallArguments(0, "{}"), Thought()]
    limit = RateLimit(name="tokens", limit=1000, remaining=900, reset_seconds=30.0)
    call = Script(replies=[steps, "Done."], terms=Terms(purse=lambda _: [limit]))
    call.send({"type": "session.update", "session": {"type": "realtime", "output_modalities": ["text"]}})
    call.send({"type": "conversation.item.create", "item": ASKED | {"id": "mine"}})
    call.send({"type": "response.create", "response": {"metadata": {"a": "b"}}})
    call.wait(1.0)
    call.send({"type": "conversation.item.retrieve", "item_id": "mine"})
    call.send({"type": "conversation.item.delete", "item_id": "mine"})
    call.send({"type": "conversation.item.delete", "item_id": "mine"})
    call.send({"type": "input_audio_buffer.clear"})
    return call


def idle() -> Script:
    """Nobody says anything after the first answer, and the transcriber breaks."""
    vad = {"type": "server_vad", "idle_timeout_ms": 5000}
    heard = {"turn_detection": vad, "transcription": {"model": "gpt-4o-transcribe"}}
    session = json.dumps({"type": "realtime", "audio": {"input": heard}})
    call = Script(session=decode_session(session), transcripts=["hello", Failed("It broke.")], replies=["Hi.", "Hm?"])
    call.speak(0.8)
    call.wait(9.0)
    return call


def remote() -> Script:
    """A tool of an MCP server is called and works, then fails; then the server cannot be reached."""
    moved = "https://moved.example/mcp"
    call = Script(
        replies=[calling("get_weather"), calling("book")],
        remote=Remote({URL: [TOOLS], moved: [REFUSED]}, ["sunny", REFUSED]),
    )
    update(call, tools=[server()])
    call.wait(1.0)
    ask(call)
    ask(call)
    update(call, tools=[server(server_url=moved)])
    call.wait(1.0)
    return call


@cache
def gallery() -> list[list[Json]]:
    """All events of all conversations."""
    calls = (spoken(Sound.MEDIA), spoken(Sound.TEXT), typed(), idle(), remote())
    return [[json.loads(encode(event)) for event in call.events] for call in calls]


def every(*types: str) -> list[Json]:
    return [event for events in gallery() for event in events if event["type"] in types]


SENT: Final = [type for type in MODELS if type not in NEVER_SENT]


@pytest.mark.parametrize("type", SENT)
def test_an_event_is_sent_as_the_sdk_declares_it(type: str) -> None:
    assert every(type)
    for event in every(type):
        parse(json.dumps(event))


@pytest.mark.parametrize("type", NEVER_SENT)
def test_what_is_never_sent_is_not_sent(type: str) -> None:
    assert every(type) == []


# ── names that clients read ─────────────────────────────────────────────────────────────────────────────


def test_parts_are_called_otherwise_in_events_than_in_items() -> None:
    parts = [event["part"]["type"] for event in every("response.content_part.added", "response.content_part.done")]
    assert set(parts) == {"audio", "text"}
    items = [event["item"] for event in every("response.output_item.done")]
    assert {part["type"] for item in items for part in item.get("content", [])} == {"output_audio", "output_text"}


def test_what_clients_read_as_text_is_never_null() -> None:
    for event in every("response.content_part.added", "response.content_part.done"):
        part = event["part"]
        key = {"audio": "transcript", "text": "text"}[part["type"]]
        assert isinstance(part[key], str)
    for event in every("response.created", "response.done"):
        assert event["response"]["audio"]["output"]["voice"] == "alloy"


def test_sound_travels_in_its_own_deltas_only() -> None:
    for event in (event for events in gallery() for event in events):
        if event["type"] != "response.output_audio.delta":
            assert len(json.dumps(event)) < 6000
            assert '"audio": "' not in json.dumps(event)


def test_only_deltas_of_mcp_arguments_hide_their_length() -> None:
    hiding = {event["type"] for events in gallery() for event in events if "obfuscation" in event}
    assert hiding == {"response.mcp_call_arguments.delta"}


def test_the_price_of_a_transcript_is_told_in_tokens_or_in_seconds() -> None:
    bills = [event["usage"] for event in every("conversation.item.input_audio_transcription.completed")]
    assert {usage["type"] for usage in bills} == {"duration", "tokens"}
    for usage in bills:
        if usage["type"] == "tokens":
            assert usage["input_token_details"].keys() == {"text_tokens", "audio_tokens"}
        else:
            assert usage.keys() == {"type", "seconds"}


def test_a_committed_item_is_complete_and_its_words_are_to_come() -> None:
    items = [event["item"] for event in every("conversation.item.added")]
    users = [item for item in items if item.get("role") == "user" and item["content"][0]["type"] == "input_audio"]
    assert len(users) == 6
    for item in users:
        assert item["status"] == "completed"
        assert item["content"] == [{"type": "input_audio", "transcript": None}]


def test_output_items_begin_empty_and_end_with_what_was_made() -> None:
    begun = [event["item"] for event in every("response.output_item.added")]
    assert {item["type"] for item in begun} == {"message", "function_call", "mcp_call"}
    for item in begun:
        if item["type"] == "message":
            assert (item["status"], item["content"]) == ("in_progress", [])
        else:
            assert item["name"] in ("look", "get_weather", "book")
            assert item["arguments"] == ""
        if item["type"] == "function_call":
            assert item["status"] == "in_progress"
            assert item["call_id"]
    ended = [event["item"] for event in every("response.output_item.done") if event["item"]["type"] == "message"]
    assert {item["status"] for item in ended} == {"completed", "incomplete"}


def test_a_response_tells_what_it_is() -> None:
    for event in every("response.created"):
        response = event["response"]
        assert response["object"] == "realtime.response"
        assert (response["status"], response["output"], response["usage"]) == ("in_progress", [], None)
        assert response["conversation_id"].startswith("conv_")
        assert response["output_modalities"] in (["audio"], ["text"])
        assert response["max_output_tokens"] == "inf"
        assert response["audio"]["output"]["format"] == {"type": "audio/pcm", "rate": 24000}
    for event in every("response.done"):
        assert event["response"]["usage"]["total_tokens"] >= 0


def test_details_of_a_status_repeat_it_and_give_the_reason() -> None:
    told = {event["response"]["status"]: event["response"].get("status_details") for event in every("response.done")}
    assert told["cancelled"] == {"type": "cancelled", "reason": "turn_detected"}
    assert told["completed"] in (None, {"type": "completed"})
    failed = told["failed"]
    assert (failed["type"], failed["error"]["type"]) == ("failed", "server_error")
    assert "It broke." in failed["error"]["message"]


@pytest.mark.parametrize(
    ("type", "path", "prefix"),
    [
        ("session.created", ["session", "id"], "sess_"),
        ("response.created", ["response", "conversation_id"], "conv_"),
        ("response.created", ["response", "id"], "resp_"),
        ("response.created", ["event_id"], "event_"),
        ("response.output_item.added", ["item", "id"], "item_"),
        ("input_audio_buffer.committed", ["item_id"], "item_"),
        ("response.function_call_arguments.done", ["call_id"], "call_"),
    ],
)
def test_ids_tell_what_they_are_of(type: str, path: list[str], prefix: str) -> None:
    for event in every(type):
        value: Any = event
        for key in path:
            value = value[key]
        assert value.startswith(prefix)


@pytest.mark.parametrize(
    ("kind", "key"),
    [("output_text", "text"), ("output_audio_transcript", "transcript"), ("function_call_arguments", "arguments")],
)
def test_deltas_joined_are_what_the_end_says(kind: str, key: str) -> None:
    told = 0
    for events in gallery():
        for done in (event for event in events if event["type"] == f"response.{kind}.done"):
            deltas = [
                e["delta"] for e in events if e["type"] == f"response.{kind}.delta" and e["item_id"] == done["item_id"]
            ]
            assert "".join(deltas) == done[key]
            told += 1
    assert told
