"""A caller with Wi-Fi and cellular, a router with NAT, and a server, each in a network namespace; nothing leaves them.

    vv-caller  wlan0 10.77.1.2 ── w0 10.77.1.1 ┐           ┌ s0 10.77.9.1 ── eth0 10.77.9.10  vv-server
               wwan0 10.77.2.2 ── c0 10.77.2.1 ┴ vv-router ┴ t0 10.77.8.1 ── eth0 10.77.8.20  vv-relay

The router translates the caller's addresses. A container `vv-inside` may be put behind the server (`Lab.publish`):

    vv-server  in0 172.31.0.1 ── eth0 172.31.0.2  vv-inside

IPv6 may be added to Wi-Fi and the server (`Lab.add_ipv6`): fd77:1::2 and fd77:9::10. The caller knows the server as
`both.test`, by both families.

Needs root, iproute2, nftables, conntrack and, for relays, coturn.
"""

import os
import shutil
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final, Literal

SERVER: Final = "10.77.9.10"
SERVER_6: Final = "fd77:9::10"
BOTH: Final = "both.test"
RELAY: Final = "10.77.8.20"
INSIDE: Final = "172.31.0.2"
CALLER_NS: Final = "vv-caller"
ROUTER_NS: Final = "vv-router"
SERVER_NS: Final = "vv-server"
RELAY_NS: Final = "vv-relay"
INSIDE_NS: Final = "vv-inside"

_NAMES: Final = Path("/etc/netns") / CALLER_NS

Uplink = Literal["wifi", "cell"]
_LINKS: Final[dict[Uplink, tuple[str, str, str]]] = {
    "wifi": ("wlan0", "w0", "10.77.1"),
    "cell": ("wwan0", "c0", "10.77.2"),
}


@cache
def missing() -> str | None:
    """What this machine lacks for a laboratory; None when it lacks nothing."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    lacking = [tool for tool in ("ip", "nft", "tc", "conntrack", "turnserver") if shutil.which(tool) is None]
    if lacking:
        return f"this machine lacks {', '.join(lacking)}"
    try:
        with laboratory() as lab:
            lab.throttle(1000)
            lab.rebind()
    except AssertionError as error:
        return f"this machine makes no such networks: {error}"
    return None


class Lab:
    """The networks, while they stand. Made by `laboratory`."""

    def __init__(self) -> None:
        self._rules: tuple[str, ...] = ()
        self._address = 101

    def command(self, namespace: str, *words: str) -> list[str]:
        """Words that run a command in a namespace."""
        return ["ip", "netns", "exec", namespace, *words]

    def switch(self, to: Uplink, gap_s: float = 0.0) -> None:
        """The other uplink goes away with its address; after a while without any network this one is there."""
        self.leave("cell" if to == "wifi" else "wifi")
        self.wait(gap_s)
        self.join(to)

    def join(self, link: Uplink) -> None:
        """An uplink comes, and everything new goes over it; another that is there stays."""
        device, _, net = _LINKS[link]
        _ip(f"-n {CALLER_NS} addr replace {net}.2/24 dev {device}")
        _ip(f"-n {CALLER_NS} link set {device} up gso_max_segs 1")
        _ip(f"-n {CALLER_NS} route replace default via {net}.1 dev {device}")

    def leave(self, link: Uplink) -> None:
        """An uplink goes away with its address."""
        device = _LINKS[link][0]
        _ip(f"-n {CALLER_NS} addr flush dev {device}")
        _ip(f"-n {CALLER_NS} link set {device} down")

    def cut(self, seconds: float) -> None:
        """Nothing passes for so long; the links stay up."""
        before = self._rules
        self.filter("counter drop")
        self.wait(seconds)
        self.filter(*before)

    def throttle(self, kilobits: int) -> None:
        """So much passes in a second, each way; what is more waits up to a second for its turn."""
        for device in ("w0", "c0", "s0"):
            _run(["tc", "-n", ROUTER_NS, *f"qdisc replace dev {device} root tbf".split(), *_bucket(kilobits)])

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        _run(["sleep", str(seconds)])

    def filter(self, *rules: str) -> None:
        """What the router does with packets that pass it, in nft's words; nothing to forget what was."""
        self._rules = rules
        lines = [
            "table ip vv",
            "delete table ip vv",
            "table ip vv {",
            "chain passing { type filter hook forward priority filter;",
            *rules,
            "}",
            "chain leaving { type nat hook postrouting priority srcnat;",
            f"oifname s0 ip saddr 10.77.1.0/24 snat to 10.77.9.{self._address}",
            f"oifname s0 ip saddr 10.77.2.0/24 snat to 10.77.9.{self._address + 1}",
            "oifname t0 snat to 10.77.8.1",
            "}",
            "}",
        ]
        self._nft(ROUTER_NS, lines)

    def publish(self, tcp: int, udp: str) -> None:
        """Put a container behind the server, whose ports these of the server's lead to, as Docker publishes them."""
        _ip(f"netns add {INSIDE_NS}")
        _ip(f"-n {INSIDE_NS} link set lo up")
        _link(SERVER_NS, "in0", "172.31.0.1", INSIDE_NS, INSIDE)
        lines = [
            "table ip inside {",
            "chain arriving { type nat hook prerouting priority dstnat;",
            f"iifname eth0 tcp dport {tcp} dnat to {INSIDE}",
            f"iifname eth0 udp dport {udp} dnat to {INSIDE}",
            "}",
            "chain leaving { type nat hook postrouting priority srcnat; oifname eth0 masquerade; }",
            "}",
        ]
        self._nft(SERVER_NS, lines)
        _run(self.command(SERVER_NS, "sysctl", "-qw", "net.ipv4.ip_forward=1"))

    def add_ipv6(self, *, passes: bool = True) -> None:
        """Addresses and routes of IPv6 beside those of IPv4; unless it passes, the router swallows every packet."""
        for namespace, device, net, last in (
            (ROUTER_NS, "w0", "fd77:1::", "1"),
            (ROUTER_NS, "s0", "fd77:9::", "1"),
            (CALLER_NS, "wlan0", "fd77:1::", "2"),
            (SERVER_NS, "eth0", "fd77:9::", "10"),
        ):
            _ip(f"-n {namespace} addr add {net}{last}/64 dev {device} nodad")
            if last != "1":
                _ip(f"-6 -n {namespace} route add default via {net}1 dev {device}")
        _run(self.command(ROUTER_NS, "sysctl", "-qw", f"net.ipv6.conf.all.forwarding={int(passes)}"))

    def _nft(self, namespace: str, lines: Sequence[str]) -> None:
        _run(self.command(namespace, "nft", "-f", "-"), "\n".join(lines) + "\n")

    def rebind(self) -> None:
        """NAT forgets every mapping and takes another address from now on."""
        self._address = 103 if self._address == 101 else 101
        self.filter(*self._rules)
        _run(self.command(ROUTER_NS, "conntrack", "-F"))


