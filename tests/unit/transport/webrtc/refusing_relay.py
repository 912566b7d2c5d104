"""A TURN server (RFC 8656) that knows nobody."""

import asyncio
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final, cast

_HEADER: Final = struct.Struct("!HHI12s")
_ALLOCATE: Final = 0x0003
_ALLOCATE_ERROR: Final = 0x0113


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


_UNAUTHORISED: Final = (
    _attribute(0x0009, b"\0\0\x04\x01Unauthorized") + _attribute(0x0014, b"test") + _attribute(0x0015, b"0123456789")
)


class _Relay(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        kind, _, cookie, transaction = _HEADER.unpack_from(data)
        if kind == _ALLOCATE:
            reply = _HEADER.pack(_ALLOCATE_ERROR, len(_UNAUTHORISED), cookie, transaction) + _UNAUTHORISED
            self._transport.sendto(reply, addr)


@asynccontextmanager
async def refusing_relay() -> AsyncGenerator[str]:
    """Its URL, on loopback."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(_Relay, local_addr=("127.0.0.1", 0))
    try:
        yield f"turn:127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    finally:
        transport.close()
