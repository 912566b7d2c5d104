"""The beta's flat session and response configs, and its response object.

One type serves what a client asks for and what a server shows, as in `wire.config`.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from vivavoce.wire.beta.item import BetaInputItem, BetaItem
from vivavoce.wire.config import (
    Include,
    MaxOutputTokens,
    Metadata,
    Milliseconds,
    Modality,
    ResponseStatus,
    StatusDetails,
    Tracing,
    Usage,
)
from vivavoce.wire.secret import ExpiresAfter
from vivavoce.wire.struct import SERVER_ONLY, Tagged

BetaFormat: TypeAlias = Literal["pcm16", "g711_ulaw", "g711_alaw"]
BetaModalities: TypeAlias = Annotated[list[Modality], Meta(min_length=1, max_length=2)]
"""`["text"]`, or text and audio together; audio alone means the latter."""
Temperature: TypeAlias = Annotated[float, Meta(ge=0.6, le=1.2)]

# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────


class BetaNoiseReduction(Struct, frozen=True, kw_only=True):
    """As in GA, without a strength."""

    type: Literal["near_field", "far_field"] | UnsetType = UNSET


class BetaTranscription(Struct, frozen=True, kw_only=True):
    """As in GA; an empty language or prompt is none, as in the samples of the beta's reference."""

    model: str | UnsetType = UNSET
    language: str | None | UnsetType = UNSET
    prompt: str | None | UnsetType = UNSET


class BetaTurnDetection(Struct, frozen=True, kw_only=True):
    """Both kinds in one type; what belongs to the other kind is ignored.

    Without a `type` it is `server_vad`, or `semantic_vad` where an eagerness is given. Azure's reference has `none` for
    what is null elsewhere, and many applications send it.
    """

    type: Literal["server_vad", "semantic_vad", "none"] | UnsetType = UNSET
    threshold: Annotated[float, Meta(ge=0, le=1)] | UnsetType = UNSET
    prefix_padding_ms: Milliseconds | UnsetType = UNSET
    silence_duration_ms: Milliseconds | UnsetType = UNSET
    eagerness: Literal["low", "medium", "high", "auto"] | UnsetType = UNSET
    create_response: bool | UnsetType = UNSET
    interrupt_response: bool | UnsetType = UNSET


class BetaTool(Struct, frozen=True, kw_only=True):
    """A function; the beta knew no other tool, so `type` may be left out."""

    type: Literal["function"] | UnsetType = UNSET
    name: str
    description: str | UnsetType = UNSET
    parameters: dict[str, object] | UnsetType = UNSET


class BetaFunctionName(Struct, frozen=True, kw_only=True):
    """The inner half of a choice as Azure's reference writes it."""

    name: str


class BetaFunctionChoice(Tagged, frozen=True, kw_only=True, tag="function"):
    """The model must call this function: `{"type": "function", "name"}`, or `{"type": "function", "function": …}`."""

    name: str | UnsetType = UNSET
    function: BetaFunctionName | UnsetType = UNSET


BetaToolChoice: TypeAlias = Literal["none", "auto", "required"] | BetaFunctionChoice


class BetaSecretWish(Struct, frozen=True, kw_only=True):
    """How long a client secret should live; transcription sessions called it `expires_at`."""

    expires_after: ExpiresAfter | UnsetType = UNSET
    expires_at: ExpiresAfter | UnsetType = UNSET


# ── sessions ────────────────────────────────────────────────────────────────────────────────────────────


class BetaSession(Struct, frozen=True, kw_only=True):
    """A conversation. `client_secret` says something only where a session is made over HTTP."""

    id: Annotated[str, SERVER_ONLY] | UnsetType = UNSET
    object: Annotated[Literal["realtime.session"], SERVER_ONLY] | UnsetType = UNSET
    expires_at: Annotated[int, SERVER_ONLY] | UnsetType = UNSET
    model: str | UnsetType = UNSET
    modalities: BetaModalities | UnsetType = UNSET
    instructions: str | UnsetType = UNSET
    voice: str | UnsetType = UNSET
    input_audio_format: BetaFormat | UnsetType = UNSET
    output_audio_format: BetaFormat | UnsetType = UNSET
    input_audio_transcription: BetaTranscription | None | UnsetType = UNSET
    input_audio_noise_reduction: BetaNoiseReduction | None | UnsetType = UNSET
    turn_detection: BetaTurnDetection | None | UnsetType = UNSET
    tools: list[BetaTool] | UnsetType = UNSET
    tool_choice: BetaToolChoice | UnsetType = UNSET
    temperature: Temperature | UnsetType = UNSET
    max_response_output_tokens: MaxOutputTokens | UnsetType = UNSET
    speed: Annotated[float, Meta(ge=0.25, le=1.5)] | UnsetType = UNSET
    tracing: Tracing | None | UnsetType = UNSET
    client_secret: BetaSecretWish | None | UnsetType = UNSET


class BetaTranscriptionSession(Struct, frozen=True, kw_only=True):
    """A session that only writes down. `modalities` says nothing and is accepted."""

    id: Annotated[str, SERVER_ONLY] | UnsetType = UNSET
    object: Annotated[Literal["realtime.transcription_session"], SERVER_ONLY] | UnsetType = UNSET
    expires_at: Annotated[int, SERVER_ONLY] | UnsetType = UNSET
    modalities: BetaModalities | UnsetType = UNSET
    input_audio_format: BetaFormat | UnsetType = UNSET
    input_audio_transcription: BetaTranscription | None | UnsetType = UNSET
    input_audio_noise_reduction: BetaNoiseReduction | None | UnsetType = UNSET
    turn_detection: BetaTurnDetection | None | UnsetType = UNSET
    include: Include | None | UnsetType = UNSET
    client_secret: BetaSecretWish | None | UnsetType = UNSET


# ── responses ───────────────────────────────────────────────────────────────────────────────────────────


class BetaResponseConfig(Struct, frozen=True, kw_only=True):
    """What one `response.create` wants otherwise. The first reference said `max_output_tokens`, the types do not."""

    conversation: Literal["auto", "none"] | UnsetType = UNSET
    input: list[BetaInputItem] | UnsetType = UNSET
    instructions: str | UnsetType = UNSET
    modalities: BetaModalities | UnsetType = UNSET
    voice: str | UnsetType = UNSET
    output_audio_format: BetaFormat | UnsetType = UNSET
    tools: list[BetaTool] | UnsetType = UNSET
    tool_choice: BetaToolChoice | UnsetType = UNSET
    temperature: Temperature | UnsetType = UNSET
    max_response_output_tokens: MaxOutputTokens | UnsetType = UNSET
    max_output_tokens: MaxOutputTokens | UnsetType = UNSET
    metadata: Metadata | None | UnsetType = UNSET


class BetaResponse(Struct, frozen=True, kw_only=True):
    """One answer of the model, as `response.created` and `response.done` show it."""

    id: str | UnsetType = UNSET
    object: Literal["realtime.response"] | UnsetType = UNSET
    status: ResponseStatus | UnsetType = UNSET
    status_details: StatusDetails | None | UnsetType = UNSET
    output: list[BetaItem] | UnsetType = UNSET
    conversation_id: str | None | UnsetType = UNSET
    modalities: BetaModalities | UnsetType = UNSET
    voice: str | UnsetType = UNSET
    output_audio_format: BetaFormat | UnsetType = UNSET
    temperature: Temperature | UnsetType = UNSET
    max_output_tokens: int | Literal["inf"] | UnsetType = UNSET
    usage: Usage | None | UnsetType = UNSET
    metadata: Metadata | None | UnsetType = UNSET
