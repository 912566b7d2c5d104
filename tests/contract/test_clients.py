"""What clients that nobody here wrote rely on, beyond what the types say: each would go wrong in silence without it."""

import json
from typing import Any, Final

import pytest

from tests.system.listener import Listener
from tests.system.sdk import MODEL, sdk
from tests.viva import engines, scripted_server
from vivavoce.engine.interface import Thought as EngineThought
from vivavoce.engine.interface import ToolArguments, ToolCall
from vivavoce.session.answers import Sound
from vivavoce.session.result import CallArguments, CallBegun, Failed, Thought, Words
from vivavoce.testing.script import Script
from vivavoce.wire.codec import decode_session, encode

Json = dict[str, Any]

HEARD: Final = '{"type":"realtime","audio":{"input":{"transcription":{"model":"whisper-1"}}}}'
LOOK: Final = [Words("Let me see. "), CallBegun(0, "look"), CallArguments(0, "{}"), Thought()]


def told(call: Script, prefix: str = "") -> list[Json]:
    """The events of a call as they stand on the wire, those whose type begins so."""
    events: list[Json] = [json.loads(encode(event)) for event in call.events]
    return [event for event in events if event["type"].startswith(prefix)]


def conversation(sound: Sound) -> Script:
    """A spoken turn, one that calls a function, and its result."""
    call = Script(
        session=decode_session(HEARD), sound=sound, transcripts=["hello", "look"], replies=["Hello.", LOOK, "Done."]
    )
    call.speak(0.8)
    call.wait(3.0)
    call.speak(0.8)
    call.wait(3.0)
    (made,) = [event["call_id"] for event in told(call, "response.function_call_arguments.done")]
    result = {"type": "function_call_output", "call_id": made, "output": "nothing"}
    call.send({"type": "conversation.item.create", "item": result})
    call.send({"type": "response.create"})
    call.wait(3.0)
    assert call.types.count("response.done") == 3
    return call


@pytest.fixture(params=list(Sound))
def call(request: pytest.FixtureRequest) -> Script:
    return conversation(request.param)


# ── livekit ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_response_is_told_before_its_items(call: Script) -> None:
    begun: set[str] = set()
    for event in told(call, "response."):
        if event["type"] == "response.created":
            begun.add(event["response"]["id"])
        elif event["type"] == "response.output_item.added":
            assert event["response_id"] in begun


def test_each_item_names_the_one_that_it_comes_after(call: Script) -> None:
    added = told(call, "conversation.item.added")
    assert len(added) == 7
    ids = [event["item"]["id"] for event in added]
    assert [event["previous_item_id"] for event in added] == [None, *ids[:-1]]
    for event in told(call, "conversation.item.done"):
        place = ids.index(event["item"]["id"])
        assert event["previous_item_id"] == (ids[place - 1] if place else None)


def test_an_item_put_between_others_names_the_one_before_it() -> None:
    call = Script(sound=Sound.TEXT)
    words = [{"type": "input_text", "text": "Hello."}]
    for id, after in (("a", ""), ("b", ""), ("between", "a"), ("first", "root")):
        item = {"id": id, "type": "message", "role": "user", "content": words}
        call.send({"type": "conversation.item.create", "item": item, "previous_item_id": after})
    added = told(call, "conversation.item.added")
    assert [(event["item"]["id"], event["previous_item_id"]) for event in added] == [
        ("a", None),
        ("b", "a"),
        ("between", "a"),
        ("first", None),
    ]


def test_a_response_brings_back_the_mark_by_which_its_client_knows_it() -> None:
    call = Script(sound=Sound.TEXT, replies=["Hello."])
    mark = {"client_event_id": "response_create_0123456789ab"}
    call.send({"type": "response.create", "event_id": mark["client_event_id"], "response": {"metadata": mark}})
    call.wait(3.0)
    ends = [*told(call, "response.created"), *told(call, "response.done")]
    assert [event["response"]["metadata"] for event in ends] == [mark, mark]


def test_a_response_without_orders_of_its_own_follows_those_of_the_session() -> None:
    call = Script(sound=Sound.TEXT, replies=["Yes."])
    call.send({"type": "session.update", "session": {"type": "realtime", "instructions": "Whisper."}})
    call.send({"type": "response.create", "response": {"instructions": None}})
    call.wait(3.0)
    assert call.thoughts[0].instructions == "Whisper."


async def test_a_call_of_a_function_has_an_id_of_at_most_32_characters() -> None:
    asks = [ToolCall(0, "look"), ToolArguments(0, "{}"), EngineThought()]
    async with scripted_server(engines(thought=[asks])) as viva, sdk(viva).realtime.connect(model=MODEL) as connection:
        heard = Listener(connection)
        await connection.response.create()
        while heard.types[-1:] != ["response.done"]:
            await heard.next()
        ids = [event.call_id for event in heard.events if event.type == "response.function_call_arguments.done"]
        assert len(ids) == 1
        assert 0 < len(ids[0]) <= 32


# ── pipecat ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_function_is_named_as_soon_as_its_item_is_there(call: Script) -> None:
    (added,) = [
        event["item"] for event in told(call, "conversation.item.added") if event["item"]["type"] == "function_call"
    ]
    (wanted,) = told(call, "response.function_call_arguments.done")
    assert (added["name"], added["call_id"]) == ("look", wanted["call_id"])
    assert call.types.index("conversation.item.added") < call.types.index("response.function_call_arguments.done")


def test_nothing_of_an_everyday_conversation_is_an_error(call: Script) -> None:
    assert told(call, "error") == []


# ── agents SDK ──────────────────────────────────────────────────────────────────────────────────────────


def test_every_event_has_an_id_of_its_own(call: Script) -> None:
    ids = [event["event_id"] for event in told(call)]
    assert len(set(ids)) == len(ids)


def test_a_part_of_an_answer_has_words_and_never_null(call: Script) -> None:
    parts = [event["part"] for event in told(call, "response.content_part.")]
    assert {part["type"] for part in parts} == {"audio"}
    for part in parts:
        assert isinstance(part["transcript"], str)
        assert all(isinstance(part[key], str) for key in ("audio", "text") if key in part)


def test_a_response_names_its_voice(call: Script) -> None:
    for event in [*told(call, "response.created"), *told(call, "response.done")]:
        assert isinstance(event["response"]["audio"]["output"]["voice"], str)


def test_a_users_sound_has_a_place_for_its_words(call: Script) -> None:
    sounds = [
        part
        for event in told(call, "conversation.item.")
        if event.get("item", {}).get("role") == "user"
        for part in event["item"]["content"]
    ]
    assert len(sounds) == 4
    assert all(part["type"] == "input_audio" and "transcript" in part for part in sounds)


def test_why_words_are_missing_is_told_without_nulls() -> None:
    call = Script(
        session=decode_session(HEARD), sound=Sound.TEXT, transcripts=[Failed("gone")], replies=["I did not hear you."]
    )
    call.speak(0.8)
    call.wait(3.0)
    (failed,) = told(call, "conversation.item.input_audio_transcription.failed")
    assert failed["error"]["message"]
    assert None not in failed["error"].values()
