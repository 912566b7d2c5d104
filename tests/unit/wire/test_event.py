"""Events by name and number."""

from typing import get_args

from msgspec import UNSET, Struct
from msgspec.structs import replace

from vivavoce.wire.event import (
    ClientEvent,
    InputAudioBufferClear,
    InputAudioBufferCleared,
    ResponseOutputAudioDelta,
    ServerEvent,
    UnknownEvent,
)

CLIENT: tuple[type[Struct], ...] = get_args(ClientEvent)
SERVER: tuple[type[Struct], ...] = get_args(ServerEvent)


def test_there_are_eleven_events_of_a_client_and_forty_six_of_a_server() -> None:
    assert (len(CLIENT), len(SERVER)) == (11, 46)


def test_a_class_is_named_like_its_wire_type() -> None:
    for event in (*CLIENT, *SERVER):
        parts = str(event.__struct_config__.tag).replace(".", "_").split("_")
        assert event.__name__ == "".join(part.capitalize() for part in parts)


def test_no_two_events_share_a_type() -> None:
    tags = [event.__struct_config__.tag for event in (*CLIENT, *SERVER)]
    assert len(set(tags)) == len(tags) == 57


def test_an_event_is_made_without_an_id_and_stamped_later() -> None:
    event = InputAudioBufferCleared()
    assert event.event_id is UNSET
    assert replace(event, event_id="event_1").event_id == "event_1"
    assert InputAudioBufferClear(event_id="mine").event_id == "mine"


def test_an_event_says_its_wire_type() -> None:
    event = ResponseOutputAudioDelta(response_id="r", item_id="i", output_index=0, content_index=0, delta="")
    assert event.type == "response.output_audio.delta"


def test_every_event_says_what_it_is_for() -> None:
    for event in (*CLIENT, *SERVER, UnknownEvent):
        assert event.__doc__
