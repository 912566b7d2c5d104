"""What the server says, in the words of the beta."""

from typing import Final

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from vivavoce.wire.beta.config import (
    BetaFormat,
    BetaFunctionChoice,
    BetaModalities,
    BetaNoiseReduction,
    BetaResponse,
    BetaSession,
    BetaTool,
    BetaToolChoice,
    BetaTranscription,
    BetaTranscriptionSession,
    BetaTurnDetection,
)
from vivavoce.wire.beta.event import (
    BetaItemCreated,
    BetaItemRetrieved,
    BetaOutputItemAdded,
    BetaOutputItemDone,
    BetaResponseCreated,
    BetaResponseDone,
    BetaSessionCreated,
    BetaSessionUpdated,
    BetaTranscriptionSessionCreated,
    BetaTranscriptionSessionUpdated,
)
from vivavoce.wire.beta.item import beta_item
from vivavoce.wire.beta.param import beta_param, beta_words
from vivavoce.wire.config import (
    AudioFormat,
    AudioInput,
    AudioOutput,
    CachedTokenDetails,
    CustomVoice,
    FunctionChoice,
    FunctionTool,
    InputTokenDetails,
    McpChoice,
    Modality,
    NoiseReduction,
    RealtimeSession,
    Response,
    ResponseAudioOutput,
    ServerVad,
    Session,
    Tool,
    ToolChoice,
    Transcription,
    TranscriptionSession,
    TurnDetection,
    Usage,
    Voice,
)
from vivavoce.wire.event import (
    ConversationItemAdded,
    ConversationItemCreated,
    ConversationItemDone,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionSegment,
    ConversationItemRetrieved,
    Error,
    InputAudioBufferDtmfEventReceived,
    InputAudioBufferTimeoutTriggered,
    McpListToolsCompleted,
    McpListToolsFailed,
    McpListToolsInProgress,
    ResponseCreated,
    ResponseDone,
    ResponseFunctionCallArgumentsDone,
    ResponseMcpCallArgumentsDelta,
    ResponseMcpCallArgumentsDone,
    ResponseMcpCallCompleted,
    ResponseMcpCallFailed,
    ResponseMcpCallInProgress,
    ResponseOutputAudioDelta,
    ResponseOutputAudioDone,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputAudioTranscriptDone,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
    ResponseOutputTextDelta,
    ResponseOutputTextDone,
    ServerBase,
    SessionCreated,
    SessionUpdated,
)

FORMATS: Final[dict[str, BetaFormat]] = {
    "audio/pcm": "pcm16",
    "audio/pcmu": "g711_ulaw",
    "audio/pcma": "g711_alaw",
}
RENAMED: Final = {
    event.__struct_config__.tag: str(event.__struct_config__.tag).replace("response.output_", "response.")
    for event in (
        ResponseOutputTextDelta,
        ResponseOutputTextDone,
        ResponseOutputAudioDelta,
        ResponseOutputAudioDone,
        ResponseOutputAudioTranscriptDelta,
        ResponseOutputAudioTranscriptDone,
    )
}
"""Events that only have another name, GA's first."""
DROPPED: Final = {
    event.__struct_config__.tag
    for event in (
        ConversationItemDone,
        ConversationItemInputAudioTranscriptionSegment,
        InputAudioBufferDtmfEventReceived,
        InputAudioBufferTimeoutTriggered,
        ResponseMcpCallArgumentsDelta,
        ResponseMcpCallArgumentsDone,
        ResponseMcpCallInProgress,
        ResponseMcpCallCompleted,
        ResponseMcpCallFailed,
        McpListToolsInProgress,
        McpListToolsCompleted,
        McpListToolsFailed,
    )
}
"""Events of which the beta knew nothing; what they tell shows in others, or is nothing to its clients."""
CHANGED: Final = {
    event.__struct_config__.tag
    for event in (
        Error,
        SessionCreated,
        SessionUpdated,
        ConversationItemAdded,
        ConversationItemCreated,
        ConversationItemRetrieved,
        ConversationItemInputAudioTranscriptionCompleted,
        ResponseCreated,
        ResponseDone,
        ResponseOutputItemAdded,
        ResponseOutputItemDone,
        ResponseFunctionCallArgumentsDone,
    )
}
"""Events that have another shape: those that `beta_event` takes."""


