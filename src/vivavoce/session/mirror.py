"""A client's copy of the conversation's items, by what the server tells.

A copy refuses nothing: an item that is told twice is renewed, one whose neighbour is unknown goes to the end, and
words that come before their item wait for it.
"""

from collections.abc import Iterator

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from vivavoce.session.conversation import ROOT, Conversation
from vivavoce.wire.item import AssistantMessage, InputAudio, Item, OutputAudio, UserContent, UserMessage


class Mirror:
    """Items in order. Knows nothing of time, nor of what was heard."""

    def __init__(self) -> None:
        self._conversation = Conversation()
        self._written: dict[str, str] = {}

    def __iter__(self) -> Iterator[Item]:
        return iter(self._conversation)

    def __contains__(self, id: object) -> bool:
        return id in self._conversation

    def get(self, id: str) -> Item | None:
        """The item, or None."""
        return self._conversation.get(id)

    def put(self, item: Item, previous_item_id: str | None | UnsetType = UNSET) -> None:
        """The server has this item now: null before it means first, an absent or unknown neighbour last."""
        if not isinstance(item.id, str):
            return
        item = self._lettered(item, item.id)
        if item.id in self._conversation:
            self._conversation.replace(item)
            return
        if isinstance(previous_item_id, UnsetType):
            place = None
        elif previous_item_id is None:
            place = ROOT
        else:
            place = previous_item_id if previous_item_id in self._conversation else None
        self._conversation.insert(item, place)

    def remove(self, id: str) -> None:
        """The server has dropped an item."""
        self._conversation.remove(id)
        self._written.pop(id, None)

    def transcribed(self, id: str, transcript: str) -> None:
        """What the user said in an item, which may not be here yet."""
        self._written[id] = transcript
        item = self._conversation.get(id)
        if item is not None:
            self._conversation.replace(self._lettered(item, id))

    def _lettered(self, item: Item, id: str) -> Item:
        """The item without its sound and with the words that are known of it."""
        match item:
            case UserMessage():
                words = self._written.get(id)
                return replace(item, content=[_user_part(part, words) for part in item.content])
            case AssistantMessage():
                content = [
                    replace(part, audio=UNSET) if isinstance(part, OutputAudio) else part for part in item.content
                ]
                return replace(item, content=content)
            case _:
                return item


def _user_part(part: UserContent, words: str | None) -> UserContent:
    if not isinstance(part, InputAudio):
        return part
    known = words if words is not None else part.transcript
    return replace(part, audio=UNSET, transcript=known)
