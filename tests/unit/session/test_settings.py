"""The effective config: what is in force, and what may still change."""

import pytest
from msgspec import UNSET

from vivavoce.errors import RequestError
from vivavoce.session.declaration import ToolServing
from vivavoce.session.settings import (
    INSTRUCTIONS,
    History,
    Settings,
    effective,
    known,
    transcription_defaults,
    voice_name,
    wish,
)
from vivavoce.session.voices import Voices
from vivavoce.wire.config import (
    AudioConfig,
    AudioInput,
    AudioOutput,
    CustomVoice,
    FunctionChoice,
    FunctionTool,
    McpChoice,
    McpTool,
    PcmaFormat,
    PcmFormat,
    PcmuFormat,
    RealtimeSession,
    Reasoning,
    ResponseAudio,
    ResponseAudioOutput,
    ResponseConfig,
    SemanticVad,
    ServerVad,
    Transcription,
    TranscriptionSession,
    Voice,
)

LOOK = FunctionTool(name="look")


def opened(update: RealtimeSession | None = None) -> Settings:
    return Settings(effective(update or RealtimeSession(), "sess_1", "house", 99))


def speaking(voice: str) -> RealtimeSession:
    return RealtimeSession(audio=AudioConfig(output=AudioOutput(voice=voice)))


def hearing(settings: AudioInput) -> RealtimeSession:
    return RealtimeSession(audio=AudioConfig(input=settings))


def refusal(settings: Settings, update: RealtimeSession | TranscriptionSession, history: History) -> RequestError:
    before = settings.session
    with pytest.raises(RequestError) as error:
        settings.update(update, history)
    assert settings.session is before
    return error.value


def test_a_session_is_what_the_live_service_makes_it_by_default() -> None:
    settings = opened()
    session = settings.realtime
    assert session is not None
    assert (session.id, session.model, session.expires_at, session.object) == (
        "sess_1",
        "house",
        99,
        "realtime.session",
    )
    assert session.instructions == INSTRUCTIONS
    assert settings.detection == ServerVad(
        threshold=0.5,
        prefix_padding_ms=300,
        silence_duration_ms=200,
        idle_timeout_ms=None,
        create_response=True,
        interrupt_response=True,
    )
    assert (settings.voice, settings.speed, settings.transcription) == ("alloy", 1.0, None)
    assert settings.input_format == settings.output_format == PcmFormat(rate=24000)
    assert settings.creates_response
    assert settings.interrupts_response
    assert settings.idle_timeout_ms is None


def test_the_model_is_the_one_asked_for_or_ours() -> None:
    asked = opened(RealtimeSession(model="mine")).realtime
    assert asked is not None
    assert asked.model == "mine"
    settings = opened()
    settings.update(RealtimeSession(model="other"), History())
    assert settings.realtime is not None
    assert settings.realtime.model == "house"


def test_only_what_an_update_names_changes() -> None:
    settings = opened()
    settings.update(hearing(AudioInput(transcription=Transcription(model="whisper-1"))), History())
    settings.update(speaking("ash"), History())
    assert settings.transcription == Transcription(model="whisper-1")
    assert settings.voice == "ash"
    assert settings.detection is not None


def test_push_to_talk_answers_and_interrupts_nothing_by_itself() -> None:
    settings = opened(hearing(AudioInput(turn_detection=None)))
    assert settings.detection is None
    assert not settings.creates_response
    assert not settings.interrupts_response


def test_a_detector_may_be_told_to_do_nothing() -> None:
    settings = opened(hearing(AudioInput(turn_detection=SemanticVad(create_response=False, interrupt_response=False))))
    assert not settings.creates_response
    assert not settings.interrupts_response
    assert settings.idle_timeout_ms is None


def test_idle_callers_are_a_matter_of_server_vad() -> None:
    assert opened(hearing(AudioInput(turn_detection=ServerVad(idle_timeout_ms=6000)))).idle_timeout_ms == 6000


