"""The floor: a server on bare `wrtc` that sends each caller back what it hears, by the engine's native objects."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass

import webrtc
import wrtc
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.stand import surface

_PERIOD_S = 0.02
_KEPT_FRAMES = 200


@dataclass(frozen=True, eq=False)
class Call:
    """What one call holds."""

    peer: webrtc.RTCPeerConnection
    voice: wrtc.TrackGenerator
    ear: wrtc.MediaStreamTrackProcessor

    def echo(self) -> None:
        """Say what has arrived since the last time."""
        heard: list[bytes] = []
        while (frame := self.ear.read()) is not None:
            if isinstance(frame[0], bytes):
                heard.append(frame[0])
        if heard:
            sound = b"".join(heard)
            self.voice.writeAudio(sound, 48_000, 1, len(sound) // 2)

    def close(self) -> None:
        """Free everything native."""
        self.voice.close()
        self.ear.cancel()
        self.peer.off()
        self.peer.close()


class Echo:
    """All calls, fed by one clock."""

    def __init__(self) -> None:
        self._calls: dict[Call, None] = {}

    async def create(self, request: Request) -> Response:
        """Answer an offer."""
        offer = (await request.body()).decode()
        peer = webrtc.RTCPeerConnection()
        voice = wrtc.TrackGenerator("audio")
        await peer.set_remote_description(webrtc.RTCSessionDescriptionInit(webrtc.RTCSdpType.offer, offer))
        peer._native_obj.addTrack(voice.track, [wrtc.MediaStream.create([voice.track])])
        await peer.set_local_description(await peer.create_answer())
        await _gathered(peer)
        answer = peer.local_description
        assert answer is not None
        track = peer.get_transceivers()[0].receiver.track._native_obj
        call = Call(peer, voice, wrtc.MediaStreamTrackProcessor(track, _KEPT_FRAMES))
        self._calls[call] = None
        peer.on("connectionstatechange", lambda _: self._look(call))
        peer.on("datachannel", lambda event: event.channel.on("close", lambda _: self._end(call)))
        return Response(answer.sdp, status_code=201, media_type="application/sdp")

    async def run(self) -> None:
        """Every 20 ms, everybody's sound."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + _PERIOD_S, loop.time())
            await asyncio.sleep(due - loop.time())
            for call in tuple(self._calls):
                call.echo()

    def _look(self, call: Call) -> None:
        over = (webrtc.RTCPeerConnectionState.failed, webrtc.RTCPeerConnectionState.closed)
        if call.peer.connection_state in over:
            self._end(call)

    def _end(self, call: Call) -> None:
        if call in self._calls:
            del self._calls[call]
            call.close()


async def _gathered(peer: webrtc.RTCPeerConnection) -> None:
    complete = asyncio.Event()

    def look(_: webrtc.Event) -> None:
        if peer.ice_gathering_state == webrtc.RTCIceGatheringState.complete:
            complete.set()

    peer.on("icegatheringstatechange", look)
    if peer.ice_gathering_state != webrtc.RTCIceGatheringState.complete:
        async with asyncio.timeout(5):
            await complete.wait()
    peer.off("icegatheringstatechange", look)


async def main() -> None:
    webrtc.allow_loopback()
    echo = Echo()

    @asynccontextmanager
    async def lifespan(_: Starlette):
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(echo.run())
            yield
            running.cancel()

    app = Starlette(routes=[Route(surface.ROUTE, echo.create, methods=["POST"])], lifespan=lifespan)
    await surface.serve(surface.plain(app), {})


if __name__ == "__main__":
    asyncio.run(main())
