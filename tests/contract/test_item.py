"""Every kind of item and of content: who may put it into the conversation, and how it comes back."""

import base64
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import pytest

from tests.strict import parse
from vivavoce.audio.frame import sample_count, silence, to_bytes
from vivavoce.session.answers import Sound
from vivavoce.testing.script import Script
from vivavoce.wire.codec import encode
from vivavoce.wire.event import ConversationItemAdded, Error

Json = dict[str, Any]

PICTURE: Final = "data:image/png;base64,iVBORw0KGgo="
SOUND: Final = base64.b64encode(to_bytes(silence(sample_count(200)))).decode()


def message(role: str, *content: Json) -> Json:
    return {"type": "message", "role": role, "content": list(content)}


TAKEN: Final[Mapping[str, tuple[Json, Json]]] = {
    # what is sent, and what of it is shown otherwise
    "system": (message("system", {"type": "input_text", "text": "Be kind."}), {}),
    "user text": (message("user", {"type": "input_text", "text": "Hello."}), {}),
    "user sound": (
        message("user", {"type": "input_audio", "audio": SOUND}),
        message("user", {"type": "input_audio"}),
    ),
    "user sound with its words": (
        message("user", {"type": "input_audio", "audio": SOUND, "transcript": "Hello."}),
        message("user", {"type": "input_audio", "transcript": "Hello."}),
    ),
    "user picture": (message("user", {"type": "input_image", "image_url": PICTURE}), {}),
    "user picture in detail": (message("user", {"type": "input_image", "image_url": PICTURE, "detail": "high"}), {}),
    "user text, sound and picture": (
        message(
            "user",
            {"type": "input_text", "text": "Look, and listen:"},
            {"type": "input_image", "image_url": PICTURE, "detail": "low"},
            {"type": "input_audio", "audio": SOUND, "transcript": "Here."},
        ),
        message(
            "user",
            {"type": "input_text", "text": "Look, and listen:"},
            {"type": "input_image", "image_url": PICTURE, "detail": "low"},
            {"type": "input_audio", "transcript": "Here."},
        ),
    ),
    "assistant text": (message("assistant", {"type": "output_text", "text": "Hello."}), {}),
    "function call": ({"type": "function_call", "call_id": "call_1", "name": "look", "arguments": '{"at":1}'}, {}),
    "function call output": ({"type": "function_call_output", "call_id": "call_1", "output": "nothing"}, {}),
}
REFUSED: Final[Mapping[str, tuple[Json, str, str]]] = {
    "nobody's message": ({"type": "message", "content": []}, "missing_required_parameter", "item.role"),
    "another role": (message("tool"), "invalid_value", "item.role"),
    "a message without content": ({"type": "message", "role": "user"}, "missing_required_parameter", "item.content"),
    "system sound": (message("system", {"type": "input_audio"}), "invalid_value", "item.content[0].type"),
    "user output": (message("user", {"type": "output_text", "text": "x"}), "invalid_value", "item.content[0].type"),
    "assistant input": (
        message("assistant", {"type": "input_text", "text": "x"}),
        "invalid_value",
        "item.content[0].type",
    ),
    "assistant sound": (
        message("assistant", {"type": "output_audio", "audio": SOUND, "transcript": "x"}),
        "invalid_value",
        "item.content[0].type",
    ),
    "sound that is none": (
        message("user", {"type": "input_audio", "audio": "!"}),
        "invalid_value",
        "item.content[0].audio",
    ),
    "another detail": (
        message("user", {"type": "input_image", "image_url": PICTURE, "detail": "fine"}),
        "invalid_value",
        "item.content[0].detail",
    ),
    "content of the beta": (message("user", {"type": "text", "text": "x"}), "invalid_value", "item.content[0].type"),
    "a call without a name": (
        {"type": "function_call", "arguments": "{}"},
        "missing_required_parameter",
        "item.name",
    ),
    "an output of no call": (
        {"type": "function_call_output", "output": "x"},
        "missing_required_parameter",
        "item.call_id",
    ),
    "an output that is no text": (
        {"type": "function_call_output", "call_id": "call_1", "output": {"a": 1}},
        "invalid_type",
        "item.output",
    ),
    "a reference": ({"type": "item_reference", "id": "item_1"}, "invalid_value", "item.type"),
    "another type": ({"type": "web_search_call"}, "invalid_value", "item.type"),
    "an unknown key": (message("user") | {"mood": "good"}, "unknown_parameter", "item.mood"),
}


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize("sound", list(Sound))
def test_an_item_is_taken_and_shown(name: str, sound: Sound) -> None:
    call = Script(sound=sound)
    sent, shown = TAKEN[name]
    call.send({"type": "conversation.item.create", "item": sent | {"id": "mine"}})
    assert call.types == ["session.created", "conversation.item.added", "conversation.item.done"]
    for event in call.events[1:]:
        parse(encode(event))
        item = msgspec.json.decode(encode(event))["item"]
        assert (item.pop("id"), item.pop("status"), item.pop("object", "realtime.item")) == (
            "mine",
            "completed",
            "realtime.item",
        )
        assert item == (shown or sent)


@pytest.mark.parametrize("name", REFUSED)
def test_an_item_that_a_client_may_not_make_is_refused_by_its_path(name: str) -> None:
    call = Script()
    item, code, param = REFUSED[name]
    call.send({"type": "conversation.item.create", "item": item, "event_id": "mine"})
    error = call.last(Error).error
    assert (error.code, error.param, error.event_id) == (code, param, "mine")
    assert call.host.items == ()


def test_ids_that_the_server_makes_are_short_enough_for_every_client() -> None:
    call = Script()
    call.send({"type": "conversation.item.create", "item": TAKEN["function call"][0] | {"call_id": ""}})
    added = call.last(ConversationItemAdded).item
    assert len(str(added.id)) <= 32


def test_a_picture_is_given_to_the_model() -> None:
    call = Script()
    call.send({"type": "conversation.item.create", "item": TAKEN["user picture"][0]})
    call.send({"type": "response.create"})
    call.wait(1.0)
    assert PICTURE in repr(call.thoughts[0].items)
