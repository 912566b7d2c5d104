"""Settings that cannot work are refused when they are made."""

from collections.abc import Callable

import pytest

from vivavoce.errors import ConfigError
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.ice import IceServer
from vivavoce.transport.webrtc.settings import HostCandidates, WebRtcSettings

WRONG: dict[str, Callable[[], object]] = {
    "ports the wrong way round": lambda: WebRtcSettings(port_range=(50_100, 50_000)),
    "port 0": lambda: WebRtcSettings(port_range=(0, 50_000)),
    "a port too high": lambda: WebRtcSettings(port_range=(50_000, 70_000)),
    "a name as address": lambda: WebRtcSettings(advertised=("voice.example.org",)),
    "any address at all": lambda: WebRtcSettings(advertised=("0.0.0.0",)),
    "many machines' address": lambda: WebRtcSettings(advertised=("ff02::1",)),
    "one link's address": lambda: WebRtcSettings(advertised=("fe80::1%eth0",)),
    "no address": lambda: WebRtcSettings(host_candidates=HostCandidates.NONE),
    "relays alone, and none": lambda: WebRtcSettings(ice_servers=(IceServer(("stun:stun.example",)),), relay_only=True),
    "no time": lambda: WebRtcSettings(connect_s=0),
    "less than no time": lambda: WebRtcSettings(grace_s=-1),
    "an ICE server without URL": lambda: IceServer(()),
    "an ICE server by HTTP": lambda: IceServer(("https://turn.example.org",)),
    "a relay without credentials": lambda: IceServer(("turn:turn.example.org",)),
    "a relay without a password": lambda: IceServer(("turn:turn.example.org",), "me"),
}


@pytest.mark.parametrize("make", WRONG.values(), ids=WRONG.keys())
def test_settings_that_cannot_work_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ConfigError):
        make()


def test_settings_that_can_work_are_taken_and_keep_the_password_to_themselves() -> None:
    relay = IceServer(("turn:turn.example.org:3478?transport=tcp",), "me", Secret("hunter2"))
    settings = WebRtcSettings(
        port_range=(50_000, 50_000), advertised=("203.0.114.7", "2606:4700::7"), ice_servers=(relay,)
    )
    assert "hunter2" not in repr(settings)
    assert IceServer(("stun:stun.example.org",)).credential is None
