import asyncio
import re

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from tests.unit.gateway.stand import (
    ANSWER,
    DATA_ONLY,
    KEY,
    MODELS,
    OFFER,
    OTHER_KEY,
    Reply,
    Stand,
    StubbornCall,
    settings,
    standing,
)
from tests.unit.gateway.test_form import body, part
from vivavoce.errors import EngineError, RequestError, Retry, TransportError
from vivavoce.gateway.settings import Limits, SecretUse
from vivavoce.telemetry.private import Private
from vivavoce.wire.config import RealtimeSession, TranscriptionSession

CALLS = "/v1/realtime/calls"
FORM = "multipart/form-data; boundary=b"


def call_id(reply: Reply) -> str:
    assert reply.status == 201, reply.body
    location = reply.headers["location"]
    assert location.startswith(f"{CALLS}/rtc_")
    return location.removeprefix(f"{CALLS}/")


# ── starting ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_offer_is_answered_with_201_the_place_of_the_call_and_the_answer_untouched(stand: Stand) -> None:
    reply = stand.call()
    assert reply.status == 201
    assert reply.headers["content-type"] == "application/sdp"
    assert re.fullmatch(rf"{CALLS}/rtc_[0-9A-Za-z]{{21}}", reply.headers["location"])
    assert reply.headers["viva-heartbeat"] == "ping"
    assert reply.body == ANSWER.encode()
    assert stand.answerer.call_requests[0].offer == OFFER
    assert stand.answerer.call_requests[0].id == call_id(reply)


def test_a_browser_with_a_secret_gets_the_session_that_the_secret_is_bound_to(stand: Stand) -> None:
    secret = stand.secret('{"session":{"type":"realtime","model":"parrot","instructions":"Be brief."}}')
    call_id(stand.call(key=secret))
    assert stand.answerer.call_requests[0].session == RealtimeSession(model="parrot", instructions="Be brief.")


def test_a_backend_sends_the_session_beside_the_offer(stand: Stand) -> None:
    for label in ([], ["Content-Type: application/json"]):
        form = body(part("sdp", OFFER), part("session", '{"type":"realtime","model":"parrot"}', *label))
        call_id(stand.post(CALLS, content=form, content_type=FORM))
    form = body(part("session", '{"type":"transcription"}'), part("sdp", OFFER))
    call_id(stand.post(CALLS, content=form, content_type=FORM))
    sessions = [request.session for request in stand.answerer.call_requests]
    assert sessions == [RealtimeSession(model="parrot")] * 2 + [TranscriptionSession()]


def test_what_the_call_says_overrides_what_the_secret_says(stand: Stand) -> None:
    secret = stand.secret('{"session":{"type":"realtime","model":"parrot","instructions":"Be brief."}}')
    form = body(part("sdp", OFFER), part("session", '{"type":"realtime","instructions":"Be kind."}'))
    call_id(stand.post(CALLS, key=secret, content=form, content_type=FORM))
    assert stand.answerer.call_requests[0].session == RealtimeSession(model="parrot", instructions="Be kind.")


def test_a_model_in_the_url_is_tolerated_and_counts_where_nobody_else_names_one(stand: Stand) -> None:
    call_id(stand.call(path=f"{CALLS}?model=parrot"))
    call_id(stand.call(key=stand.secret(), path=f"{CALLS}?model=parrot"))
    models = [getattr(request.session, "model", None) for request in stand.answerer.call_requests]
    assert models == ["parrot", MODELS[0].id]


def test_the_end_user_goes_with_the_call(stand: Stand) -> None:
    secret = Reply.json(stand.mint(OpenAI_Safety_Identifier="of-secret"))["value"]
    call_id(stand.call(key=secret))
    call_id(stand.post(CALLS, content=OFFER, content_type="application/sdp", OpenAI_Safety_Identifier="of-call"))
    call_id(stand.call())
    named = [request.safety_identifier for request in stand.answerer.call_requests]
    assert named == [Private("of-secret"), Private("of-call"), None]


