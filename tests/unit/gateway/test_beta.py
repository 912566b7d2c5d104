import json

import pytest
from openai.types.beta.realtime import TranscriptionSession
from openai.types.beta.realtime.session_create_response import SessionCreateResponse

from tests.unit.gateway.stand import ANSWER, DATA_ONLY, KEY, OFFER, Reply, Stand, settings, standing
from vivavoce.gateway.interface import CallRequest
from vivavoce.gateway.interpreted import Interpreted
from vivavoce.gateway.settings import Limits, SecretUse
from vivavoce.transport.interface import Transport
from vivavoce.transport.memory import join
from vivavoce.wire.config import AudioConfig, AudioOutput, RealtimeSession
from vivavoce.wire.config import TranscriptionSession as Transcribing

SESSIONS = "/v1/realtime/sessions"
TRANSCRIPTION_SESSIONS = "/v1/realtime/transcription_sessions"
BETA = {"OpenAI_Beta": "realtime=v1"}


def made(stand: Stand, body: str = "{}", path: str = SESSIONS) -> str:
    reply = stand.post(path, content=body)
    assert reply.status == 200, reply.body
    value = reply.json()["client_secret"]["value"]
    assert isinstance(value, str)
    return value


# ── secrets ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_session_comes_back_whole_and_flat_with_a_secret_that_lives_for_a_minute(stand: Stand) -> None:
    reply = stand.post(SESSIONS, content='{"model":"parrot","voice":"verse","modalities":["text","audio"]}')
    assert reply.status == 200
    assert reply.headers["cache-control"] == "no-store"
    body = reply.json()
    assert body["client_secret"]["value"].startswith("ek_")
    assert body["client_secret"]["expires_at"] == stand.clock.wall() + 60
    assert body["id"].startswith("sess_")
    assert (body["object"], body["model"], body["voice"]) == ("realtime.session", "parrot", "verse")
    assert (body["modalities"], body["temperature"]) == (["audio", "text"], 0.8)
    assert (body["input_audio_format"], body["turn_detection"]["silence_duration_ms"]) == ("pcm16", 200)
    parsed = SessionCreateResponse.model_validate_json(reply.body, strict=True)
    assert parsed.client_secret.value == body["client_secret"]["value"]


def test_so_does_a_session_that_only_writes_down(stand: Stand) -> None:
    wanted = {"input_audio_transcription": {"model": "gpt-4o-transcribe"}, "turn_detection": None}
    reply = stand.post(TRANSCRIPTION_SESSIONS, content=json.dumps(wanted))
    parsed = TranscriptionSession.model_validate_json(reply.body, strict=True)
    assert parsed.client_secret.expires_at == stand.clock.wall() + 60
    assert parsed.input_audio_transcription is not None
    assert parsed.input_audio_transcription.model == "gpt-4o-transcribe"
    assert parsed.turn_detection is None
    assert reply.json()["object"] == "realtime.transcription_session"


@pytest.mark.parametrize("path", [SESSIONS, TRANSCRIPTION_SESSIONS, "/openai/v1/realtime/sessions"])
def test_everything_may_be_left_out(stand: Stand, path: str) -> None:
    for body in ("", "{}"):
        assert stand.post(path, content=body).json()["client_secret"]["value"].startswith("ek_")


@pytest.mark.parametrize(("path", "key"), [(SESSIONS, "expires_after"), (TRANSCRIPTION_SESSIONS, "expires_at")])
def test_a_secret_may_be_asked_to_live_longer(stand: Stand, path: str, key: str) -> None:
    body = json.dumps({"client_secret": {key: {"anchor": "created_at", "seconds": 900}}})
    assert stand.post(path, content=body).json()["client_secret"]["expires_at"] == stand.clock.wall() + 900


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ("{", (400, "invalid_json", None)),
        ('{"session":{}}', (400, "unknown_parameter", "session")),
        ('{"type":"realtime"}', (400, "unknown_parameter", "type")),
        ('{"temperature":2}', (400, "invalid_value", "temperature")),
        ('{"tool_choice":{"type":"function"}}', (400, "missing_required_parameter", "tool_choice.name")),
        ('{"model":"gpt-x"}', (404, "model_not_found", "model")),
        ('{"model":"whisper-1"}', (400, "invalid_model", "model")),
        (
            '{"client_secret":{"expires_after":{"seconds":5}}}',
            (400, "invalid_value", "client_secret.expires_after.seconds"),
        ),
    ],
)
def test_a_fault_is_named_by_its_place_in_the_body(
    stand: Stand, body: str, refusal: tuple[int, str, str | None]
) -> None:
    assert stand.post(SESSIONS, content=body).error == refusal


def test_only_so_many_are_made_and_only_with_a_key() -> None:
    with standing(settings(limits=Limits(secrets_per_minute=1))) as stand:
        secret = made(stand)
        assert stand.post(SESSIONS, key=secret).error == (403, "insufficient_permissions", None)
        assert stand.post(SESSIONS, key="sk-wrong-key-0000").error == (401, "invalid_api_key", None)
        assert stand.post(TRANSCRIPTION_SESSIONS).error == (429, "rate_limit_exceeded", None)


# ── calls ───────────────────────────────────────────────────────────────────────────────────────────────


def place(stand: Stand, key: str = KEY, path: str = "/v1/realtime?model=parrot") -> Reply:
    return stand.call(key=key, path=path)


