"""This machine's own address on the way to a server. With it goes every connection that was made from it.

Nothing is sent, and nobody is asked but this machine's kernel, which takes some microseconds.
"""

import asyncio
import socket
from contextlib import closing
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Address:
    """One address of this machine, as its socket tells it."""

    family: int
    name: tuple[Any, ...]

    @property
    def host(self) -> str:
        """Without its port."""
        return str(self.name[0])

    @property
    def stands(self) -> bool:
        """Whether it still is this machine's."""
        host, _, *scope = self.name
        try:
            with closing(socket.socket(self.family, socket.SOCK_DGRAM)) as probe:
                probe.bind((host, 0, *scope))
        except OSError:
            return False
        return True


async def source(host: str) -> Address | None:
    """The address from which packets to a host leave now; None where there is no way to it, or no such host."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, 9, type=socket.SOCK_DGRAM)
    except OSError:
        return None
    for family, kind, _, _, address in found:
        try:
            with closing(socket.socket(family, kind)) as probe:
                probe.connect(address)
                return Address(family, probe.getsockname())
        except OSError:
            continue
    return None
