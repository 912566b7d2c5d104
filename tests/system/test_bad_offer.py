"""Offers that cannot be answered: each is refused in the protocol's words, and nothing of it stays behind."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final

import httpx2
import pytest
from aiortc import RTCPeerConnection
from openai.types.realtime import SessionCreatedEvent

from tests.system.caller import calling, raw_offer
from tests.viva import Viva, engines, scripted_server

SDP: Final = "application/sdp"
OFFER_LIMIT: Final = 64 * 1024


@pytest.fixture
async def offer_without_audio() -> AsyncIterator[str]:
    """What somebody offers who wants to exchange text only."""
    peer = RTCPeerConnection()
    peer.createDataChannel("oai-events")
    await peer.setLocalDescription(await peer.createOffer())
    yield peer.localDescription.sdp
    await peer.close()


def kazoo(offer: str) -> str:
    """The offer with all its codecs replaced by one that nobody has."""
    bare = re.sub(r"a=(rtpmap|fmtp|rtcp-fb):.*\r\n", "", offer)
    return re.sub(r"(m=audio \d+ \S+) .*\r\n", r"\1 96\r\na=rtpmap:96 kazoo/8000\r\n", bare)


def spoiled(offer: str) -> dict[str, str | bytes]:
    """An offer in every way in which it is none."""
    return {
        "nothing": b"",
        "words": "call me",
        "bytes": bytes(range(256)) * 4,
        "a page": "<!DOCTYPE html><html></html>",
        "only its first line": "v=0\r\n",
        "its first half": offer[: len(offer) // 2],
        "no fingerprint": re.sub(r"a=fingerprint.*\r\n", "", offer),
        "a fingerprint that is none": re.sub(r"(a=fingerprint:sha-256) .*\r\n", r"\1 what\r\n", offer),
        "no password": re.sub(r"a=ice-pwd.*\r\n", "", offer),
        "a profile that nobody has": offer.replace("RTP/SAVPF", "RTP/SVPF"),
        "no codec but one that nobody has": kazoo(offer),
        "too much of everything": offer + "a=x\r\n" * OFFER_LIMIT,
    }


async def test_an_offer_without_audio_is_refused_in_the_words_of_the_live_service(offer_without_audio: str) -> None:
    async with scripted_server(engines()) as viva, httpx2.AsyncClient() as http:
        assert "m=audio" not in offer_without_audio
        reply = await raw_offer(viva, http)(offer_without_audio)
        assert reply.status_code == 400
        error = reply.json()["error"]
        assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", "invalid_offer", None)
        assert "WHIP-compliant" in error["message"]
        assert await viva.calls(http) == 0


@pytest.mark.xdist_group("viva_server")
async def test_garbage_is_refused_and_leaves_nothing_behind(viva_server: Viva, offer: str) -> None:
    url = f"{viva_server.url}/v1/realtime/calls"
    async with httpx2.AsyncClient() as http:
        files = threads = 0
        for number in range(4):
            for name, body in spoiled(offer).items():
                reply = await http.post(url, content=body, headers={**viva_server.bearer, "Content-Type": SDP})
                expected = (413, "request_too_large") if len(body) > OFFER_LIMIT else (400, "invalid_offer")
                assert (reply.status_code, reply.json()["error"]["code"]) == expected, name
            if number == 1:  # the first round may make what all later calls share
                files, threads = viva_server.files, viva_server.threads
        async with asyncio.timeout(10):
            while viva_server.files > files or viva_server.threads > threads:
                await viva_server.calls(http)  # what is under way comes to its end meanwhile
        assert await viva_server.calls(http) == 0
        reply = await http.post(url, content=offer, headers={**viva_server.bearer, "Content-Type": "text/plain"})
        assert (reply.status_code, reply.json()["error"]["code"]) == (415, "unsupported_content_type")
        async with calling(raw_offer(viva_server, http)) as caller:
            await caller.until(SessionCreatedEvent)
