"""How ICE servers are named on a command line and in the environment."""

import argparse
from pathlib import Path

import pytest

from vivavoce.cli.network import configure, ice_servers, proxy
from vivavoce.errors import ConfigError
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.ice import IceServer

RELAY = IceServer(("turn:relay.example",), "me", Secret("hunter2"))
JSON = '{"iceServers": [{"urls": ["turn:relay.example"], "username": "me", "credential": "hunter2"}]}'


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    configure(parser)
    return parser.parse_args(words)


def servers(*words: str, **environment: str) -> tuple[IceServer, ...]:
    given = ice_servers(options(*words), environment)
    assert given != "server"
    return given


def test_servers_are_named_by_url_and_credentials_may_stay_in_the_environment() -> None:
    assert servers() == ()
    assert servers("--ice-server", "stun:stun.example") == (IceServer(("stun:stun.example",)),)
    assert servers("--ice-server", "turn:relay.example,me,hunter2") == (RELAY,)
    assert servers("--ice-server", "turn:relay.example,me", VIVA_TURN_CREDENTIAL="hunter2") == (RELAY,)
    both = servers("--ice-server", "stun:stun.example", "--ice-server", "turn:relay.example,me,a,b")
    assert [server.credential for server in both] == [None, Secret("a,b")]


def test_what_a_service_hands_out_is_read_from_a_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "relays.json"
    file.write_text(JSON)
    assert servers("--ice-server", f"@{file}") == (RELAY,)
    assert servers(VIVA_ICE_SERVERS=JSON) == (RELAY,)
    assert servers(VIVA_ICE_SERVERS=f"@{file}") == (RELAY,)
    assert servers("--ice-server", "stun:stun.example", VIVA_ICE_SERVERS=JSON) == (IceServer(("stun:stun.example",)),)


@pytest.mark.parametrize(
    "words", ["relay.example", "turn:relay.example", "turn:relay.example,me", "@/none", "[{]", "[7]"]
)
def test_what_names_no_server_is_refused(words: str) -> None:
    with pytest.raises(ConfigError):
        servers("--ice-server", words)


def test_the_server_that_is_called_may_be_asked_for_relays() -> None:
    assert ice_servers(options("--ice-server", "server"), {}) == "server"
    assert ice_servers(options(), {"VIVA_ICE_SERVERS": "server"}) == "server"


def test_a_proxy_is_named_or_forbidden_or_left_to_the_environment() -> None:
    assert proxy(options()) is True
    assert proxy(options("--proxy", "none")) is False
    assert proxy(options("--proxy", "http://proxy.example:3128")) == "http://proxy.example:3128"
