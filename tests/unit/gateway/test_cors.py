import pytest

from tests.unit.gateway.stand import KEY, OFFER, Reply, Stand, settings, standing

PAGE = "http://localhost:3000"
STRANGER = "https://evil.example"


def preflight(stand: Stand, origin: str, headers: str = "authorization,content-type", **more: str) -> Reply:
    named = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": headers,
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return Reply.of(stand.client.options("/v1/realtime/calls", headers=named))


def test_a_page_of_this_computer_may_place_a_call_and_read_where_it_is(stand: Stand) -> None:
    asked = preflight(stand, PAGE)
    assert asked.status == 204
    assert asked.headers["access-control-allow-origin"] == PAGE
    assert asked.headers["access-control-allow-headers"] == "authorization, content-type"
    assert "POST" in asked.headers["access-control-allow-methods"]
    reply = stand.post("/v1/realtime/calls", content=OFFER, content_type="application/sdp", origin=PAGE)
    assert reply.status == 201
    assert reply.headers["access-control-allow-origin"] == PAGE
    assert "Location" in reply.headers["access-control-expose-headers"]
    assert reply.headers["vary"] == "Origin"


def test_headers_of_the_sdks_are_allowed_and_others_are_not(stand: Stand) -> None:
    asked = preflight(
        stand, PAGE, "Authorization, OpenAI-Safety-Identifier,x-openai-agents-sdk, X-Stainless-Lang, cookie"
    )
    allowed = asked.headers["access-control-allow-headers"].split(", ")
    assert allowed == ["authorization", "openai-safety-identifier", "x-openai-agents-sdk", "x-stainless-lang"]


def test_a_page_may_come_back_to_its_call_and_read_how(stand: Stand) -> None:
    asked = preflight(stand, PAGE, "authorization,content-type,last-event-id,viva-resume,viva-silent-ms")
    allowed = asked.headers["access-control-allow-headers"].split(", ")
    assert allowed[2:] == ["last-event-id", "viva-resume", "viva-silent-ms"]
    assert {"Viva-Resume", "Viva-Last-Event"} <= set(asked.headers["access-control-expose-headers"].split(", "))


def test_a_page_of_a_stranger_is_refused_and_reads_nothing(stand: Stand) -> None:
    refused = preflight(stand, STRANGER)
    assert refused.error == (403, "origin_not_allowed", None)
    assert "access-control-allow-origin" not in refused.headers
    reply = stand.post("/v1/realtime/calls", content=OFFER, content_type="application/sdp", origin=STRANGER)
    assert "access-control-allow-origin" not in reply.headers
    assert reply.headers["vary"] == "Origin"


@pytest.mark.parametrize("origins", [None, ("https://app.example",), ("*",)])
def test_credentials_are_never_allowed(origins: tuple[str, ...] | None) -> None:
    with standing(settings(origins=origins)) as stand:
        for origin in (PAGE, STRANGER, "https://app.example"):
            asked = preflight(stand, origin)
            reply = stand.post("/v1/realtime/client_secrets", origin=origin)
            assert "access-control-allow-credentials" not in asked.headers | reply.headers


def test_all_pages_may_call_where_the_operator_says_so() -> None:
    with standing(settings(origins=("*",))) as stand:
        assert preflight(stand, STRANGER).headers["access-control-allow-origin"] == "*"
        assert stand.post("/v1/realtime/client_secrets", origin=STRANGER).headers["access-control-allow-origin"] == "*"


def test_a_refusal_can_be_read_by_the_page_too(stand: Stand) -> None:
    for key, status in (("sk-wrong-key-0000", 401), (KEY, 415)):
        reply = stand.post("/v1/realtime/calls", key=key, content="x", origin=PAGE)
        assert reply.error[0] == status
        assert reply.headers["access-control-allow-origin"] == PAGE
    stand.answerer.troubles.append(ValueError("broken"))
    reply = stand.post("/v1/realtime/calls", content=OFFER, content_type="application/sdp", origin=PAGE)
    assert reply.error[0] == 500
    assert reply.headers["access-control-allow-origin"] == PAGE


def test_a_page_on_the_internet_may_reach_this_computer_only_if_it_is_allowed() -> None:
    with standing(settings(origins=("https://app.example",))) as stand:
        asked = preflight(stand, "https://app.example", access_control_request_private_network="true")
        assert asked.headers["access-control-allow-private-network"] == "true"
        refused = preflight(stand, STRANGER, access_control_request_private_network="true")
        assert "access-control-allow-private-network" not in refused.headers


def test_programs_that_send_no_origin_get_no_such_headers(stand: Stand) -> None:
    assert not [name for name in stand.call().headers if name.startswith("access-control")]
