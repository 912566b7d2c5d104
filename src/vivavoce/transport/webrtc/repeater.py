"""Has a call's speech travel twice while the network loses it."""

import asyncio
from contextlib import suppress

import webrtc
from webrtc.utils.loops import call_native

from vivavoce.telemetry.log import Log
from vivavoce.transport.webrtc import reading, sdp
from vivavoce.transport.webrtc.doubling import Doubling
from vivavoce.transport.webrtc.engine import agree_again, bound, native
from vivavoce.transport.webrtc.gate import Gate
from vivavoce.transport.webrtc.opus import USUAL_BPS
from vivavoce.transport.webrtc.settings import WebRtcSettings

_log = Log("webrtc")


class Repeater:
    """Tells the engine whether each packet brings the last one along (RED), if the peer reads that.

    The protocol has one offer and one answer, and the engine cannot be told by a sender's parameters. So this side
    agrees once more with itself on what is agreed, the peer's codecs in another order. The peer notices nothing: it
    has said that it reads both.
    """

    def __init__(
        self, peer: webrtc.RTCPeerConnection, theirs: sdp.Description, settings: WebRtcSettings, gate: Gate
    ) -> None:
        self._peer = peer
        self._settings = settings
        self._gate = gate
        self._once = theirs
        self._twice = sdp.doubled(theirs)
        self._doubling = Doubling()

    async def tend(self) -> None:
        """Look at what is lost, for as long as the call lasts."""
        if not self._settings.opus.redundancy or self._twice == self._once:
            return
        clock = asyncio.get_running_loop().time
        twice = False
        with suppress(webrtc.RTCException, ValueError):  # the connection was closed meanwhile
            while True:
                await asyncio.sleep(self._settings.look_s)
                if not self._gate.is_open:
                    continue
                faring = reading.faring(str(await call_native(native(self._peer).getStats)))
                if (wanted := self._doubling.look(faring, clock())) is not twice:
                    await self._switch(wanted)
                    twice = wanted
                    _log.debug("speech_doubled" if twice else "speech_single", lost=faring.reported)

    async def _switch(self, twice: bool) -> None:
        """Have it travel twice from now on, or once."""
        theirs = self._twice if twice else self._once
        async with self._gate.turning:
            await agree_again(self._peer, theirs)
            most = sdp.most_bps(theirs, self._settings.opus)
            await bound(self._peer, min(most, USUAL_BPS) if twice and most is not None else most)
