"""Every event of the protocol: eleven that a client sends, forty-six that a server sends.

A class is named like its wire type. `event_id` is unset until the sender stamps it. Only the shape is known here;
when an event is legal is for `session` to say.
"""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from vivavoce.wire.config import (
    ContentPart,
    Conversation,
    LogProb,
    RateLimit,
    Response,
    ResponseConfig,
    Session,
    TranscriptionLanguage,
    TranscriptionUsage,
)
from vivavoce.wire.item import Item
from vivavoce.wire.struct import Tagged

# ── what a client sends ───────────────────────────────────────────────────────────────────────────────────


class ClientBase(Tagged, frozen=True, kw_only=True):
    """Any client event. An `error` about it names its `event_id`."""

    event_id: Annotated[str, Meta(max_length=512)] | UnsetType = UNSET


class SessionUpdate(ClientBase, frozen=True, kw_only=True, tag="session.update"):
    """Changes the config: only the keys present.

    Answered by `session.updated`, or by one `error` and no change at all.
    """

    session: Session


class InputAudioBufferAppend(ClientBase, frozen=True, kw_only=True, tag="input_audio_buffer.append"):
    """More of the user's sound: base64 in the input format, 15 MiB at most, any length. Never acknowledged."""

    audio: str


class InputAudioBufferCommit(ClientBase, frozen=True, kw_only=True, tag="input_audio_buffer.commit"):
    """Makes the buffered sound a user message. Never starts a response by itself."""


class InputAudioBufferClear(ClientBase, frozen=True, kw_only=True, tag="input_audio_buffer.clear"):
    """Drops the buffered sound."""


class ConversationItemCreate(ClientBase, frozen=True, kw_only=True, tag="conversation.item.create"):
    """Inserts an item: at the end, after `previous_item_id`, or first when that is `root`."""

    item: Item
    previous_item_id: str | UnsetType = UNSET


class ConversationItemRetrieve(ClientBase, frozen=True, kw_only=True, tag="conversation.item.retrieve"):
    """Asks for the server's copy of an item, sound included."""

    item_id: str


class ConversationItemTruncate(ClientBase, frozen=True, kw_only=True, tag="conversation.item.truncate"):
    """Cuts an assistant message to what was heard; its transcript goes too."""

    item_id: str
    content_index: int
    audio_end_ms: int


class ConversationItemDelete(ClientBase, frozen=True, kw_only=True, tag="conversation.item.delete"):
    """Removes an item."""

    item_id: str


class ResponseCreate(ClientBase, frozen=True, kw_only=True, tag="response.create"):
    """Starts an answer."""

    response: ResponseConfig | UnsetType = UNSET


class ResponseCancel(ClientBase, frozen=True, kw_only=True, tag="response.cancel"):
    """Stops an answer: the running one, unless `response_id` names another."""

    response_id: str | UnsetType = UNSET


class OutputAudioBufferClear(ClientBase, frozen=True, kw_only=True, tag="output_audio_buffer.clear"):
    """WebRTC and SIP: stops the playing of sound already made; sent after `response.cancel`."""


ClientEvent: TypeAlias = (
    SessionUpdate
    | InputAudioBufferAppend
    | InputAudioBufferCommit
    | InputAudioBufferClear
    | ConversationItemCreate
    | ConversationItemRetrieve
    | ConversationItemTruncate
    | ConversationItemDelete
    | ResponseCreate
    | ResponseCancel
    | OutputAudioBufferClear
)

# ── what a server sends ───────────────────────────────────────────────────────────────────────────────────


class ServerBase(Tagged, frozen=True, kw_only=True, dict=True):
    """Any server event. Keys that no type names stay beside it (`codec.extra`)."""

    event_id: str | UnsetType = UNSET


class ErrorBody(Struct, frozen=True, kw_only=True):
    """What went wrong. `event_id` is that of the client event to blame, or null; `param` the path to its fault."""

    type: str
    message: str
    code: str | None | UnsetType = UNSET
    param: str | None | UnsetType = UNSET
    event_id: str | None | UnsetType = UNSET


class TranscriptionError(Struct, frozen=True, kw_only=True):
    """Why an item could not be written down."""

    type: str | UnsetType = UNSET
    message: str | UnsetType = UNSET
    code: str | None | UnsetType = UNSET
    param: str | None | UnsetType = UNSET


# ── connection and conversation ───────────────────────────────────────────────────────────────────────────


