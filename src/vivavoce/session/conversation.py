"""The ordered items of a conversation. `Host` owns the truth, `Peer` a mirror of it; both use this."""

from collections.abc import Iterator

import msgspec

from vivavoce.errors import RequestError
from vivavoce.wire.item import Item

ROOT = "root"
"""What a client calls the place before the first item. Servers report that place as null."""


def item_id(item: Item) -> str:
    """The item's id, which every item inside a conversation has.

    Raises:
        TypeError: an item that was never given one.
    """
    if not isinstance(item.id, str):
        raise TypeError(f"an item inside a conversation has no id: {item!r}")
    return item.id


class Conversation:
    """Items by id, in order. Knows nothing of time, sound or responses."""

    def __init__(self) -> None:
        self._order: list[str] = []
        self._items: dict[str, Item] = {}

    def __iter__(self) -> Iterator[Item]:
        return (self._items[id] for id in self._order)

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, id: object) -> bool:
        return id in self._items

    def get(self, id: str) -> Item | None:
        """The item, or None."""
        return self._items.get(id)

    def last(self) -> str | None:
        """Id of the last item."""
        return self._order[-1] if self._order else None

    def previous(self, id: str) -> str | None:
        """Id of the item before this one; None when it is the first."""
        place = self._order.index(id)
        return self._order[place - 1] if place else None

    def place(self, previous_item_id: str | None) -> int:
        """The position that a client means by `previous_item_id`: absent or empty is the end, `root` the start.

        Raises:
            RequestError: no such item (`invalid_value`, param `previous_item_id`).
        """
        if not previous_item_id:
            return len(self._order)
        if previous_item_id == ROOT:
            return 0
        if previous_item_id not in self._items:
            raise RequestError(
                f"Item '{previous_item_id}' does not exist in the conversation, so nothing can be put after it.",
                code="invalid_value",
                param="previous_item_id",
            )
        return self._order.index(previous_item_id) + 1

    def insert(self, item: Item, previous_item_id: str | None = None) -> str | None:
        """Put an item after another and return the id before it, None at the start.

        Raises:
            RequestError: an unknown `previous_item_id`, or an id that is taken (`invalid_value`, param `item.id`).
        """
        id = item_id(item)
        place = self.place(previous_item_id)
        if id in self._items:
            raise RequestError(
                f"The conversation already has an item '{id}'. Leave the id out to have one made.",
                code="invalid_value",
                param="item.id",
            )
        self._order.insert(place, id)
        self._items[id] = item
        return self._order[place - 1] if place else None

    def replace(self, item: Item) -> None:
        """Put a newer form of an item in its place.

        Raises:
            KeyError: there is no such item.
        """
        id = item_id(item)
        if id not in self._items:
            raise KeyError(id)
        self._items[id] = item

    def remove(self, id: str) -> bool:
        """Take an item out; False when there is none."""
        if self._items.pop(id, None) is None:
            return False
        self._order.remove(id)
        return True


def with_id(item: Item, id: str) -> Item:
    """The item under that id."""
    return msgspec.structs.replace(item, id=id)