def test_azures_addresses_are_the_same_calls(stand: Stand) -> None:
    secret = stand.post("/openai/v1/realtime/client_secrets", key=None, api_key=KEY).json()["value"]
    reply = stand.call(key=secret, path="/openai/v1/realtime/calls?webrtcfilter=on")
    assert (reply.status, reply.body) == (201, ANSWER.encode())
    location = reply.headers["location"]
    assert location.startswith("/openai/v1/realtime/calls/rtc_")
    with stand.socket(f"/openai/v1/realtime?call_id={location.rpartition('/')[2]}", api_key=KEY) as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "heard hello"
    assert stand.get("/openai/v1/models").status == 200
    assert stand.post(f"{location}/hangup").status == 200
    assert stand.running() == 0


def test_headers_that_only_openai_has_a_use_for_are_no_offence(stand: Stand) -> None:
    named = {"OpenAI_Organization": "org_1", "OpenAI_Project": "proj_1", "accept": "application/sdp"}
    assert stand.post(CALLS, content=OFFER, content_type="application/sdp", **named).status == 201
    # An error is JSON although the client said that it wants SDP.
    assert stand.post(CALLS, content="x", content_type="application/sdp", **named).error[1] == "invalid_offer"


def test_calls_of_a_secret_count_for_whoever_made_it(stand: Stand) -> None:
    call_id(stand.call())
    call_id(stand.call(key=stand.secret()))
    call_id(stand.call(key=OTHER_KEY))
    anna, annas_browser, bela = [request.identity for request in stand.answerer.call_requests]
    assert anna == annas_browser != bela


# ── refusing ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "content_type", "refusal"),
    [
        ("", "application/sdp", (400, "invalid_offer", None)),
        ("garbage", "application/sdp", (400, "invalid_offer", None)),
        (DATA_ONLY, "application/sdp", (400, "invalid_offer", None)),
        (OFFER + "a=x\r\n" * 20_000, "application/sdp", (413, "request_too_large", None)),
        (OFFER, "text/plain", (415, "unsupported_content_type", None)),
        (OFFER, "application/json", (415, "unsupported_content_type", None)),
        (OFFER, "multipart/form-data", (400, "invalid_multipart", None)),
        (OFFER, FORM, (400, "invalid_multipart", None)),
        (body(part("session", "null")), FORM, (400, "missing_required_parameter", "sdp")),
        (body(part("sdp", DATA_ONLY)), FORM, (400, "invalid_offer", None)),
        (body(part("sdp", OFFER), part("session", "nul")), FORM, (400, "invalid_json", None)),
        (
            body(part("sdp", OFFER), part("session", '{"type":"realtime","model":"gpt-x"}')),
            FORM,
            (404, "model_not_found", "session.model"),
        ),
        (
            body(part("sdp", OFFER), part("session", '{"type":"realtime","audio":{"output":{"speed":9}}}')),
            FORM,
            (400, "invalid_value", "session.audio.output.speed"),
        ),
        (
            body(
                part("sdp", OFFER), part("session", '{"type":"realtime","tools":[{"type":"mcp","server_label":"x"}]}')
            ),
            FORM,
            (400, "invalid_value", "session.tools[0].type"),
        ),
    ],
)
def test_a_bad_call_is_refused_with_its_reason_and_leaves_nothing_behind(
    stand: Stand, content: str | bytes, content_type: str, refusal: tuple[int, str, str | None]
) -> None:
    reply = stand.post(CALLS, content=content, content_type=content_type)
    assert reply.error == refusal
    assert stand.answerer.calls == []
    assert stand.running() == 0


def test_an_unknown_model_in_the_url_is_not_found(stand: Stand) -> None:
    assert stand.call(path=f"{CALLS}?model=gpt-x").error == (404, "model_not_found", "model")


