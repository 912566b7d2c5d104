"""What an SDP answer says that matters to a caller: the codecs, and the addresses to send to. Pure."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

Address = IPv4Address | IPv6Address

_CODEC: Final = re.compile(r"^a=rtpmap:\d+ ([^/\r\n]+)", re.MULTILINE)
_CANDIDATE: Final = re.compile(
    r"^a=candidate:\S+ \d+ (?P<protocol>\S+) \d+ (?P<address>\S+) (?P<port>\d+) typ (?P<kind>\S+)", re.MULTILINE
)


@dataclass(frozen=True)
class Candidate:
    """One address that the server says it can be reached at (RFC 8839, section 5.1)."""

    protocol: str
    address: Address
    port: int
    kind: str

    def __str__(self) -> str:
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{host}:{self.port}/{self.protocol}" + ("" if self.kind == "host" else f" ({self.kind})")


@dataclass(frozen=True)
class Answered:
    """An answer, as far as it is looked at."""

    codecs: tuple[str, ...]
    candidates: tuple[Candidate, ...]


def read_answer(sdp: str) -> Answered:
    """Read it; what cannot be read is left out, names in place of addresses included."""
    candidates: dict[Candidate, None] = {}
    for found in _CANDIDATE.finditer(sdp):
        try:
            address = ipaddress.ip_address(found["address"])
        except ValueError:
            continue
        candidates[Candidate(found["protocol"].lower(), address, int(found["port"]), found["kind"])] = None
    return Answered(tuple(dict.fromkeys(_CODEC.findall(sdp))), tuple(candidates))


def inward(candidates: Sequence[Candidate], server: Address) -> bool:
    """Whether all of them lie in networks that only the server itself sees, judged by where it was reached."""
    return bool(candidates) and all(_inside(each.address, server) for each in candidates)


def _inside(address: Address, server: Address) -> bool:
    if address == server:
        return False
    if address.is_loopback or address.is_link_local:
        return not server.is_loopback
    return address.is_private and not server.is_private
