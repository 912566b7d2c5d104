"""The effective configuration of a session: what is in force, what may still change, and how it reads.

Defaults and the rules of change follow the published types and captures of the live service: 200 ms of silence
ends a turn, `model` in an update is ignored, the voice is frozen by the first assistant sound, tracing by being
switched on.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from vivavoce.errors import RequestError
from vivavoce.session.declaration import ToolBook, ToolServing
from vivavoce.session.dictation import dictated
from vivavoce.session.voices import VOICES, Voices
from vivavoce.wire.config import (
    AudioConfig,
    AudioFormat,
    AudioInput,
    AudioOutput,
    CustomVoice,
    Effort,
    McpChoice,
    McpTool,
    Modalities,
    Modality,
    NoiseReduction,
    PcmFormat,
    RealtimeSession,
    Reasoning,
    ResponseAudio,
    ResponseAudioOutput,
    ResponseConfig,
    ServerVad,
    Session,
    Tool,
    ToolChoice,
    Transcription,
    TranscriptionAudioConfig,
    TranscriptionSession,
    Truncation,
    TurnDetection,
    Voice,
    merge,
)

INSTRUCTIONS: Final = (
    "You are a helpful, friendly voice assistant. Answer briefly, in the language of the user, and say so when you "
    "do not know something."
)
SESSION_S: Final = 3600
"""Longest life of a session."""

SERVER_VAD: Final = ServerVad(
    threshold=0.5,
    prefix_padding_ms=300,
    silence_duration_ms=200,
    idle_timeout_ms=None,
    create_response=True,
    interrupt_response=True,
)
PCM: Final = PcmFormat(rate=24000)
UNREASONING: Final = re.compile(
    r"gpt-realtime(-1\.5)?(-mini)?(-\d{4}-\d\d-\d\d)?|gpt-4o(-mini)?-realtime-preview(-\d{4}-\d\d-\d\d)?"
)
"""OpenAI's voice models that do not reason."""

T = TypeVar("T")


def known(value: T | UnsetType, default: T) -> T:
    """The value, or the default where the key is absent."""
    return default if isinstance(value, UnsetType) else value


def realtime_defaults(session_id: str, model: str, expires_at: int) -> RealtimeSession:
    """What a conversation session is before anybody has said otherwise."""
    return RealtimeSession(
        object="realtime.session",
        id=session_id,
        model=model,
        expires_at=expires_at,
        instructions=INSTRUCTIONS,
        output_modalities=["audio"],
        max_output_tokens="inf",
        tools=[],
        tool_choice="auto",
        prompt=None,
        tracing=None,
        truncation="auto",
        include=None,
        audio=AudioConfig(
            input=AudioInput(format=PCM, transcription=None, noise_reduction=None, turn_detection=SERVER_VAD),
            output=AudioOutput(format=PCM, voice="alloy", speed=1.0),
        ),
    )


def transcription_defaults(session_id: str, expires_at: int) -> TranscriptionSession:
    """What a transcription session is before anybody has said otherwise."""
    return TranscriptionSession(
        object="realtime.transcription_session",
        id=session_id,
        expires_at=expires_at,
        include=None,
        audio=TranscriptionAudioConfig(
            input=AudioInput(format=PCM, transcription=None, noise_reduction=None, turn_detection=SERVER_VAD)
        ),
    )


def effective(
    update: Session,
    session_id: str,
    model: str,
    expires_at: int,
    serving: ToolServing = ToolServing.NONE,
    voices: Voices = VOICES,
) -> Session:
    """The defaults with an opening config on top. `shown` is what of it may be told.

    Raises:
        RequestError: something in it that this server cannot do.
    """
    if isinstance(update, TranscriptionSession):
        return _merged(transcription_defaults(session_id, expires_at), update)
    defaults = realtime_defaults(session_id, known(update.model, model), expires_at)
    _refuse_reasoning(update.reasoning, defaults, "session.reasoning")
    voices.check(_output(update).voice, "session.audio.output.voice")
    return _merged(defaults, ToolBook(serving).complete(update, defaults, "session"))