def test_wrong_keys_and_spent_secrets_are_refused_before_anything_is_read(stand: Stand) -> None:
    large = "x" * 2_000_000
    for key in ("sk-wrong-key-0000", "ek_made_up", ""):
        assert stand.post(CALLS, key=key, content=large, content_type="application/sdp").error == (
            401,
            "invalid_api_key",
            None,
        )
    refused = stand.post(CALLS, key=None, content=large, content_type="application/sdp")
    assert refused.error == (401, "invalid_api_key", None)
    assert refused.headers["www-authenticate"] == "Bearer"
    secret = stand.secret('{"expires_after":{"seconds":10}}')
    stand.clock.advance(11)
    expired = stand.call(key=secret)
    assert expired.error == (401, "invalid_api_key", None)
    assert "expired" in expired.json()["error"]["message"]


def test_a_secret_starts_several_calls_unless_the_operator_wants_one(stand: Stand) -> None:
    secret = stand.secret()
    assert [stand.call(key=secret).status for _ in range(2)] == [201, 201]
    with standing(settings(use=SecretUse.ONCE)) as strict:
        secret = strict.secret()
        # A call that is refused for its own fault has not used the secret up.
        assert strict.call(key=secret, offer="garbage").status == 400
        assert strict.call(key=secret).status == 201
        assert strict.call(key=secret).error == (401, "invalid_api_key", None)


@pytest.mark.parametrize(
    ("trouble", "refusal", "retry_after"),
    [
        (RequestError("no", code="invalid_value", param="session.x"), (400, "invalid_value", "session.x"), None),
        (EngineError("the engine said: sk-inner-key-000"), (503, None, None), None),
        (EngineError("full", next=Retry(after_s=2.5)), (503, None, None), "3"),
        (TransportError("no port is free"), (503, None, None), None),
        (ValueError("sk-inner-key-000"), (500, None, None), None),
    ],
)
def test_trouble_behind_the_call_is_a_clean_reply_that_gives_nothing_away(
    stand: Stand, trouble: Exception, refusal: tuple[int, str | None, str | None], retry_after: str | None
) -> None:
    stand.answerer.troubles.append(trouble)
    reply = stand.call()
    assert reply.error == refusal
    assert reply.headers.get("retry-after") == retry_after
    assert b"sk-inner" not in reply.body
    assert stand.running() == 0
    assert stand.call().status == 201


def test_an_answer_that_does_not_come_is_given_up() -> None:
    with standing(settings(limits=Limits(answer_s=0.05))) as stand:
        stand.answerer.hold = asyncio.Event()
        assert stand.call().error == (503, None, None)
        assert stand.running() == 0


# ── limits ──────────────────────────────────────────────────────────────────────────────────────────────


def test_one_key_has_so_many_calls_and_gets_room_when_one_ends() -> None:
    with standing(settings(limits=Limits(calls_per_identity=2))) as stand:
        secret = stand.secret()
        call_id(stand.call())
        call_id(stand.call(key=secret))
        refused = stand.call(key=secret)
        assert refused.error == (429, "rate_limit_exceeded", None)
        assert refused.headers["retry-after"] == "5"
        call_id(stand.call(key=OTHER_KEY))
        stand.end(stand.answerer.calls[0])
        call_id(stand.call())
        assert stand.running() == 3


def test_the_server_has_so_many_calls() -> None:
    with standing(settings(limits=Limits(calls=1))) as stand:
        call_id(stand.call())
        assert stand.call(key=OTHER_KEY).error == (429, "rate_limit_exceeded", None)


def test_callers_who_never_connect_do_not_keep_others_out_for_ever() -> None:
    with standing(settings(limits=Limits(half_open=1))) as stand:
        call_id(stand.call())
        assert stand.call(key=OTHER_KEY).error == (429, "rate_limit_exceeded", None)
        stand.arrive(stand.answerer.calls[0])
        call_id(stand.call(key=OTHER_KEY))


def test_a_key_starts_so_many_calls_a_minute() -> None:
    with standing(settings(limits=Limits(calls_per_minute=1))) as stand:
        call_id(stand.call())
        assert stand.call().error == (429, "rate_limit_exceeded", None)


