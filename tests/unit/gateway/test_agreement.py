import pytest
from msgspec import UNSET

from tests.unit.gateway.stand import MODELS
from vivavoce.errors import RequestError
from vivavoce.gateway.agreement import agree
from vivavoce.wire.config import AudioConfig, AudioOutput, RealtimeSession, TranscriptionSession


def test_where_nobody_says_anything_it_is_the_first_model() -> None:
    assert agree(None, None, None, MODELS) == RealtimeSession(model="house")


def test_a_hint_in_the_url_counts_only_where_nobody_else_names_a_model() -> None:
    assert agree(None, None, "parrot", MODELS) == RealtimeSession(model="parrot")
    assert agree(RealtimeSession(model="house"), None, "parrot", MODELS) == RealtimeSession(model="house")
    assert agree(None, RealtimeSession(model="house"), "gpt-4", MODELS) == RealtimeSession(model="house")


def test_the_request_overrides_what_the_secret_is_bound_to_and_keeps_the_rest() -> None:
    granted = RealtimeSession(
        model="parrot", instructions="Be brief.", audio=AudioConfig(output=AudioOutput(voice="marin", speed=1.2))
    )
    given = RealtimeSession(instructions="Be kind.", audio=AudioConfig(output=AudioOutput(voice="cedar")))
    agreed = agree(granted, given, None, MODELS)
    assert agreed == RealtimeSession(
        model="parrot", instructions="Be kind.", audio=AudioConfig(output=AudioOutput(voice="cedar", speed=1.2))
    )


def test_a_transcription_session_names_no_conversation_model() -> None:
    assert agree(None, TranscriptionSession(), "parrot", MODELS) == TranscriptionSession()


@pytest.mark.parametrize(
    ("granted", "given", "hint", "param"),
    [
        (None, RealtimeSession(model="gpt-x"), None, "session.model"),
        (RealtimeSession(model="gpt-x"), None, None, "session.model"),
        (None, None, "gpt-x", "model"),
        (None, RealtimeSession(model=""), None, "session.model"),
        (None, None, "x" * 10_000, "model"),
    ],
)
def test_an_unknown_model_is_not_found(
    granted: RealtimeSession | None, given: RealtimeSession | None, hint: str | None, param: str
) -> None:
    with pytest.raises(RequestError) as refused:
        agree(granted, given, hint, MODELS)
    assert (refused.value.status, refused.value.code, refused.value.param) == (404, "model_not_found", param)
    assert "house" in refused.value.message
    assert len(refused.value.message) < 300


def test_a_secret_for_one_type_of_session_does_not_start_another() -> None:
    with pytest.raises(RequestError) as refused:
        agree(TranscriptionSession(), RealtimeSession(), None, MODELS)
    assert (refused.value.status, refused.value.code, refused.value.param) == (400, "invalid_value", "session.type")


def test_what_nobody_set_stays_unset() -> None:
    agreed = agree(None, RealtimeSession(), None, MODELS)
    assert isinstance(agreed, RealtimeSession)
    assert agreed.instructions is UNSET


@pytest.mark.parametrize("model", ["gpt-4o-transcribe", "gpt-realtime-whisper", "whisper-1", "gpt-live-transcribe"])
def test_a_model_that_only_transcribes_is_refused_with_the_place_where_it_belongs(model: str) -> None:
    with pytest.raises(RequestError) as refused:
        agree(None, None, model, MODELS)
    assert (refused.value.status, refused.value.code) == (400, "invalid_model")
    assert "audio.input.transcription.model" in refused.value.message
