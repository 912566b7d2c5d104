"""Relays are handed to callers, with credentials as coturn makes them."""

import base64
import hashlib
import hmac
from dataclasses import replace

import pytest

from tests.unit.gateway.stand import KEY, OTHER_KEY, Stand, settings, standing
from vivavoce.errors import ConfigError
from vivavoce.gateway.relays import Relays
from vivavoce.gateway.settings import Limits, Settings
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.ice import IceServer, read_link

SECRET = "lab-only-secret-0123456789"
URLS = ("turn:relay.example:3478", "turns:relay.example:443?transport=tcp")


def relayed() -> Settings:
    return replace(settings(), relays=Relays(URLS, Secret(SECRET)))


def ask(stand: Stand, key: str | None = KEY, path: str = "/v1/realtime/calls") -> tuple[int, tuple[IceServer, ...]]:
    reply = stand.client.options(path, headers={} if key is None else {"authorization": f"Bearer {key}"})
    return reply.status_code, read_link(reply.headers.get("link", ""))


def test_a_credential_is_the_one_that_coturn_expects() -> None:
    server = Relays(URLS, Secret(SECRET)).of("anna", 1_790_000_000.9)
    assert server.username is not None
    assert server.credential is not None
    expires, _, name = server.username.partition(":")
    assert expires == "1790000600"
    assert "anna" not in name
    digest = hmac.new(SECRET.encode(), server.username.encode(), hashlib.sha1).digest()
    assert server.credential.reveal() == base64.b64encode(digest).decode()


@pytest.mark.parametrize("path", ["/v1/realtime/calls", "/openai/v1/realtime/calls"])
def test_a_caller_who_asks_is_given_relays(path: str) -> None:
    with standing(relayed()) as stand:
        status, servers = ask(stand, path=path)
        assert status == 204
        assert [server.urls for server in servers] == [(url,) for url in URLS]
        assert len({(server.username or "") for server in servers}) == 1


def test_each_key_has_a_name_of_its_own_at_the_relay() -> None:
    with standing(relayed()) as stand:
        names = [(ask(stand, key)[1][0].username or "").partition(":")[2] for key in (KEY, KEY, OTHER_KEY)]
        assert names[0] == names[1] != names[2]


def test_a_server_without_relays_has_none_to_give(stand: Stand) -> None:
    assert ask(stand) == (204, ())


def test_strangers_are_given_none() -> None:
    with standing(relayed()) as stand:
        for key in (None, "sk-wrong-0123456789"):
            assert ask(stand, key) == (401, ())


def test_a_page_may_ask_for_relays_and_read_them() -> None:
    with standing(relayed()) as stand:
        origin = "http://localhost:3000"
        asked = stand.client.options(
            "/v1/realtime/calls", headers={"origin": origin, "access-control-request-method": "OPTIONS"}
        )
        assert "OPTIONS" in asked.headers["access-control-allow-methods"]
        given = stand.client.options("/v1/realtime/calls", headers={"origin": origin, "authorization": f"Bearer {KEY}"})
        assert "Link" in given.headers["access-control-expose-headers"]


def test_who_asks_too_often_is_refused() -> None:
    with standing(replace(relayed(), limits=Limits(calls_per_minute=3))) as stand:
        assert [ask(stand)[0] for _ in range(4)] == [204, 204, 204, 429]


@pytest.mark.parametrize(
    ("urls", "secret"),
    [(("stun:stun.example",), SECRET), (("turn://relay.example",), SECRET), ((), SECRET), (URLS, "short")],
)
def test_relays_that_cannot_be_are_refused(urls: tuple[str, ...], secret: str) -> None:
    with pytest.raises(ConfigError):
        Relays(urls, Secret(secret))
