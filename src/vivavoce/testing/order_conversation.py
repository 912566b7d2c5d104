"""The conversation's items by what a server's events say, and whether those events may come."""

from msgspec import UNSET, UnsetType

from vivavoce.testing.need import need
from vivavoce.wire.event import (
    ConversationItemAdded,
    ConversationItemCreated,
    ConversationItemDeleted,
    ConversationItemDone,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemInputAudioTranscriptionFailed,
    ConversationItemInputAudioTranscriptionSegment,
    ConversationItemRetrieved,
    ConversationItemTruncated,
    InputAudioBufferCleared,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    InputAudioBufferTimeoutTriggered,
    McpListToolsCompleted,
    McpListToolsFailed,
    McpListToolsInProgress,
    ServerEvent,
)
from vivavoce.wire.item import (
    AssistantMessage,
    Item,
    McpApprovalRequest,
    McpApprovalResponse,
    McpCall,
    McpListTools,
)

Listing = McpListToolsInProgress | McpListToolsCompleted | McpListToolsFailed
STATELESS = McpCall | McpApprovalRequest | McpApprovalResponse | McpListTools
"""Items that have no status."""

Input = (
    InputAudioBufferSpeechStarted
    | InputAudioBufferSpeechStopped
    | InputAudioBufferTimeoutTriggered
    | InputAudioBufferCommitted
    | InputAudioBufferCleared
    | ConversationItemInputAudioTranscriptionDelta
    | ConversationItemInputAudioTranscriptionSegment
    | ConversationItemInputAudioTranscriptionCompleted
    | ConversationItemInputAudioTranscriptionFailed
)
ItemNews = (
    ConversationItemAdded
    | ConversationItemCreated
    | ConversationItemDone
    | ConversationItemRetrieved
    | ConversationItemTruncated
    | ConversationItemDeleted
)


