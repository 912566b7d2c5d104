"""STUN and TURN servers as people write them, as services hand them out, and as a header carries them."""

import pytest

from vivavoce.errors import ConfigError
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.ice import IceServer, link, read_ice_servers, read_link

RELAY = IceServer(("turn:relay.example:3478", "turns:relay.example:443?transport=tcp"), "me", Secret("hunter2"))
STUN = IceServer(("stun:stun.example",))


@pytest.mark.parametrize(
    "url",
    [
        "stun:stun.example",
        "stuns:stun.example:5349",
        "turn:192.0.2.7",
        "turn:[2001:db8::7]:3478?transport=udp",
        "turn:relay.example?transport=tcp",
        "turns:relay.example:443",
        "turns:relay.example:443?transport=tcp",
    ],
)
def test_urls_of_the_two_standards_are_taken(url: str) -> None:
    assert IceServer((url,), "me", Secret("hunter2")).relays is url.startswith("turn")


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("https://relay.example", "expected"),
        ("turn://relay.example", "slashes"),
        ("turn:me@relay.example", "user name"),
        ("turn:2001:db8::7", "brackets"),
        ("turn:[2001:db8::7", "brackets"),
        ("turn:", "expected"),
        ("turn:relay.example:0", "port"),
        ("turn:relay.example:70000", "port"),
        ("turn:relay.example?transport=sctp", "expected"),
        ("turn:relay.example/path", "expected"),
        ("stun:stun.example?transport=tcp", "transport"),
        ("turns:relay.example?transport=udp", "DTLS"),
    ],
)
def test_a_url_that_cannot_be_is_refused_with_what_to_write(url: str, advice: str) -> None:
    with pytest.raises(ConfigError, match=advice):
        IceServer((url,), "me", Secret("hunter2"))


@pytest.mark.parametrize("given", [(), ("turn:relay.example",)])
def test_a_server_needs_a_url_and_a_relay_needs_credentials(given: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError):
        IceServer(given)


def test_what_services_that_rent_out_relays_hand_out_is_taken_as_it_is() -> None:
    relay = {"urls": list(RELAY.urls), "username": "me", "credential": "hunter2"}
    stun = {"urls": "stun:stun.example"}
    assert read_ice_servers([stun, relay]) == (STUN, RELAY)
    assert read_ice_servers({"iceServers": relay}) == (RELAY,)
    assert read_ice_servers({"ice_servers": [stun, relay], "ttl": "86400"}) == (STUN, RELAY)
    assert read_ice_servers([RELAY, stun]) == (RELAY, STUN)
    assert read_ice_servers(STUN) == (STUN,)
    assert read_ice_servers([]) == ()


@pytest.mark.parametrize(
    "given",
    [None, "turn:relay.example", 7, {}, [7], {"urls": 7}, {"urls": [7]}, {"urls": "stun:x", "credential": 7}],
)
def test_what_holds_no_servers_is_refused_without_showing_it(given: object) -> None:
    with pytest.raises(ConfigError) as refused:
        read_ice_servers(given)
    assert "relay.example" not in refused.value.message


def test_a_header_carries_servers_there_and_back() -> None:
    odd = IceServer(("turn:relay.example",), 'a "b" \\c', Secret('x", <turn:evil>; y'))
    value = link([STUN, RELAY, odd])
    assert value.startswith(
        '<stun:stun.example>; rel="ice-server", <turn:relay.example:3478>; rel="ice-server"; username="me"'
    )
    assert read_link(value) == (
        STUN,
        *(IceServer((url,), RELAY.username, RELAY.credential) for url in RELAY.urls),
        odd,
    )


def test_of_a_header_only_usable_ice_servers_are_read() -> None:
    value = (
        '</next>; rel="next", <turn:relay.example>; rel=ice-server; username=me; credential=hunter2; extra, '
        '<turn:no.credential>; rel="ice-server", <quic:new.kind>; rel="ice-server", '
        '<stun:stun.example>;rel="ice-server"'
    )
    assert read_link(value) == (IceServer(("turn:relay.example",), "me", Secret("hunter2")), STUN)
    assert read_link("") == ()
    assert read_link("<<<>>>;;;=") == ()