def _merged(session: Session, update: Session) -> Session:
    """`session` with an update on top, as the transcription model can have it."""
    whole = merge(session, update)
    if isinstance(whole.audio, UnsetType) or isinstance(whole.audio.input, UnsetType):
        return whole
    asked = AudioInput() if isinstance(update.audio, UnsetType) else known(update.audio.input, AudioInput())
    heard = dictated(whole.audio.input, asked, only=isinstance(whole, TranscriptionSession))
    return replace(whole, audio=replace(whole.audio, input=heard))


@dataclass(frozen=True, slots=True)
class History:
    """What has happened that freezes settings."""

    voice_used: bool = False


class Settings:
    """A reading of the effective config. `session` is what the wire shows; `voices` may be asked for."""

    def __init__(self, session: Session, voices: Voices = VOICES) -> None:
        self.session = session
        self.voices = voices

    def update(
        self, update: Session, history: History, reduce: Callable[[NoiseReduction | None], None] = lambda _: None
    ) -> None:
        """Apply a `session.update`, all of it or nothing; `reduce` has noise reduced accordingly, or raises.

        Raises:
            RequestError: another session type, a frozen voice or tracing, or something that this server cannot do.
        """
        if isinstance(update, RealtimeSession):
            self._check(update, history)
            update = replace(update, model=UNSET)
        whole = _merged(self.session, update)
        reduce(Settings(whole).noise_reduction)
        self.session = whole

    def _check(self, update: RealtimeSession, history: History) -> None:
        if not isinstance(self.session, RealtimeSession):
            return
        _refuse_reasoning(update.reasoning, self.session, "session.reasoning")
        voice = _output(update).voice
        self.voices.check(voice, "session.audio.output.voice")
        if history.voice_used and voice not in (UNSET, self._output.voice):
            raise RequestError(
                "Cannot update a conversation's voice if assistant audio is present.",
                code="cannot_update_voice",
                param="session.audio.output.voice",
            )
        tracing = self.session.tracing
        if tracing not in (None, UNSET) and update.tracing not in (UNSET, tracing):
            raise RequestError(
                "Tracing cannot be changed once it is enabled for a session.",
                code="invalid_value",
                param="session.tracing",
            )

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def realtime(self) -> RealtimeSession | None:
        """The config of a conversation session; None in a transcription session."""
        return self.session if isinstance(self.session, RealtimeSession) else None

    @property
    def _input(self) -> AudioInput:
        match self.session:
            case RealtimeSession():
                return known(known(self.session.audio, AudioConfig()).input, AudioInput())
            case TranscriptionSession():
                return known(known(self.session.audio, TranscriptionAudioConfig()).input, AudioInput())

    @property
    def _output(self) -> AudioOutput:
        return _output(self.session) if isinstance(self.session, RealtimeSession) else AudioOutput()

    @property
    def detection(self) -> TurnDetection | None:
        """How turns are found; None when the client commits them."""
        return known(self._input.turn_detection, None)

    @property
    def transcription(self) -> Transcription | None:
        """What the client wants to read of the user's speech; None when nothing."""
        return known(self._input.transcription, None)

    @property
    def written_along(self) -> Transcription | None:
        """What the client wants to read of sound that has no turns, while it arrives; None when nothing.

        Only a transcription session is written down before its commit: in a conversation, what a microphone picks up
        between two turns of push to talk is not said to anybody.
        """
        return self.transcription if self.realtime is None and self.detection is None else None

    @property
    def noise_reduction(self) -> NoiseReduction | None:
        """How noise is taken out of the input first; None when not at all."""
        return known(self._input.noise_reduction, None)

    @property
    def input_format(self) -> AudioFormat:
        """How sound in `append` is coded."""
        return known(self._input.format, PCM)

    @property
    def output_format(self) -> AudioFormat:
        """How sound in deltas is coded."""
        return known(self._output.format, PCM)

    @property
    def voice(self) -> Voice:
        """The session's voice."""
        return known(self._output.voice, "alloy")

    @property
    def speed(self) -> float:
        """1.0 is the voice's own."""
        return known(self._output.speed, 1.0)

    @property
    def idle_timeout_ms(self) -> int | None:
        """Silence after an answer that starts another turn."""
        detection = self.detection
        return known(detection.idle_timeout_ms, None) if isinstance(detection, ServerVad) else None

    @property
    def truncation(self) -> Truncation:
        """What happens to a conversation that is longer than the thinker can read."""
        return "auto" if self.realtime is None else known(self.realtime.truncation, "auto")

    @property
    def logprobs(self) -> bool:
        """Whether the client wants to know how sure the transcriber is."""
        return "item.input_audio_transcription.logprobs" in (known(self.session.include, None) or ())

    @property
    def creates_response(self) -> bool:
        """Whether the end of a turn is answered without being asked."""
        return self.realtime is not None and self.detection is not None and known(self.detection.create_response, True)

    @property
    def interrupts_response(self) -> bool:
        """Whether speech stops the answer."""
        return self.detection is not None and known(self.detection.interrupt_response, True)


