"""Session and response configs, the response object, and what they are made of.

The same types carry a client's update (only the keys present) and the effective config that a server echoes (all
keys, and `id`, `object`, `expires_at` beside them). `merge` joins the two.
"""

from typing import Annotated, Final, Literal, TypeAlias, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import fields, replace

from vivavoce.errors import RequestError
from vivavoce.wire.item import InputItem, Item
from vivavoce.wire.struct import SERVER_ONLY, Tagged

Modality: TypeAlias = Literal["text", "audio"]
Modalities: TypeAlias = Annotated[list[Modality], Meta(min_length=1, max_length=1)]
MaxOutputTokens: TypeAlias = Annotated[int, Meta(ge=1, le=4096)] | Literal["inf"]
Metadata: TypeAlias = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]], Meta(max_length=16)
]
Include: TypeAlias = list[Literal["item.input_audio_transcription.logprobs"]]
Milliseconds: TypeAlias = Annotated[int, Meta(ge=0)]

# ── audio ───────────────────────────────────────────────────────────────────────────────────────────────


class PcmFormat(Tagged, frozen=True, kw_only=True, tag="audio/pcm"):
    """16-bit signed little-endian samples, one channel; 24,000 Hz is the only rate."""

    rate: Literal[24000] | UnsetType = UNSET


class PcmuFormat(Tagged, frozen=True, kw_only=True, tag="audio/pcmu"):
    """G.711 µ-law at 8,000 Hz."""


class PcmaFormat(Tagged, frozen=True, kw_only=True, tag="audio/pcma"):
    """G.711 A-law at 8,000 Hz."""


AudioFormat: TypeAlias = PcmFormat | PcmuFormat | PcmaFormat


class NoiseReduction(Struct, frozen=True, kw_only=True):
    """Filters the input before turn detection and model. `near_field` is a headset, `far_field` a room.

    `strength` is 1 unless it is given.
    """

    type: Literal["near_field", "far_field"] | UnsetType = UNSET
    strength: Annotated[float, Meta(ge=0, le=1)] | UnsetType = UNSET


class Transcription(Struct, frozen=True, kw_only=True):
    """Asks for a transcript of the user's speech, made beside the response.

    `language` is one ISO 639-1 code, `languages` several likely ones; `keywords` are words to expect; `delay` trades
    latency for accuracy. Which of them a model takes differs by model.
    """

    model: str | UnsetType = UNSET
    language: str | UnsetType = UNSET
    languages: Annotated[list[str], Meta(min_length=1)] | UnsetType = UNSET
    keywords: list[str] | UnsetType = UNSET
    prompt: str | UnsetType = UNSET
    delay: Literal["minimal", "low", "medium", "high", "xhigh"] | UnsetType = UNSET


class ServerVad(Tagged, frozen=True, kw_only=True, tag="server_vad"):
    """A turn ends after `silence_duration_ms` of silence; `idle_timeout_ms` of it after an answer starts another."""

    threshold: Annotated[float, Meta(ge=0, le=1)] | UnsetType = UNSET
    prefix_padding_ms: Milliseconds | UnsetType = UNSET
    silence_duration_ms: Milliseconds | UnsetType = UNSET
    idle_timeout_ms: Annotated[int, Meta(ge=5000, le=30000)] | None | UnsetType = UNSET
    create_response: bool | UnsetType = UNSET
    interrupt_response: bool | UnsetType = UNSET


class SemanticVad(Tagged, frozen=True, kw_only=True, tag="semantic_vad"):
    """A turn ends when what was said sounds finished, after 8, 4 or 2 s at most (`low`, `medium` = `auto`, `high`)."""

    eagerness: Literal["low", "medium", "high", "auto"] | UnsetType = UNSET
    create_response: bool | UnsetType = UNSET
    interrupt_response: bool | UnsetType = UNSET


TurnDetection: TypeAlias = ServerVad | SemanticVad


