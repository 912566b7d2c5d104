"""How WebRTC calls of this process connect. Names nothing of the engine, so it can be read without loading one."""

import ipaddress
from dataclasses import dataclass
from enum import Enum

from vivavoce.errors import ConfigError
from vivavoce.transport.ice import IceServer
from vivavoce.transport.webrtc.opus import USUAL_BPS, Opus


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
        port_range: lowest and highest local UDP port, both included; each call takes one (the same number at each
            address). None leaves it to the operating system.
        advertised: addresses at which callers reach this machine's ports, for a machine behind NAT; stated besides
            the own ones that `host_candidates` lets through.
        host_candidates: which own addresses are stated.
        offered_candidates: what an offer may make this process contact.
        ice_servers: asked for reflexive and relayed addresses of this side.
        relay_only: connect by relays alone, so that the peer learns no address of this side.
        opus: how this side's speech is sent. An assistant's voice is none the better for more bits, and a server has
            many of them.
        answer_s: making an offer or answer takes longer than this only if the engine hangs.
        gather_s: how long to wait for STUN servers. Without any servers, gathering takes milliseconds.
        relay_s: how long to wait for TURN servers instead, where there are any.
        connect_s: from answer to open data channel; then the call is given up.
        grace_s: how long a connection that has fallen silent may take to come back. ICE itself needs about
            8 s to notice, so a vanished peer is given up after about 15 s.
        look_s: how often, while this side speaks, it is looked at what gets lost. A look costs the engine 2 ms.
        close_s: how long `close` waits for queued text to leave.

    Raises:
        ConfigError: an impossible range, address or time.
    """

    port_range: tuple[int, int] | None = None
    advertised: tuple[str, ...] = ()
    host_candidates: HostCandidates = HostCandidates.ALL
    offered_candidates: OfferedCandidates = OfferedCandidates.PUBLIC
    ice_servers: tuple[IceServer, ...] = ()
    relay_only: bool = False
    opus: Opus = Opus(highest_bps=USUAL_BPS)
    answer_s: float = 5.0
    gather_s: float = 1.0
    relay_s: float = 2.0
    connect_s: float = 10.0
    grace_s: float = 7.0
    look_s: float = 2.0
    close_s: float = 2.0

    def __post_init__(self) -> None:
        if self.port_range is not None and not 1 <= self.port_range[0] <= self.port_range[1] <= 65535:
            raise ConfigError(f"port_range is {self.port_range}; it must be two ports, low to high, from 1 to 65535.")
        for address in self.advertised:
            _check_advertised(address)
        if self.relay_only and not any(server.relays for server in self.ice_servers):
            raise ConfigError("Relays alone are to be used, but there is no TURN server; give one, or allow all ways.")
        if self.host_candidates is HostCandidates.NONE and not self.advertised:
            raise ConfigError("Neither an own nor an advertised address is stated; callers need one.")
        for name in ("answer_s", "gather_s", "relay_s", "connect_s", "grace_s", "look_s", "close_s"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be more than 0 seconds.")


def _check_advertised(address: str) -> None:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        raise ConfigError(f"advertised has {address!r}; it must hold IP addresses, not names.") from None
    if parsed.is_unspecified or parsed.is_multicast or "%" in address:
        raise ConfigError(f"advertised has {address}, which is no address of a machine; state the one callers reach.")