@contextmanager
def laboratory() -> Generator[Lab]:
    """Networks that stand until the context ends, with the caller on Wi-Fi."""
    _remove()
    try:
        lab = Lab()
        _build()
        _name()
        lab.filter()
        lab.switch("wifi")
        yield lab
    finally:
        _remove()


def _build() -> None:
    for namespace in (CALLER_NS, ROUTER_NS, SERVER_NS, RELAY_NS):
        _ip(f"netns add {namespace}")
        _ip(f"-n {namespace} link set lo up")
    for device, far, net in _LINKS.values():
        _ip(f"-n {ROUTER_NS} link add {far} type veth peer name {device} netns {CALLER_NS}")
        _ip(f"-n {ROUTER_NS} addr add {net}.1/24 dev {far}")
        _ip(f"-n {ROUTER_NS} link set {far} up gso_max_segs 1")
    _link(ROUTER_NS, "s0", "10.77.9.1", SERVER_NS, SERVER)
    for last in (101, 102, 103, 104):
        _ip(f"-n {ROUTER_NS} addr add 10.77.9.{last}/24 dev s0")
    _link(ROUTER_NS, "t0", "10.77.8.1", RELAY_NS, RELAY)
    for setting in ("net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0"):
        _run(["ip", "netns", "exec", ROUTER_NS, "sysctl", "-qw", setting])


def _bucket(kilobits: int) -> list[str]:
    return f"rate {kilobits}kbit burst 4k latency 1000ms".split()


def _link(outer: str, device: str, gateway: str, inner: str, address: str) -> None:
    """A wire from one namespace to the `eth0` of another, whose way to all else it is."""
    _ip(f"-n {outer} link add {device} type veth peer name eth0 netns {inner}")
    _ip(f"-n {outer} addr add {gateway}/24 dev {device}")
    _ip(f"-n {outer} link set {device} up gso_max_segs 1")
    _ip(f"-n {inner} addr add {address}/24 dev eth0")
    _ip(f"-n {inner} link set eth0 up gso_max_segs 1")
    _ip(f"-n {inner} route add default via {gateway}")


def _name() -> None:
    """What `ip netns exec` shows the caller in place of the machine's own names."""
    _NAMES.mkdir(parents=True, exist_ok=True)
    (_NAMES / "hosts").write_text(f"127.0.0.1 localhost\n{SERVER_6} {BOTH}\n{SERVER} {BOTH}\n", encoding="utf-8")


def _remove() -> None:
    shutil.rmtree(_NAMES, ignore_errors=True)
    for namespace in (CALLER_NS, ROUTER_NS, SERVER_NS, RELAY_NS, INSIDE_NS):
        subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)


def _ip(words: str) -> None:
    _run(["ip", *words.split()])


def _run(command: Sequence[str], given: str | None = None) -> None:
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{' '.join(command)}: {done.stderr.strip()}")
