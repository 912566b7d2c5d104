"""What calls do with `wrtc`, apart from sound and text: make a connection, negotiate, let go of it.

Signalling and text go through its W3C classes; sound through the native objects beneath them, since their stream
classes cost 40 % more per call. Why this engine: docs/explain/decisions/0002-webrtc-engine.md.
"""

import asyncio
import os
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

import webrtc
import wrtc
from webrtc.base import WebRTCObject

from vivavoce.errors import ConfigError, Fault, OfferError, Retry, TransportError
from vivavoce.telemetry.log import Log
from vivavoce.transport.webrtc import sdp
from vivavoce.transport.webrtc.gathering import Gathering
from vivavoce.transport.webrtc.opus import LOWEST_BPS
from vivavoce.transport.webrtc.settings import WebRtcSettings

Native = TypeVar("Native")

_log = Log("webrtc")

_QUOTED: Final = re.compile(r"\s*\([a-z]=.*\)\s*$", re.DOTALL)
"""The engine ends its complaint with the line it is about, which may hold a password or an address."""


def native(wrapper: WebRTCObject[Native]) -> Native:
    """The object beneath a W3C one."""
    return wrapper._native_obj  # pyright: ignore[reportPrivateUsage]  # there is no public way to it in wrtc 0.1.0


@cache
def _begin() -> None:
    """Have the engine use loopback addresses too, and fit the voice to what the network carries.

    Possible only before the process's first connection. By itself the engine measures for video alone and sends speech
    at one rate, into queues that grow, if need be.
    """
    with suppress(webrtc.InvalidStateError):  # someone else in this process was first, and decided
        webrtc.allow_loopback()
    with suppress(webrtc.InvalidStateError):  # likewise
        webrtc.field_trials["WebRTC-Audio-Allocation"] = f"min:{LOWEST_BPS}bps"
        # Where that is not enough, packets grow longer: at 20 ms their headers alone take over 20 kbit/s.
        webrtc.field_trials["WebRTC-Audio-AdaptivePtime"] = f"enabled:true,min_payload_bitrate:{LOWEST_BPS}bps"
        # A network that is full shows it by delay. Where packets get lost and are not late, fewer bits save none of
        # them: by itself the engine was down to 20 kbit/s, headers included, five seconds after a third was lost.
        webrtc.field_trials["WebRTC-Bwe-LossBasedBweV2"] = "Enabled:false"
        webrtc.field_trials["WebRTC-BweLossExperiment"] = "Enabled-0.33,0.4,0"  # grow below, shrink above


def make(
    settings: WebRtcSettings, bundle: webrtc.RTCBundlePolicy
) -> tuple[webrtc.RTCPeerConnection, wrtc.TrackGenerator]:
    """A connection, and a source for the voice that it will send. The caller frees both.

    Raises:
        ConfigError: the engine refuses the settings, such as an ICE server's URL.
    """
    _begin()
    servers = [
        webrtc.RTCIceServer(list(each.urls), each.username, each.credential.reveal() if each.credential else None)
        for each in settings.ice_servers
    ]
    try:
        peer = webrtc.RTCPeerConnection(
            webrtc.RTCConfiguration(
                ice_servers=servers,
                ice_transport_policy=(
                    webrtc.RTCIceTransportPolicy.relay if settings.relay_only else webrtc.RTCIceTransportPolicy.all
                ),
                port_range=settings.port_range,
                bundle_policy=bundle,
            )
        )
    except (webrtc.RTCException, ValueError) as refused:
        raise ConfigError(f"The WebRTC engine refuses the settings of its connections: {refused}.") from refused
    return peer, wrtc.TrackGenerator("audio")


def calm_encoders() -> None:
    """Keep the engine's encoders, one thread per call, from pushing the event loop aside. Call once sound can flow.

    The engine asks for real-time priority for them, and gets it where this process may (as root, or by a limit).
    Each write of sound then runs that call's encoder in the writer's place, for the 0.3 ms that encoding takes: with
    30 calls the event loop stood still for half of its time. As batch threads they take nobody's place (measured:
    293 µs per write before, 14 µs after).
    """
    if sys.platform != "linux":
        return
    for thread in os.listdir("/proc/self/task"):
        # A thread may end while we look, and a container may forbid this: calls then work as before.
        with suppress(OSError):
            if os.sched_getscheduler(int(thread)) == os.SCHED_BATCH:
                continue
            name = Path(f"/proc/self/task/{thread}/comm").read_text()
            if name.startswith("AudioEncoder"):
                os.sched_setscheduler(int(thread), os.SCHED_BATCH, os.sched_param(0))


def speak(peer: webrtc.RTCPeerConnection, voice: wrtc.TrackGenerator) -> None:
    """Send a voice, in a stream of its own: a page plays `event.streams[0]`, as OpenAI's guide shows."""
    native(peer).addTrack(voice.track, [wrtc.MediaStream.create([voice.track])])


