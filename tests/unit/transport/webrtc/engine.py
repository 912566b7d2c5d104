"""What the tests do with the engine beneath our transports."""

import asyncio
import gc
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import webrtc
import wrtc

from tests.conformance.transport.listener import PATIENCE_S
from vivavoce.transport.interface import Transport
from vivavoce.transport.pacer import Pacer
from vivavoce.transport.webrtc.answerer import WebRtcAnswerer


def alive() -> dict[str, int]:
    """What of the engine exists in this process, by kind."""
    counts = wrtc._alive()  # pyright: ignore[reportPrivateUsage]  # there is no other way to see it
    return {kind: count for kind, count in counts.items() if count}


class _Looker:
    """Looks at each beat whether the engine has let go, and now and then has Python let go first."""

    def __init__(self) -> None:
        self._looks = 0
        self.seen = asyncio.Event()

    def beat(self, beats: int, now: float) -> None:
        if self._looks % 50 == 0:
            gc.collect()
        self._looks += 1
        if not alive():
            self.seen.set()

    def broke(self, error: Exception) -> None:
        raise AssertionError from error


async def nothing_is_alive(patience_s: float = PATIENCE_S) -> None:
    """Until the engine has let go of everything; it does so in a thread of its own, and tells nobody."""
    async with Pacer() as pacer:
        looker = _Looker()
        pacer.add(looker)
        try:
            async with asyncio.timeout(patience_s):
                await looker.seen.wait()
        except TimeoutError:
            raise AssertionError(f"still there: {alive()}") from None


class Page:
    """A browser's side of a call by the W3C classes alone, as a page would place it."""

    def __init__(self, *, label: str | None = "events", voice: bool = True) -> None:
        self.peer = webrtc.RTCPeerConnection()
        if voice:
            self.peer.add_track(webrtc.MediaStreamTrackGenerator("audio"))
        self.channel = None if label is None else self.peer.create_data_channel(label)

    @asynccontextmanager
    async def call(self, pacer: Pacer) -> AsyncGenerator[Transport]:
        """The far end of a call to a server of ours."""
        complete = asyncio.Event()
        self.peer.on(
            "icegatheringstatechange", lambda _: complete.set() if self.peer.ice_gathering_state == "complete" else None
        )
        await self.peer.set_local_description(await self.peer.create_offer())
        async with asyncio.timeout(PATIENCE_S):
            await complete.wait()
        assert self.peer.local_description is not None
        far, answer = await WebRtcAnswerer(pacer).answer(self.peer.local_description.sdp)
        await self.peer.set_remote_description(webrtc.RTCSessionDescriptionInit("answer", answer))
        try:
            yield far
        finally:
            await far.close()
            self.peer.close()
