"""The order of items, as clients ask for it and are told of it."""

import pytest

from vivavoce.errors import RequestError
from vivavoce.session.conversation import Conversation, item_id, with_id
from vivavoce.wire.item import InputText, SystemMessage


def item(id: str, text: str = "hi") -> SystemMessage:
    return SystemMessage(id=id, content=[InputText(text=text)])


def holding(*ids: str) -> Conversation:
    conversation = Conversation()
    for id in ids:
        conversation.insert(item(id))
    return conversation


def ids(conversation: Conversation) -> list[str]:
    return [item_id(item) for item in conversation]


@pytest.mark.parametrize(
    ("previous", "order", "told"),
    [
        (None, ["a", "b", "new"], "b"),
        ("", ["a", "b", "new"], "b"),
        ("root", ["new", "a", "b"], None),
        ("a", ["a", "new", "b"], "a"),
        ("b", ["a", "b", "new"], "b"),
    ],
)
def test_an_item_goes_where_the_client_says(previous: str | None, order: list[str], told: str | None) -> None:
    conversation = holding("a", "b")
    assert conversation.insert(item("new"), previous) == told
    assert ids(conversation) == order
    assert conversation.previous("new") == told


def test_the_first_item_stands_after_nothing() -> None:
    assert Conversation().insert(item("a")) is None


def test_an_unknown_neighbour_is_an_error_and_inserts_nothing() -> None:
    conversation = holding("a")
    with pytest.raises(RequestError) as error:
        conversation.insert(item("b"), "nowhere")
    assert (error.value.code, error.value.param) == ("invalid_value", "previous_item_id")
    assert ids(conversation) == ["a"]


def test_an_id_is_taken_once() -> None:
    conversation = holding("a")
    with pytest.raises(RequestError) as error:
        conversation.insert(item("a", "again"))
    assert (error.value.code, error.value.param) == ("invalid_value", "item.id")
    assert conversation.get("a") == item("a")


def test_a_newer_form_takes_the_place_of_the_old_one() -> None:
    conversation = holding("a", "b")
    conversation.replace(item("a", "changed"))
    assert conversation.get("a") == item("a", "changed")
    assert ids(conversation) == ["a", "b"]


def test_what_is_not_there_cannot_be_replaced() -> None:
    with pytest.raises(KeyError):
        holding("a").replace(item("b"))


def test_a_removed_item_is_gone_and_its_id_is_free() -> None:
    conversation = holding("a", "b")
    assert conversation.remove("a")
    assert not conversation.remove("a")
    assert conversation.get("a") is None
    assert "a" not in conversation
    assert (len(conversation), conversation.previous("b")) == (1, None)
    conversation.insert(item("a"))
    assert ids(conversation) == ["b", "a"]


def test_inside_a_conversation_every_item_has_an_id() -> None:
    nameless = SystemMessage(content=[])
    with pytest.raises(TypeError):
        item_id(nameless)
    assert item_id(with_id(nameless, "a")) == "a"