def beta_event(event: ServerBase, temperature: float) -> ServerBase | None:
    """An event of `CHANGED` as the beta has it; None where it is about a remote tool.

    Args:
        event: what GA says.
        temperature: what the client has asked for; GA has none to show.
    """
    match event:
        case Error(error=body):
            message = beta_words(body.message, body.param or None)
            param = beta_param(body.param) if isinstance(body.param, str) else body.param
            return replace(event, error=replace(body, message=message, param=param))
        case SessionCreated() | SessionUpdated():
            return _session_event(event, temperature)
        case ConversationItemInputAudioTranscriptionCompleted():
            return replace(event, languages=UNSET)
        case ResponseFunctionCallArgumentsDone():
            return replace(event, name=UNSET)
        case ResponseCreated():
            return BetaResponseCreated(event_id=event.event_id, response=beta_response(event.response, temperature))
        case ResponseDone():
            return BetaResponseDone(event_id=event.event_id, response=beta_response(event.response, temperature))
        case _:
            return _item_event(event)


def _session_event(event: SessionCreated | SessionUpdated, temperature: float) -> ServerBase:
    session = beta_session(event.session, temperature)
    match event, session:
        case SessionCreated(), BetaSession():
            return BetaSessionCreated(event_id=event.event_id, session=session)
        case SessionUpdated(), BetaSession():
            return BetaSessionUpdated(event_id=event.event_id, session=session)
        case SessionCreated(), _:
            return BetaTranscriptionSessionCreated(event_id=event.event_id, session=session)
        case _:
            return BetaTranscriptionSessionUpdated(event_id=event.event_id, session=session)


def _item_event(event: ServerBase) -> ServerBase | None:
    match event:
        case ConversationItemAdded() | ConversationItemCreated():
            item = beta_item(event.item)
            return item and BetaItemCreated(event_id=event.event_id, item=item, previous_item_id=event.previous_item_id)
        case ConversationItemRetrieved():
            item = beta_item(event.item)
            return item and BetaItemRetrieved(event_id=event.event_id, item=item)
        case ResponseOutputItemAdded() | ResponseOutputItemDone():
            item = beta_item(event.item)
            made = BetaOutputItemAdded if isinstance(event, ResponseOutputItemAdded) else BetaOutputItemDone
            return item and made(
                event_id=event.event_id, response_id=event.response_id, output_index=event.output_index, item=item
            )
        case _:
            return event


# ── configs ─────────────────────────────────────────────────────────────────────────────────────────────


def beta_session(session: Session, temperature: float) -> BetaSession | BetaTranscriptionSession:
    """An effective config as the beta shows it. What it had no name for is left out."""
    heard = _input(session)
    if isinstance(session, TranscriptionSession):
        return BetaTranscriptionSession(
            id=session.id,
            object=session.object,
            expires_at=session.expires_at,
            modalities=["audio", "text"],
            input_audio_format=_format(heard.format),
            input_audio_transcription=_transcription(heard.transcription),
            input_audio_noise_reduction=_noise_reduction(heard.noise_reduction),
            turn_detection=_turn_detection(heard.turn_detection),
            include=session.include,
            client_secret=None,
        )
    said = _output(session)
    return BetaSession(
        id=session.id,
        object=session.object,
        expires_at=session.expires_at,
        model=session.model,
        modalities=_modalities(session.output_modalities),
        instructions=session.instructions,
        voice=_voice(said.voice),
        input_audio_format=_format(heard.format),
        output_audio_format=_format(said.format),
        input_audio_transcription=_transcription(heard.transcription),
        input_audio_noise_reduction=_noise_reduction(heard.noise_reduction),
        turn_detection=_turn_detection(heard.turn_detection),
        tools=_tools(session.tools),
        tool_choice=_tool_choice(session.tool_choice),
        temperature=temperature,
        max_response_output_tokens=session.max_output_tokens,
        speed=said.speed,
        tracing=session.tracing,
    )


