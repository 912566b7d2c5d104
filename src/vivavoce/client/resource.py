"""The names by which programs command a call: those of the realtime connection in OpenAI's Python SDK.

A program written for that connection finds `call.session.update`, `call.response.create` and their like here. Each
takes the wire's own fields, as plain dictionaries or as types of `vivavoce.wire`, and returns when the event is sent.
"""

from collections.abc import Awaitable, Callable, Mapping

from msgspec import UNSET, Struct, UnsetType

Fields = Mapping[str, object] | Struct
"""An object of the wire."""
Order = Callable[[Mapping[str, object]], Awaitable[None]]
"""Sends one event given by its fields. Fields that are unset are left out."""


class Resource:
    """A family of commands."""

    def __init__(self, order: Order) -> None:
        self._order = order


class SessionCommands(Resource):
    """`session.*`."""

    async def update(self, *, session: Fields, event_id: str | UnsetType = UNSET) -> None:
        """Change the session's config: the keys that are given.

        A list of `tools` replaces the whole list, the functions given to `connect` included.
        """
        await self._order({"type": "session.update", "session": session, "event_id": event_id})


class ResponseCommands(Resource):
    """`response.*`."""

    async def create(self, *, response: Fields | UnsetType = UNSET, event_id: str | UnsetType = UNSET) -> None:
        """Ask for an answer."""
        await self._order({"type": "response.create", "response": response, "event_id": event_id})

    async def cancel(self, *, response_id: str | UnsetType = UNSET, event_id: str | UnsetType = UNSET) -> None:
        """Stop an answer: the conversation's, or the one of that id."""
        await self._order({"type": "response.cancel", "response_id": response_id, "event_id": event_id})


class InputAudioCommands(Resource):
    """`input_audio_buffer.*`."""

    async def append(self, *, audio: str, event_id: str | UnsetType = UNSET) -> None:
        """More of the user's sound, base64 in the session's input format. `Call.send_audio` takes samples."""
        await self._order({"type": "input_audio_buffer.append", "audio": audio, "event_id": event_id})

    async def commit(self, *, event_id: str | UnsetType = UNSET) -> None:
        """The user's turn is over; for sessions without turn detection."""
        await self._order({"type": "input_audio_buffer.commit", "event_id": event_id})

    async def clear(self, *, event_id: str | UnsetType = UNSET) -> None:
        """Forget what the user has said since the last turn."""
        await self._order({"type": "input_audio_buffer.clear", "event_id": event_id})


class OutputAudioCommands(Resource):
    """`output_audio_buffer.*`."""

    async def clear(self, *, event_id: str | UnsetType = UNSET) -> None:
        """Stop what is being heard of the assistant. Works over a WebSocket too, where this side plays."""
        await self._order({"type": "output_audio_buffer.clear", "event_id": event_id})


class ItemCommands(Resource):
    """`conversation.item.*`."""

    async def create(
        self, *, item: Fields, previous_item_id: str | UnsetType = UNSET, event_id: str | UnsetType = UNSET
    ) -> None:
        """Insert an item: at the end, after another, or first (`root`)."""
        fields = {"item": item, "previous_item_id": previous_item_id, "event_id": event_id}
        await self._order({"type": "conversation.item.create", **fields})

    async def retrieve(self, *, item_id: str, event_id: str | UnsetType = UNSET) -> None:
        """Ask for the server's copy of an item, sound included."""
        await self._order({"type": "conversation.item.retrieve", "item_id": item_id, "event_id": event_id})

    async def truncate(
        self, *, item_id: str, content_index: int, audio_end_ms: int, event_id: str | UnsetType = UNSET
    ) -> None:
        """Cut what the assistant said to what was heard. A call does so by itself when the user interrupts."""
        fields = {"item_id": item_id, "content_index": content_index, "audio_end_ms": audio_end_ms}
        await self._order({"type": "conversation.item.truncate", **fields, "event_id": event_id})

    async def delete(self, *, item_id: str, event_id: str | UnsetType = UNSET) -> None:
        """Remove an item."""
        await self._order({"type": "conversation.item.delete", "item_id": item_id, "event_id": event_id})


class ConversationCommands:
    """`conversation.*`."""

    def __init__(self, order: Order) -> None:
        self.item = ItemCommands(order)
        """The items of the conversation."""


class Commands:
    """All families of commands, to be inherited by what can carry them out."""

    def __init__(self, order: Order) -> None:
        self.session = SessionCommands(order)
        self.response = ResponseCommands(order)
        self.conversation = ConversationCommands(order)
        self.input_audio_buffer = InputAudioCommands(order)
        self.output_audio_buffer = OutputAudioCommands(order)
