"""A way for the sound and the events of one WebRTC call that can be cut without a word."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

Address = tuple[str, int]

LOOPBACK: Final = "127.0.0.1"
_CANDIDATE: Final = re.compile(r"^a=candidate:\S+ \d+ (?P<kind>\S+) \d+ (?P<host>\S+) (?P<port>\d+) .*\r\n", re.M)


class Cable:
    """Passes datagrams between two peers that know of no other way to each other."""

    def __init__(self) -> None:
        self.caller, self.server = _End(self), _End(self)
        self.caller.other, self.server.other = self.server, self.caller
        self.whole = True

    def cut(self) -> None:
        """Let nothing through any more, either way."""
        self.whole = False

    @staticmethod
    def offered(offer: str) -> str:
        """The offer without addresses: the answerer learns one from what comes by the cable."""
        return _CANDIDATE.sub("", offer)

    def answered(self, answer: str) -> str:
        """The answer with the cable's address in place of the peer's."""
        found = next(each for each in _CANDIDATE.finditer(answer) if each["kind"].lower() == "udp")
        self.server.peer = found["host"], int(found["port"])
        here = found[0].replace(f" {found['host']} {found['port']} ", f" {LOOPBACK} {self.caller.port} ")
        bare = _CANDIDATE.sub("", answer)
        at = found.start()
        return bare[:at] + here + bare[at:]


class _End(asyncio.DatagramProtocol):
    """The socket that one of the peers sees."""

    def __init__(self, cable: Cable) -> None:
        self._cable = cable
        self.other: _End = self
        self.peer: Address | None = None
        self.port = 0
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.peer = addr
        other = self.other
        if self._cable.whole and other.transport is not None and other.peer is not None:
            other.transport.sendto(data, other.peer)


@asynccontextmanager
async def laid() -> AsyncGenerator[Cable]:
    """A cable that is whole."""
    cable = Cable()
    loop = asyncio.get_running_loop()
    for end in (cable.caller, cable.server):
        await loop.create_datagram_endpoint(lambda end=end: end, (LOOPBACK, 0))
    try:
        yield cable
    finally:
        for end in (cable.caller, cable.server):
            if end.transport is not None:
                end.transport.close()
