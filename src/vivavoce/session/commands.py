"""What a client has sent, and truncations that it must not send yet."""

from collections import OrderedDict
from enum import Enum
from typing import Final

from msgspec import UnsetType
from msgspec.structs import replace

from vivavoce.session.effect import Ids
from vivavoce.wire.event import ClientEvent, InputAudioBufferAppend

REMEMBERED: Final = 256
"""Commands that are kept, so that an `error` can be traced to one."""


class Truncation(Enum):
    """When a server takes a truncation of an item that it is still making."""

    NOW = "now"  # it has stopped making it
    WHEN_MADE = "when made"


class Commands:
    """The last commands by their `event_id`, and milliseconds heard of items that are still being made."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._sent: OrderedDict[str, ClientEvent] = OrderedDict()
        self._owed: dict[str, int] = {}

    def stamp(self, event: ClientEvent) -> ClientEvent:
        """The event under an `event_id`, remembered. Sound is not: it would crowd out all the rest."""
        if isinstance(event, InputAudioBufferAppend):
            return event
        if isinstance(event.event_id, UnsetType):
            event = replace(event, event_id=self._ids("event"))
        self._sent[str(event.event_id)] = event
        while len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)
        return event

    def get(self, event_id: str | None) -> ClientEvent | None:
        """A command that was sent lately."""
        return None if event_id is None else self._sent.get(event_id)

    def owe(self, item_id: str, heard_ms: int) -> None:
        """The item is to be truncated as soon as it is made."""
        self._owed[item_id] = heard_ms

    def pay(self, item_id: str) -> int | None:
        """The item is made: where it is to be truncated, if it is."""
        return self._owed.pop(item_id, None)
