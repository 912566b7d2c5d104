"""How long an offer waits for servers, and what is said of those that give nothing; on made-up time."""

from math import inf

import pytest

from vivavoce.errors import Fault, Never, Retry
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.ice import IceServer
from vivavoce.transport.webrtc.gathering import SETTLE_S, UNREACHED, Gathering
from vivavoce.transport.webrtc.settings import WebRtcSettings

UDP, TLS = "turn:relay.example:3478", "turns:relay.example:443"
RELAY = IceServer((UDP, TLS), "me", Secret("hunter2"))
STUN = IceServer(("stun:stun.example",))
NOW = 1000.0


def gathering(*servers: IceServer) -> Gathering:
    return Gathering(WebRtcSettings(ice_servers=servers), NOW)


def test_a_server_that_never_answers_is_waited_for_a_bounded_time() -> None:
    assert gathering(STUN).until == NOW + WebRtcSettings.gather_s
    assert gathering(STUN, RELAY).until == NOW + WebRtcSettings.relay_s


def test_an_offer_leaves_soon_after_the_first_address_that_was_waited_for() -> None:
    stun, both = gathering(STUN), gathering(STUN, RELAY)
    for each in (stun, both):
        each.found("host", NOW)
        assert each.until > NOW + SETTLE_S
        each.found("srflx", NOW + 0.05)
    assert stun.until == NOW + 0.05 + SETTLE_S
    assert both.until == NOW + WebRtcSettings.relay_s
    both.found("relay", NOW + 0.2)
    both.found("relay", NOW + 0.25)
    assert both.until == NOW + 0.2 + SETTLE_S


def test_an_offer_does_not_wait_once_every_relay_has_refused() -> None:
    refused = gathering(STUN, RELAY)
    refused.failed("stun:stun.example", 420, "Unknown Attribute")
    refused.failed(UDP, 401, "Unauthorized.")
    refused.failed(TLS, UNREACHED, "Failed to establish connection")
    assert refused.until == NOW + WebRtcSettings.relay_s
    refused.failed(TLS, 401, "Unauthorized.")
    assert refused.until == -inf


@pytest.mark.parametrize(
    ("code", "fault", "following"), [(401, Fault.CALLER, Never()), (486, Fault.PROVIDER, Retry(1.0))]
)
def test_whose_fault_a_refusal_is_depends_on_its_code(code: int, fault: Fault, following: object) -> None:
    refused = gathering(RELAY)
    refused.failed(UDP, code, "No.")
    failure = refused.failure()
    assert (failure.fault, failure.next) == (fault, following)
    assert UDP in failure.message
    assert "hunter2" not in failure.message
    assert list(refused.refusals) == [UDP]


def test_relays_that_do_not_answer_are_the_networks_fault_and_named() -> None:
    silent = gathering(RELAY)
    silent.failed(TLS, UNREACHED, "Failed to establish connection")
    failure = silent.failure()
    assert (failure.fault, silent.refusals) == (Fault.NETWORK, {})
    assert UDP in failure.message
    assert TLS in failure.message
