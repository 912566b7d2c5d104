"""What a look makes of what it has seen."""

import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import numpy as np
import pytest

from vivavoce.audio.frame import RATE_HZ
from vivavoce.audio.meter import measure
from vivavoce.check.admission import Knock, judge, judge_proxy, judge_skew
from vivavoce.check.answer import inward, read_answer
from vivavoce.check.certificate import Certificate, distrusted, trusted
from vivavoce.check.connection import no_path
from vivavoce.check.conversation import Heard, estimate_usd, judge_return, judge_sound, judge_steadiness, phrase
from vivavoce.check.remains import Remains
from vivavoce.check.verdict import Cause, Failed, Finding, Passed, Poor, Skipped, Verdict, worst
from vivavoce.client.quality import Snapshot
from vivavoce.client.state import Disrupted, Kept, Restored, State
from vivavoce.transport.interface import Link

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


@pytest.mark.parametrize(
    ("said", "advice"), [("407 Proxy Authentication Required", "user:password"), ("403 Forbidden", "runs the proxy")]
)
def test_a_proxy_that_does_not_connect_is_not_taken_for_the_server(said: str, advice: str) -> None:
    verdict = judge_proxy(said, "https://voice.example/v1")
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


HEARD = Heard("What is twelve times seven?", replied=True, complaint=None, answer_ms=300.0, peak_db=-20.0)


@pytest.mark.parametrize(
    ("heard", "kind", "told"),
    [
        (HEARD, Passed, "300 ms"),
        (replace(HEARD, answer_ms=None, transcript=""), Passed, "answered"),
        (replace(HEARD, answer_ms=900.0), Poor, "900 ms"),
        (replace(HEARD, peak_db=-120.0), Failed, "speech engine"),
        (replace(HEARD, replied=False), Failed, "model hangs"),
        (replace(HEARD, replied=False, transcript=""), Failed, "turn detection"),
        (replace(HEARD, replied=False, complaint="insufficient_quota"), Failed, "insufficient_quota"),
    ],
)
def test_what_came_of_a_phrase_is_told_apart(heard: Heard, kind: type[Verdict], told: str) -> None:
    verdict = judge_sound(heard, {"usd": None})
    assert isinstance(verdict, kind)
    assert told in repr(verdict)


def snapshot(*, round_trip_ms: float | None = 20.0, loss: float | None = 0.0) -> Snapshot:
    level = measure(np.zeros(10, np.int16))
    return Snapshot(0.0, Link(round_trip_ms=round_trip_ms, jitter_ms=2.0), loss, None, None, level, level)


@pytest.mark.parametrize(
    ("snapshots", "states", "kind"),
    [
        ([snapshot()], [], Passed),
        ([snapshot(round_trip_ms=None, loss=None)], [], Passed),
        ([snapshot(round_trip_ms=400.0)], [], Poor),
        ([snapshot(), snapshot(loss=0.3)], [], Poor),
        ([snapshot()], [Disrupted(1.0)], Failed),
        ([], [], Failed),
    ],
)
def test_a_connection_that_stays_is_told_from_one_that_does_not(
    snapshots: list[Snapshot], states: list[State], kind: type[Verdict]
) -> None:
    assert isinstance(judge_steadiness(snapshots, states, 5.0), kind)


@pytest.mark.parametrize(("took_s", "kept", "kind"), [(3.0, True, Passed), (14.0, True, Poor), (3.0, False, Failed)])
def test_a_call_that_comes_back_has_done_so_soon_and_with_its_conversation(
    took_s: float, kept: bool, kind: type[Verdict]
) -> None:
    restored = Restored(Kept.NEW, complete=True, gap_s=took_s)
    assert isinstance(judge_return(restored, took_s, 0.9, kept=kept), kind)


def test_what_a_call_has_left_is_counted_by_kind() -> None:
    before = Remains(tasks=3, threads=10, files=None)
    assert Remains(tasks=3, threads=9, files=None).left_since(before) == {}
    assert Remains(tasks=5, threads=11, files=None).left_since(before) == {"tasks": 2, "threads": 1}


def test_the_known_phrase_is_heard() -> None:
    samples = phrase()
    assert 1.0 < len(samples) / RATE_HZ < 3.0
    assert not measure(samples).silent


def test_what_it_will_cost_is_known_where_a_price_is() -> None:
    usd = estimate_usd("https://api.openai.com/v1", "gpt-realtime-2.1")
    assert usd is not None
    assert 0.001 < usd < 0.05
    assert estimate_usd("https://voice.example/v1", "gpt-realtime-2.1") is None
    assert estimate_usd("no url", "gpt-realtime-2.1") is None
