"""How WebRTC calls of this process connect. Names nothing of the engine, so it can be read without loading one."""

import ipaddress
from dataclasses import dataclass
from enum import Enum

from vivavoce.errors import ConfigError
from vivavoce.telemetry.secret import Secret

_SCHEMES = ("stun:", "stuns:", "turn:", "turns:")


@dataclass(frozen=True)
class IceServer:
    """One STUN or TURN server, by one or more URLs (RFC 7064, RFC 7065); TURN needs both of the last two.

    Raises:
        ConfigError: no URL, one of another scheme, or TURN without credentials.
    """

    urls: tuple[str, ...]
    username: str | None = None
    credential: Secret | None = None

    def __post_init__(self) -> None:
        if not self.urls or not all(url.startswith(_SCHEMES) for url in self.urls):
            raise ConfigError("An ICE server needs URLs that begin with stun:, stuns:, turn: or turns:.")
        relays = any(url.startswith("turn") for url in self.urls)
        if relays and not (self.username and self.credential):
            raise ConfigError("A TURN server needs a username and a credential.")


class OfferedCandidates(Enum):
    """Which addresses of an offer this server contacts by itself. Callers can reach it in either case."""

    PUBLIC = "public"  # none in private, loopback, link-local or other special networks
    ALL = "all"


class HostCandidates(Enum):
    """Which of this machine's own addresses a peer is told."""

    ALL = "all"
    ROUTABLE = "routable"  # all but loopback
    LOOPBACK = "loopback"  # only callers on this machine connect
    NONE = "none"  # only what is advertised


@dataclass(frozen=True)
class WebRtcSettings:
    """Settings of all WebRTC calls of a process. Times are in seconds.

    Attributes:
        port_range: lowest and highest local UDP port, both included; each call takes one port per address. None
            leaves it to the operating system.
        advertised: addresses at which callers reach this machine's ports, for a machine behind NAT; stated besides
            the own ones that `host_candidates` lets through.
        host_candidates: which own addresses are stated.
        offered_candidates: what an offer may make this process contact.
        ice_servers: asked for reflexive and relayed addresses of this side.
        answer_s: making an offer or answer takes longer than this only if the engine hangs.
        gather_s: how long to wait for STUN and TURN servers. Without any, gathering takes milliseconds.
        connect_s: from answer to open data channel; then the call is given up.
        grace_s: how long a connection that has fallen silent may take to come back. ICE itself needs about
            8 s to notice, so a vanished peer is given up after about 15 s.
        close_s: how long `close` waits for queued text to leave.

    Raises:
        ConfigError: an impossible range, address or time.
    """

    port_range: tuple[int, int] | None = None
    advertised: tuple[str, ...] = ()
    host_candidates: HostCandidates = HostCandidates.ALL
    offered_candidates: OfferedCandidates = OfferedCandidates.PUBLIC
    ice_servers: tuple[IceServer, ...] = ()
    answer_s: float = 5.0
    gather_s: float = 1.0
    connect_s: float = 10.0
    grace_s: float = 7.0
    close_s: float = 2.0

    def __post_init__(self) -> None:
        if self.port_range is not None and not 1 <= self.port_range[0] <= self.port_range[1] <= 65535:
            raise ConfigError(f"port_range is {self.port_range}; it must be two ports, low to high, from 1 to 65535.")
        for address in self.advertised:
            _check_advertised(address)
        if self.host_candidates is HostCandidates.NONE and not self.advertised:
            raise ConfigError("Neither an own nor an advertised address is stated; callers need one.")
        for name in ("answer_s", "gather_s", "connect_s", "grace_s", "close_s"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be more than 0 seconds.")


def _check_advertised(address: str) -> None:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        raise ConfigError(f"advertised has {address!r}; it must hold IP addresses, not names.") from None
    if parsed.is_unspecified or parsed.is_multicast or "%" in address:
        raise ConfigError(f"advertised has {address}, which is no address of a machine; state the one callers reach.")
