"""WebRTC calls beyond what every transport does: refused offers, addresses, limits and ends."""

import asyncio
import json
import os
import re
import socket
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.conformance.transport.listener import PATIENCE_S, listening
from tests.unit.transport.webrtc.engine import Page, alive, nothing_is_alive
from tests.unit.transport.webrtc.offer import AUDIO, DATA, HEAD, candidate, instead, sdp, without
from tests.unit.transport.webrtc.refusing_relay import refusing_relay
from vivavoce.audio.frame import Pcm, sample_count, silence
from vivavoce.errors import ConfigError, Fault, Never, OfferError, TransportError
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.ice import IceServer
from vivavoce.transport.interface import Closed, ClosedBy, Opened, Played, Sound, Transport
from vivavoce.transport.pacer import Pacer
from vivavoce.transport.webrtc.answerer import WebRtcAnswerer
from vivavoce.transport.webrtc.offerer import WebRtcOfferer
from vivavoce.transport.webrtc.settings import HostCandidates, OfferedCandidates, WebRtcSettings

ROOT = Path(__file__).parents[4]
CANDIDATE = re.compile(r"a=candidate:\S+ 1 (udp|tcp) \d+ (\S+) (\d+) typ (\w+)")


@asynccontextmanager
async def call(
    settings: WebRtcSettings | None = None,
    *,
    on_offer: Callable[[str], str] = lambda offer: offer,
    on_answer: Callable[[str], str] = lambda answer: answer,
) -> AsyncGenerator[tuple[Transport, Transport, str]]:
    """Caller, called and answer; `settings` are the called's."""
    async with Pacer() as pacer:
        offerer = WebRtcOfferer(pacer)
        far, answer = await WebRtcAnswerer(pacer, settings).answer(on_offer(await offerer.offer()))
        near = await offerer.accept(on_answer(answer))
        try:
            yield near, far, answer
        finally:
            await near.close()
            await far.close()


# ── offers and answers that cannot be used ──────────────────────────────────────────────────────────────

ENGINE_REFUSES = {
    "a password too short": sdp(HEAD, instead(AUDIO, "a=ice-pwd", "a=ice-pwd:short"), DATA),
    "an unknown digest": sdp(HEAD, instead(AUDIO, "a=fingerprint", "a=fingerprint:md5 AB:CD"), DATA),
    "no rtcp-mux": sdp(HEAD, without(AUDIO, "a=rtcp-mux"), DATA),
    "no origin": sdp(without(HEAD, "o="), AUDIO, DATA),
    "a garbled codec": sdp(HEAD, instead(AUDIO, "a=rtpmap:63", "a=rtpmap:sixty-three red"), DATA),
    "two of the same mid": sdp(HEAD, AUDIO, instead(DATA, "a=mid", "a=mid:0")),
}


@pytest.mark.parametrize("offer", ENGINE_REFUSES.values(), ids=ENGINE_REFUSES.keys())
async def test_what_the_engine_cannot_use_is_refused_and_leaves_nothing(offer: str) -> None:
    async with Pacer() as pacer:
        with pytest.raises(OfferError) as refused:
            await WebRtcAnswerer(pacer).answer(offer)
        assert refused.value.fault is Fault.PEER
        assert "asd88" not in refused.value.message
        assert len(pacer) == 0
        del refused
        await nothing_is_alive()


async def test_an_offer_without_audio_makes_nothing_at_all() -> None:
    await nothing_is_alive()
    async with Pacer() as pacer:
        with pytest.raises(OfferError):
            await WebRtcAnswerer(pacer).answer(sdp(HEAD, DATA))
        assert not alive()


async def test_an_answer_that_cannot_be_used_leaves_nothing() -> None:
    async with Pacer() as pacer:
        for answer in ("", "nonsense", sdp(HEAD, AUDIO, DATA), sdp(HEAD, DATA)):
            offerer = WebRtcOfferer(pacer)
            await offerer.offer()
            with pytest.raises(OfferError):
                await offerer.accept(answer)
            del offerer
        assert len(pacer) == 0
        await nothing_is_alive()


async def test_an_offer_that_is_never_answered_can_be_abandoned() -> None:
    async with Pacer() as pacer:
        offerer = WebRtcOfferer(pacer)
        await offerer.offer()
        await offerer.abandon()
        await offerer.abandon()
        with pytest.raises(RuntimeError):
            await offerer.accept(sdp())
        del offerer
        await nothing_is_alive()


