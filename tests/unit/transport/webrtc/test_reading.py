"""Quality figures out of an engine's report."""

import json
from collections.abc import Mapping

import pytest

from vivavoce.transport.interface import Link
from vivavoce.transport.webrtc.doubling import Faring
from vivavoce.transport.webrtc.reading import faring, read

PAIR = {
    "type": "candidate-pair",
    "id": "CP1",
    "localCandidateId": "I1",
    "state": "succeeded",
    "nominated": True,
    "currentRoundTripTime": 0.042,
    "bytesSent": 1000,
    "bytesReceived": 2000,
    "responsesReceived": 12,
}
OTHER = PAIR | {"id": "CP0", "localCandidateId": "I0", "nominated": False, "currentRoundTripTime": 9.0}
LOCAL = {"type": "local-candidate", "id": "I1", "candidateType": "host", "protocol": "udp", "address": "192.0.2.1"}
HEARD = {
    "type": "inbound-rtp",
    "id": "IT1",
    "kind": "audio",
    "jitter": 0.007,
    "packetsReceived": 500,
    "packetsLost": -1,
    "totalSamplesReceived": 48_000,
    "concealedSamples": 5_280,
    "silentConcealedSamples": 4_800,
    "jitterBufferDelay": 2_880.0,
    "jitterBufferEmittedCount": 48_000,
}


def report(*entries: Mapping[str, object]) -> str:
    return json.dumps([{"timestamp": 1, **entry} for entry in entries])


def test_the_pair_in_use_and_what_is_heard_are_read() -> None:
    link = read(report(OTHER, PAIR, LOCAL, HEARD, {"type": "codec", "id": "C"}))
    assert link.round_trip_ms == pytest.approx(42.0)
    assert link.jitter_ms == pytest.approx(7.0)
    assert (link.packets_received, link.packets_lost) == (500, -1)
    assert (link.bytes_sent, link.bytes_received, link.checks_answered) == (1000, 2000, 12)
    assert link.concealed_ratio == pytest.approx(0.01)
    assert link.path == "host/udp"
    assert link.buffer_ms == pytest.approx(60.0)


def test_while_a_way_is_looked_for_all_that_comes_of_the_peers_checks_counts() -> None:
    tried = {"state": "in-progress", "nominated": False, "responsesReceived": 0, "requestsReceived": 0}
    transport = {"type": "transport", "id": "T", "selectedCandidatePairChanges": 0}
    shut = report(transport, PAIR | tried, OTHER | tried)
    assert read(shut).checks_answered == 0
    assert read(report(transport, PAIR | tried | {"requestsReceived": 2}, OTHER | tried)).checks_answered == 2
    lost = transport | {"selectedCandidatePairChanges": 1}
    assert read(report(lost, PAIR | tried)).checks_answered is None, "of one that stood before, this says nothing"


def test_the_transports_own_word_on_the_pair_wins() -> None:
    transport = {"type": "transport", "id": "T", "selectedCandidatePairId": "CP0"}
    assert read(report(transport, OTHER, PAIR, LOCAL)).round_trip_ms == 9000.0


def test_the_way_to_a_relay_is_named() -> None:
    relay = LOCAL | {"candidateType": "relay", "relayProtocol": "tls"}
    assert read(report(PAIR, relay)).path == "relay/udp/tls"


@pytest.mark.parametrize(
    "entries",
    [(), (LOCAL,), ({"type": "inbound-rtp", "id": "v", "kind": "video", "jitter": 1.0},), ({"type": "x", "id": "y"},)],
)
def test_what_is_not_known_stays_unknown(entries: tuple[Mapping[str, object], ...]) -> None:
    assert read(report(*entries)) == Link()


def test_a_sender_that_pauses_is_not_counted_as_loss() -> None:
    paused = HEARD | {"concealedSamples": 4_800}
    assert read(report(paused)).concealed_ratio == 0.0
    for none in (0, -960):
        assert read(report(HEARD | {"totalSamplesReceived": none})).concealed_ratio is None


def test_how_packets_fare_is_read_of_both_ways() -> None:
    told = {"type": "remote-inbound-rtp", "id": "R", "kind": "audio", "fractionLost": 0.25}
    pair = PAIR | {"availableOutgoingBitrate": 84_000.0}
    assert faring(report(OTHER, pair, LOCAL, HEARD, told)) == Faring(0.25, 500, -1, 84_000.0, 0.042)
    assert faring(report(LOCAL)) == Faring()


@pytest.mark.parametrize("text", ["", "{}", "[{}]", "not json", report(HEARD | {"concealedSamples": 10**400})])
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read(text)
