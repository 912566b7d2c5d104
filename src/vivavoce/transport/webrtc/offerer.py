"""The side of a WebRTC call that calls."""

from collections.abc import Awaitable, Callable
from typing import Final

import webrtc
import wrtc

from vivavoce.transport.interface import Transport
from vivavoce.transport.pacer import Pacer
from vivavoce.transport.webrtc import sdp
from vivavoce.transport.webrtc.engine import (
    bound,
    calm_encoders,
    described,
    description_of,
    dismiss,
    make,
    negotiating,
    speak,
)
from vivavoce.transport.webrtc.settings import WebRtcSettings
from vivavoce.transport.webrtc.transport import WebRtcTransport

EVENT_CHANNEL: Final = "oai-events"
"""Label of the data channel that OpenAI's guide makes. As the answering side we take any."""


class WebRtcOfferer:
    """Makes one call. See `Offering`. Its settings are asked for when it begins, if they are not known before."""

    def __init__(
        self, pacer: Pacer, settings: WebRtcSettings | Callable[[], Awaitable[WebRtcSettings]] | None = None
    ) -> None:
        self._pacer = pacer
        self._given = settings or WebRtcSettings()
        self._settings = WebRtcSettings()
        self._begun: tuple[webrtc.RTCPeerConnection, wrtc.TrackGenerator, webrtc.RTCDataChannel] | None = None

    async def offer(self) -> str:
        """See `Offering.offer`."""
        self._settings = self._given if isinstance(self._given, WebRtcSettings) else await self._given()
        # One port for everything: whom we call reads bundles, or could not read a browser either.
        peer, voice = make(self._settings, webrtc.RTCBundlePolicy.max_bundle)
        async with negotiating(peer, voice, self._settings):
            speak(peer, voice)
            channel = peer.create_data_channel(EVENT_CHANNEL)
            offer = await described(peer, await peer.create_offer(), self._settings)
        self._begun = peer, voice, channel
        return offer.text

    async def accept(self, answer: str) -> Transport:
        """See `Offering.accept`. All candidates of the answer are used: it comes from whom we chose to call."""
        if self._begun is None:
            raise RuntimeError("accept() needs an offer() that was neither accepted nor abandoned.")
        peer, voice, channel = self._begun
        async with negotiating(peer, voice, self._settings):
            self._begun = None
            agreed = sdp.for_speech(sdp.read(answer), self._settings.opus)
            # Made before the answer is set: from then on the channel may open at any moment.
            transport = WebRtcTransport(peer, voice, channel, self._pacer, self._settings, agreed)
            try:
                await peer.set_remote_description(description_of(webrtc.RTCSdpType.answer, agreed))
                await bound(peer, sdp.most_bps(agreed, self._settings.opus))
                calm_encoders()
            except BaseException:
                transport.release()
                raise
        return transport

    async def abandon(self) -> None:
        """See `Offering.abandon`."""
        if self._begun is not None:
            peer, voice, _ = self._begun
            self._begun = None
            voice.close()
            dismiss(peer)
