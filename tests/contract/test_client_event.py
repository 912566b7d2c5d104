"""Every event of a client: what it is answered with, what it must hold, and what it may not."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import pytest

from vivavoce.audio.frame import sample_count, silence, to_bytes
from vivavoce.session.answers import Sound
from vivavoce.testing.script import Script
from vivavoce.wire.event import Error

Json = Mapping[str, object]
TEXT: Final = {"id": "mine", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello."}]}
SOUND: Final = base64.b64encode(to_bytes(silence(sample_count(200)))).decode()
ADDED: Final = ["conversation.item.added", "conversation.item.done"]


def nothing(call: Script) -> None:
    """A session that has just begun."""


def typed(call: Script) -> None:
    """The item `mine` is in the conversation."""
    call.send({"type": "conversation.item.create", "item": TEXT})


def by_hand(call: Script) -> None:
    """Turns are up to the client, and 200 ms of sound are in the buffer."""
    session = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
    call.send({"type": "session.update", "session": session})
    call.send({"type": "input_audio_buffer.append", "audio": SOUND})


def answered(call: Script) -> None:
    """The assistant has said something that is still heard; its item is `item_3`."""
    call.send({"type": "response.create"})
    call.wait(0.5)


def running(call: Script) -> None:
    """The assistant has just begun to answer."""
    call.send({"type": "response.create"})


class Case(NamedTuple):
    """An event, what went before, what it is answered with, and its keys that may not be left out."""

    before: Callable[[Script], None]
    fields: Json
    answers: Sequence[str]
    required: Sequence[str]


CASES: Final[Mapping[str, Case]] = {
    "session.update": Case(nothing, {"session": {"type": "realtime"}}, ["session.updated"], ["session"]),
    "input_audio_buffer.append": Case(by_hand, {"audio": SOUND}, [], ["audio"]),
    "input_audio_buffer.commit": Case(by_hand, {}, ["input_audio_buffer.committed", *ADDED], []),
    "input_audio_buffer.clear": Case(by_hand, {}, ["input_audio_buffer.cleared"], []),
    "conversation.item.create": Case(nothing, {"item": TEXT}, ADDED, ["item"]),
    "conversation.item.retrieve": Case(typed, {"item_id": "mine"}, ["conversation.item.retrieved"], ["item_id"]),
    "conversation.item.truncate": Case(
        answered,
        {"item_id": "ITEM", "content_index": 0, "audio_end_ms": 0},
        ["output_audio_buffer.cleared", "conversation.item.truncated"],
        ["item_id", "content_index", "audio_end_ms"],
    ),
    "conversation.item.delete": Case(typed, {"item_id": "mine"}, ["conversation.item.deleted"], ["item_id"]),
    "response.create": Case(nothing, {}, ["response.created"], []),
    "response.cancel": Case(running, {}, ["response.done"], []),
    "output_audio_buffer.clear": Case(answered, {}, ["output_audio_buffer.cleared", "conversation.item.truncated"], []),
}


def begin(type: str) -> tuple[Script, dict[str, object]]:
    """A call in which the event may be sent, and the event."""
    call = Script(replies=["An answer that takes a while to be heard."])
    case = CASES[type]
    case.before(call)
    fields = dict(case.fields)
    if fields.get("item_id") == "ITEM":
        fields["item_id"] = call.host.items[-1].id
    return call, {"type": type, **fields}


@pytest.mark.parametrize("type", CASES)
def test_an_event_is_answered_as_the_reference_says(type: str) -> None:
    call, event = begin(type)
    before = len(call.events)
    call.send(event | {"event_id": "mine"})
    answers = call.events[before:]
    assert [each.type for each in answers] == CASES[type].answers
    assert "mine" not in [each.event_id for each in answers]


@pytest.mark.parametrize(("type", "key"), [(type, key) for type, case in CASES.items() for key in case.required])
def test_a_key_that_an_event_must_have_is_missed(type: str, key: str) -> None:
    call, event = begin(type)
    del event[key]
    call.send(event | {"event_id": "mine"})
    error = call.last(Error).error
    assert (error.code, error.param, error.event_id) == ("missing_required_parameter", key, "mine")


@pytest.mark.parametrize("type", CASES)
def test_a_key_that_an_event_has_not_is_refused(type: str) -> None:
    call, event = begin(type)
    call.send(event | {"event_id": "mine", "extra": 1})
    error = call.last(Error).error
    assert (error.code, error.param, error.event_id) == ("unknown_parameter", "extra", "mine")


@pytest.mark.parametrize("type", CASES)
@pytest.mark.parametrize("id", [7, "x" * 513])
def test_an_id_that_cannot_be_given_back_is_refused(type: str, id: object) -> None:
    call, event = begin(type)
    call.send_text(json.dumps(event | {"event_id": id}))
    error = call.last(Error).error
    assert (error.param, error.event_id) == ("event_id", None)


def test_where_the_client_plays_truncation_is_answered_alone() -> None:
    call = Script(sound=Sound.TEXT, replies=["Yes."])
    answered(call)
    event = {"item_id": call.host.items[-1].id, "content_index": 0, "audio_end_ms": 0}
    call.send({"type": "conversation.item.truncate"} | event)
    assert call.types[-1] == "conversation.item.truncated"
    assert "output_audio_buffer.cleared" not in call.types