def beta_response(response: Response, temperature: float) -> BetaResponse:
    """A response as the beta shows it, without what remote tools did."""
    output = None if isinstance(response.audio, UnsetType) else response.audio.output
    said = output if isinstance(output, ResponseAudioOutput) else ResponseAudioOutput()
    items = [] if isinstance(response.output, UnsetType) else [beta_item(item) for item in response.output]
    return BetaResponse(
        id=response.id,
        object=response.object,
        status=response.status,
        status_details=response.status_details,
        output=[item for item in items if item is not None],
        conversation_id=response.conversation_id,
        modalities=_modalities(response.output_modalities),
        voice=_voice(said.voice),
        output_audio_format=_format(said.format),
        temperature=temperature,
        max_output_tokens=response.max_output_tokens,
        usage=_usage(response.usage) if isinstance(response.usage, Usage) else response.usage,
        metadata=response.metadata,
    )


def _input(session: Session) -> AudioInput:
    heard = UNSET if isinstance(session.audio, UnsetType) else session.audio.input
    return AudioInput() if isinstance(heard, UnsetType) else heard


def _output(session: RealtimeSession) -> AudioOutput:
    said = UNSET if isinstance(session.audio, UnsetType) else session.audio.output
    return AudioOutput() if isinstance(said, UnsetType) else said


def _format(format: AudioFormat | UnsetType) -> BetaFormat | UnsetType:
    return UNSET if isinstance(format, UnsetType) else FORMATS[format.type]


def _modalities(modalities: list[Modality] | UnsetType) -> BetaModalities | UnsetType:
    if isinstance(modalities, UnsetType):
        return UNSET
    return ["audio", "text"] if "audio" in modalities else ["text"]


def _voice(voice: Voice | UnsetType) -> str | UnsetType:
    return voice.id if isinstance(voice, CustomVoice) else voice


def _noise_reduction(reduction: NoiseReduction | None | UnsetType) -> BetaNoiseReduction | None | UnsetType:
    return BetaNoiseReduction(type=reduction.type) if isinstance(reduction, NoiseReduction) else reduction


def _transcription(wanted: Transcription | None | UnsetType) -> BetaTranscription | None | UnsetType:
    if not isinstance(wanted, Transcription):
        return wanted
    return BetaTranscription(model=wanted.model, language=wanted.language, prompt=wanted.prompt)


def _turn_detection(detection: TurnDetection | None | UnsetType) -> BetaTurnDetection | None | UnsetType:
    if detection is None or isinstance(detection, UnsetType):
        return detection
    if isinstance(detection, ServerVad):
        return BetaTurnDetection(
            type="server_vad",
            threshold=detection.threshold,
            prefix_padding_ms=detection.prefix_padding_ms,
            silence_duration_ms=detection.silence_duration_ms,
            create_response=detection.create_response,
            interrupt_response=detection.interrupt_response,
        )
    return BetaTurnDetection(
        type="semantic_vad",
        eagerness=detection.eagerness,
        create_response=detection.create_response,
        interrupt_response=detection.interrupt_response,
    )


def _tools(tools: list[Tool] | UnsetType) -> list[BetaTool] | UnsetType:
    if isinstance(tools, UnsetType):
        return UNSET
    return [
        BetaTool(type="function", name=tool.name, description=tool.description, parameters=tool.parameters)
        for tool in tools
        if isinstance(tool, FunctionTool)
    ]


def _tool_choice(choice: ToolChoice | UnsetType) -> BetaToolChoice | UnsetType:
    match choice:
        case FunctionChoice():
            return BetaFunctionChoice(name=choice.name)
        case McpChoice():
            return "required"
        case _:
            return choice


def _usage(usage: Usage) -> Usage:
    """There were no pictures to be counted."""
    details = usage.input_token_details
    if not isinstance(details, InputTokenDetails):
        return usage
    cached = details.cached_tokens_details
    if isinstance(cached, CachedTokenDetails):
        cached = replace(cached, image_tokens=UNSET)
    return replace(usage, input_token_details=replace(details, image_tokens=UNSET, cached_tokens_details=cached))