# ── ending ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_is_ended_by_its_owner_once(stand: Stand) -> None:
    started = call_id(stand.call())
    assert stand.running() == 1
    ended = stand.post(f"{CALLS}/{started}/hangup")
    assert (ended.status, ended.body) == (200, b"")
    assert stand.running() == 0
    assert stand.post(f"{CALLS}/{started}/hangup").error == (404, "call_id_not_found", "call_id")


def test_nobody_else_can_end_it(stand: Stand) -> None:
    secret, other_secret = stand.secret(), stand.secret()
    of_backend, of_browser = call_id(stand.call()), call_id(stand.call(key=secret))
    for started, key in [
        (of_backend, OTHER_KEY),
        (of_backend, secret),
        (of_browser, other_secret),
        (of_browser, OTHER_KEY),
        ("rtc_nobody", KEY),
    ]:
        assert stand.post(f"{CALLS}/{started}/hangup", key=key).error == (404, "call_id_not_found", "call_id")
    assert stand.post(f"{CALLS}/{of_browser}/hangup", key=None).error[0] == 401
    assert stand.post(f"{CALLS}/{of_browser}/hangup", key=secret).status == 200
    assert stand.post(f"{CALLS}/{of_backend}/hangup").status == 200


def test_a_call_that_does_not_end_is_owned_up_to() -> None:
    with standing(settings(limits=Limits(farewell_s=0.05))) as stand:
        stand.answerer.pick_up = StubbornCall
        started = call_id(stand.call())
        assert stand.post(f"{CALLS}/{started}/hangup").error == (504, None, None)
        assert stand.running() == 1


def test_a_call_that_ends_by_itself_is_forgotten(stand: Stand) -> None:
    started = call_id(stand.call())
    stand.end(stand.answerer.calls[0])
    assert stand.running() == 0
    assert stand.post(f"{CALLS}/{started}/hangup").error == (404, "call_id_not_found", "call_id")


@pytest.mark.parametrize("verb", ["accept", "reject", "refer"])
def test_what_belongs_to_sip_calls_is_refused_clearly(stand: Stand, verb: str) -> None:
    started = call_id(stand.call())
    assert stand.post(f"{CALLS}/{started}/{verb}", content="{}").error == (400, "sip_not_supported", "call_id")
    assert stand.post(f"{CALLS}/{started}/{verb}", key=None).error[0] == 401


# ── chance ──────────────────────────────────────────────────────────────────────────────────────────────

ANY_SDP = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(str.encode),
    st.text(max_size=100).map(lambda tail: (OFFER + tail).encode()),
)
ANY_SESSION = st.one_of(
    st.binary(max_size=100),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "model", "audio", "x"]), inner)
        ),
        max_leaves=8,
    ).map(lambda value: repr(value).replace("'", '"').replace("None", "null").encode()),
)
ANY_TYPE = st.sampled_from(
    ["application/sdp", FORM, "multipart/form-data", "multipart/form-data; boundary=", "text/plain", "", ";;"]
) | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, bytes]:
    if draw(st.booleans()):
        return draw(ANY_TYPE), draw(ANY_SDP)
    names = draw(st.lists(st.sampled_from(["sdp", "session", "other", ""]), max_size=4))
    parts = [
        b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
        % (name.encode(), draw(ANY_SDP if name == "sdp" else ANY_SESSION))
        for name in names
    ]
    form = b"".join(parts) + b"--b--\r\n"
    return FORM, form[: draw(st.integers(0, len(form)))] if draw(st.booleans()) else form


def test_whatever_is_sent_the_reply_is_an_answer_or_a_refusal_and_never_a_fault_of_ours() -> None:
    with standing(
        settings(limits=Limits(calls=10_000, calls_per_identity=10_000, half_open=10_000, calls_per_minute=10**6))
    ) as stand:

        @with_settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(requests())
        def any_request(request: tuple[str, bytes]) -> None:
            content_type, content = request
            reply = stand.post(CALLS, content=content, content_type=content_type)
            if reply.status != 201:
                assert 400 <= reply.error[0] < 500, reply.body

        any_request()
        assert stand.running() == len(stand.answerer.calls)