def test_a_transcription_session_hears_and_never_answers() -> None:
    settings = Settings(effective(TranscriptionSession(), "sess_1", "house", 99))
    assert settings.realtime is None
    assert settings.detection is not None
    assert not settings.creates_response
    assert settings.input_format == PcmFormat(rate=24000)
    assert (settings.voice, settings.output_format) == ("alloy", PcmFormat(rate=24000))


def test_a_session_stays_of_its_type() -> None:
    error = refusal(opened(), TranscriptionSession(), History())
    assert error.param == "session.type"
    transcribing = Settings(transcription_defaults("sess_1", 99))
    assert refusal(transcribing, RealtimeSession(), History()).param == "session.type"


def test_the_voice_is_frozen_by_the_first_sound_and_may_be_repeated() -> None:
    settings = opened()
    settings.update(speaking("ash"), History(voice_used=False))
    error = refusal(settings, speaking("cedar"), History(voice_used=True))
    assert (error.code, error.param) == ("cannot_update_voice", "session.audio.output.voice")
    settings.update(speaking("ash"), History(voice_used=True))
    settings.update(RealtimeSession(instructions="new"), History(voice_used=True))
    assert settings.voice == "ash"


def test_tracing_is_frozen_once_it_is_on() -> None:
    settings = opened()
    settings.update(RealtimeSession(tracing=None), History())
    settings.update(RealtimeSession(tracing="auto"), History())
    assert refusal(settings, RealtimeSession(tracing=None), History()).param == "session.tracing"
    settings.update(RealtimeSession(tracing="auto"), History())


@pytest.mark.parametrize(
    ("model", "reasons"),
    [
        ("gpt-realtime-2.1", True),
        ("gpt-realtime-2.1-mini", True),
        ("gpt-realtime-2", True),
        ("our-own-model", True),  # whatever stands behind it
        ("gpt-realtime-1.5", False),
        ("gpt-realtime", False),
        ("gpt-realtime-2025-08-28", False),
        ("gpt-realtime-mini-2025-10-06", False),
        ("gpt-4o-mini-realtime-preview", False),
    ],
)
def test_only_a_model_that_reasons_is_told_how_hard(model: str, reasons: bool) -> None:
    hard = Reasoning(effort="high")
    settings = opened(RealtimeSession(model=model))
    session = settings.realtime
    assert session is not None
    if reasons:
        assert wish(settings, session, ResponseConfig(reasoning=hard)).effort == "high"
        settings.update(RealtimeSession(reasoning=hard), History())
        assert settings.realtime is not None
        assert settings.realtime.reasoning == hard
        assert wish(settings, settings.realtime, ResponseConfig()).effort == "high"
        assert wish(settings, settings.realtime, ResponseConfig(reasoning=Reasoning(effort="low"))).effort == "low"
        return
    assert wish(settings, session, ResponseConfig()).effort is None
    assert refusal(settings, RealtimeSession(reasoning=hard), History()).param == "session.reasoning"
    with pytest.raises(RequestError) as error:
        wish(settings, session, ResponseConfig(reasoning=hard))
    assert (error.value.code, error.value.param) == ("invalid_value", "response.reasoning")
    with pytest.raises(RequestError) as error:
        opened(RealtimeSession(model=model, reasoning=hard))
    assert error.value.param == "session.reasoning"


def test_a_server_that_cannot_call_mcp_servers_says_so() -> None:
    tools = [LOOK, McpTool(server_label="calendar", server_url="https://calendar.example/mcp")]
    with pytest.raises(RequestError) as error:
        effective(RealtimeSession(tools=tools), "sess_1", "house", 99)
    assert error.value.param == "session.tools[1].type"
    assert effective(RealtimeSession(tools=tools), "sess_1", "house", 99, ToolServing.MCP)


