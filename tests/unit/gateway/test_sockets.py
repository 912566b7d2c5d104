import asyncio
import json
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from openai.types.realtime import RealtimeErrorEvent
from starlette.testclient import WebSocketTestSession
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.unit.gateway.stand import KEY, OTHER_KEY, Stand, settings, standing
from vivavoce.errors import RequestError, Retry, StoreError
from vivavoce.gateway.settings import Beta, Limits, SecretUse
from vivavoce.gateway.sockets import Conversation, Sideband, purpose, refuse
from vivavoce.store.memory import MemoryStore
from vivavoce.telemetry.private import Private
from vivavoce.testing.clock import ManualClock
from vivavoce.wire.config import RealtimeSession, TranscriptionSession

HOUSE = "/v1/realtime?model=house"
BEARER = f"Bearer {KEY}"


def closing(socket: WebSocketTestSession) -> tuple[int, str]:
    with pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_text()
    return closed.value.code, closed.value.reason


def start_call(stand: Stand, key: str = KEY) -> str:
    return stand.call(key=key).headers["location"].rpartition("/")[2]


# ── a conversation of its own ───────────────────────────────────────────────────────────────────────────


def test_a_program_connects_with_its_key_in_a_header_and_gets_no_subprotocol(stand: Stand) -> None:
    with stand.socket(HOUSE, authorization=BEARER) as socket:
        assert socket.accepted_subprotocol is None
        socket.send_text("hello")
        assert socket.receive_text() == "echo hello"
        assert stand.running() == 1
    assert stand.running() == 0
    (request,) = stand.answerer.socket_requests
    assert request.session == RealtimeSession(model="house")


def test_azure_clients_connect_with_api_key(stand: Stand) -> None:
    with stand.socket(HOUSE, api_key=KEY) as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "echo hello"


def test_a_browser_that_knows_azure_connects_with_its_key_in_the_query() -> None:
    key = "0123456789abcdef"  # as Azure's look
    with standing(settings(keys=(key,))) as stand:
        with stand.socket(f"/openai/v1/realtime?model=house&api-key={key}") as socket:
            socket.send_text("hello")
            assert socket.receive_text() == "echo hello"
        # A key in an address ends up in logs, so it counts only where a browser has nowhere else to put it.
        assert stand.post(f"/v1/realtime/calls?api-key={key}", key=None).error == (401, "invalid_api_key", None)


def test_a_browser_connects_with_its_secret_in_a_subprotocol_which_is_not_echoed(stand: Stand) -> None:
    secret = stand.secret('{"session":{"type":"realtime","model":"house","instructions":"Be brief."}}')
    offered = ["realtime", f"openai-insecure-api-key.{secret}", "openai-organization.org_1"]
    with stand.socket("/v1/realtime?model=parrot", subprotocols=offered, OpenAI_Safety_Identifier="hash") as socket:
        assert socket.accepted_subprotocol == "realtime"
        assert secret not in repr(socket.extra_headers)
    (request,) = stand.answerer.socket_requests
    assert request.session == RealtimeSession(model="parrot", instructions="Be brief.")
    assert request.safety_identifier == Private("hash")


def test_a_transcription_session_is_opened_by_intent(stand: Stand) -> None:
    with stand.socket("/v1/realtime?intent=transcription", authorization=BEARER):
        pass
    secret = stand.secret('{"session":{"type":"transcription"}}')
    with stand.socket("/v1/realtime?intent=transcription", authorization=f"Bearer {secret}"):
        pass
    assert [request.session for request in stand.answerer.socket_requests] == [TranscriptionSession()] * 2


def test_a_fault_of_ours_closes_the_socket_and_no_other(stand: Stand) -> None:
    with stand.socket(HOUSE, authorization=BEARER) as other, stand.socket(HOUSE, authorization=BEARER) as broken:
        broken.send_text("break")
        assert closing(broken)[0] == 1011
        other.send_text("hello")
        assert other.receive_text() == "echo hello"
    assert stand.running() == 0


# ── a second party on a call ────────────────────────────────────────────────────────────────────────────


def test_a_sideband_hears_and_speaks_on_the_call_of_its_owner(stand: Stand) -> None:
    call_id = start_call(stand)
    with (
        stand.socket(f"/v1/realtime?call_id={call_id}", authorization=BEARER) as one,
        stand.socket(f"/v1/realtime?call_id={call_id}&model=ignored", authorization=BEARER) as two,
    ):
        one.send_text("hello")
        assert one.receive_text() == two.receive_text() == "heard hello"
        assert stand.running() == 1


