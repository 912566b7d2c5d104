"""Events of the beta that GA names or shapes otherwise; all others are those of `wire.event`."""

from typing import TypeAlias

from msgspec import UNSET, UnsetType

from vivavoce.wire.beta.config import BetaResponse, BetaResponseConfig, BetaSession, BetaTranscriptionSession
from vivavoce.wire.beta.item import BetaItem
from vivavoce.wire.event import (
    ClientBase,
    ConversationItemDelete,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    OutputAudioBufferClear,
    ResponseCancel,
    ServerBase,
)

# ── what a client sends ───────────────────────────────────────────────────────────────────────────────────


class BetaSessionUpdate(ClientBase, frozen=True, kw_only=True, tag="session.update"):
    """Changes the config of a conversation."""

    session: BetaSession


class BetaTranscriptionSessionUpdate(ClientBase, frozen=True, kw_only=True, tag="transcription_session.update"):
    """Changes the config of a session that only writes down."""

    session: BetaTranscriptionSession


class BetaItemCreate(ClientBase, frozen=True, kw_only=True, tag="conversation.item.create"):
    """Inserts an item; a null neighbour means the end, like an absent one."""

    item: BetaItem
    previous_item_id: str | None | UnsetType = UNSET


class BetaResponseCreate(ClientBase, frozen=True, kw_only=True, tag="response.create"):
    """Starts an answer."""

    response: BetaResponseConfig | UnsetType = UNSET


BetaChanged: TypeAlias = BetaSessionUpdate | BetaTranscriptionSessionUpdate | BetaItemCreate | BetaResponseCreate
"""What GA says otherwise."""

BetaKept: TypeAlias = (
    InputAudioBufferAppend
    | InputAudioBufferCommit
    | InputAudioBufferClear
    | ConversationItemRetrieve
    | ConversationItemTruncate
    | ConversationItemDelete
    | ResponseCancel
    | OutputAudioBufferClear
)
"""What GA says in the same words."""

# ── what a server sends ───────────────────────────────────────────────────────────────────────────────────


class BetaSessionCreated(ServerBase, frozen=True, kw_only=True, tag="session.created"):
    """First on every connection to a conversation."""

    session: BetaSession


class BetaSessionUpdated(ServerBase, frozen=True, kw_only=True, tag="session.updated"):
    """After each accepted `session.update`."""

    session: BetaSession


class BetaTranscriptionSessionCreated(ServerBase, frozen=True, kw_only=True, tag="transcription_session.created"):
    """First on every connection to a transcription session."""

    session: BetaTranscriptionSession


class BetaTranscriptionSessionUpdated(ServerBase, frozen=True, kw_only=True, tag="transcription_session.updated"):
    """After each accepted `transcription_session.update`."""

    session: BetaTranscriptionSession


class BetaItemCreated(ServerBase, frozen=True, kw_only=True, tag="conversation.item.created"):
    """An item entered the conversation."""

    item: BetaItem
    previous_item_id: str | None | UnsetType = UNSET


class BetaItemRetrieved(ServerBase, frozen=True, kw_only=True, tag="conversation.item.retrieved"):
    """Answers `conversation.item.retrieve`."""

    item: BetaItem


class BetaOutputItemAdded(ServerBase, frozen=True, kw_only=True, tag="response.output_item.added"):
    """A new output item."""

    response_id: str
    output_index: int
    item: BetaItem


class BetaOutputItemDone(ServerBase, frozen=True, kw_only=True, tag="response.output_item.done"):
    """That item is final."""

    response_id: str
    output_index: int
    item: BetaItem


class BetaResponseCreated(ServerBase, frozen=True, kw_only=True, tag="response.created"):
    """An answer begins."""

    response: BetaResponse


class BetaResponseDone(ServerBase, frozen=True, kw_only=True, tag="response.done"):
    """An answer ended."""

    response: BetaResponse