class CustomVoice(Struct, frozen=True, kw_only=True):
    """A voice made by the account's owner."""

    id: str


Voice: TypeAlias = str | CustomVoice


class AudioInput(Struct, frozen=True, kw_only=True):
    """What is heard. `turn_detection: null` means that the client commits turns itself."""

    format: AudioFormat | UnsetType = UNSET
    noise_reduction: NoiseReduction | None | UnsetType = UNSET
    transcription: Transcription | None | UnsetType = UNSET
    turn_detection: TurnDetection | None | UnsetType = UNSET


class AudioOutput(Struct, frozen=True, kw_only=True):
    """What is said. `speed` 1.0 is the voice's own; the voice is frozen by the first assistant audio."""

    format: AudioFormat | UnsetType = UNSET
    voice: Voice | UnsetType = UNSET
    speed: Annotated[float, Meta(ge=0.25, le=1.5)] | UnsetType = UNSET


class AudioConfig(Struct, frozen=True, kw_only=True):
    """Both directions."""

    input: AudioInput | UnsetType = UNSET
    output: AudioOutput | UnsetType = UNSET


class TranscriptionAudioConfig(Struct, frozen=True, kw_only=True):
    """A transcription session only hears."""

    input: AudioInput | UnsetType = UNSET


# ── tools ───────────────────────────────────────────────────────────────────────────────────────────────


class FunctionTool(Tagged, frozen=True, kw_only=True, tag="function"):
    """A function that the client can carry out. `parameters` is a JSON schema."""

    name: str
    description: str | UnsetType = UNSET
    parameters: dict[str, object] | UnsetType = UNSET


class McpToolFilter(Struct, frozen=True, kw_only=True):
    """Picks tools of an MCP server by name or by being read-only."""

    tool_names: list[str] | UnsetType = UNSET
    read_only: bool | UnsetType = UNSET


class McpApprovalFilter(Struct, frozen=True, kw_only=True):
    """Which tools always or never need the client's approval."""

    always: McpToolFilter | UnsetType = UNSET
    never: McpToolFilter | UnsetType = UNSET


class McpTool(Tagged, frozen=True, kw_only=True, tag="mcp"):
    """A remote MCP server whose tools the server may call; reached by URL, connector or tunnel."""

    server_label: str
    server_url: str | UnsetType = UNSET
    server_description: str | UnsetType = UNSET
    connector_id: (
        Literal[
            "connector_dropbox",
            "connector_gmail",
            "connector_googlecalendar",
            "connector_googledrive",
            "connector_microsoftteams",
            "connector_outlookcalendar",
            "connector_outlookemail",
            "connector_sharepoint",
        ]
        | UnsetType
    ) = UNSET
    tunnel_id: Annotated[str, Meta(pattern="^tunnel_[a-z0-9]{32}$")] | UnsetType = UNSET
    authorization: str | UnsetType = UNSET
    headers: dict[str, str] | None | UnsetType = UNSET
    allowed_tools: list[str] | McpToolFilter | None | UnsetType = UNSET
    allowed_callers: Annotated[list[Literal["direct", "programmatic"]], Meta(min_length=1)] | None | UnsetType = UNSET
    require_approval: McpApprovalFilter | Literal["always", "never"] | None | UnsetType = UNSET
    defer_loading: bool | UnsetType = UNSET


Tool: TypeAlias = FunctionTool | McpTool


class FunctionChoice(Tagged, frozen=True, kw_only=True, tag="function"):
    """The model must call this function."""

    name: str


class McpChoice(Tagged, frozen=True, kw_only=True, tag="mcp"):
    """The model must call this MCP server, or one tool of it."""

    server_label: str
    name: str | None | UnsetType = UNSET


ToolChoice: TypeAlias = Literal["none", "auto", "required"] | FunctionChoice | McpChoice

# ── the rest of a session ───────────────────────────────────────────────────────────────────────────────


