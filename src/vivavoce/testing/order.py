"""Whether a server tells a conversation in the protocol's order.

Feed it every event that a client receives. It keeps its own books and shares nothing with the machines that make
the events, so that it can judge them, and any other server. Where the published texts and the live service leave
the order open, so does this.
"""

from typing import Final

from msgspec import UNSET

from vivavoce.testing.need import need
from vivavoce.testing.order_conversation import Ledger, Listing
from vivavoce.testing.order_response import Making, Piece, RemoteNews
from vivavoce.wire.config import TranscriptionSession
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
    Error,
    InputAudioBufferCleared,
    InputAudioBufferCommitted,
    InputAudioBufferDtmfEventReceived,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    InputAudioBufferTimeoutTriggered,
    OutputAudioBufferCleared,
    OutputAudioBufferStarted,
    OutputAudioBufferStopped,
    ResponseCreated,
    ResponseDone,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
    ServerEvent,
    SessionCreated,
    SessionUpdated,
)

_INPUT: Final = (
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    InputAudioBufferTimeoutTriggered,
    InputAudioBufferCommitted,
    InputAudioBufferCleared,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemInputAudioTranscriptionSegment,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionFailed,
)
_ITEMS: Final = (
    ConversationItemAdded,
    ConversationItemCreated,
    ConversationItemDone,
    ConversationItemRetrieved,
    ConversationItemTruncated,
    ConversationItemDeleted,
)
_PLAYING: Final = (OutputAudioBufferStarted, OutputAudioBufferStopped, OutputAudioBufferCleared)


