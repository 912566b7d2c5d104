"""From a base URL to a connection: the addresses behind its name, and whether one of them takes connections."""

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from vivavoce.check.case import Address, Case
from vivavoce.check.verdict import Cause, Failed, Figure, Passed, Verdict
from vivavoce.client.endpoint import OPENAI, Endpoint, endpoint
from vivavoce.client.proxy import shown
from vivavoce.errors import ConfigError

MOST_ADDRESSES: Final = 8
"""So many are tried; a name has rarely more."""
SHOWN: Final = 3
_NO_ROUTE: Final = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL)


async def look_at_url(case: Case) -> Verdict:
    """Whether the base URL can be read."""
    try:
        case.place = endpoint(case.order.base_url, case.order.proxy)
    except ConfigError as error:
        return Failed(Cause.SETTING, error.message, f"A URL like {OPENAI}.", "Mend what it names.")
    proxy = case.place.proxy
    if proxy is not None:
        case.secrets.append(proxy)
    words = f"{case.place.base.scheme}, host {host_of(case.place)}, port {port_of(case.place)}"
    by = None if proxy is None else shown(proxy)
    figures: dict[str, Figure] = {"url": str(case.place), "provider": case.place.provider.value, "proxy": by}
    return Passed(words if by is None else f"{words}, by the proxy {by}", figures)


async def look_up_name(case: Case) -> Verdict:
    """Which addresses the name has."""
    host, port = _door(case.place)
    try:
        async with asyncio.timeout(case.order.patience_s):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError:
        why = f"The name servers gave no answer for {host} within {case.order.patience_s:g} s."
        return Failed(Cause.UNREACHABLE, why, "An address.", "Is this machine online? Look at its DNS settings.")
    except (OSError, UnicodeError) as error:
        return Failed(
            Cause.UNREACHABLE,
            f"{host} has no address: {error.strerror if isinstance(error, OSError) else 'it is no name'}.",
            "At least one IPv4 or IPv6 address.",
            "Is the name in the base URL spelled right, and this machine online? In a private network, is its VPN up?",
        )
    unique = dict.fromkeys(str(each[4][0]) for each in found)
    case.addresses = [ipaddress.ip_address(each) for each in unique][:MOST_ADDRESSES]
    return Passed(listed([str(each) for each in case.addresses]), {"addresses": [str(each) for each in case.addresses]})


async def connect_to_port(case: Case) -> Verdict:
    """Which of the addresses take a TCP connection."""
    _, port = _door(case.place)
    tried = await asyncio.gather(*(_reach(each, port, case) for each in case.addresses))
    took = {address: ms for address, ms in zip(case.addresses, tried, strict=True) if isinstance(ms, float)}
    wrong = {str(address): why for address, why in zip(case.addresses, tried, strict=True) if isinstance(why, str)}
    if not took:
        return Failed(
            Cause.UNREACHABLE,
            f"No connection to port {port}: {'; '.join(f'{address} {why}' for address, why in wrong.items())}.",
            "A TCP connection to one address at least.",
            _remedy(wrong, port),
            {"failed": wrong},
        )
    case.reachable = min(took, key=lambda address: took[address])
    words = [f"{address} in {ms:.0f} ms" for address, ms in took.items()]
    words += [f"{address} {why}" for address, why in wrong.items()]
    return Passed(
        listed(words), {"connected_ms": {str(each): round(ms, 1) for each, ms in took.items()}, "failed": wrong}
    )


def _door(place: Endpoint) -> tuple[str, int]:
    """Name and port of what is connected to: the server, or the proxy before it."""
    if place.proxy is None:
        return host_of(place), port_of(place)
    url = urlsplit(place.proxy.reveal())
    return url.hostname or "", url.port or (443 if url.scheme == "https" else 80)


def host_of(place: Endpoint) -> str:
    """Its name or address."""
    return place.base.hostname or ""


def port_of(place: Endpoint) -> int:
    """Its port, also where the URL names none."""
    return place.base.port or (80 if place.base.scheme == "http" else 443)


def listed(words: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = len(words) - SHOWN
    return ", ".join(words[:SHOWN]) + (f" and {more} more" if more > 0 else "")


async def _reach(address: Address, port: int, case: Case) -> float | str:
    """How many milliseconds it took, or what went wrong."""
    began = case.clock.now()
    try:
        async with asyncio.timeout(case.order.patience_s):
            _, writer = await asyncio.open_connection(str(address), port)
    except TimeoutError:
        return f"gives no answer within {case.order.patience_s:g} s"
    except ConnectionRefusedError:
        return "refuses"
    except OSError as error:
        return "has no route to it" if error.errno in _NO_ROUTE else f"fails ({error.strerror or type(error).__name__})"
    took_ms = (case.clock.now() - began) * 1000
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return took_ms


def _remedy(wrong: Mapping[str, str], port: int) -> str:
    reasons = " ".join(wrong.values())
    if "refuses" in reasons:
        return f"Nothing listens at port {port}: is the server running there, and the port of the base URL right?"
    if "no answer" in reasons:
        return f"A firewall drops what is sent, or the machine is down: open TCP port {port} to it, or start it."
    return "This machine has no way there: is its network up?"
