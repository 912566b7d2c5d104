"""Which machines a stranger's URL may lead this server to."""

import asyncio
import socket
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

_TRANSLATED: Final = IPv6Network("64:ff9b::/96")
"""IPv4 addresses behind NAT64."""


class Reach(Enum):
    """What may be reached."""

    PUBLIC = "public"  # what anybody on the Internet could reach
    ALL = "all"  # this machine and its own networks too


class ForbiddenError(Exception):
    """The name leads to an address that must not be reached, or to none."""


async def addresses(host: str, port: int, reach: Reach) -> list[str]:
    """The addresses of a host, in the order in which they should be tried.

    One that must not be reached spoils all of them: a name that leads to a private address is not an honest one.

    Raises:
        ForbiddenError: there is none, or one that must not be reached.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ForbiddenError("its name is not known") from error
    names = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if reach is Reach.PUBLIC and not all(is_public(name) for name in names):
        raise ForbiddenError("it is in a private network, where this server may not look for MCP servers")
    return names


def is_public(address: str) -> bool:
    """Whether an address is one that anybody on the Internet could reach."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = _inner(parsed)
    return all(each.is_global and not each.is_multicast for each in (parsed, *inner))


def _inner(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """IPv4 addresses to which an IPv6 address leads in the end."""
    if isinstance(address, IPv4Address):
        return []
    teredo = address.teredo
    inner = [address.ipv4_mapped, address.sixtofour, teredo[1] if teredo else None]
    if address in _TRANSLATED:
        inner.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [each for each in inner if each is not None]
