"""What all wire types share."""

from msgspec import UNSET

from vivavoce.wire.config import ServerVad
from vivavoce.wire.item import InputText, UserMessage


def test_a_tagged_object_says_its_wire_type() -> None:
    assert ServerVad().type == "server_vad"
    assert UserMessage(content=[InputText(text="hello")]).type == "message"


def test_what_was_not_said_is_unset_and_not_null() -> None:
    assert ServerVad().idle_timeout_ms is UNSET
    assert ServerVad(idle_timeout_ms=None).idle_timeout_ms is None
