"""A network between two calls' ends that loses packets of sound, and reads what kind they are."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any, Final

_CANDIDATE: Final = re.compile(r"a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) .*\r\n")
_ANY: Final = re.compile(r"a=candidate:.*\r\n")


class Way(Enum):
    """From the caller to the called, or back."""

    THERE = "there"
    BACK = "back"


class _Port(asyncio.DatagramProtocol):
    """One of the network's two ports."""

    def __init__(self, network: "Network", way: Way) -> None:
        self._network = network
        self._way = way

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self._network.ports[self._way] = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._network.pass_on(data, self._way, addr)


class Network:
    """Loses every so-many-th packet of sound each way; none at first.

    Attributes:
        every: loses this many-th; 0 for none.
        kinds: how many packets of sound have come, by way and RTP payload type.
    """

    def __init__(self) -> None:
        self.every = 0
        self.kinds: Counter[tuple[Way, int]] = Counter()
        self.ports: dict[Way, asyncio.DatagramTransport] = {}
        self._ends: dict[Way, tuple[str, int]] = {}
        self._passed: Counter[Way] = Counter()

    def offer(self, offer: str) -> str:
        """Have nobody be called but by this way."""
        return _ANY.sub("", offer)

    def answer(self, answer: str) -> str:
        """Lead the caller here, and go on to the called."""
        own = _CANDIDATE.search(answer)
        assert own is not None
        self._ends[Way.THERE] = "127.0.0.1", int(own[1])
        port = self.ports[Way.THERE].get_extra_info("sockname")[1]
        first, rest = answer.split("a=ice-ufrag", 1)
        here = f"a=candidate:1 1 udp 2122194687 127.0.0.1 {port} typ host\r\n"
        return f"{_ANY.sub('', first)}{here}a=ice-ufrag{_ANY.sub('', rest)}"

    def pass_on(self, data: bytes, way: Way, sender: tuple[str, int]) -> None:
        """Take a packet that goes this way on, or lose it."""
        if way is Way.THERE:
            self._ends[Way.BACK] = sender
        kind = data[1] & 0x7F
        if 128 <= data[0] < 192 and not 64 <= kind < 96:  # RTP, and not RTCP (RFC 5761)
            self.kinds[way, kind] += 1
            self._passed[way] += 1
            if self.every and self._passed[way] % self.every == 0:
                return
        self.ports[Way.BACK if way is Way.THERE else Way.THERE].sendto(data, self._ends[way])


@asynccontextmanager
async def lossy_network() -> AsyncGenerator[Network]:
    """A network that stands until the context ends."""
    network = Network()
    loop = asyncio.get_running_loop()
    try:
        for way in Way:
            await loop.create_datagram_endpoint(lambda way=way: _Port(network, way), ("127.0.0.1", 0))
        yield network
    finally:
        for port in network.ports.values():
            port.close()