async def test_a_caller_who_never_connects_is_given_up() -> None:
    async with Pacer() as pacer:
        far, _ = await WebRtcAnswerer(pacer, WebRtcSettings(connect_s=0.2)).answer(sdp())
        assert len(pacer) == 1
        delivered: list[object] = []
        async with asyncio.timeout(PATIENCE_S):
            await far.run(delivered.append)
        assert len(delivered) == 1
        assert isinstance(delivered[0], Closed)
        assert delivered[0].by is ClosedBy.LOST
        assert len(pacer) == 0
        del far
        await nothing_is_alive()


async def test_a_caller_who_never_connects_is_given_up_even_if_nobody_runs_the_call() -> None:
    async with Pacer() as pacer:
        far, _ = await WebRtcAnswerer(pacer, WebRtcSettings(connect_s=0.05)).answer(sdp())
        other, _ = await WebRtcAnswerer(pacer, WebRtcSettings(connect_s=0.3)).answer(sdp())
        async with asyncio.timeout(PATIENCE_S):
            await other.run(lambda _: None)
        assert len(pacer) == 0
        del far, other
        await nothing_is_alive()


async def test_an_ice_server_that_the_engine_does_not_understand_is_our_operators_mistake() -> None:
    odd = WebRtcSettings(ice_servers=(IceServer(("turn:relay.example",), "m" * 600, Secret("hunter2")),))
    async with Pacer() as pacer:
        with pytest.raises(ConfigError) as refused:
            await WebRtcAnswerer(pacer, odd).answer(sdp())
        assert "hunter2" not in refused.value.message
        with pytest.raises(ConfigError):
            await WebRtcOfferer(pacer, odd).offer()


async def test_servers_that_do_not_answer_hold_a_call_up_no_longer_than_they_may() -> None:
    loop = asyncio.get_running_loop()
    mute, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    port = mute.get_extra_info("sockname")[1]
    relay = IceServer((f"turn:127.0.0.1:{port}",), "me", Secret("hunter2"))
    async with Pacer() as pacer:
        settings = WebRtcSettings(ice_servers=(relay,), relay_s=0.2)
        async with asyncio.timeout(settings.answer_s / 2):
            far, answer = await WebRtcAnswerer(pacer, settings).answer(sdp())
        assert "typ host" in answer
        await far.close()
    mute.close()


async def test_a_relay_that_refuses_is_told_at_once_where_only_relays_may_be_used() -> None:
    async with Pacer() as pacer, refusing_relay() as url:
        relay = IceServer((url,), "me", Secret("hunter2"))
        settings = WebRtcSettings(ice_servers=(relay,), relay_only=True, answer_s=PATIENCE_S, relay_s=PATIENCE_S)
        with pytest.raises(TransportError) as refused:
            async with asyncio.timeout(PATIENCE_S / 2):
                await WebRtcOfferer(pacer, settings).offer()
        assert (refused.value.fault, refused.value.next) == (Fault.CALLER, Never())
        assert url in refused.value.message
        assert "hunter2" not in refused.value.message
        del refused
        await nothing_is_alive()


async def test_a_relay_that_refuses_does_not_keep_a_call_from_other_ways_but_is_noted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Pacer() as pacer, refusing_relay() as url:
        relay = IceServer((url,), "me", Secret("hunter2"))

        async def settings() -> WebRtcSettings:
            return WebRtcSettings(ice_servers=(relay,), answer_s=PATIENCE_S, relay_s=PATIENCE_S)

        async with asyncio.timeout(PATIENCE_S / 2):
            offerer = WebRtcOfferer(pacer, settings)
            assert "typ host" in await offerer.offer()
        await offerer.abandon()
        assert "ice_server_refused" in caplog.messages


async def test_nobody_learns_an_address_of_ours_where_only_relays_may_be_used() -> None:
    relay = IceServer(("turn:127.0.0.1:9",), "me", Secret("hunter2"))
    async with Pacer() as pacer:
        with pytest.raises(TransportError) as failed:
            await WebRtcOfferer(pacer, WebRtcSettings(ice_servers=(relay,), relay_only=True, relay_s=0.1)).offer()
        assert failed.value.fault is Fault.NETWORK


async def test_an_engine_that_takes_too_long_is_our_failure_and_leaves_nothing() -> None:
    async with Pacer() as pacer:
        with pytest.raises(TransportError) as failed:
            await WebRtcAnswerer(pacer, WebRtcSettings(answer_s=1e-6)).answer(sdp())
        assert failed.value.fault is Fault.OURS
        assert len(pacer) == 0
        del failed
        await nothing_is_alive()