def is_interpreted(stand: Stand, request: CallRequest) -> bool:
    """Whether the caller speaks the beta."""

    async def carried() -> Transport:
        return request.interpret(join()[0])

    assert stand.client.portal is not None
    return isinstance(stand.client.portal.call(carried), Interpreted)


def test_a_call_at_the_old_address_is_the_same_call_and_speaks_the_beta(stand: Stand) -> None:
    reply = place(stand)
    assert (reply.status, reply.body) == (201, ANSWER.encode())
    assert reply.headers["content-type"] == "application/sdp"
    location = reply.headers["location"]
    assert location.startswith("/v1/realtime/calls/rtc_")
    (request,) = stand.answerer.call_requests
    assert request.session == RealtimeSession(model="parrot")
    assert is_interpreted(stand, request)
    assert stand.post(f"{location}/hangup").status == 200
    stand.call()
    assert not is_interpreted(stand, stand.answerer.call_requests[-1])


def test_a_secret_of_the_beta_binds_the_call_that_a_browser_places_with_it(stand: Stand) -> None:
    secret = made(stand, '{"model":"house","voice":"ash","instructions":"Be brief."}')
    assert place(stand, secret).status == 201
    bound = RealtimeSession(model="house", instructions="Be brief.", audio=AudioConfig(output=AudioOutput(voice="ash")))
    assert stand.answerer.call_requests[0].session == bound
    # It opens what GA's secrets open, and speaks GA there: the address decides.
    assert stand.call(key=secret).status == 201
    assert not is_interpreted(stand, stand.answerer.call_requests[1])
    stand.clock.advance(60)
    assert place(stand, secret).error == (401, "invalid_api_key", None)


def test_by_policy_a_secret_of_the_beta_is_good_for_one_call() -> None:
    with standing(settings(use=SecretUse.ONCE)) as stand:
        secret = made(stand)
        assert place(stand, secret).status == 201
        assert place(stand, secret).error == (401, "invalid_api_key", None)


def test_what_cannot_be_answered_at_the_old_address_is_refused_as_at_the_new(stand: Stand) -> None:
    path = "/v1/realtime?model=parrot"
    assert stand.post(path, content="x", content_type="application/sdp").error == (400, "invalid_offer", None)
    assert stand.post(path, content=DATA_ONLY, content_type="application/sdp").error == (400, "invalid_offer", None)
    for kind in ("application/json", "multipart/form-data; boundary=b"):
        assert stand.post(path, content=OFFER, content_type=kind).error == (415, "unsupported_content_type", None)
    assert place(stand, path="/v1/realtime?model=gpt-x").error == (404, "model_not_found", "model")
    assert stand.running() == 0


# ── sockets ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_socket_of_the_beta_is_translated_both_ways(stand: Stand) -> None:
    with stand.socket("/v1/realtime?model=house", authorization=f"Bearer {KEY}", **BETA) as socket:
        socket.send_text('{"type":"session.update","session":{"modalities":["text"]}}')
        heard = json.loads(socket.receive_text().removeprefix("echo "))
        assert heard == {"type": "session.update", "session": {"type": "realtime", "output_modalities": ["text"]}}
        socket.send_text('{"type":"session.update","event_id":"mine","session":{"type":"realtime"}}')
        refused = json.loads(socket.receive_text())["error"]
        assert (refused["code"], refused["param"], refused["event_id"]) == ("unknown_parameter", "session.type", "mine")


def test_browsers_say_it_in_a_subprotocol_and_azure_by_the_address(stand: Stand) -> None:
    secret = made(stand, "{}", TRANSCRIPTION_SESSIONS)
    offered = ["realtime", f"openai-insecure-api-key.{secret}", "openai-beta.realtime-v1"]
    update = '{"type":"transcription_session.update","session":{}}'
    with stand.socket("/v1/realtime?intent=transcription", subprotocols=offered) as socket:
        assert socket.accepted_subprotocol == "realtime"
        socket.send_text(update)
        assert json.loads(socket.receive_text().removeprefix("echo "))["session"] == {"type": "transcription"}
    azure = "/openai/realtime?api-version=2025-04-01-preview&deployment=parrot"
    with stand.socket(azure, api_key=KEY) as socket:
        socket.send_text('{"type":"session.update","session":{}}')
        assert json.loads(socket.receive_text().removeprefix("echo "))["session"] == {"type": "realtime"}
    transcribing, talking = [request.session for request in stand.answerer.socket_requests]
    assert isinstance(transcribing, Transcribing)
    assert talking == RealtimeSession(model="parrot")


def test_each_party_of_a_call_speaks_its_own_dialect(stand: Stand) -> None:
    call_id = place(stand).headers["location"].rpartition("/")[2]
    path = f"/v1/realtime?call_id={call_id}"
    bearer = f"Bearer {KEY}"
    update = '{"type":"session.update","session":{"modalities":["text"]}}'
    with stand.socket(path, authorization=bearer) as one, stand.socket(path, authorization=bearer, **BETA) as two:
        two.send_text(update)
        translated = one.receive_text()
        assert json.loads(translated.removeprefix("heard "))["session"]["output_modalities"] == ["text"]
        assert two.receive_text() == translated
        one.send_text(update)
        assert two.receive_text() == one.receive_text() == f"heard {update}"
