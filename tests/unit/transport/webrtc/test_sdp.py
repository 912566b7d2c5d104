"""Which offers are taken, what is asked of the engine, and what a peer is told."""

import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.transport.webrtc.offer import AUDIO, DATA, HEAD, candidate, instead, sdp, without
from vivavoce.errors import Fault, OfferError
from vivavoce.transport.webrtc.opus import Opus
from vivavoce.transport.webrtc.sdp import (
    MOST_BYTES,
    MOST_CANDIDATES,
    USED_CANDIDATES,
    for_speech,
    has_candidates,
    is_public,
    only_offered,
    parse,
    read,
    told,
)
from vivavoce.transport.webrtc.settings import HostCandidates, OfferedCandidates

VIDEO = instead(instead(AUDIO, "m=", "m=video 9 UDP/TLS/RTP/SAVPF 96"), "a=rtpmap:111", "a=rtpmap:96 VP8/90000")

GOOD = {
    "chromium": sdp(),
    "LF only": sdp(end="\n"),
    "no final line end": sdp().rstrip(),
    "blank lines at the end": sdp() + "\r\n\r\n",
    "no data channel": sdp(HEAD, AUDIO),
    "camera too": sdp(HEAD, VIDEO, AUDIO, DATA),
    "PCMU without rtpmap": sdp(HEAD, without(instead(AUDIO, "m=", "m=audio 9 UDP/TLS/RTP/SAVPF 0"), "a=rtpmap"), DATA),
    "PCMA only": sdp(HEAD, instead(AUDIO, "m=", "m=audio 9 UDP/TLS/RTP/SAVPF 8"), DATA),
    "opus in capitals": sdp(HEAD, instead(AUDIO, "a=rtpmap:111", "a=rtpmap:111 OPUS/48000/2"), DATA),
    "listens only": sdp(HEAD, instead(AUDIO, "a=sendrecv", "a=recvonly"), DATA),
    "bundled without a port of its own": sdp(
        HEAD, DATA, (*instead(AUDIO, "m=", "m=audio 0 UDP/TLS/RTP/SAVPF 111"), "a=bundle-only")
    ),
    "ICE and DTLS for the whole": sdp(
        (*HEAD, "a=ice-ufrag:8hhY", "a=ice-pwd:asd88fgpdd777uzjYhagZg", "a=fingerprint:sha-256 AB"),
        without(AUDIO, "a=ice-", "a=fingerprint"),
    ),
}

