"""Readers of what a WebRTC peer writes, and of the engine's report about it."""

import ipaddress
import json
from typing import Final

from fuzz import seed
from fuzz.target import Target
from vivavoce.errors import OfferError
from vivavoce.transport.webrtc import reading, sdp
from vivavoce.transport.webrtc.opus import Opus
from vivavoce.transport.webrtc.settings import OfferedCandidates

WORDS: Final = (
    *(b"a=candidate:", b"a=fmtp:111 stereo=1", b"a=bundle-only", b"a=remote-candidates:1 ::1 9", b"m=audio 0 X 0"),
    *(b"a=rtpmap:0 ", b"a=ice-lite", b"a=mid:", b"typ host", b"1.2.3.4", b"64:ff9b::7f00:1", b"::ffff:127.0.0.1"),
    *(b"fe80::1%eth0", b"2002:7f00:1::", b"a=fingerprint:sha-256 AB", b"m=application 9 UDP/DTLS/SCTP x", b"\x0b"),
)


def offer(data: bytes) -> None:
    """An offer that is taken stays readable, and names nobody whom we may not contact."""
    wanted = sdp.read(data.decode(errors="surrogateescape"))
    for policy in OfferedCandidates:
        kept = sdp.only_offered(sdp.doubled(sdp.for_speech(wanted, Opus(dtx=True))), policy)
        sdp.most_bps(kept, Opus())
        again = sdp.parse(kept.text)
        assert again == kept
        assert again.has_text_path == wanted.has_text_path
        candidates = [value for part in (again.head, *again.sections) for value in part.values("candidate")]
        assert len(candidates) <= sdp.USED_CANDIDATES
        for candidate in candidates:
            address = ipaddress.ip_address(candidate.split(" ")[4])
            assert policy is OfferedCandidates.ALL or sdp.is_public(address)
        sdp.has_candidates(kept)


def statistics(data: bytes) -> None:
    """A report of the engine is read, or is none."""
    link = reading.read(data)
    assert link.concealed_ratio is None or link.concealed_ratio >= 0


def reports() -> list[bytes]:
    """A report of a call that runs."""
    entries: list[dict[str, object]] = [
        {"type": "transport", "id": "T", "selectedCandidatePairId": "P"},
        {
            "type": "candidate-pair",
            "id": "P",
            "nominated": True,
            "state": "succeeded",
            "localCandidateId": "L",
            "currentRoundTripTime": 0.01,
            "bytesSent": 9,
            "bytesReceived": 9,
        },
        {"type": "local-candidate", "id": "L", "candidateType": "host", "protocol": "udp", "relayProtocol": "tls"},
        {
            "type": "inbound-rtp",
            "id": "I",
            "kind": "audio",
            "jitter": 0.002,
            "packetsReceived": 5,
            "packetsLost": 0,
            "totalSamplesReceived": 960,
            "concealedSamples": 48,
            "silentConcealedSamples": 40,
        },
    ]
    return [b"[]", json.dumps(entries).encode()]


TARGETS: Final = (
    Target("offer", offer, seed.offers, (OfferError,), WORDS, longest=8192),
    Target("statistics", statistics, reports, (ValueError,)),
)
