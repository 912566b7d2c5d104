"""What a client has sent, and truncations that it must not send yet."""

from collections import OrderedDict
from enum import Enum
from typing import Final

from msgspec import UnsetType
from msgspec.structs import replace

from vivavoce.session.effect import Ids
from vivavoce.wire.config import Session, merge
from vivavoce.wire.event import ClientEvent, ConversationItemCreate, InputAudioBufferAppend, SessionUpdate
from vivavoce.wire.item import FunctionCallOutput, Item, Message

REMEMBERED: Final = 256
"""Commands that are kept, so that an `error` can be traced to one."""


Lasting = ConversationItemCreate | SessionUpdate
"""Commands that change what the server holds."""


class Truncation(Enum):
    """When a server takes a truncation of an item that it is still making."""

    NOW = "now"  # it has stopped making it
    WHEN_MADE = "when made"


class Commands:
    """The last commands by their `event_id`, and milliseconds heard of items that are still being made.

    `changes` is all that has been changed of the config since the session began, as far as the server has confirmed.
    """

    def __init__(self, ids: Ids, changes: Session | None = None) -> None:
        self.changes = changes
        self._ids = ids
        self._sent: OrderedDict[str, ClientEvent] = OrderedDict()
        self._unseen: OrderedDict[str, ConversationItemCreate | SessionUpdate] = OrderedDict()
        self._owed: dict[str, int] = {}

    def stamp(self, event: ClientEvent) -> ClientEvent:
        """The event under an `event_id`, remembered. Sound is not: it would crowd out all the rest."""
        if isinstance(event, InputAudioBufferAppend):
            return event
        if isinstance(event.event_id, UnsetType):
            event = replace(event, event_id=self._ids("event"))
        self._sent[str(event.event_id)] = event
        if isinstance(event, Lasting):
            self._unseen[str(event.event_id)] = event
        for book in (self._sent, self._unseen):
            while len(book) > REMEMBERED:
                book.popitem(last=False)
        return event

    @property
    def unseen(self) -> tuple[ConversationItemCreate | SessionUpdate, ...]:
        """Commands with a lasting effect that the server has neither confirmed nor refused, in order."""
        return tuple(self._unseen.values())

    def made(self, item: Item) -> None:
        """The server has an item, maybe one that it was told of."""
        for event_id, event in self._unseen.items():
            if isinstance(event, ConversationItemCreate) and _same(event.item, item):
                del self._unseen[event_id]
                return

    def configured(self) -> None:
        """The server has carried out the oldest change of the config that it has not confirmed before."""
        for event_id, event in self._unseen.items():
            if isinstance(event, SessionUpdate):
                del self._unseen[event_id]
                self.changes = event.session if self.changes is None else _merged(self.changes, event.session)
                return

    def refused(self, event_id: str | None) -> None:
        """The server has refused a command."""
        if event_id is not None:
            self._unseen.pop(event_id, None)

    def get(self, event_id: str | None) -> ClientEvent | None:
        """A command that was sent lately."""
        return None if event_id is None else self._sent.get(event_id)

    def owe(self, item_id: str, heard_ms: int) -> None:
        """The item is to be truncated as soon as it is made."""
        self._owed[item_id] = heard_ms

    def pay(self, item_id: str) -> int | None:
        """The item is made: where it is to be truncated, if it is."""
        return self._owed.pop(item_id, None)


def _same(told: Item, made: Item) -> bool:
    """Whether the item that the server has can be the one that it was told of."""
    if isinstance(told.id, str):
        return told.id == made.id
    if isinstance(told, FunctionCallOutput) and isinstance(made, FunctionCallOutput):
        return told.call_id == made.call_id
    return type(told) is type(made) and _form(told) == _form(made)


def _form(item: Item) -> list[type]:
    """Of what kinds the content of a message is: what was typed is never taken for something spoken."""
    return [type(part) for part in item.content] if isinstance(item, Message) else []


def _merged(old: Session, new: Session) -> Session:
    return merge(old, new) if type(old) is type(new) else new
