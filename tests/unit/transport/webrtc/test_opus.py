"""How speech is sent: what is agreed on, and what then travels."""

import asyncio

import numpy as np
import pytest

from tests.conformance.transport.listener import listening
from tests.unit.transport.webrtc.offer import AUDIO, DATA, HEAD, instead, sdp, without
from vivavoce.audio.frame import Pcm, sample_count
from vivavoce.errors import ConfigError
from vivavoce.transport.interface import Played
from vivavoce.transport.pacer import Pacer
from vivavoce.transport.webrtc.answerer import WebRtcAnswerer
from vivavoce.transport.webrtc.offerer import WebRtcOfferer
from vivavoce.transport.webrtc.opus import Opus
from vivavoce.transport.webrtc.sdp import Description, doubled, for_speech, most_bps, read
from vivavoce.transport.webrtc.settings import WebRtcSettings


def lines(description: Description, start: str) -> list[str]:
    return [line for line in description.text.split("\r\n") if line.startswith(start)]


def offering(*fmtp: str, tells: bool = True) -> Description:
    audio = without(AUDIO, "a=fmtp:111") if not fmtp else instead(AUDIO, "a=fmtp:111", f"a=fmtp:111 {fmtp[0]}")
    return read(sdp(HEAD, audio if tells else without(audio, "a=rtcp-fb"), DATA))


@pytest.mark.parametrize(
    ("opus", "said"),
    [
        (Opus(), "minptime=10;useinbandfec=1;x-google-max-bitrate=128"),
        (Opus(fec=False, highest_bps=16_000), "minptime=10;useinbandfec=0;x-google-max-bitrate=128"),
        (Opus(dtx=True, highest_bps=96_000), "minptime=10;useinbandfec=1;usedtx=1;x-google-max-bitrate=192"),
    ],
)
def test_the_engine_is_told_what_was_chosen_in_the_peers_words(opus: Opus, said: str) -> None:
    assert lines(for_speech(offering("minptime=10;useinbandfec=1"), opus), "a=fmtp") == [f"a=fmtp:111 {said}"]


def test_a_peer_that_wishes_nothing_is_sent_what_was_chosen_too() -> None:
    assert lines(for_speech(offering(), Opus(dtx=True)), "a=fmtp") == ["a=fmtp:111 usedtx=1;x-google-max-bitrate=128"]


def test_a_peers_wish_for_pauses_without_packets_is_kept() -> None:
    assert "usedtx=1" in lines(for_speech(offering("usedtx=1"), Opus()), "a=fmtp")[0]


def test_speech_that_travels_twice_is_the_first_choice_only_where_it_is_one() -> None:
    assert lines(doubled(offering()), "m=audio") == ["m=audio 9 UDP/TLS/RTP/SAVPF 63 111 9 0 8 13 110 126"]
    bare = read(sdp(HEAD, without(AUDIO, "a=rtpmap:63"), DATA))
    assert doubled(bare) == bare


@pytest.mark.parametrize(("redundancy", "first"), [(True, "63 111"), (False, "111")])
def test_a_peer_that_asks_for_speech_twice_gets_it_unless_it_is_switched_off(redundancy: bool, first: str) -> None:
    asked = for_speech(doubled(offering()), Opus(redundancy=redundancy))
    assert lines(asked, "m=audio")[0].startswith(f"m=audio 9 UDP/TLS/RTP/SAVPF {first}")


@pytest.mark.parametrize(
    ("peer", "most"),
    [
        (offering("minptime=10"), 64_000),
        (offering("minptime=10", tells=False), 32_000),
        (offering("minptime=10;maxaveragebitrate=20000"), 20_000),
        (offering("maxaveragebitrate=1"), 6_000),
        (offering("maxaveragebitrate=510000"), 64_000),
        (read(sdp(HEAD, instead(AUDIO, "a=rtpmap:111", "a=rtpmap:111 PCMU/8000"), DATA)), None),
    ],
)
def test_nobody_is_sent_more_than_he_takes_or_than_can_be_measured(peer: Description, most: int | None) -> None:
    assert most_bps(peer, Opus()) == most


@pytest.mark.parametrize("rate", [15_999, 128_001])
def test_a_rate_that_speech_cannot_be_sent_at_is_refused(rate: int) -> None:
    with pytest.raises(ConfigError):
        Opus(highest_bps=rate)


def noise(ms: int) -> Pcm:
    return np.random.default_rng(2).normal(0, 4000, sample_count(ms)).astype(np.int16)


async def sent_kbps(opus: Opus, sound: Pcm) -> tuple[float, float]:
    """Bits on the wire while sound is spoken again: of the caller with these settings, and of the called with none."""
    async with Pacer() as pacer:
        offerer = WebRtcOfferer(pacer, WebRtcSettings(opus=opus))
        far, answer = await WebRtcAnswerer(pacer).answer(await offerer.offer())
        near = await offerer.accept(answer)
        try:
            async with listening(near, far) as (here, there):
                await here.opened()
                await there.opened()
                ends = (near, far)
                for end in ends:
                    end.play(np.concatenate((sound, sound)))
                await here.until(lambda: near.played() >= len(sound))
                before = [(await end.link()).bytes_sent or 0 for end in ends]
                await here.until(lambda: len(here.all(Played)) == 2)
                after = [(await end.link()).bytes_sent or 0 for end in ends]
        finally:
            await near.close()
            await far.close()
    rates = [8 * (late - early) / (len(sound) / sample_count(1)) for late, early in zip(after, before, strict=True)]
    return rates[0], rates[1]


@pytest.mark.realtime
async def test_what_travels_is_what_was_chosen() -> None:
    """50 packets a second have 20 kbit/s of headers besides. The engine measures first: the second second counts."""
    silence = np.zeros(sample_count(1000), np.int16)
    usual, small, paused, still = await asyncio.gather(
        sent_kbps(Opus(), noise(1000)),
        sent_kbps(Opus(highest_bps=16_000), noise(1000)),
        sent_kbps(Opus(highest_bps=32_000, dtx=True), silence),
        sent_kbps(Opus(highest_bps=32_000), silence),
    )
    assert 60 < usual[0] < 150  # 32 kbit/s would be 52
    assert 40 < usual[1] < 76  # the called keeps to 32 kbit/s
    assert 28 < small[0] < 50
    assert paused[0] < 0.7 * still[0]
