"""What one response is to answer instead of the conversation: `input` of its `response.create`."""

from vivavoce.errors import RequestError
from vivavoce.session.conversation import Conversation, item_id
from vivavoce.wire.item import Item, ItemReference


class Context:
    """Items of its own beside references to items of the conversation, which are looked up as late as can be.

    Words of either may still be on their way from a transcriber when the response is asked for.
    """

    def __init__(self, conversation: Conversation) -> None:
        self.own = Conversation()
        self._conversation = conversation
        self._order: list[str] = []

    def add(self, item: Item) -> None:
        """An item of its own, which has an id.

        Raises:
            RequestError: two items with one id (`invalid_value`).
        """
        self.own.insert(item)
        self._order.append(item_id(item))

    def refer(self, reference: ItemReference, param: str) -> None:
        """An item of the conversation.

        Raises:
            RequestError: there is none of that id (`invalid_value`).
        """
        if reference.id not in self._conversation:
            raise RequestError(
                f"There is no item '{reference.id}' in the conversation to refer to.",
                code="invalid_value",
                param=param,
            )
        self._order.append(reference.id)

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of its own items."""
        return tuple(map(item_id, self.own))

    @property
    def items(self) -> tuple[Item, ...]:
        """All of them as they are now. What has been deleted since is left out."""
        found = (self.own.get(id) or self._conversation.get(id) for id in self._order)
        return tuple(item for item in found if item is not None)