class OrderChecker:
    """Judges one connection's events, one after another."""

    def __init__(self) -> None:
        self._event_ids: set[str] = set()
        self._sent_ids: set[str] = set()
        self._ledger = Ledger()
        self._responses: dict[str, Making] = {}
        self.playing: str | None = None
        """The response that the listener hears, where the server plays."""
        self._owed: ServerEvent | None = None
        """One of the two closing events of an item that the model made; the other must follow at once."""

    @property
    def item_ids(self) -> list[str]:
        """The conversation's items by what the events say, in order."""
        return self._ledger.order

    @property
    def open(self) -> list[str]:
        """What has begun and not ended, in words. Empty when the conversation rests."""
        running = [f"{id} is running" for id, making in self._responses.items() if not making.over]
        playing = [] if self.playing is None else [f"{self.playing} is playing"]
        return running + playing + [f"{id} was committed, not added" for id in self._ledger.committed]

    def in_band(self, response_id: str) -> bool:
        """Whether a response writes, or wrote, the conversation."""
        return self._responses[response_id].in_band

    @property
    def active(self) -> str | None:
        """The response that is writing the conversation."""
        return next((id for id, making in self._responses.items() if making.in_band and not making.over), None)

    def sent(self, event_id: str) -> None:
        """The client has sent an event under this id, so an error may name it."""
        self._sent_ids.add(event_id)

    def see(self, event: ServerEvent) -> None:
        """The next event.

        Raises:
            AssertionError: it may not come here; the message says why.
        """
        try:
            self._count(event)
            self._judge(event)
        except AssertionError as why:
            raise AssertionError(f"{event.type} out of order: {why}\n{event!r}") from None

    def _count(self, event: ServerEvent) -> None:
        first = not self._event_ids
        need(isinstance(event, SessionCreated) == first, "session.created comes first, and once")
        if isinstance(event, SessionCreated | SessionUpdated):
            self._ledger.foretelling = isinstance(event.session, TranscriptionSession)
        if isinstance(event, InputAudioBufferDtmfEventReceived):
            return
        if not isinstance(event.event_id, str):
            raise AssertionError("it has no event_id")
        need(event.event_id not in self._event_ids, "its event_id was used before")
        self._event_ids.add(event.event_id)

    def _judge(self, event: ServerEvent) -> None:
        owed, self._owed = self._owed, None
        if owed is not None:
            self._check_pair(owed, event)
        self._ledger.check_next(event)
        if isinstance(event, Error):
            cause = event.error.event_id
            need(cause in (None, UNSET) or cause in self._sent_ids, f"nobody sent an event {cause!r}")
        elif isinstance(event, _INPUT):
            self._ledger.take_input(event)
        elif isinstance(event, _ITEMS):
            self._judge_item(event, paired=owed is not None)
        elif isinstance(event, _PLAYING):
            self._judge_playing(event)
        elif isinstance(event, ResponseCreated):
            self._begin(event)
        elif isinstance(event, ResponseDone):
            self._running(str(event.response.id)).end(event.response, self._ledger)
        elif isinstance(event, ResponseOutputItemAdded | ResponseOutputItemDone | Piece):
            self._judge_piece(event, paired=owed is not None)
        elif isinstance(event, RemoteNews | Listing):
            self._judge_remote(event)

    # ── responses ──────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, event: ResponseCreated) -> None:
        response = event.response
        if not isinstance(response.id, str):
            raise AssertionError("the response has no id")
        need(response.id not in self._responses, "the response was created before")
        need(not self._ledger.committed, "what was committed must enter the conversation first")
        making = Making(response)
        need(not making.in_band or self.active is None, f"the conversation's response {self.active} is running")
        self._responses[response.id] = making

    def _running(self, response_id: str) -> Making:
        making = self._created(response_id)
        need(not making.over, f"the response {response_id} is done")
        return making

    def _created(self, response_id: str) -> Making:
        if response_id not in self._responses:
            raise AssertionError(f"no response {response_id} was created")
        return self._responses[response_id]

    def _judge_remote(self, event: RemoteNews | Listing) -> None:
        if isinstance(event, Listing):
            self._ledger.take_listing(event)
            return
        maker = next((each for each in self._responses.values() if event.item_id in each.items and not each.over), None)
        if maker is None:
            raise AssertionError(f"no response is making an item {event.item_id}")
        maker.hear(event)

    def _judge_piece(self, event: ResponseOutputItemAdded | ResponseOutputItemDone | Piece, *, paired: bool) -> None:
        making = self._running(event.response_id)
        match event:
            case ResponseOutputItemAdded():
                making.add(event)
            case ResponseOutputItemDone():
                making.close(event)
                if making.in_band and not paired and str(event.item.id) in self._ledger:
                    self._owed = event
            case _:
                in_place = not making.in_band or self._ledger.has_known(event.item_id)
                need(in_place, f"{event.item_id} has not entered the conversation")
                making.take(event)

    # ── items ──────────────────────────────────────────────────────────────────────────────────────────

    def _judge_item(
        self,
        event: ConversationItemAdded
        | ConversationItemCreated
        | ConversationItemDone
        | ConversationItemRetrieved
        | ConversationItemTruncated
        | ConversationItemDeleted,
        *,
        paired: bool,
    ) -> None:
        known_by_id = isinstance(event, ConversationItemTruncated | ConversationItemDeleted)
        id = event.item_id if known_by_id else event.item.id
        # Once a response is done, a client may put an item of its into the conversation under the same id.
        maker = next((each for each in self._responses.values() if id in each.items and not each.over), None)
        if maker is not None:
            need(maker.in_band, f"{id} was made out of band")
        self._ledger.take(event, made=maker is not None)
        if isinstance(event, ConversationItemDone) and maker is not None and not paired:
            self._owed = event

    def _check_pair(self, owed: ServerEvent, event: ServerEvent) -> None:
        """The closing events of an item stand side by side, in either order."""
        match owed, event:
            case (ResponseOutputItemDone(item=first), ConversationItemDone(item=second)) | (
                ConversationItemDone(item=first),
                ResponseOutputItemDone(item=second),
            ) if first.id == second.id:
                pass
            case _:
                raise AssertionError(f"the other end of {owed!r} is owed")

    # ── what is heard ──────────────────────────────────────────────────────────────────────────────────

    def _judge_playing(
        self, event: OutputAudioBufferStarted | OutputAudioBufferStopped | OutputAudioBufferCleared
    ) -> None:
        making = self._created(event.response_id)
        if isinstance(event, OutputAudioBufferStarted):
            need(self.playing is None, f"{self.playing} is still playing")
            need(making.spoken, "the response has no audio part")
            need(not making.played_out, "the response has been played to its end")
            self.playing = event.response_id
            return
        need(self.playing == event.response_id, f"{self.playing} is playing")
        self.playing = None
        if isinstance(event, OutputAudioBufferStopped):
            need(making.over, "the response is not done, so more sound may follow")
            making.played_out = True