class TokenLimits(Struct, frozen=True, kw_only=True):
    """Caps the context earlier than the model would."""

    post_instructions: Annotated[int, Meta(ge=0)] | UnsetType = UNSET


class RetentionRatio(Tagged, frozen=True, kw_only=True, tag="retention_ratio"):
    """When the context is full, keep this share of it, so that the next cuts are rarer."""

    retention_ratio: Annotated[float, Meta(ge=0, le=1)]
    token_limits: TokenLimits | UnsetType = UNSET


Truncation: TypeAlias = Literal["auto", "disabled"] | RetentionRatio


class TracingConfig(Struct, frozen=True, kw_only=True):
    """Names under which the provider files the trace."""

    workflow_name: str | UnsetType = UNSET
    group_id: str | UnsetType = UNSET
    metadata: object = UNSET


Tracing: TypeAlias = Literal["auto"] | TracingConfig


class PromptReference(Struct, frozen=True, kw_only=True):
    """A prompt stored at the provider (a product that ends on 30 November 2026); kept and echoed, nothing more."""

    id: str
    version: str | None | UnsetType = UNSET
    variables: dict[str, object] | None | UnsetType = UNSET


Effort: TypeAlias = Literal["minimal", "low", "medium", "high", "xhigh"]


class Reasoning(Struct, frozen=True, kw_only=True):
    """How hard a reasoning model thinks."""

    effort: Effort | UnsetType = UNSET


class RealtimeSession(Tagged, frozen=True, kw_only=True, tag="realtime"):
    """A conversation with a voice model. `expires_at` is in unix seconds."""

    id: Annotated[str, SERVER_ONLY] | UnsetType = UNSET
    object: Annotated[Literal["realtime.session"], SERVER_ONLY] | UnsetType = UNSET
    expires_at: Annotated[int, SERVER_ONLY] | UnsetType = UNSET
    model: str | UnsetType = UNSET
    instructions: str | UnsetType = UNSET
    output_modalities: Modalities | UnsetType = UNSET
    max_output_tokens: MaxOutputTokens | UnsetType = UNSET
    tools: list[Tool] | UnsetType = UNSET
    tool_choice: ToolChoice | UnsetType = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET
    reasoning: Reasoning | UnsetType = UNSET
    prompt: PromptReference | None | UnsetType = UNSET
    tracing: Tracing | None | UnsetType = UNSET
    truncation: Truncation | UnsetType = UNSET
    include: Include | None | UnsetType = UNSET
    audio: AudioConfig | UnsetType = UNSET


class TranscriptionSession(Tagged, frozen=True, kw_only=True, tag="transcription"):
    """Only writes down what is said. `expires_at` is in unix seconds."""

    id: Annotated[str, SERVER_ONLY] | UnsetType = UNSET
    object: Annotated[Literal["realtime.transcription_session"], SERVER_ONLY] | UnsetType = UNSET
    expires_at: Annotated[int, SERVER_ONLY] | UnsetType = UNSET
    include: Include | None | UnsetType = UNSET
    audio: TranscriptionAudioConfig | UnsetType = UNSET


Session: TypeAlias = RealtimeSession | TranscriptionSession

# ── responses ───────────────────────────────────────────────────────────────────────────────────────────


class ResponseAudioOutput(Struct, frozen=True, kw_only=True):
    """How one response is said."""

    format: AudioFormat | UnsetType = UNSET
    voice: Voice | UnsetType = UNSET


class ResponseAudio(Struct, frozen=True, kw_only=True):
    """The audio settings of one response; there are no input settings here."""

    output: ResponseAudioOutput | UnsetType = UNSET