class Error(ServerBase, frozen=True, kw_only=True, tag="error"):
    """A mistake of the client or a fault of the server; the session normally lives on."""

    error: ErrorBody


class SessionCreated(ServerBase, frozen=True, kw_only=True, tag="session.created"):
    """First on every connection: the whole config."""

    session: Session


class SessionUpdated(ServerBase, frozen=True, kw_only=True, tag="session.updated"):
    """After each accepted `session.update`: the whole config."""

    session: Session


class ConversationCreated(ServerBase, frozen=True, kw_only=True, tag="conversation.created"):
    """May follow `session.created`; nobody should wait for it."""

    conversation: Conversation


class ConversationItemCreated(ServerBase, frozen=True, kw_only=True, tag="conversation.item.created"):
    """The beta's name for `conversation.item.added`; still typed, no longer sent."""

    item: Item
    previous_item_id: str | None | UnsetType = UNSET


class ConversationItemAdded(ServerBase, frozen=True, kw_only=True, tag="conversation.item.added"):
    """An item entered the conversation; the model's own are `in_progress` and empty."""

    item: Item
    previous_item_id: str | None | UnsetType = UNSET


class ConversationItemDone(ServerBase, frozen=True, kw_only=True, tag="conversation.item.done"):
    """That item is final."""

    item: Item
    previous_item_id: str | None | UnsetType = UNSET


class ConversationItemRetrieved(ServerBase, frozen=True, kw_only=True, tag="conversation.item.retrieved"):
    """Answers `conversation.item.retrieve`."""

    item: Item


class ConversationItemTruncated(ServerBase, frozen=True, kw_only=True, tag="conversation.item.truncated"):
    """An assistant message now ends at `audio_end_ms`."""

    item_id: str
    content_index: int
    audio_end_ms: int


class ConversationItemDeleted(ServerBase, frozen=True, kw_only=True, tag="conversation.item.deleted"):
    """Answers `conversation.item.delete`."""

    item_id: str


# ── transcripts of the user, in no fixed order with responses or with one another ─────────────────────────


class ConversationItemInputAudioTranscriptionDelta(
    ServerBase, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.delta"
):
    """More of a transcript; may come before the item is committed."""

    item_id: str
    content_index: int | UnsetType = UNSET
    delta: str | UnsetType = UNSET
    logprobs: list[LogProb] | None | UnsetType = UNSET


class ConversationItemInputAudioTranscriptionCompleted(
    ServerBase, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.completed"
):
    """The whole transcript of one item and its price."""

    item_id: str
    content_index: int
    transcript: str
    usage: TranscriptionUsage | UnsetType = UNSET
    languages: list[TranscriptionLanguage] | UnsetType = UNSET
    logprobs: list[LogProb] | None | UnsetType = UNSET


class ConversationItemInputAudioTranscriptionFailed(
    ServerBase, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.failed"
):
    """An item could not be written down."""

    item_id: str
    content_index: int
    error: TranscriptionError


class ConversationItemInputAudioTranscriptionSegment(
    ServerBase, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.segment"
):
    """One speaker's piece from a diarizing model; `start` and `end` in seconds."""

    id: str
    item_id: str
    content_index: int
    text: str
    speaker: str
    start: float
    end: float


# ── input ─────────────────────────────────────────────────────────────────────────────────────────────────


class InputAudioBufferCommitted(ServerBase, frozen=True, kw_only=True, tag="input_audio_buffer.committed"):
    """The buffer became the user item `item_id`."""

    item_id: str
    previous_item_id: str | None | UnsetType = UNSET


class InputAudioBufferCleared(ServerBase, frozen=True, kw_only=True, tag="input_audio_buffer.cleared"):
    """Answers `input_audio_buffer.clear`."""


class InputAudioBufferSpeechStarted(ServerBase, frozen=True, kw_only=True, tag="input_audio_buffer.speech_started"):
    """The user speaks. `audio_start_ms` counts all input of the session and includes the prefix padding."""

    item_id: str
    audio_start_ms: int


class InputAudioBufferSpeechStopped(ServerBase, frozen=True, kw_only=True, tag="input_audio_buffer.speech_stopped"):
    """The user has stopped, the silence that proves it included; `committed` follows."""

    item_id: str
    audio_end_ms: int


class InputAudioBufferTimeoutTriggered(
    ServerBase, frozen=True, kw_only=True, tag="input_audio_buffer.timeout_triggered"
):
    """Nobody spoke for `idle_timeout_ms`; the silence is committed and a response starts."""

    item_id: str
    audio_start_ms: int
    audio_end_ms: int