@dataclass(frozen=True, slots=True)
class Wish:
    """What one response is to do, after its own settings and the session's."""

    modality: Modality
    voice: Voice
    speed: float
    format: AudioFormat
    instructions: str
    tools: tuple[Tool, ...]
    tool_choice: ToolChoice
    parallel_tool_calls: bool
    max_output_tokens: int | Literal["inf"]
    effort: Effort | None = None
    needs: tuple[str, ...] = ()
    """Labels of MCP servers without whose tools it makes no sense: its own, and the one that it must call."""


def wish(settings: Settings, session: RealtimeSession, config: ResponseConfig) -> Wish:
    """A response's settings: its own where it has some, the session's elsewhere.

    Raises:
        RequestError: an effort of a model that does not reason, or a voice that nobody has.
    """
    _refuse_reasoning(config.reasoning, session, "response.reasoning")
    tools = known(config.tools, known(session.tools, []))
    output = known(known(config.audio, ResponseAudio()).output, ResponseAudioOutput())
    settings.voices.check(output.voice, "response.audio.output.voice")
    choice: ToolChoice = known(config.tool_choice, known(session.tool_choice, "auto"))
    orders = known(config.instructions, None)
    own = [tool.server_label for tool in known(config.tools, []) if isinstance(tool, McpTool)]
    return Wish(
        modality=_modality(known(config.output_modalities, known(session.output_modalities, []))),
        voice=known(output.voice, settings.voice),
        speed=settings.speed,
        format=known(output.format, settings.output_format),
        instructions=known(session.instructions, "") if orders is None else orders,
        tools=tuple(tools),
        tool_choice=choice,
        parallel_tool_calls=known(config.parallel_tool_calls, known(session.parallel_tool_calls, True)),
        max_output_tokens=known(config.max_output_tokens, known(session.max_output_tokens, "inf")),
        needs=(*own, choice.server_label) if isinstance(choice, McpChoice) else tuple(own),
        effort=known(known(config.reasoning, known(session.reasoning, Reasoning())).effort, None),
    )


def _refuse_reasoning(reasoning: Reasoning | UnsetType, session: RealtimeSession, param: str) -> None:
    """Only some models reason. A name of the operator's own may stand for any model."""
    model = known(session.model, "")
    if reasoning is not UNSET and UNREASONING.fullmatch(model):
        raise RequestError(
            f"The model '{model}' does not reason: leave '{param}' out, or ask for another model.",
            code="invalid_value",
            param=param,
        )


def _output(session: RealtimeSession) -> AudioOutput:
    return known(known(session.audio, AudioConfig()).output, AudioOutput())


def voice_name(voice: Voice) -> str:
    """What a speaker engine is told."""
    return voice.id if isinstance(voice, CustomVoice) else voice


def _modality(modalities: Modalities) -> Modality:
    return "text" if modalities == ["text"] else "audio"