class ResponseConfig(Struct, frozen=True, kw_only=True):
    """What one `response.create` wants otherwise than the session says.

    `conversation: "none"` is out of band. `input` absent means the conversation, `[]` an empty context. Without an
    order of their own to give, livekit's agents send `instructions: null`.
    """

    conversation: Literal["auto", "none"] | UnsetType = UNSET
    input: list[InputItem] | UnsetType = UNSET
    instructions: str | None | UnsetType = UNSET
    output_modalities: Modalities | UnsetType = UNSET
    audio: ResponseAudio | UnsetType = UNSET
    tools: list[Tool] | UnsetType = UNSET
    tool_choice: ToolChoice | UnsetType = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET
    reasoning: Reasoning | UnsetType = UNSET
    max_output_tokens: MaxOutputTokens | UnsetType = UNSET
    prompt: PromptReference | None | UnsetType = UNSET
    metadata: Metadata | None | UnsetType = UNSET


class StatusError(Struct, frozen=True, kw_only=True):
    """Why a response failed."""

    type: str | UnsetType = UNSET
    code: str | None | UnsetType = UNSET
    message: str | None | UnsetType = UNSET


class StatusDetails(Struct, frozen=True, kw_only=True):
    """How a response ended. `turn_detected` is the user speaking into it."""

    type: Literal["completed", "cancelled", "incomplete", "failed"] | UnsetType = UNSET
    reason: Literal["turn_detected", "client_cancelled", "max_output_tokens", "content_filter"] | UnsetType = UNSET
    error: StatusError | None | UnsetType = UNSET


class CachedTokenDetails(Struct, frozen=True, kw_only=True):
    """Input tokens that were cheaper because the provider still had them."""

    text_tokens: int | UnsetType = UNSET
    audio_tokens: int | UnsetType = UNSET
    image_tokens: int | UnsetType = UNSET


class InputTokenDetails(Struct, frozen=True, kw_only=True):
    """Input tokens by kind; `cached_tokens` is part of their sum."""

    text_tokens: int | UnsetType = UNSET
    audio_tokens: int | UnsetType = UNSET
    image_tokens: int | UnsetType = UNSET
    cached_tokens: int | UnsetType = UNSET
    cached_tokens_details: CachedTokenDetails | UnsetType = UNSET


class OutputTokenDetails(Struct, frozen=True, kw_only=True):
    """Output tokens by kind."""

    text_tokens: int | UnsetType = UNSET
    audio_tokens: int | UnsetType = UNSET


class Usage(Struct, frozen=True, kw_only=True):
    """What a response cost, in tokens; the user's transcription is billed apart."""

    total_tokens: int | UnsetType = UNSET
    input_tokens: int | UnsetType = UNSET
    output_tokens: int | UnsetType = UNSET
    input_token_details: InputTokenDetails | UnsetType = UNSET
    output_token_details: OutputTokenDetails | UnsetType = UNSET


ResponseStatus: TypeAlias = Literal["in_progress", "completed", "cancelled", "incomplete", "failed"]


class Response(Struct, frozen=True, kw_only=True):
    """One answer of the model: in `response.created` without output and usage, in `response.done` whole.

    `conversation_id` is null when out of band. Audio bytes are never inside `output`.
    """

    id: str | UnsetType = UNSET
    object: Literal["realtime.response"] | UnsetType = UNSET
    status: ResponseStatus | UnsetType = UNSET
    status_details: StatusDetails | None | UnsetType = UNSET
    output: list[Item] | UnsetType = UNSET
    conversation_id: str | None | UnsetType = UNSET
    output_modalities: list[Modality] | UnsetType = UNSET
    max_output_tokens: int | Literal["inf"] | UnsetType = UNSET
    audio: ResponseAudio | UnsetType = UNSET
    usage: Usage | None | UnsetType = UNSET
    metadata: Metadata | None | UnsetType = UNSET


class ContentPart(Struct, frozen=True, kw_only=True):
    """A part in `response.content_part.*`, whose types are not those of an item's content."""

    type: Literal["audio", "text"]
    text: str | UnsetType = UNSET
    transcript: str | UnsetType = UNSET
    audio: str | UnsetType = UNSET