def voice_of(peer: webrtc.RTCPeerConnection) -> webrtc.RTCRtpTransceiver:
    """The section that sound travels in.

    Raises:
        OfferError: there is none. An engine may take an offer's sound for something else than we do.
    """
    voice = next((each for each in peer.get_transceivers() if each.sender.track is not None), None)
    if voice is None:
        raise OfferError("No section of it can carry our sound.")
    return voice


def refuse_rest(peer: webrtc.RTCPeerConnection) -> None:
    """Refuse all of an offer but its sound, lest the engine decodes a camera that nobody looks at."""
    for transceiver in peer.get_transceivers():
        if transceiver.sender.track is None:
            transceiver.stop()


async def agree_again(peer: webrtc.RTCPeerConnection, theirs: sdp.Description) -> None:
    """Have the engine send by what the peer has said, in the words that it is given in now. The peer is told nothing.

    What is received, ICE and encryption stay as they are.
    """
    own = peer.local_description
    assert own is not None
    if own.type is webrtc.RTCSdpType.offer:
        await peer.set_local_description(await peer.create_offer())
        await peer.set_remote_description(description_of(webrtc.RTCSdpType.answer, theirs))
    else:
        await peer.set_remote_description(description_of(webrtc.RTCSdpType.offer, theirs))
        refuse_rest(peer)
        await peer.set_local_description(await peer.create_answer())


async def bound(peer: webrtc.RTCPeerConnection, highest_bps: int | None) -> None:
    """Send at most so many bits per second, once it is agreed what is sent; None leaves it to the engine."""
    sender = voice_of(peer).sender
    parameters = sender.get_parameters()
    if highest_bps is not None and parameters.encodings:
        for encoding in parameters.encodings:
            encoding.max_bitrate = highest_bps
        await sender.set_parameters(parameters)


@asynccontextmanager
async def negotiating(
    peer: webrtc.RTCPeerConnection, voice: wrtc.TrackGenerator, settings: WebRtcSettings
) -> AsyncGenerator[None]:
    """Bounds a negotiation, frees everything if it fails, and says in our words why.

    Raises:
        OfferError: the engine refuses what the peer sent.
        TransportError: it took too long.
    """
    try:
        async with asyncio.timeout(settings.answer_s):
            yield
    except BaseException as failure:
        voice.close()
        dismiss(peer)
        match failure:
            case webrtc.RTCException():
                said = _QUOTED.sub("", str(failure)).rstrip(".")
                raise OfferError(f"The WebRTC engine cannot use the SDP: {said}.") from None
            case TimeoutError():
                message = f"The WebRTC engine took longer than {settings.answer_s} s to negotiate; try again."
                raise TransportError(message, fault=Fault.OURS, next=Retry(1.0)) from failure
            case _:
                raise


async def described(
    peer: webrtc.RTCPeerConnection, made: webrtc.RTCSessionDescriptionInit, settings: WebRtcSettings
) -> sdp.Description:
    """Take the offer or answer that was made for our own; what of it, with its candidates, the peer is to see.

    Raises:
        TransportError: there is no candidate at all.
    """
    loop = asyncio.get_running_loop()
    gathering = Gathering(settings, loop.time())
    changed = asyncio.Event()

    def found(event: webrtc.RTCPeerConnectionIceEvent) -> None:
        if event.candidate is not None and event.candidate.type is not None:
            gathering.found(event.candidate.type, loop.time())
            changed.set()

    def failed(event: webrtc.RTCPeerConnectionIceErrorEvent) -> None:
        gathering.failed(event.url, event.error_code, event.error_text)
        changed.set()

    peer.on("icegatheringstatechange", lambda _: changed.set())
    peer.on("icecandidate", found)
    peer.on("icecandidateerror", failed)
    await peer.set_local_description(made)
    while peer.ice_gathering_state != webrtc.RTCIceGatheringState.complete and loop.time() < gathering.until:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(gathering.until):
                await changed.wait()
        changed.clear()
    peer.off("icegatheringstatechange")
    peer.off("icecandidate")
    peer.off("icecandidateerror")
    for url, words in gathering.refusals.items():
        _log.warning("ice_server_refused", url=url, said=words)
    own = peer.local_description
    assert own is not None
    description = sdp.told(sdp.parse(own.sdp), settings.host_candidates, settings.advertised)
    if not sdp.has_candidates(description):
        raise (
            gathering.failure()
            if settings.relay_only
            else TransportError(
                "No UDP address to be called at: no port of port_range is free, or this machine has no address that "
                "host_candidates lets through and none of the family of one that is advertised.",
                fault=Fault.OURS,
                next=Retry(1.0),
            )
        )
    return description


def description_of(type: webrtc.RTCSdpType, description: sdp.Description) -> webrtc.RTCSessionDescriptionInit:
    """As the engine takes it."""
    return webrtc.RTCSessionDescriptionInit(type, description.text)


def dismiss(peer: webrtc.RTCPeerConnection) -> None:
    """Close a connection and forget its handlers. The peer notices at once if it was connected."""
    peer.off()
    peer.close()
