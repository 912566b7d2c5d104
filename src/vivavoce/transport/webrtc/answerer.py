"""The side of WebRTC calls that is called."""

import webrtc

from vivavoce.transport.interface import Transport
from vivavoce.transport.pacer import Pacer
from vivavoce.transport.webrtc import sdp
from vivavoce.transport.webrtc.engine import (
    bound,
    calm_encoders,
    described,
    description_of,
    make,
    negotiating,
    refuse_rest,
    speak,
)
from vivavoce.transport.webrtc.settings import WebRtcSettings
from vivavoce.transport.webrtc.transport import WebRtcTransport


class WebRtcAnswerer:
    """Answers offers. One serves a whole process."""

    def __init__(self, pacer: Pacer, settings: WebRtcSettings | None = None) -> None:
        self._pacer = pacer
        self._settings = settings or WebRtcSettings()

    async def answer(self, offer: str) -> tuple[Transport, str]:
        """See `Answering.answer`. Nothing native is made for an SDP that `sdp.read` refuses."""
        settings = self._settings
        wanted = sdp.for_speech(sdp.only_offered(sdp.read(offer), settings.offered_candidates), settings.opus)
        peer, voice = make(settings, webrtc.RTCBundlePolicy.balanced)
        async with negotiating(peer, voice, settings):
            await peer.set_remote_description(description_of(webrtc.RTCSdpType.offer, wanted))
            speak(peer, voice)
            refuse_rest(peer)
            answer = await described(peer, await peer.create_answer(), settings)
            await bound(peer, sdp.most_bps(wanted, settings.opus))
            calm_encoders()
            # Nobody can have connected yet: the answer has not left.
            transport = WebRtcTransport(peer, voice, None, self._pacer, settings, wanted)
        return transport, answer.text