# ── what is negotiated ──────────────────────────────────────────────────────────────────────────────────


async def test_an_answer_is_what_a_browser_expects() -> None:
    async with call() as (_, far, answer):
        assert answer.endswith("\r\n")
        assert "\n" not in answer.replace("\r\n", "")
        assert "a=setup:active" in answer
        assert re.search(r"a=rtpmap:\d+ opus/48000/2", answer)
        assert "useinbandfec=1" in answer
        # A page plays `event.streams[0]`: the voice must be in a stream.
        assert re.search(r"a=msid:[^- ]\S* ", answer)
        assert far.traits.largest_text == 262_144


CAMERA = (
    *without(AUDIO, "m=", "a=rtpmap", "a=fmtp", "a=rtcp-fb", "a=mid", "a=msid"),
    "a=mid:2",
    "a=rtpmap:96 VP8/90000",
)
MORE = {
    "a camera": ("m=video 9 UDP/TLS/RTP/SAVPF 96", *CAMERA),
    "a second microphone": without(instead(AUDIO, "a=mid", "a=mid:2"), "a=msid"),
}


@pytest.mark.parametrize("section", MORE.values(), ids=MORE.keys())
async def test_what_else_a_browser_would_send_is_declined(section: tuple[str, ...]) -> None:
    async with Pacer() as pacer:
        offer = sdp(instead(HEAD, "a=group", "a=group:BUNDLE 0 1 2"), AUDIO, DATA, section)
        far, answer = await WebRtcAnswerer(pacer).answer(offer)
        await far.close()
    first, _, third = answer.split("\r\nm=")[1:]
    assert "a=sendrecv" in first
    assert "a=inactive" in third


@pytest.mark.parametrize(("payload", "codec"), [("0", "PCMU"), ("8", "PCMA")])
async def test_a_caller_without_opus_is_heard_in_telephone_quality(payload: str, codec: str) -> None:
    def only(offer: str) -> str:
        lines = [re.sub(r"^(m=audio \S+ \S+).*", rf"\1 {payload}", line) for line in offer.split("\r\n")]
        other = re.compile(rf"a=(rtpmap|fmtp|rtcp-fb):(?!{payload} )")
        return "\r\n".join(line for line in lines if not other.match(line))

    async with call(on_offer=only, on_answer=only) as (near, far, answer), listening(near, far) as (_, there):
        assert f"a=rtpmap:{payload} {codec}/8000" in answer
        assert "opus" not in answer
        near.play(_square(400))
        await there.until(lambda: int(abs(there.sound).max(initial=0)) > 4000)


async def test_a_caller_who_only_listens_is_taken() -> None:
    def deaf(offer: str) -> str:
        return offer.replace("a=sendrecv", "a=recvonly")

    async with call(on_offer=deaf) as (near, far, answer), listening(near, far) as (here, _):
        assert "a=sendonly" in answer
        far.play(_square(300))
        await here.until(lambda: int(abs(here.sound).max(initial=0)) > 4000)


async def test_a_caller_who_only_speaks_is_taken() -> None:
    def mute(offer: str) -> str:
        return offer.replace("a=sendrecv", "a=sendonly")

    async with call(on_offer=mute) as (near, far, answer), listening(near, far) as (_, there):
        assert "a=recvonly" in answer
        far.play(_square(100))
        near.play(_square(300))
        await there.until(lambda: int(abs(there.sound).max(initial=0)) > 4000)
        await there.until(lambda: len(there.all(Played)) == 2)


@pytest.mark.realtime
async def test_sound_that_was_not_taken_in_time_leaves_no_gap() -> None:
    waited = sample_count(2_600)
    async with call() as (near, far, _), listening(near) as (here,):
        await here.heard(waited)
        async with listening(far) as (there,):
            # Two seconds are kept; what came before them is silence.
            await there.until(lambda: len(there.sound) >= waited - sample_count(200))
            first = there.all(Sound)[0]
            assert len(first.samples) <= sample_count(20)


