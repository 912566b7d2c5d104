"""What a look makes of what it has seen."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest

from vivavoce.check.admission import Knock, judge, judge_skew
from vivavoce.check.answer import inward, read_answer
from vivavoce.check.certificate import Certificate, distrusted, trusted
from vivavoce.check.connection import no_path
from vivavoce.check.verdict import Cause, Failed, Finding, Passed, Poor, Skipped, Verdict, worst

NOW = datetime(2026, 11, 28, tzinfo=UTC)
SDP = """v=0
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=rtpmap:111 opus/48000/2
a=rtpmap:0 PCMU/8000
a=candidate:1 1 udp 2122 172.17.0.2 40000 typ host generation 0
a=candidate:1 1 udp 2122 172.17.0.2 40000 typ host generation 0
a=candidate:2 1 UDP 2122 fd00::2 40001 typ host
a=candidate:3 1 udp 2122 somewhere.local 40002 typ host
a=candidate:4 1 udp 1685 203.0.113.7 40000 typ srflx raddr 172.17.0.2 rport 40000
"""


def remedy(verdict: Verdict) -> str:
    assert isinstance(verdict, Failed | Poor)
    return verdict.remedy


@pytest.mark.parametrize(
    ("reply", "advice"),
    [
        (Knock(200, "text/html"), "Realtime API"),
        (Knock(204, ""), "Realtime API"),
        (Knock(404, "application/json"), "/v1"),
        (Knock(405, ""), "/v1"),
        (Knock(403, "text/html"), "login page"),
        (Knock(302, "", "https://elsewhere.example/"), "that address"),
        (Knock(407, ""), "HTTPS_PROXY"),
        (Knock(502, "text/html"), "log"),
    ],
)
def test_what_is_no_realtime_api_is_told_apart(reply: Knock, advice: str) -> None:
    verdict = judge(reply, "https://voice.example/v1")
    assert isinstance(verdict, Failed)
    assert verdict.cause is Cause.REFUSED
    assert advice in verdict.remedy


@pytest.mark.parametrize("status", [400, 401, 403, 415, 422, 429])
def test_a_refusal_that_is_no_page_is_one_of_a_realtime_api(status: int) -> None:
    assert isinstance(judge(Knock(status, "application/json"), "https://voice.example/v1"), Passed)


@pytest.mark.parametrize(
    ("skew_s", "kind"), [(0.4, Passed), (-9.0, Passed), (30.0, Poor), (-30.0, Poor), (3600.0, Failed)]
)
def test_clocks_may_differ_by_seconds(skew_s: float, kind: type[Verdict]) -> None:
    assert isinstance(judge_skew(skew_s), kind)


def test_an_answer_is_read_as_far_as_it_can_be() -> None:
    answered = read_answer(SDP.replace("\n", "\r\n"))
    assert answered.codecs == ("opus", "PCMU")
    assert [str(each) for each in answered.candidates] == [
        "172.17.0.2:40000/udp",
        "[fd00::2]:40001/udp",
        "203.0.113.7:40000/udp (srflx)",
    ]


@pytest.mark.parametrize(
    ("addresses", "server", "is_inward"),
    [
        (["172.17.0.2"], "8.8.4.4", True),
        (["172.17.0.2", "127.0.0.1"], "8.8.4.4", True),
        (["172.17.0.2", "8.8.8.8"], "8.8.4.4", False),
        (["127.0.0.1"], "10.0.0.5", True),
        (["127.0.0.1"], "127.0.0.1", False),
        (["10.0.0.5"], "10.0.0.5", False),
        (["192.168.1.4"], "10.0.0.5", False),
        ([], "8.8.4.4", False),
    ],
)
def test_addresses_point_inward_when_only_the_server_sees_them(
    addresses: list[str], server: str, is_inward: bool
) -> None:
    sdp = "".join(f"a=candidate:1 1 udp 1 {each} 9 typ host\r\n" for each in addresses)
    assert inward(read_answer(sdp).candidates, ip_address(server)) is is_inward


@pytest.mark.parametrize(
    ("sdp", "advice"),
    [
        ("", "gathers none"),
        ("a=candidate:1 1 udp 1 172.17.0.2 9 typ host", "--advertise"),
        ("a=candidate:1 1 udp 1 8.8.8.8 9 typ host", "UDP is shut"),
    ],
)
def test_why_nothing_gets_through_is_read_off_the_answer(sdp: str, advice: str) -> None:
    assert advice in no_path(read_answer(sdp), ip_address("8.8.4.4"), 5.0).remedy


def certificate(days: int) -> Certificate:
    return Certificate(("voice.example",), "Voices Unlimited", NOW + timedelta(days=days))


def test_a_certificate_that_ends_soon_is_told_of_before_it_does() -> None:
    assert isinstance(trusted("TLSv1.3", certificate(60), NOW), Passed)
    assert "renewed" in remedy(trusted("TLSv1.3", certificate(5), NOW))


@pytest.mark.parametrize(
    ("code", "advice"), [(10, "renewed"), (9, "clock"), (62, "these names"), (64, "these names"), (20, "SSL_CERT_FILE")]
)
@pytest.mark.parametrize("seen", [certificate(-1), None])
def test_a_certificate_that_does_not_hold_is_told_apart(code: int, advice: str, seen: Certificate | None) -> None:
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = code, "why"
    assert advice in distrusted(error, seen, "localhost", NOW).remedy


def test_a_failure_is_mended_before_what_could_be_better() -> None:
    poor = Finding("clock", Poor("a", "b", "c"), 1.0)
    failed = Finding("udp", Failed(Cause.NO_WAY, "a", "b", "c"), 1.0)
    assert worst([Finding("tls", Skipped("no"), 1.0), poor, failed]) is failed
    assert worst([Finding("url", Passed("well"), 1.0), poor]) is poor
    assert worst([Finding("url", Passed("well"), 1.0)]) is None
