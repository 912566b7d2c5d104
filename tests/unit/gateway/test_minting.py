import json

import pytest
from openai.types.realtime import ClientSecretCreateResponse

from tests.unit.gateway.stand import KEY, OTHER_KEY, Stand, settings, standing
from vivavoce.gateway.settings import Limits


def test_a_secret_is_good_for_ten_minutes_and_shows_the_whole_config(stand: Stand) -> None:
    reply = stand.mint('{"session":{"type":"realtime","model":"parrot","instructions":"Be brief."}}')
    assert reply.status == 200
    body = reply.json()
    assert body.keys() == {"value", "expires_at", "session"}
    assert body["value"].startswith("ek_")
    assert body["expires_at"] == stand.clock.wall() + 600
    session = body["session"]
    assert session["id"].startswith("sess_")
    assert (session["object"], session["type"], session["expires_at"]) == ("realtime.session", "realtime", 0)
    assert (session["model"], session["instructions"]) == ("parrot", "Be brief.")
    assert session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 200


def test_the_reply_is_what_the_openai_package_expects(stand: Stand) -> None:
    for body in ("{}", '{"session":{"type":"transcription"}}', '{"session":{"type":"realtime"}}'):
        parsed = ClientSecretCreateResponse.model_validate_json(stand.mint(body).body, strict=True)
        assert parsed.value.startswith("ek_")


@pytest.mark.parametrize("body", ["", "{}", '{"expires_after":{}}', '{"expires_after":{"anchor":"created_at"}}'])
def test_everything_in_the_request_may_be_left_out(stand: Stand, body: str) -> None:
    reply = stand.mint(body)
    assert reply.status == 200
    assert reply.json()["session"]["model"] == "house"
    assert reply.json()["expires_at"] == stand.clock.wall() + 600


@pytest.mark.parametrize("seconds", [10, 7200])
def test_its_life_can_be_chosen(stand: Stand, seconds: int) -> None:
    reply = stand.mint(json.dumps({"expires_after": {"anchor": "created_at", "seconds": seconds}}))
    assert reply.json()["expires_at"] == stand.clock.wall() + seconds


def test_a_secret_is_never_cached(stand: Stand) -> None:
    assert stand.mint().headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ("{", 400, "invalid_json", None),
        ("[]", 400, "invalid_type", None),
        ('{"sesion":{}}', 400, "unknown_parameter", "sesion"),
        ('{"session":{}}', 400, "missing_required_parameter", "session.type"),
        ('{"session":{"type":"translation"}}', 400, "invalid_value", "session.type"),
        ('{"session":{"type":"realtime","temperature":1}}', 400, "unknown_parameter", "session.temperature"),
        ('{"session":{"type":"realtime","model":"gpt-x"}}', 404, "model_not_found", "session.model"),
        (
            '{"session":{"type":"realtime","tools":[{"type":"mcp","server_label":"x"}]}}',
            400,
            "invalid_value",
            "session.tools[0].type",
        ),
        ('{"expires_after":{"seconds":9}}', 400, "invalid_value", "expires_after.seconds"),
        ('{"expires_after":{"seconds":7201}}', 400, "invalid_value", "expires_after.seconds"),
        ('{"expires_after":{"seconds":"600"}}', 400, "invalid_type", "expires_after.seconds"),
        ('{"expires_after":{"anchor":"now"}}', 400, "invalid_value", "expires_after.anchor"),
        ("[" * 60_000, 400, "invalid_json", None),
    ],
)
def test_a_fault_in_the_request_is_named_with_its_place(
    stand: Stand, body: str, status: int, code: str, param: str | None
) -> None:
    assert stand.mint(body).error == (status, code, param)


def test_a_body_beyond_the_limit_is_refused(stand: Stand) -> None:
    reply = stand.mint('{"session":{"type":"realtime","instructions":"' + "x" * 300_000 + '"}}')
    assert reply.error == (413, "request_too_large", None)
    assert reply.headers["connection"] == "close"


def test_only_a_key_makes_secrets(stand: Stand) -> None:
    assert stand.mint(key="sk-wrong-key-0000").error == (401, "invalid_api_key", None)
    assert stand.post("/v1/realtime/client_secrets", key=None).error == (401, "invalid_api_key", None)
    secret = stand.secret()
    assert stand.mint(key=secret).error == (403, "insufficient_permissions", None)


def test_nobody_is_read_before_they_are_known(stand: Stand) -> None:
    # Far beyond every limit: had it been read, the reply would be 413.
    assert stand.mint("x" * 2_000_000, key="sk-wrong-key-0000").error[0] == 401


def test_a_key_makes_so_many_secrets_a_minute() -> None:
    with standing(settings(limits=Limits(secrets_per_minute=2))) as stand:
        assert [stand.mint().status for _ in range(2)] == [200, 200]
        refused = stand.mint()
        assert refused.error == (429, "rate_limit_exceeded", None)
        assert 0 < int(refused.headers["retry-after"]) <= 60
        assert stand.mint(key=OTHER_KEY).status == 200
        stand.clock.advance(60)
        assert stand.mint(key=KEY).status == 200


def test_an_end_user_may_be_named_at_reasonable_length(stand: Stand) -> None:
    assert stand.mint(OpenAI_Safety_Identifier="a" * 64).status == 200
    assert stand.mint(OpenAI_Safety_Identifier="a" * 513).error == (400, "invalid_value", "OpenAI-Safety-Identifier")