# ── small change of server events ───────────────────────────────────────────────────────────────────────


class Conversation(Struct, frozen=True, kw_only=True):
    """The default conversation of a session."""

    id: str | UnsetType = UNSET
    object: Literal["realtime.conversation"] | UnsetType = UNSET


class RateLimit(Struct, frozen=True, kw_only=True):
    """How much of an allowance is left."""

    name: Literal["requests", "tokens"] | UnsetType = UNSET
    limit: int | UnsetType = UNSET
    remaining: int | UnsetType = UNSET
    reset_seconds: float | UnsetType = UNSET


class LogProb(Struct, frozen=True, kw_only=True):
    """A token of a transcript and how sure the model was of it. `bytes` are its UTF-8 bytes."""

    token: str
    logprob: float
    bytes: list[int]


class TranscriptionLanguage(Struct, frozen=True, kw_only=True):
    """A language that was heard."""

    code: str


class TranscriptionTokenDetails(Struct, frozen=True, kw_only=True):
    """Input tokens of a transcription by kind."""

    text_tokens: int | UnsetType = UNSET
    audio_tokens: int | UnsetType = UNSET


class TranscriptionTokens(Tagged, frozen=True, kw_only=True, tag="tokens"):
    """A transcription billed by tokens."""

    total_tokens: int
    input_tokens: int
    output_tokens: int
    input_token_details: TranscriptionTokenDetails | UnsetType = UNSET


class TranscriptionDuration(Tagged, frozen=True, kw_only=True, tag="duration"):
    """A transcription billed by the length of the sound; the live service rounds `seconds` up."""

    seconds: float


TranscriptionUsage: TypeAlias = TranscriptionTokens | TranscriptionDuration

# ── merging ─────────────────────────────────────────────────────────────────────────────────────────────

OWN_VALUES: Final[dict[type, Struct]] = {
    PcmFormat: PcmFormat(rate=24000),
    NoiseReduction: NoiseReduction(strength=1.0),
    ServerVad: ServerVad(
        threshold=0.5,
        prefix_padding_ms=300,
        silence_duration_ms=200,
        idle_timeout_ms=None,
        create_response=True,
        interrupt_response=True,
    ),
    SemanticVad: SemanticVad(eagerness="auto", create_response=True, interrupt_response=True),
}
"""What a setting starts from when nothing of its type was in force before.

The texts say 500 ms of silence, every capture of the live service says 200.
"""

S = TypeVar("S", bound=Struct)


def merge(effective: S, update: S) -> S:
    """`effective` with every key that `update` has.

    Inside `audio` the merge is deep, so what an update leaves out stays; anywhere else a present key replaces the whole
    value. Null sets null. A setting whose type changes (µ-law for PCM, semantic for server VAD, an object for null)
    starts from `OWN_VALUES` of its new type. Whether the keys may change now is for the caller to judge.

    Raises:
        RequestError: the update is for another type of session.
    """
    if type(update) is not type(effective):
        raise RequestError(
            f"The session is of type {_tag(effective)!r} and cannot become {_tag(update)!r}: open another session.",
            code="invalid_value",
            param="session.type",
        )
    changed = {
        name: _deep(getattr(effective, name), value) if name == "audio" else value for name, value in _present(update)
    }
    return replace(effective, **changed)


def _deep(old: object, new: object) -> object:
    if not isinstance(new, Struct):
        return new
    base = old if isinstance(old, Struct) and type(old) is type(new) else OWN_VALUES.get(type(new))
    return replace(base or new, **{name: _deep(getattr(base, name, UNSET), value) for name, value in _present(new)})


def _present(struct: Struct) -> list[tuple[str, object]]:
    return [(field.name, value) for field in fields(struct) if (value := getattr(struct, field.name)) is not UNSET]


def _tag(struct: Struct) -> object:
    return struct.__struct_config__.tag