class InputAudioBufferDtmfEventReceived(
    ServerBase, frozen=True, kw_only=True, tag="input_audio_buffer.dtmf_event_received"
):
    """SIP: a key was pressed, one of `0-9*#A-D`, at `received_at` unix seconds. Has no `event_id` on the wire."""

    event: str
    received_at: int


# ── playout, told only where the server paces it (WebRTC, SIP) ────────────────────────────────────────────


class OutputAudioBufferStarted(ServerBase, frozen=True, kw_only=True, tag="output_audio_buffer.started"):
    """The first sound of a response leaves."""

    response_id: str


class OutputAudioBufferStopped(ServerBase, frozen=True, kw_only=True, tag="output_audio_buffer.stopped"):
    """All sound of a response has been played; after `response.done`."""

    response_id: str


class OutputAudioBufferCleared(ServerBase, frozen=True, kw_only=True, tag="output_audio_buffer.cleared"):
    """The rest of the sound was dropped: the user spoke, or the client cleared it."""

    response_id: str


# ── responses ─────────────────────────────────────────────────────────────────────────────────────────────


class ResponseCreated(ServerBase, frozen=True, kw_only=True, tag="response.created"):
    """An answer begins."""

    response: Response


class ResponseDone(ServerBase, frozen=True, kw_only=True, tag="response.done"):
    """An answer ended, exactly once and however it ended."""

    response: Response


class ResponseOutputItemAdded(ServerBase, frozen=True, kw_only=True, tag="response.output_item.added"):
    """A new output item, empty; a function call has its name and `call_id` already."""

    response_id: str
    output_index: int
    item: Item


class ResponseOutputItemDone(ServerBase, frozen=True, kw_only=True, tag="response.output_item.done"):
    """That output item is final: `completed`, or `incomplete` when it was cut."""

    response_id: str
    output_index: int
    item: Item


class ResponseContentPartAdded(ServerBase, frozen=True, kw_only=True, tag="response.content_part.added"):
    """A new part of an assistant message."""

    response_id: str
    item_id: str
    output_index: int
    content_index: int
    part: ContentPart


class ResponseContentPartDone(ServerBase, frozen=True, kw_only=True, tag="response.content_part.done"):
    """That part is final, with its text or transcript."""

    response_id: str
    item_id: str
    output_index: int
    content_index: int
    part: ContentPart


class ResponseOutputTextDelta(ServerBase, frozen=True, kw_only=True, tag="response.output_text.delta"):
    """More text."""

    response_id: str
    item_id: str
    output_index: int
    content_index: int
    delta: str


class ResponseOutputTextDone(ServerBase, frozen=True, kw_only=True, tag="response.output_text.done"):
    """The whole text, also of a cut answer."""

    response_id: str
    item_id: str
    output_index: int
    content_index: int
    text: str


class ResponseOutputAudioDelta(ServerBase, frozen=True, kw_only=True, tag="response.output_audio.delta"):
    """WebSocket: more sound, base64 in the output format."""

    response_id: str
    item_id: str
    output_index: int
    content_index: int
    delta: str


class ResponseOutputAudioDone(ServerBase, frozen=True, kw_only=True, tag="response.output_audio.done"):
    """No more sound for this part."""

    response_id: str
    item_id: str
    output_index: int
    content_index: int


class ResponseOutputAudioTranscriptDelta(
    ServerBase, frozen=True, kw_only=True, tag="response.output_audio_transcript.delta"
):
    """More of what the voice says, ahead of its sound."""

    response_id: str
    item_id: str
    output_index: int
    content_index: int
    delta: str


class ResponseOutputAudioTranscriptDone(
    ServerBase, frozen=True, kw_only=True, tag="response.output_audio_transcript.done"
):
    """All that was to be said, which is not always what was heard."""

    response_id: str
    item_id: str
    output_index: int
    content_index: int
    transcript: str


class ResponseFunctionCallArgumentsDelta(
    ServerBase, frozen=True, kw_only=True, tag="response.function_call_arguments.delta"
):
    """More of a function call's JSON arguments."""

    response_id: str
    item_id: str
    output_index: int
    call_id: str
    delta: str