@pytest.mark.parametrize("label", ["oai-events", "events", "", "čau"])
async def test_the_event_channel_may_have_any_label_and_is_the_first(label: str) -> None:
    page, spare = Page(label=label), asyncio.Event()
    later = page.peer.create_data_channel("another")
    later.on("open", lambda _: spare.set())
    assert page.channel is not None
    heard: asyncio.Queue[object] = asyncio.Queue()
    page.channel.on("message", lambda event: heard.put_nowait(event.data))
    async with Pacer() as pacer, page.call(pacer) as far, listening(far) as (there,), asyncio.timeout(PATIENCE_S):
        page.channel.send("hello")
        await there.until(lambda: there.texts == ["hello"])
        far.send("welcome")
        assert await heard.get() == "welcome"
        await spare.wait()
        later.send("nobody reads this")
        page.channel.send("but this")
        await there.until(lambda: there.texts == ["hello", "but this"])
        page.peer.close()
        assert (await there.closed()).by is ClosedBy.PEER


async def test_a_caller_without_a_data_channel_can_talk_and_hang_up() -> None:
    page = Page(label=None)
    async with Pacer() as pacer, page.call(pacer) as far, listening(far) as (there,):
        assert there.delivered[0] == Opened()
        far.send("dropped, not kept for ever")
        await there.until(lambda: bool(there.all(Sound)))
        page.peer.close()
        assert (await there.closed()).by is ClosedBy.PEER
        await there.ended()


# ── addresses ───────────────────────────────────────────────────────────────────────────────────────────


def told(answer: str) -> list[tuple[str, str, int]]:
    return [(protocol, address, int(port)) for protocol, address, port, _ in CANDIDATE.findall(answer)]


async def test_ports_come_from_the_range() -> None:
    async with call(WebRtcSettings(port_range=(42_100, 42_109))) as (near, far, answer), listening(near, far):
        ports = {port for protocol, _, port in told(answer) if protocol == "udp"}
        assert ports
        assert ports <= set(range(42_100, 42_110))


async def test_where_no_port_is_free_the_offer_is_not_to_blame() -> None:
    taken: list[socket.socket] = []
    try:
        for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            each = socket.socket(family, socket.SOCK_DGRAM)
            taken.append(each)
            if family == socket.AF_INET6:
                each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            each.bind((address, 42_119))
        async with Pacer() as pacer:
            with pytest.raises(TransportError) as failed:
                await WebRtcAnswerer(pacer, WebRtcSettings(port_range=(42_119, 42_119))).answer(sdp())
            assert not isinstance(failed.value, OfferError)
            assert failed.value.fault is Fault.OURS
            del failed
            await nothing_is_alive()
    finally:
        for each in taken:
            each.close()


async def test_an_advertised_address_is_told_in_place_of_our_own() -> None:
    async with Pacer() as pacer:
        settings = WebRtcSettings(advertised=("198.51.100.7",), host_candidates=HostCandidates.NONE)
        far, answer = await WebRtcAnswerer(pacer, settings).answer(sdp())
        await far.close()
    assert {address for _, address, _ in told(answer)} == {"198.51.100.7"}


async def test_only_callers_on_this_machine_are_told_of_loopback() -> None:
    settings = WebRtcSettings(host_candidates=HostCandidates.LOOPBACK)
    async with call(settings) as (near, far, answer), listening(near, far) as (here, there):
        assert {address for _, address, _ in told(answer)} <= {"127.0.0.1", "::1"}
        near.send("hello")
        await there.until(lambda: there.texts == ["hello"])
        assert here.delivered[0] == Opened()
    async with Pacer() as pacer:
        routable = WebRtcSettings(host_candidates=HostCandidates.ROUTABLE, advertised=())
        try:
            far, answer = await WebRtcAnswerer(pacer, routable).answer(sdp())
        except TransportError:
            return  # a machine with nothing but loopback
        await far.close()
        assert not {address for _, address, _ in told(answer)} & {"127.0.0.1", "::1"}


class Watched(asyncio.DatagramProtocol):
    """Counts what arrives at a port that no call knows of."""

    def __init__(self) -> None:
        self.packets = 0
        self.three = asyncio.Event()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.packets += 1
        if self.packets >= 3:
            self.three.set()


async def test_an_offer_cannot_make_us_knock_at_private_doors() -> None:
    loop = asyncio.get_running_loop()
    doors: list[tuple[asyncio.DatagramTransport, Watched]] = [
        await loop.create_datagram_endpoint(Watched, local_addr=("127.0.0.1", 0)) for _ in range(2)
    ]

    def pointing_at(door: asyncio.DatagramTransport) -> str:
        host, port = door.get_extra_info("sockname")
        audio = (*instead(AUDIO, "c=", f"c=IN IP4 {host}"), candidate(host, port))
        return sdp(HEAD, instead(audio, "m=", f"m=audio {port} UDP/TLS/RTP/SAVPF 111"), DATA)

    async with Pacer() as pacer:
        (shut, at_shut), (open_door, at_open) = doors
        careful, _ = await WebRtcAnswerer(pacer).answer(pointing_at(shut))
        settings = WebRtcSettings(offered_candidates=OfferedCandidates.ALL)
        careless, _ = await WebRtcAnswerer(pacer, settings).answer(pointing_at(open_door))
        async with asyncio.timeout(PATIENCE_S):
            await at_open.three.wait()
        assert at_shut.packets == 0
        await careful.close()
        await careless.close()
    for door, _ in doors:
        door.close()


