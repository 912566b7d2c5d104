"""The yardstick: a server on stock `aiortc` that sends each caller back what it hears, as its own examples do."""

import asyncio

from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.stand import surface


class Echo:
    """All calls."""

    def __init__(self) -> None:
        self._calls: set[RTCPeerConnection] = set()

    async def create(self, request: Request) -> Response:
        """Answer an offer."""
        offer = (await request.body()).decode()
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))  # left alone it would ask a STUN server first
        self._calls.add(peer)

        @peer.on("track")
        def on_track(track: MediaStreamTrack) -> None:
            peer.addTrack(track)

        @peer.on("connectionstatechange")
        async def on_state() -> None:
            if peer.connectionState in ("failed", "closed"):
                self._calls.discard(peer)
                await peer.close()

        await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        return Response(peer.localDescription.sdp, status_code=201, media_type="application/sdp")


async def main() -> None:
    app = Starlette(routes=[Route(surface.ROUTE, Echo().create, methods=["POST"])])
    await surface.serve(surface.plain(app), {})


if __name__ == "__main__":
    asyncio.run(main())
