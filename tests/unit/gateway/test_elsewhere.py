import pytest

from tests.unit.gateway.stand import KEY, Reply, Stand, settings, standing
from vivavoce.gateway.settings import Beta


@pytest.mark.parametrize(
    "path",
    [
        "/v1/realtime/sessions",
        "/v1/realtime/transcription_sessions",
        "/v1/realtime?model=house",
        "/openai/v1/realtime/sessions",
        "/openai/realtimeapi/sessions?api-version=2025-04-01-preview",
    ],
)
def test_where_the_beta_is_refused_its_addresses_say_what_to_use_instead(path: str) -> None:
    with standing(settings(beta=Beta.REFUSED)) as stand:
        refused = stand.post(path, content="{}")
        assert refused.error == (400, "beta_api_shape_disabled", None)
        assert "client_secrets" in refused.json()["error"]["message"]
        assert stand.post(path, key=None, content="{}").error == (401, "invalid_api_key", None)


def test_a_plain_get_where_a_websocket_is_meant_says_so(stand: Stand) -> None:
    refused = stand.get("/v1/realtime?model=house")
    assert refused.error == (426, "upgrade_required", None)
    assert refused.headers["upgrade"] == "websocket"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/nowhere"),
        ("POST", "/v1/nowhere"),
        ("DELETE", "/v1"),
        ("GET", "/v1/models/"),
        ("POST", "/v1/realtime/calls/"),
        ("GET", "/" + "x" * 5000),
    ],
)
def test_an_unknown_address_is_404_in_json_and_no_redirect(stand: Stand, method: str, path: str) -> None:
    reply = Reply.of(stand.client.request(method, path, headers={}, follow_redirects=False))
    if path == "/v1/models/":
        assert reply.error[0] == 401
        return
    assert reply.error == (404, "unknown_url", None)
    assert len(reply.body) < 500


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/realtime/calls", {"OPTIONS", "POST"}),
        ("GET", "/v1/realtime/client_secrets", {"POST"}),
        ("DELETE", "/v1/realtime/calls/rtc_1/hangup", {"POST"}),
        ("POST", "/v1/models", {"GET", "HEAD"}),
        ("PUT", "/healthz", {"GET", "HEAD"}),
        ("OPTIONS", "/v1/realtime/client_secrets", {"POST"}),
    ],
)
def test_a_wrong_method_is_405_in_json_and_says_which_are_right(
    stand: Stand, method: str, path: str, allowed: set[str]
) -> None:
    reply = Reply.of(stand.client.request(method, path))
    assert reply.error == (405, "method_not_supported", None)
    assert set(reply.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize("root", ["/v1", "/openai/v1"])
def test_who_wants_a_translation_is_told_that_there_is_none(stand: Stand, root: str) -> None:
    for path in ("client_secrets", "calls"):
        refused = stand.post(f"{root}/realtime/translations/{path}", content="{}")
        assert refused.error == (400, "translation_not_supported", None)
        assert stand.post(f"{root}/realtime/translations/{path}", key=None).error[0] == 401
    socket = f"{root}/realtime/translations?model=gpt-realtime-translate"
    assert stand.refusal(socket, api_key=KEY).error == (400, "translation_not_supported", None)
    assert stand.refusal(socket).error == (401, "invalid_api_key", None)
    refused = stand.mint('{"session":{"type":"translation","model":"gpt-realtime-translate"}}')
    assert refused.error == (400, "invalid_value", "session.type")
    assert "'translation'" in refused.json()["error"]["message"]


@pytest.mark.parametrize("verb", ["accept", "reject", "refer"])
def test_there_are_no_sip_calls_to_take_or_pass_on(stand: Stand, verb: str) -> None:
    path = f"/v1/realtime/calls/rtc_1/{verb}"
    assert stand.post(path, content="{}").error == (400, "sip_not_supported", "call_id")
    assert stand.post(path, key=None).error == (401, "invalid_api_key", None)