# ── limits and ends ─────────────────────────────────────────────────────────────────────────────────────


async def test_the_largest_text_arrives_and_a_larger_one_is_refused_without_harm() -> None:
    async with call() as (near, far, _), listening(near, far) as (_, there):
        limit = near.traits.largest_text
        assert limit is not None
        with pytest.raises(TransportError):
            near.send("x" * (limit + 1))
        near.send("é" * (limit // 2))
        near.send("after")
        await there.until(lambda: len(there.texts) == 2)
        assert [len(text.encode()) for text in there.texts] == [limit, 5]


async def test_a_peers_smaller_limit_is_kept() -> None:
    def modest(answer: str) -> str:
        return answer.replace("max-message-size:262144", "max-message-size:1000")

    async with call(on_answer=modest) as (near, far, _), listening(near, far) as (_, there):
        assert near.traits.largest_text == 1000
        with pytest.raises(TransportError):
            near.send("x" * 1001)
        near.send("x" * 1000)
        await there.until(lambda: len(there.texts) == 1)


async def test_more_than_the_engine_queues_arrives_whole_and_in_order() -> None:
    async with call() as (near, far, _), listening(near, far) as (_, there):
        for n in range(100):
            near.send(f"{n} " + "x" * 100_000)
        await there.until(lambda: len(there.texts) == 100)
        assert [text.split()[0] for text in there.texts] == [str(n) for n in range(100)]


async def test_a_peer_for_whom_too_much_piles_up_is_left() -> None:
    async with call() as (near, far, _), listening(near, far) as (here, _):
        for _ in range(200):
            near.send("x" * 200_000)
        ended = await here.closed()
        assert (ended.by, ended.code) == (ClosedBy.US, 1013)


async def test_a_binary_message_ends_the_call() -> None:
    page = Page()
    assert page.channel is not None
    async with Pacer() as pacer, page.call(pacer) as far, listening(far) as (there,):
        page.channel.send(b"RIFF")
        ended = await there.closed()
        assert (ended.by, ended.code) == (ClosedBy.US, 1003)


async def test_a_caller_that_is_killed_is_noticed() -> None:
    settings = WebRtcSettings(grace_s=0.5)
    caller = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.unit.transport.webrtc.caller",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
    )
    assert caller.stdin is not None
    assert caller.stdout is not None
    async with Pacer() as pacer:
        try:
            async with asyncio.timeout(PATIENCE_S):
                offer = json.loads(await caller.stdout.readline())
            far, answer = await WebRtcAnswerer(pacer, settings).answer(offer)
            caller.stdin.write(json.dumps(answer).encode() + b"\n")
            async with listening(far) as (there,):
                await there.until(lambda: there.texts == ["here I am"])
                far.play(silence(24_000 * 60))
                caller.kill()
                assert (await there.closed(patience_s=30)).by is ClosedBy.LOST
                await there.ended()
                assert far.played() < 24_000 * 25
        finally:
            if caller.returncode is None:
                caller.kill()
            await caller.wait()


async def test_two_hundred_calls_leave_nothing() -> None:
    async def one(pacer: Pacer) -> None:
        offerer = WebRtcOfferer(pacer)
        far, answer = await WebRtcAnswerer(pacer).answer(await offerer.offer())
        near = await offerer.accept(answer)
        async with listening(near, far):
            await near.close()

    def counts() -> tuple[int, int]:
        return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))

    async with Pacer() as pacer:
        for _ in range(20):
            await one(pacer)
        threads, files = counts()
        for _ in range(180):
            await one(pacer)
        assert len(pacer) == 0
        after = counts()
    assert after[0] <= threads
    assert after[1] <= files
    await nothing_is_alive()


def _square(ms: int) -> Pcm:
    samples = silence(24 * ms)
    samples[:] = 8000
    samples.reshape(-1, 24)[::2] = -8000
    return samples
