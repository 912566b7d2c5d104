"""A caller of its own: places a call on stdin and stdout, and lives until it is killed."""

import asyncio
import json
import sys

from vivavoce.transport.interface import Inbound, Opened
from vivavoce.transport.pacer import Pacer
from vivavoce.transport.webrtc.offerer import WebRtcOfferer


async def main() -> None:
    async with Pacer() as pacer:
        offerer = WebRtcOfferer(pacer)
        sys.stdout.write(json.dumps(await offerer.offer()) + "\n")
        sys.stdout.flush()
        transport = await offerer.accept(json.loads(sys.stdin.readline()))

        def deliver(inbound: Inbound) -> None:
            if isinstance(inbound, Opened):
                transport.send("here I am")

        await transport.run(deliver)


asyncio.run(main())