def test_a_sideband_ends_with_its_call(stand: Stand) -> None:
    call_id = start_call(stand)
    with stand.socket(f"/v1/realtime?call_id={call_id}", authorization=BEARER) as socket:
        socket.send_text("hello")
        socket.receive_text()
        assert stand.post(f"/v1/realtime/calls/{call_id}/hangup").status == 200
        assert closing(socket) == (1000, "over")


def test_a_browser_may_join_the_call_that_its_secret_has_started(stand: Stand) -> None:
    secret = stand.secret()
    call_id = start_call(stand, secret)
    with stand.socket(f"/v1/realtime?call_id={call_id}", authorization=f"Bearer {secret}") as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "heard hello"


def test_nobody_joins_calls_of_others(stand: Stand) -> None:
    call_id = start_call(stand)
    for key in (OTHER_KEY, stand.secret()):
        refused = stand.refusal(f"/v1/realtime?call_id={call_id}", authorization=f"Bearer {key}")
        assert refused.error == (404, "call_id_not_found", "call_id")
    assert stand.refusal("/v1/realtime?call_id=rtc_none", authorization=BEARER).error[0] == 404


def test_a_call_has_so_many_sidebands() -> None:
    with standing(settings(limits=Limits(sidebands_per_call=1))) as stand:
        path = f"/v1/realtime?call_id={start_call(stand)}"
        with stand.socket(path, authorization=BEARER):
            assert stand.refusal(path, authorization=BEARER).error == (429, "rate_limit_exceeded", None)
        with stand.socket(path, authorization=BEARER):
            pass


# ── refusals ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("/v1/realtime", (400, "missing_required_parameter", "model")),
        ("/v1/realtime?model=house&intent=transcription", (400, "invalid_value", "model")),
        ("/v1/realtime?model=house&intent=dictation", (400, "invalid_value", "intent")),
        ("/v1/realtime?model=gpt-4o-mini-transcribe-2025-12-15", (400, "invalid_model", "session.model")),
        ("/v1/realtime?model=gpt-realtime-translate", (400, "translation_not_supported", "session.model")),
        ("/v1/realtime?call_id=rtc_1&intent=transcription", (400, "invalid_value", "intent")),
        ("/v1/realtime?intent=dictation", (400, "invalid_value", "intent")),
        ("/v1/realtime?model=gpt-x", (404, "model_not_found", "session.model")),
        ("/v1/realtime?model=", (404, "model_not_found", "session.model")),
        ("/v1/realtime/", (404, "unknown_url", None)),
        ("/v1/elsewhere", (404, "unknown_url", None)),
    ],
)
def test_what_cannot_be_opened_is_refused_before_the_upgrade(
    stand: Stand, path: str, refusal: tuple[int, str, str | None]
) -> None:
    assert stand.refusal(path, authorization=BEARER).error == refusal
    assert stand.running() == 0


def test_without_a_good_key_nothing_opens(stand: Stand) -> None:
    for headers in ({}, {"authorization": "Bearer sk-wrong-key-0000"}, {"api_key": "sk-wrong-key-0000"}):
        assert stand.refusal(HOUSE, **headers).error == (401, "invalid_api_key", None)
    offered = ["realtime", "openai-insecure-api-key.ek_made_up"]
    assert stand.refusal(HOUSE, subprotocols=offered).error == (401, "invalid_api_key", None)
    secret = stand.secret('{"expires_after":{"seconds":10}}')
    stand.clock.advance(11)
    assert stand.refusal(HOUSE, authorization=f"Bearer {secret}").error == (401, "invalid_api_key", None)


def test_a_secret_for_transcription_opens_no_conversation(stand: Stand) -> None:
    secret = stand.secret('{"session":{"type":"transcription"}}')
    refused = stand.refusal(HOUSE, authorization=f"Bearer {secret}")
    assert refused.error == (400, "invalid_value", "session.type")


def test_by_policy_a_secret_opens_one_socket() -> None:
    with standing(settings(use=SecretUse.ONCE)) as stand:
        bearer = f"Bearer {stand.secret()}"
        assert stand.refusal("/v1/realtime?model=gpt-x", authorization=bearer).error[0] == 404
        with stand.socket(HOUSE, authorization=bearer):
            pass
        assert stand.refusal(HOUSE, authorization=bearer).error == (401, "invalid_api_key", None)


