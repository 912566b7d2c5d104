"""What a client of the beta says, in GA's words."""

from typing import Final, TypeVar, assert_never

from msgspec import UNSET, Struct, UnsetType

from vivavoce.errors import RequestError
from vivavoce.wire.beta.config import (
    BetaFormat,
    BetaModalities,
    BetaNoiseReduction,
    BetaResponseConfig,
    BetaSession,
    BetaTool,
    BetaToolChoice,
    BetaTranscription,
    BetaTranscriptionSession,
    BetaTurnDetection,
)
from vivavoce.wire.beta.event import (
    BetaChanged,
    BetaItemCreate,
    BetaResponseCreate,
    BetaSessionUpdate,
    BetaTranscriptionSessionUpdate,
)
from vivavoce.wire.beta.item import ga_input, ga_item
from vivavoce.wire.config import (
    AudioConfig,
    AudioFormat,
    AudioInput,
    AudioOutput,
    FunctionChoice,
    FunctionTool,
    Modalities,
    NoiseReduction,
    PcmaFormat,
    PcmFormat,
    PcmuFormat,
    RealtimeSession,
    ResponseAudio,
    ResponseAudioOutput,
    ResponseConfig,
    SemanticVad,
    ServerVad,
    Tool,
    ToolChoice,
    Transcription,
    TranscriptionAudioConfig,
    TranscriptionSession,
    TurnDetection,
)
from vivavoce.wire.event import ClientEvent, ConversationItemCreate, ResponseCreate, SessionUpdate

FORMATS: Final[dict[BetaFormat, AudioFormat]] = {
    "pcm16": PcmFormat(rate=24000),
    "g711_ulaw": PcmuFormat(),
    "g711_alaw": PcmaFormat(),
}

S = TypeVar("S", bound=Struct)


def ga_event(event: BetaChanged) -> ClientEvent:
    """The event that GA has for it.

    Raises:
        RequestError: a choice of tool that names none.
    """
    match event:
        case BetaSessionUpdate():
            return SessionUpdate(event_id=event.event_id, session=ga_session(event.session))
        case BetaTranscriptionSessionUpdate():
            return SessionUpdate(event_id=event.event_id, session=ga_transcription_session(event.session))
        case BetaItemCreate():
            neighbour = UNSET if event.previous_item_id is None else event.previous_item_id
            return ConversationItemCreate(event_id=event.event_id, item=ga_item(event.item), previous_item_id=neighbour)
        case BetaResponseCreate():
            wanted = event.response
            response = UNSET if isinstance(wanted, UnsetType) else ga_response(wanted)
            return ResponseCreate(event_id=event.event_id, response=response)
        case _:
            assert_never(event)


def ga_session(beta: BetaSession) -> RealtimeSession:
    """The session config that GA has for it; `temperature` has no place there.

    Raises:
        RequestError: a choice of tool that names none.
    """
    output = _filled(AudioOutput(format=_format(beta.output_audio_format), voice=beta.voice, speed=beta.speed))
    return RealtimeSession(
        model=beta.model,
        instructions=beta.instructions,
        output_modalities=_modalities(beta.modalities),
        max_output_tokens=beta.max_response_output_tokens,
        tools=_tools(beta.tools),
        tool_choice=_tool_choice(beta.tool_choice, "session.tool_choice"),
        tracing=beta.tracing,
        audio=_filled(AudioConfig(input=_filled(_input(beta)), output=output)),
    )


def ga_transcription_session(beta: BetaTranscriptionSession) -> TranscriptionSession:
    """The transcription config that GA has for it."""
    return TranscriptionSession(
        include=beta.include, audio=_filled(TranscriptionAudioConfig(input=_filled(_input(beta))))
    )


def ga_response(beta: BetaResponseConfig) -> ResponseConfig:
    """The response config that GA has for it.

    Raises:
        RequestError: a choice of tool that names none.
    """
    output = _filled(ResponseAudioOutput(format=_format(beta.output_audio_format), voice=beta.voice))
    tokens = beta.max_response_output_tokens
    return ResponseConfig(
        conversation=beta.conversation,
        input=UNSET if isinstance(beta.input, UnsetType) else [ga_input(item) for item in beta.input],
        instructions=beta.instructions,
        output_modalities=_modalities(beta.modalities),
        audio=_filled(ResponseAudio(output=output)),
        tools=_tools(beta.tools),
        tool_choice=_tool_choice(beta.tool_choice, "response.tool_choice"),
        max_output_tokens=beta.max_output_tokens if isinstance(tokens, UnsetType) else tokens,
        metadata=beta.metadata,
    )


def _filled(struct: S) -> S | UnsetType:
    """The struct, or nothing where nothing is in it."""
    return struct if any(getattr(struct, name) is not UNSET for name in struct.__struct_fields__) else UNSET


def _input(beta: BetaSession | BetaTranscriptionSession) -> AudioInput:
    return AudioInput(
        format=_format(beta.input_audio_format),
        noise_reduction=_noise_reduction(beta.input_audio_noise_reduction),
        transcription=_transcription(beta.input_audio_transcription),
        turn_detection=_turn_detection(beta.turn_detection),
    )


def _format(beta: BetaFormat | UnsetType) -> AudioFormat | UnsetType:
    return UNSET if isinstance(beta, UnsetType) else FORMATS[beta]


def _modalities(beta: BetaModalities | UnsetType) -> Modalities | UnsetType:
    if isinstance(beta, UnsetType):
        return UNSET
    return ["audio"] if "audio" in beta else ["text"]


def _noise_reduction(beta: BetaNoiseReduction | None | UnsetType) -> NoiseReduction | None | UnsetType:
    return NoiseReduction(type=beta.type) if isinstance(beta, BetaNoiseReduction) else beta


def _transcription(beta: BetaTranscription | None | UnsetType) -> Transcription | None | UnsetType:
    if not isinstance(beta, BetaTranscription):
        return beta
    return Transcription(model=beta.model, language=beta.language or UNSET, prompt=beta.prompt or UNSET)


def _turn_detection(beta: BetaTurnDetection | None | UnsetType) -> TurnDetection | None | UnsetType:
    if not isinstance(beta, BetaTurnDetection):
        return beta
    if beta.type == "none":
        return None
    if beta.type == "semantic_vad" or (beta.type is UNSET and beta.eagerness is not UNSET):
        return SemanticVad(
            eagerness=beta.eagerness,
            create_response=beta.create_response,
            interrupt_response=beta.interrupt_response,
        )
    return ServerVad(
        threshold=beta.threshold,
        prefix_padding_ms=beta.prefix_padding_ms,
        silence_duration_ms=beta.silence_duration_ms,
        create_response=beta.create_response,
        interrupt_response=beta.interrupt_response,
    )


def _tools(beta: list[BetaTool] | UnsetType) -> list[Tool] | UnsetType:
    if isinstance(beta, UnsetType):
        return UNSET
    return [FunctionTool(name=tool.name, description=tool.description, parameters=tool.parameters) for tool in beta]


def _tool_choice(beta: BetaToolChoice | UnsetType, path: str) -> ToolChoice | UnsetType:
    if isinstance(beta, UnsetType | str):
        return beta
    name = beta.name if isinstance(beta.function, UnsetType) else beta.function.name
    if isinstance(name, UnsetType):
        raise RequestError(
            f"Missing parameter '{path}.name': it is required here.",
            code="missing_required_parameter",
            param=f"{path}.name",
        )
    return FunctionChoice(name=name)
