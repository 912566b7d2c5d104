"""What one response answers instead of the conversation."""

import pytest

from vivavoce.errors import RequestError
from vivavoce.session.context import Context
from vivavoce.session.conversation import Conversation
from vivavoce.wire.item import InputText, ItemReference, SystemMessage


def item(id: str, text: str = "hi") -> SystemMessage:
    return SystemMessage(id=id, content=[InputText(text=text)])


def conversation() -> Conversation:
    conversation = Conversation()
    conversation.insert(item("a"))
    conversation.insert(item("b"))
    return conversation


def test_own_items_and_references_stand_in_the_order_in_which_they_were_given() -> None:
    context = Context(conversation())
    context.refer(ItemReference(id="b"), "response.input[0].id")
    context.add(item("own"))
    context.refer(ItemReference(id="a"), "response.input[2].id")
    assert context.items == (item("b"), item("own"), item("a"))
    assert context.ids == ("own",)


def test_a_reference_means_the_item_as_it_is_when_it_is_read() -> None:
    everything = conversation()
    context = Context(everything)
    context.refer(ItemReference(id="a"), "response.input[0].id")
    context.refer(ItemReference(id="b"), "response.input[1].id")
    everything.replace(item("a", "written down since"))
    everything.remove("b")
    assert context.items == (item("a", "written down since"),)


def test_a_reference_to_nothing_is_refused() -> None:
    with pytest.raises(RequestError, match="nowhere") as error:
        Context(conversation()).refer(ItemReference(id="nowhere"), "response.input[0].id")
    assert (error.value.code, error.value.param) == ("invalid_value", "response.input[0].id")


def test_two_items_of_one_id_are_refused() -> None:
    context = Context(conversation())
    context.add(item("own"))
    with pytest.raises(RequestError):
        context.add(item("own"))


def test_an_empty_context_is_empty() -> None:
    assert Context(conversation()).items == ()