class Ledger:
    """Items in order, and what is still owed to them."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.committed: dict[str, None] = {}
        """Committed, but not yet added."""
        self._items: dict[str, Item] = {}
        self._known: set[str] = set()
        self._done: set[str] = set()
        self._speech: dict[str, int] = {}
        self._stopped: set[str] = set()
        self._written: set[tuple[str, int]] = set()
        self._ends: dict[str, int] = {}
        self._listings: dict[str, str] = {}
        self.foretelling = False
        """Whether words may come before anything else of their item: where everything is written down as it comes."""
        self._foretold: str | None = None
        """Known only by its first words: what the next commit must make an item of."""
        self._hasty: str | None = None
        """Added by somebody else than the model, so done comes at once."""

    def __contains__(self, id: str) -> bool:
        return id in self._items

    def has_known(self, id: str) -> bool:
        """Whether the conversation has or once had the item."""
        return id in self._known

    def check_next(self, event: ServerEvent) -> None:
        """What is not made by the model is done as soon as it is added."""
        if self._hasty is not None:
            right = isinstance(event, ConversationItemDone) and event.item.id == self._hasty
            need(right, f"conversation.item.done of {self._hasty} is owed")
            self._hasty = None

    # ── the user's sound ───────────────────────────────────────────────────────────────────────────────

    def take_input(self, event: Input) -> None:
        """An event about what the user says."""
        match event:
            case InputAudioBufferSpeechStarted(item_id=id):
                need(id not in self._known and id not in self._speech, f"the id {id} was used before")
                self._speech[id] = event.audio_start_ms
                self._foretold = None
            case InputAudioBufferSpeechStopped(item_id=id):
                need(id in self._speech and id not in self._known, f"no speech {id} was started")
                need(id not in self._stopped, f"the speech {id} was stopped before")
                need(id not in self.committed, f"the speech {id} was committed before")
                need(event.audio_end_ms >= self._speech[id], "speech cannot end before it began")
                self._stopped.add(id)
            case InputAudioBufferTimeoutTriggered(item_id=id):
                need(id not in self._known and id not in self._speech, f"the id {id} was used before")
                need(event.audio_end_ms >= event.audio_start_ms, "silence cannot end before it began")
            case InputAudioBufferCommitted(item_id=id):
                need(id not in self._known and id not in self.committed, f"{id} was committed before")
                last = self.order[-1] if self.order else None
                need(event.previous_item_id in (UNSET, last), f"it would stand after {last}")
                need(self._foretold in (None, id), f"words were told of {self._foretold}")
                self._foretold = None
                self.committed[id] = None
            case InputAudioBufferCleared():
                self._foretold = None
            case _:
                self._take_words(event)

    def _take_words(
        self,
        event: ConversationItemInputAudioTranscriptionDelta
        | ConversationItemInputAudioTranscriptionSegment
        | ConversationItemInputAudioTranscriptionCompleted
        | ConversationItemInputAudioTranscriptionFailed,
    ) -> None:
        if event.item_id not in self._known and event.item_id not in self._speech:
            need(self.foretelling, f"nobody knows an item {event.item_id}")
            need(self._foretold in (None, event.item_id), f"words were told of {self._foretold} before")
            self._foretold = event.item_id
        index = 0 if isinstance(event.content_index, UnsetType) else event.content_index
        part = event.item_id, index
        need(part not in self._written, "its transcript was completed, or had failed, before")
        final = ConversationItemInputAudioTranscriptionCompleted | ConversationItemInputAudioTranscriptionFailed
        if isinstance(event, final):
            need(event.item_id in self._known, "the item has not entered the conversation")
            self._written.add(part)

    def take_listing(self, event: Listing) -> None:
        """An event about the tools of an MCP server; its item stands in the conversation, unless it was deleted."""
        before = self._listings.get(event.item_id)
        need(before is not None, "there is no such listing")
        if isinstance(event, McpListToolsInProgress):
            need(before == "added", "the listing was begun before")
            self._listings[event.item_id] = "in progress"
        else:
            need(before == "in progress", "the listing is not in progress")
            self._listings[event.item_id] = "told"

    # ── items ──────────────────────────────────────────────────────────────────────────────────────────

    def take(self, event: ItemNews, *, made: bool) -> None:
        """An event about an item; `made` by the model or put in by somebody else."""
        match event:
            case ConversationItemAdded() | ConversationItemCreated():
                self._add(event.item, event.previous_item_id, made=made)
            case ConversationItemDone():
                self._finish(event.item, event.previous_item_id)
            case ConversationItemRetrieved():
                need(event.item.id in self._items, "the conversation has no such item")
            case ConversationItemTruncated(item_id=id):
                self._truncate(id, event.audio_end_ms)
            case ConversationItemDeleted(item_id=id):
                need(id in self._items, "the conversation has no such item")
                del self._items[id]
                self.order.remove(id)

    def _add(self, item: Item, previous: str | None | UnsetType, *, made: bool) -> None:
        id = _id(item)
        need(id not in self._items, f"the conversation has an item {id}")
        if isinstance(previous, UnsetType):
            place = len(self.order)
        else:
            need(previous is None or previous in self._items, f"the conversation has no item {previous}")
            place = 0 if previous is None else self.order.index(previous) + 1
        self.order.insert(place, id)
        self._items[id] = item
        self._known.add(id)
        self._done.discard(id)
        self._ends.pop(id, None)
        self._written = {part for part in self._written if part[0] != id}
        self.committed.pop(id, None)
        if isinstance(item, McpListTools):
            need(not item.tools, "its tools are not known yet")
            self._listings[id] = "added"
        elif made:
            need(item.status == "in_progress" or isinstance(item, STATELESS), "the model has just begun it")
        else:
            need(item.status != "in_progress", "nobody is making it")
            self._hasty = id

    def _finish(self, item: Item, previous: str | None | UnsetType) -> None:
        id = _id(item)
        need(id in self._items, "the conversation has no such item")
        need(id not in self._done, "the item was done before")
        need(item.status != "in_progress", "what is done is not in progress")
        if isinstance(item, McpListTools):
            need(self._listings.get(id) == "told", "nobody was told whether the listing went well")
        place = self.order.index(id)
        before = self.order[place - 1] if place else None
        need(previous in (UNSET, before), f"it stands after {before}")
        self._items[id] = item
        self._done.add(id)

    def _truncate(self, id: str, end_ms: int) -> None:
        need(id in self._items, "the conversation has no such item")
        need(isinstance(self._items[id], AssistantMessage), "only what the assistant says can be truncated")
        need(id in self._done, "the item is still being made")
        need(0 <= end_ms <= self._ends.get(id, end_ms), f"it ended at {self._ends.get(id)} ms already")
        self._ends[id] = end_ms


def _id(item: Item) -> str:
    if not isinstance(item.id, str):
        raise AssertionError("the item has no id")
    return item.id