@pytest.mark.parametrize("voice", ["nova", "Alloy", "", CustomVoice(id="voice_x"), CustomVoice(id="alloy")])
def test_a_voice_that_nobody_has_is_refused_everywhere(voice: Voice) -> None:
    settings = Settings(opened().session, Voices(("tone", "voice_me")))
    assert settings.realtime is not None
    asked = RealtimeSession(audio=AudioConfig(output=AudioOutput(voice=voice)))
    answer = ResponseConfig(audio=ResponseAudio(output=ResponseAudioOutput(voice=voice)))
    for refused, param in (
        (lambda: effective(asked, "sess_1", "house", 99), "session.audio.output.voice"),
        (lambda: settings.update(asked, History()), "session.audio.output.voice"),
        (lambda: wish(settings, settings.realtime or RealtimeSession(), answer), "response.audio.output.voice"),
    ):
        with pytest.raises(RequestError, match="Supported values are: 'alloy', 'ash'") as error:
            refused()
        assert (error.value.code, error.value.param) == ("invalid_value", param)


@pytest.mark.parametrize("voice", ["alloy", "cedar", "tone", CustomVoice(id="voice_me")])
def test_openais_voices_and_the_speakers_own_are_taken(voice: Voice) -> None:
    settings = Settings(opened().session, Voices(("tone", "voice_me")))
    settings.update(RealtimeSession(audio=AudioConfig(output=AudioOutput(voice=voice))), History())
    assert settings.voice == voice


def test_a_response_wants_what_the_session_says_where_it_says_nothing_itself() -> None:
    settings = opened(
        RealtimeSession(instructions="Be kind.", tools=[LOOK], tool_choice="required", max_output_tokens=9)
    )
    assert settings.realtime is not None
    wanted = wish(settings, settings.realtime, ResponseConfig())
    assert (wanted.instructions, wanted.tools, wanted.tool_choice) == ("Be kind.", (LOOK,), "required")
    assert (wanted.modality, wanted.voice, wanted.max_output_tokens) == ("audio", "alloy", 9)
    assert wanted.parallel_tool_calls
    assert wanted.format == PcmFormat(rate=24000)


def test_a_response_may_want_everything_otherwise() -> None:
    opening = opened(RealtimeSession(output_modalities=["audio"], parallel_tool_calls=True)).session
    settings = Settings(opening, Voices(("voice_me",)))
    assert settings.realtime is not None
    output = ResponseAudioOutput(format=PcmuFormat(), voice=CustomVoice(id="voice_me"))
    config = ResponseConfig(
        output_modalities=["text"],
        instructions="",
        tools=[],
        tool_choice=FunctionChoice(name="look"),
        parallel_tool_calls=False,
        max_output_tokens="inf",
        audio=ResponseAudio(output=output),
    )
    wanted = wish(settings, settings.realtime, config)
    assert (wanted.modality, wanted.instructions, wanted.tools) == ("text", "", ())
    assert wanted.tool_choice == FunctionChoice(name="look")
    assert (wanted.parallel_tool_calls, wanted.max_output_tokens) == (False, "inf")
    assert wanted.format == PcmuFormat()
    assert voice_name(wanted.voice) == "voice_me"


@pytest.mark.parametrize("audio", [ResponseAudio(), ResponseAudio(output=ResponseAudioOutput())])
def test_what_a_response_leaves_open_of_its_sound_is_the_sessions(audio: ResponseAudio) -> None:
    settings = opened(
        RealtimeSession(audio=AudioConfig(output=AudioOutput(format=PcmaFormat(), voice="ash", speed=1.2)))
    )
    assert settings.realtime is not None
    wanted = wish(settings, settings.realtime, ResponseConfig(audio=audio))
    assert (wanted.format, voice_name(wanted.voice), wanted.speed) == (PcmaFormat(), "ash", 1.2)


def test_a_response_needs_the_servers_that_it_names_itself() -> None:
    settings = opened()
    assert settings.realtime is not None
    own = McpTool(server_label="maps", server_url="https://maps.example/mcp")
    config = ResponseConfig(tools=[LOOK, own], tool_choice=McpChoice(server_label="calendar"))
    assert wish(settings, settings.realtime, config).needs == ("maps", "calendar")
    assert wish(settings, settings.realtime, ResponseConfig()).needs == ()


def test_known_tells_an_absent_key_from_a_null() -> None:
    absent: str | None = known(UNSET, "default")
    assert absent == "default"
    assert known(None, "default") is None