class ResponseFunctionCallArgumentsDone(
    ServerBase, frozen=True, kw_only=True, tag="response.function_call_arguments.done"
):
    """The whole JSON arguments; servers older than 2026 leave out `name`."""

    response_id: str
    item_id: str
    output_index: int
    call_id: str
    name: str | UnsetType = UNSET
    arguments: str


# ── remote tools ──────────────────────────────────────────────────────────────────────────────────────────


class ResponseMcpCallArgumentsDelta(ServerBase, frozen=True, kw_only=True, tag="response.mcp_call_arguments.delta"):
    """More of a remote call's JSON arguments."""

    response_id: str
    item_id: str
    output_index: int
    delta: str
    obfuscation: str | None | UnsetType = UNSET


class ResponseMcpCallArgumentsDone(ServerBase, frozen=True, kw_only=True, tag="response.mcp_call_arguments.done"):
    """The whole JSON arguments of a remote call."""

    response_id: str
    item_id: str
    output_index: int
    arguments: str


class ResponseMcpCallInProgress(ServerBase, frozen=True, kw_only=True, tag="response.mcp_call.in_progress"):
    """The remote tool runs."""

    item_id: str
    output_index: int


class ResponseMcpCallCompleted(ServerBase, frozen=True, kw_only=True, tag="response.mcp_call.completed"):
    """The remote tool finished; its output is in the item."""

    item_id: str
    output_index: int


class ResponseMcpCallFailed(ServerBase, frozen=True, kw_only=True, tag="response.mcp_call.failed"):
    """The remote tool failed; the item says why."""

    item_id: str
    output_index: int


class McpListToolsInProgress(ServerBase, frozen=True, kw_only=True, tag="mcp_list_tools.in_progress"):
    """The listing of an MCP server's tools began."""

    item_id: str


class McpListToolsCompleted(ServerBase, frozen=True, kw_only=True, tag="mcp_list_tools.completed"):
    """The listing ended; the item carries the tools."""

    item_id: str


class McpListToolsFailed(ServerBase, frozen=True, kw_only=True, tag="mcp_list_tools.failed"):
    """The listing failed."""

    item_id: str


# ── limits ────────────────────────────────────────────────────────────────────────────────────────────────


class RateLimitsUpdated(ServerBase, frozen=True, kw_only=True, tag="rate_limits.updated"):
    """What is left of the allowances; once per response, at no dependable moment."""

    rate_limits: list[RateLimit]


ServerEvent: TypeAlias = (
    Error
    | SessionCreated
    | SessionUpdated
    | ConversationCreated
    | ConversationItemCreated
    | ConversationItemAdded
    | ConversationItemDone
    | ConversationItemRetrieved
    | ConversationItemTruncated
    | ConversationItemDeleted
    | ConversationItemInputAudioTranscriptionDelta
    | ConversationItemInputAudioTranscriptionCompleted
    | ConversationItemInputAudioTranscriptionFailed
    | ConversationItemInputAudioTranscriptionSegment
    | InputAudioBufferCommitted
    | InputAudioBufferCleared
    | InputAudioBufferSpeechStarted
    | InputAudioBufferSpeechStopped
    | InputAudioBufferTimeoutTriggered
    | InputAudioBufferDtmfEventReceived
    | OutputAudioBufferStarted
    | OutputAudioBufferStopped
    | OutputAudioBufferCleared
    | ResponseCreated
    | ResponseDone
    | ResponseOutputItemAdded
    | ResponseOutputItemDone
    | ResponseContentPartAdded
    | ResponseContentPartDone
    | ResponseOutputTextDelta
    | ResponseOutputTextDone
    | ResponseOutputAudioDelta
    | ResponseOutputAudioDone
    | ResponseOutputAudioTranscriptDelta
    | ResponseOutputAudioTranscriptDone
    | ResponseFunctionCallArgumentsDelta
    | ResponseFunctionCallArgumentsDone
    | ResponseMcpCallArgumentsDelta
    | ResponseMcpCallArgumentsDone
    | ResponseMcpCallInProgress
    | ResponseMcpCallCompleted
    | ResponseMcpCallFailed
    | McpListToolsInProgress
    | McpListToolsCompleted
    | McpListToolsFailed
    | RateLimitsUpdated
)


@dataclass(frozen=True)
class UnknownEvent:
    """A server's event that no type here fits: a newer kind, or a known kind without something it must have.

    `type` is empty when there was none. `raw` is the text as it came, `body` the JSON object in it (empty when it
    holds none), `why` one sentence for a log.
    """

    type: str
    raw: str
    body: dict[str, object]
    why: str