BAD = {
    "empty": "",
    "blank": "\r\n\r\n",
    "prose": "Hello, is it me you are looking for?",
    "html": "<!doctype html><html></html>",
    "json": '{"type": "offer", "sdp": "v=0"}',
    "another version": sdp().replace("v=0", "v=1", 1),
    "binary": "v=0\r\n\x00\x01\x02",
    "a nul inside": sdp().replace("a=mid:0", "a=mid:0\x00"),
    "prose in the middle": sdp().replace("a=mid:0", "and now for something else"),
    "an indented line": sdp().replace("a=mid:0", " a=mid:0"),
    "no media": sdp(HEAD),
    "only data": sdp(HEAD, DATA),
    "only video": sdp(HEAD, VIDEO, DATA),
    "rejected audio": sdp(HEAD, instead(AUDIO, "m=", "m=audio 0 UDP/TLS/RTP/SAVPF 111"), DATA),
    "a media line cut short": sdp(HEAD, instead(AUDIO, "m=", "m=audio 9"), DATA),
    "unknown codecs": sdp(
        HEAD, without(instead(AUDIO, "m=", "m=audio 9 UDP/TLS/RTP/SAVPF 9 110"), "a=rtpmap:111"), DATA
    ),
    "opus described but not offered": sdp(HEAD, instead(AUDIO, "m=", "m=audio 9 UDP/TLS/RTP/SAVPF 9"), DATA),
    "opus that is not": sdp(
        HEAD, instead(instead(AUDIO, "m=", "m=audio 9 X 111"), "a=rtpmap:111", "a=rtpmap:111 opus/16000"), DATA
    ),
    "no ufrag": sdp(HEAD, without(AUDIO, "a=ice-ufrag"), DATA),
    "no password": sdp(HEAD, without(AUDIO, "a=ice-pwd"), DATA),
    "no fingerprint": sdp(HEAD, without(AUDIO, "a=fingerprint"), DATA),
    "too long": sdp(HEAD, (*AUDIO, "a=x:" + "y" * MOST_BYTES)),
    "too long in bytes": sdp(HEAD, (*AUDIO, "a=x:" + "é" * (MOST_BYTES // 2))),
    "too many sections": sdp(HEAD, *([AUDIO] * 17)),
    "2000 sections": sdp(HEAD, AUDIO, ("m=audio 9 X 111",) * 2000),
    "too many candidates": sdp(HEAD, (*AUDIO, *(candidate("198.51.100.1"),) * (MOST_CANDIDATES + 1))),
    "half a surrogate": sdp() + "a=x:\ud800\r\n",
}


@pytest.mark.parametrize("offer", GOOD.values(), ids=GOOD.keys())
def test_an_offer_that_can_be_answered_is_taken(offer: str) -> None:
    taken = read(offer)
    assert taken.text.startswith("v=0\r\n")
    assert taken.text.endswith("\r\n")
    assert "\n" not in taken.text.replace("\r\n", "")
    assert read(taken.text) == taken


@pytest.mark.parametrize("offer", BAD.values(), ids=BAD.keys())
def test_an_offer_that_cannot_be_answered_is_refused_and_not_quoted(offer: str) -> None:
    with pytest.raises(OfferError) as refused:
        read(offer)
    assert refused.value.fault is Fault.PEER
    assert "asd88" not in refused.value.message
    assert "198.51" not in refused.value.message


def test_a_hundred_thousand_candidates_are_refused_by_their_size_alone() -> None:
    offer = sdp(HEAD, AUDIO, (candidate("198.51.100.1"),) * 100_000)

    class Untouched(str):
        """A text that may be measured but not taken apart."""

        __slots__ = ()

        def split(self, *_: object) -> list[str]:  # type: ignore[override]  # must not be called at all
            raise AssertionError

        def encode(self, *_: object) -> bytes:  # type: ignore[override]  # as above
            raise AssertionError

    with pytest.raises(OfferError):
        read(Untouched(offer))


def test_whether_a_caller_reads_text_is_known() -> None:
    assert read(sdp()).has_text_path
    assert not read(sdp(HEAD, AUDIO)).has_text_path
    assert not read(sdp(HEAD, AUDIO, instead(DATA, "m=", "m=application 0 UDP/DTLS/SCTP x"))).has_text_path


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(OfferError):
        read(text)


@given(st.data())
def test_no_damage_to_an_offer_breaks_the_reader(data: st.DataObject) -> None:
    lines = sdp(HEAD, (*AUDIO, candidate("198.51.100.1")), DATA).split("\r\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at] = data.draw(st.sampled_from(["", lines[at][:6], lines[at] + data.draw(st.text(max_size=8)), "a=", "m=x"]))
    try:
        taken = read("\r\n".join(lines))
    except OfferError:
        return
    only_offered(for_speech(taken, Opus()), OfferedCandidates.PUBLIC)


# ── what the engine is asked ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ("minptime=10;useinbandfec=1", "minptime=10;useinbandfec=1;"),
        ("minptime=10;stereo=1;sprop-stereo=1;useinbandfec=1", "minptime=10;useinbandfec=1;"),
        ("stereo=0", "stereo=0;"),
        ("stereo=1", ""),
    ],
)
def test_nobody_is_sent_stereo(asked: str, left: str) -> None:
    offer = sdp(HEAD, instead(AUDIO, "a=fmtp", f"a=fmtp:111 {asked}"), DATA)
    lines = for_speech(read(offer), Opus()).text.split("\r\n")
    assert [line for line in lines if line.startswith("a=fmtp")] == [f"a=fmtp:111 {left}x-google-max-bitrate=128"]


PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00::2",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
]
PUBLIC = ["8.8.8.8", "203.0.114.7", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
NAMES = ["printer.local", "1f4712db-ea17-4bcf-a596-105139dfd8bf.local", "redis", "svc:6379", "0x7f000001", "127.1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_offer_cannot_point_into_private_networks(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    offer = read(sdp(HEAD, (*AUDIO, candidate(address)), (*DATA, candidate(address))))
    assert "a=candidate" not in only_offered(offer, OfferedCandidates.PUBLIC).text
    assert only_offered(offer, OfferedCandidates.ALL) == offer


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_of_an_offer_are_used(address: str) -> None:
    offer = read(sdp(HEAD, (*AUDIO, candidate(address)), DATA))
    assert only_offered(offer, OfferedCandidates.PUBLIC) == offer


@pytest.mark.parametrize("policy", OfferedCandidates)
@pytest.mark.parametrize("name", NAMES)
def test_an_offer_causes_no_name_to_be_looked_up(name: str, policy: OfferedCandidates) -> None:
    offer = read(sdp(HEAD, (*AUDIO, candidate(name)), DATA))
    assert "a=candidate" not in only_offered(offer, policy).text


@pytest.mark.parametrize("policy", OfferedCandidates)
def test_an_offer_causes_no_tcp_connection(policy: OfferedCandidates) -> None:
    offer = read(sdp(HEAD, (*AUDIO, candidate("8.8.8.8", 443, "tcp") + " tcptype passive"), DATA))
    assert "a=candidate" not in only_offered(offer, policy).text


def test_lines_that_only_look_like_candidates_are_dropped() -> None:
    odd = ("a=candidate:", "a=candidate:1 1 udp 1 8.8.8.8", "a=remote-candidates:1 10.0.0.1 80")
    offer = read(sdp((*HEAD, *odd), (*AUDIO, *odd), DATA))
    assert "candidate" not in only_offered(offer, OfferedCandidates.ALL).text


@pytest.mark.parametrize(
    "line",
    [
        "a=candidate",
        candidate("10.0.0.1").replace(":", " ", 1),
        candidate("8.8.8.8").replace("8.8.8.8 ", "8.8.8.8\t10.0.0.1 "),
        candidate("10.0.0.1").replace("2122194687 ", "1\u20038.8.8.8 "),
        "a=remote-candidates 1 10.0.0.1 9",
    ],
)
def test_a_candidate_that_two_readers_could_take_for_two_things_is_dropped(line: str) -> None:
    offer = read(sdp(HEAD, (*AUDIO, line), DATA))
    assert line not in only_offered(offer, OfferedCandidates.PUBLIC).text


def test_of_many_candidates_some_are_used() -> None:
    many = tuple(candidate(f"8.8.8.{n}") for n in range(MOST_CANDIDATES))
    offer = read(sdp(HEAD, (*AUDIO, *many), DATA))
    assert only_offered(offer, OfferedCandidates.PUBLIC).text.count("a=candidate") == USED_CANDIDATES


# ── what the peer is told ───────────────────────────────────────────────────────────────────────────────

OWN = (
    candidate("10.0.0.5", 50_001),
    candidate("127.0.0.1", 50_001),
    candidate("fd00::5", 50_002),
    candidate("::1", 50_003),
    candidate("10.0.0.5", 9, "tcp") + " tcptype active",
    candidate("203.0.114.9", 61_000, kind="srflx") + " raddr 10.0.0.5 rport 50001",
)


def addresses(policy: HostCandidates, *advertised: str) -> list[str]:
    description = told(parse(sdp(HEAD, (*AUDIO, *OWN), DATA)), policy, advertised)
    lines = [line.split() for line in description.text.split("\r\n") if line.startswith("a=candidate")]
    return [f"{fields[2]} {fields[4]} {fields[5]} {fields[7]}" for fields in lines]


def test_own_addresses_are_told_by_policy() -> None:
    assert len(addresses(HostCandidates.ALL)) == len(OWN)
    assert addresses(HostCandidates.ROUTABLE) == [
        "udp 10.0.0.5 50001 host",
        "udp fd00::5 50002 host",
        "tcp 10.0.0.5 9 host",
        "udp 203.0.114.9 61000 srflx",
    ]
    assert addresses(HostCandidates.LOOPBACK) == [
        "udp 127.0.0.1 50001 host",
        "udp ::1 50003 host",
        "udp 203.0.114.9 61000 srflx",
    ]


def test_an_advertised_address_stands_in_for_every_own_one_of_its_family() -> None:
    assert addresses(HostCandidates.NONE, "198.51.100.7") == [
        "udp 198.51.100.7 50001 host",
        "tcp 198.51.100.7 9 host",
        "udp 203.0.114.9 61000 srflx",
    ]
    assert addresses(HostCandidates.NONE, "198.51.100.7", "2001:db8::7")[:3] == [
        "udp 198.51.100.7 50001 host",
        "udp 2001:db8::7 50002 host",
        "tcp 198.51.100.7 9 host",
    ]


def test_an_advertised_address_is_told_besides_our_own_where_both_lead_here() -> None:
    assert addresses(HostCandidates.ROUTABLE, "198.51.100.7") == [
        "udp 10.0.0.5 50001 host",
        "udp 198.51.100.7 50001 host",
        "udp fd00::5 50002 host",
        "tcp 10.0.0.5 9 host",
        "tcp 198.51.100.7 9 host",
        "udp 203.0.114.9 61000 srflx",
    ]


def test_an_advertised_address_of_our_own_is_told_with_its_own_port_only() -> None:
    other = candidate("10.1.1.5", 50_009)
    description = told(parse(sdp(HEAD, (*AUDIO, *OWN, other), DATA)), HostCandidates.NONE, ("10.0.0.5", "198.51.100.7"))
    assert re.findall(r"candidate:\S+ 1 udp \d+ (\S+ \d+) typ host", description.text) == [
        "10.0.0.5 50001",
        "198.51.100.7 50001",
        "198.51.100.7 50009",
    ]


def test_a_description_without_addresses_is_noticed() -> None:
    assert has_candidates(parse(sdp(HEAD, (*AUDIO, candidate("10.0.0.5")), DATA)))
    assert not has_candidates(parse(sdp(HEAD, (*AUDIO, candidate("10.0.0.5", 9, "tcp")), DATA)))
    assert not has_candidates(parse(sdp()))
