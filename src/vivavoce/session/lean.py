"""Events for a connection that cannot carry all that another party of the same call may say."""

from msgspec.structs import replace

from vivavoce.wire.event import (
    ConversationItemAdded,
    ConversationItemDone,
    ConversationItemRetrieved,
    ServerEvent,
)
from vivavoce.wire.item import InputImage, Item, UserMessage


def lean(event: ServerEvent) -> ServerEvent:
    """The event with its pictures left out: a data channel carries 256 KB at once, a socket many times that.

    Whoever reads it learns of the item and its place, and by an empty URL that there is a picture in it.
    """
    match event:
        case ConversationItemAdded() | ConversationItemDone() | ConversationItemRetrieved():
            return replace(event, item=_without_pictures(event.item))
        case _:
            return event


def _without_pictures(item: Item) -> Item:
    if not isinstance(item, UserMessage):
        return item
    content = [replace(part, image_url="") if isinstance(part, InputImage) else part for part in item.content]
    return replace(item, content=content)
