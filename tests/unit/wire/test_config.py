"""Joining an update to the config in force."""

import pytest
from msgspec import UNSET, UnsetType

from vivavoce.errors import RequestError
from vivavoce.wire.config import (
    AudioConfig,
    AudioInput,
    AudioOutput,
    CustomVoice,
    FunctionTool,
    NoiseReduction,
    PcmFormat,
    PcmuFormat,
    RealtimeSession,
    Reasoning,
    RetentionRatio,
    SemanticVad,
    ServerVad,
    Session,
    TokenLimits,
    Transcription,
    TranscriptionAudioConfig,
    TranscriptionSession,
    TurnDetection,
    merge,
)

EFFECTIVE = RealtimeSession(
    id="sess_1",
    model="gpt-realtime-2.1",
    instructions="Be kind.",
    tools=[FunctionTool(name="lamp")],
    truncation=RetentionRatio(retention_ratio=0.8, token_limits=TokenLimits(post_instructions=8000)),
    reasoning=Reasoning(effort="low"),
    audio=AudioConfig(
        input=AudioInput(
            format=PcmFormat(rate=24000),
            noise_reduction=NoiseReduction(type="near_field", strength=0.5),
            transcription=Transcription(model="gpt-transcribe", language="en"),
            turn_detection=ServerVad(
                threshold=0.5,
                prefix_padding_ms=300,
                silence_duration_ms=700,
                idle_timeout_ms=6000,
                create_response=True,
                interrupt_response=False,
            ),
        ),
        output=AudioOutput(format=PcmFormat(rate=24000), voice="marin", speed=1.0),
    ),
)


def heard(update: AudioInput, *, effective: RealtimeSession = EFFECTIVE) -> AudioInput:
    merged = merge(effective, RealtimeSession(audio=AudioConfig(input=update)))
    assert isinstance(merged.audio, AudioConfig)
    assert isinstance(merged.audio.input, AudioInput)
    return merged.audio.input


def turns(update: TurnDetection | None, *, effective: RealtimeSession = EFFECTIVE) -> TurnDetection | None | UnsetType:
    return heard(AudioInput(turn_detection=update), effective=effective).turn_detection


def test_only_the_keys_present_change() -> None:
    merged = merge(EFFECTIVE, RealtimeSession(instructions="", tools=[]))
    assert (merged.instructions, merged.tools) == ("", [])
    assert (merged.id, merged.model, merged.audio) == (EFFECTIVE.id, EFFECTIVE.model, EFFECTIVE.audio)


def test_one_knob_of_turn_detection_leaves_the_others() -> None:
    assert turns(ServerVad(silence_duration_ms=200)) == ServerVad(
        threshold=0.5,
        prefix_padding_ms=300,
        silence_duration_ms=200,
        idle_timeout_ms=6000,
        create_response=True,
        interrupt_response=False,
    )


def test_another_kind_of_turn_detection_starts_from_its_own_values() -> None:
    assert turns(SemanticVad(eagerness="high")) == SemanticVad(
        eagerness="high", create_response=True, interrupt_response=True
    )


def test_turn_detection_switched_off_and_on_again_starts_afresh() -> None:
    off = merge(EFFECTIVE, RealtimeSession(audio=AudioConfig(input=AudioInput(turn_detection=None))))
    assert isinstance(off.audio, AudioConfig)
    assert isinstance(off.audio.input, AudioInput)
    assert off.audio.input.turn_detection is None
    assert turns(ServerVad(threshold=0.9), effective=off) == ServerVad(
        threshold=0.9,
        prefix_padding_ms=300,
        silence_duration_ms=200,
        idle_timeout_ms=None,
        create_response=True,
        interrupt_response=True,
    )


def test_noise_reduction_keeps_its_strength_unless_told() -> None:
    changed = heard(AudioInput(noise_reduction=NoiseReduction(type="far_field"))).noise_reduction
    assert changed == NoiseReduction(type="far_field", strength=0.5)
    fresh = heard(AudioInput(noise_reduction=NoiseReduction(type="far_field")), effective=RealtimeSession())
    assert fresh.noise_reduction == NoiseReduction(type="far_field", strength=1.0)


def test_transcription_keeps_its_language_when_the_model_changes() -> None:
    changed = heard(AudioInput(transcription=Transcription(model="whisper-1"))).transcription
    assert changed == Transcription(model="whisper-1", language="en")


def test_another_audio_format_replaces_the_old_one_and_nothing_else() -> None:
    changed = heard(AudioInput(format=PcmuFormat()))
    assert changed.format == PcmuFormat()
    assert changed.transcription == Transcription(model="gpt-transcribe", language="en")
    assert heard(AudioInput(format=PcmFormat()), effective=RealtimeSession()).format == PcmFormat(rate=24000)


def test_a_custom_voice_takes_the_place_of_a_named_one() -> None:
    merged = merge(EFFECTIVE, RealtimeSession(audio=AudioConfig(output=AudioOutput(voice=CustomVoice(id="voice_1")))))
    assert isinstance(merged.audio, AudioConfig)
    assert merged.audio.output == AudioOutput(format=PcmFormat(rate=24000), voice=CustomVoice(id="voice_1"), speed=1.0)


def test_outside_audio_a_key_replaces_the_whole_value() -> None:
    merged = merge(EFFECTIVE, RealtimeSession(truncation=RetentionRatio(retention_ratio=0.5), reasoning=Reasoning()))
    assert merged.truncation == RetentionRatio(retention_ratio=0.5)
    assert merged.reasoning == Reasoning()


def test_null_is_kept_as_null() -> None:
    merged = merge(EFFECTIVE, RealtimeSession(tracing=None, prompt=None))
    assert (merged.tracing, merged.prompt) == (None, None)
    assert EFFECTIVE.tracing is UNSET


def test_a_transcription_session_merges_alike() -> None:
    update = TranscriptionSession(audio=TranscriptionAudioConfig(input=AudioInput(turn_detection=None)))
    merged = merge(TranscriptionSession(include=None), update)
    assert merged == TranscriptionSession(include=None, audio=update.audio)


def test_a_session_does_not_change_its_type() -> None:
    effective: Session = EFFECTIVE
    update: Session = TranscriptionSession()
    with pytest.raises(RequestError) as refused:
        merge(effective, update)
    assert (refused.value.code, refused.value.param) == ("invalid_value", "session.type")