def test_sockets_and_calls_share_the_limits() -> None:
    with standing(settings(limits=Limits(calls_per_identity=1, half_open=1))) as stand, ExitStack() as stack:
        stack.enter_context(stand.socket(HOUSE, authorization=BEARER))
        assert stand.call().error == (429, "rate_limit_exceeded", None)
        refused = stand.refusal(HOUSE, authorization=BEARER)
        assert refused.error == (429, "rate_limit_exceeded", None)
        assert refused.headers["retry-after"] == "5"
        # An open socket is not half open any more.
        assert stand.call(key=OTHER_KEY).status == 201


def test_pages_of_strangers_may_not_connect(stand: Stand) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example:8000"):
        assert stand.refusal(HOUSE, authorization=BEARER, origin=origin).error == (403, "origin_not_allowed", None)
    for origin in ("http://127.0.0.1:8000", "http://localhost:3000"):
        with stand.socket(HOUSE, authorization=BEARER, origin=origin):
            pass


def test_on_a_public_address_only_listed_pages_and_our_own_may_connect() -> None:
    with standing(settings(bind="0.0.0.0", origins=("https://app.example",))) as stand:
        # The test client calls its server "testserver".
        for origin in ("https://app.example", "http://testserver"):
            with stand.socket(HOUSE, authorization=BEARER, origin=origin):
                pass
        assert stand.refusal(HOUSE, authorization=BEARER, origin="http://localhost:3000").error[0] == 403


class LostStore(MemoryStore):
    """A store that has gone away."""

    async def get(self, key: str) -> bytes | None:
        raise StoreError("The store cannot be reached.", next=Retry(after_s=1.0))


class BrokenStore(MemoryStore):
    """A store with a mistake in it."""

    async def get(self, key: str) -> bytes | None:
        raise ValueError(key)


@pytest.mark.parametrize(("store_of", "status"), [(LostStore, 503), (BrokenStore, 500)])
def test_when_secrets_cannot_be_looked_up_keys_still_work(
    store_of: Callable[[ManualClock], MemoryStore], status: int
) -> None:
    with standing(store_of=store_of) as stand:
        secret = stand.secret()
        assert stand.refusal(HOUSE, authorization=f"Bearer {secret}").error == (status, None, None)
        assert stand.call(key=secret).error == (status, None, None)
        with stand.socket(HOUSE, authorization=BEARER):
            assert stand.call().status == 201


@pytest.mark.parametrize("how", ["header", "subprotocol", "address"])
def test_where_the_beta_is_refused_its_clients_are_told_so_as_the_live_service_does(how: str) -> None:
    headers = {"authorization": BEARER} | ({"OpenAI_Beta": "realtime=v1"} if how == "header" else {})
    offered = ["realtime", "openai-beta.realtime-v1"] if how == "subprotocol" else []
    path = "/openai/realtime?deployment=house" if how == "address" else HOUSE
    with standing(settings(beta=Beta.REFUSED)) as stand:
        with stand.socket(path, subprotocols=offered, **headers) as socket:
            event = RealtimeErrorEvent.model_validate_json(socket.receive_text(), strict=True)
            assert event.event_id.startswith("event_")
            assert event.error.code == "beta_api_shape_disabled"
            assert closing(socket) == (4000, "invalid_request_error.beta_api_shape_disabled")
        assert stand.answerer.socket_requests == []
        assert stand.refusal(HOUSE, OpenAI_Beta="realtime=v1").error[0] == 401


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_socket_is_for() -> None:
    assert purpose("house", None, None) == Conversation(RealtimeSession(model="house"))
    assert purpose(None, "rtc_1", None) == purpose("house", "rtc_1", None) == Sideband("rtc_1")
    assert purpose(None, None, "transcription") == Conversation(TranscriptionSession())


@pytest.mark.parametrize(("status", "close"), [(401, 3000), (403, 3003), (404, 1008), (429, 1013), (503, 1013)])
async def test_a_server_that_cannot_refuse_in_http_opens_and_closes_with_a_code(status: int, close: int) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/", "headers": [], "subprotocols": ["realtime"]}
    async with asyncio.timeout(5):
        await refuse(WebSocket(scope, receive, send), RequestError("no", code="some_code", status=status))
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.close"]
    assert sent[0]["subprotocol"] == "realtime"
    assert (sent[1]["code"], sent[1]["reason"]) == (close, "some_code")


def test_the_refusal_of_a_socket_is_json(stand: Stand) -> None:
    refused = stand.refusal(HOUSE)
    assert json.loads(refused.body)["error"]["type"] == "invalid_request_error"
    assert refused.headers["www-authenticate"] == "Bearer"
