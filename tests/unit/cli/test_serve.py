import argparse
import json
import re
import socket
from pathlib import Path

import pytest

from vivavoce.assembly import EngineNames, open_engines
from vivavoce.cli.serve import address, configure, listen, read_settings
from vivavoce.clock import SystemClock
from vivavoce.errors import ConfigError
from vivavoce.gateway.relays import Relays
from vivavoce.gateway.settings import Beta
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.webrtc.settings import HostCandidates


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    configure(parser)
    return parser.parse_args(words)


def test_the_longest_session_is_an_hour_unless_it_is_said_otherwise() -> None:
    assert read_settings(options()).lifetime_s == 3600
    assert read_settings(options("--session-minutes", "0.5")).lifetime_s == 30


@pytest.mark.parametrize("minutes", ["0", "-1", "inf", "nan"])
def test_a_session_that_could_not_be_is_refused(minutes: str) -> None:
    with pytest.raises(ConfigError, match="--session-minutes"):
        read_settings(options(f"--session-minutes={minutes}"))


@pytest.mark.parametrize(
    ("host", "told"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("[::1]", "[::1]")],
)
def test_a_server_says_where_it_is_reached_from_this_computer(host: str, told: str) -> None:
    try:
        listener = listen(host, 0)
    except ConfigError:
        pytest.skip(f"this machine has no {host}")
    with listener:
        assert address(host, listener) == f"http://{told}:{listener.getsockname()[1]}"


def test_every_address_means_those_of_both_families() -> None:
    try:
        listener = listen("::", 0)
    except ConfigError:
        pytest.skip("this machine has no IPv6")
    with listener:
        listener.listen()
        socket.create_connection(("127.0.0.1", listener.getsockname()[1]), timeout=5).close()


def test_what_the_container_runs_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVA_TURN_SECRET", "lab-only-secret-0123456789")
    folder = Path(__file__).parents[3] / "examples" / "docker"
    entry = re.search(r"^ENTRYPOINT (.*)$", (folder / "Dockerfile").read_text(), re.MULTILINE)
    viva = (folder / "compose.yaml").read_text().partition("\n  relay:")[0]
    assert entry is not None
    program, command, *words = json.loads(entry[1])
    assert (Path(program).name, command) == ("viva", "serve")
    more = re.findall(r"^ +- (--\S+)$", re.sub(r"\$\{PUBLIC_ADDRESS(:\?)?\}", "203.0.113.7", viva), re.MULTILINE)
    chosen = read_settings(options(*words, *more))
    assert chosen.webrtc.advertised == ("203.0.113.7",)
    assert chosen.gateway.relays is not None
    low, high = chosen.webrtc.port_range or (0, 0)
    assert f"- {low}-{high}:{low}-{high}/udp" in viva
    assert f"EXPOSE 8765 {low}-{high}/udp" in (folder / "Dockerfile").read_text()


def test_the_beta_is_translated_unless_it_is_said_otherwise() -> None:
    assert read_settings(options()).gateway.beta is Beta.TRANSLATED
    assert read_settings(options("--no-beta")).gateway.beta is Beta.REFUSED


def test_private_mcp_servers_are_called_for_callers_on_this_machine_only() -> None:
    assert read_settings(options()).engines.mcp == "all"
    assert read_settings(options("--host", "0.0.0.0")).engines.mcp == "public"
    assert read_settings(options("--host", "0.0.0.0", "--mcp", "all")).engines.mcp == "all"


def test_an_operator_may_have_no_mcp_server_called() -> None:
    names = read_settings(options("--mcp", "none")).engines
    assert open_engines(names, SystemClock()).tool_servers is None
    assert open_engines(EngineNames(), SystemClock()).tool_servers is not None


def test_an_advertised_address_is_told_in_place_of_the_own_ones_unless_both_are_wanted() -> None:
    webrtc = read_settings(options("--advertise", "203.0.113.7", "--advertise", "[2001:db8::7]")).webrtc
    assert (webrtc.advertised, webrtc.host_candidates) == (("203.0.113.7", "2001:db8::7"), HostCandidates.NONE)
    both = options("--host", "0.0.0.0", "--advertise", "203.0.113.7", "--own-addresses")
    assert read_settings(both).webrtc.host_candidates is HostCandidates.ROUTABLE


def test_a_name_is_advertised_by_the_addresses_that_it_has_at_start() -> None:
    addresses = read_settings(options("--advertise", "localhost")).webrtc.advertised
    assert addresses
    assert set(addresses) <= {"127.0.0.1", "::1"}


def test_the_relays_secret_is_read_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_settings(options()).gateway.relays is None
    file = tmp_path / "turn.secret"
    file.write_text("lab-only-secret-0123456789\n")
    relays = read_settings(options("--turn", "turn:relay.example", "--turn-secret-file", str(file))).gateway.relays
    assert relays == Relays(("turn:relay.example",), Secret("lab-only-secret-0123456789"))
    monkeypatch.setenv("VIVA_TURN_SECRET", "lab-only-secret-0123456789")
    assert read_settings(options("--turn", "turn:relay.example")).gateway.relays == relays


@pytest.mark.parametrize(
    "words",
    [
        ("--turn", "turn:relay.example"),
        ("--turn-secret-file", "/dev/null"),
        ("--turn", "turn:relay.example", "--turn-secret-file", "/dev/null"),
        ("--turn", "turn:relay.example", "--turn-secret-file", "/no/such/file"),
    ],
)
def test_relays_without_their_secret_and_a_secret_without_relays_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="--turn"):
        read_settings(options(*words))


@pytest.mark.parametrize("address", ["", "203.0.113", "203.0.113.7:40000", "0.0.0.0", "no.such.name.invalid", "a..b"])
def test_an_address_that_nobody_could_reach_is_refused_before_anybody_calls(address: str) -> None:
    with pytest.raises(ConfigError):
        read_settings(options("--advertise", address))


@pytest.mark.parametrize("ports", ["40000", "40100-40000", "0-100", "40000-70000", "a-b", "-"])
def test_ports_that_cannot_be_are_refused(ports: str) -> None:
    with pytest.raises(ConfigError, match="--udp-ports"):
        read_settings(options(f"--udp-ports={ports}"))
