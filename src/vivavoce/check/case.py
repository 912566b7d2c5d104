"""What is looked at, and what has been learnt of it so far. Each hop leaves here what later ones need."""

from asyncio import TaskGroup
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Literal

from vivavoce.assembly import open_offerings
from vivavoce.check.answer import Answered
from vivavoce.check.probe import Probe
from vivavoce.check.remains import Remains
from vivavoce.check.wire import Wire
from vivavoce.client.call import Call
from vivavoce.client.endpoint import Endpoint
from vivavoce.client.proxy import Given as GivenProxy
from vivavoce.client.secret import Credential, Source, Words
from vivavoce.client.signalling import Answer
from vivavoce.client.state import State
from vivavoce.clock import Clock
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.ice import IceServer
from vivavoce.transport.interface import Offering, Transport
from vivavoce.wire.config import Session

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Order:
    """What is to be looked at.

    `patience_s` is how long one thing may take. Without `talk` nothing is said, which costs nothing; without `cut`
    the call is not cut to see it come back.
    """

    base_url: str
    model: str | None = None
    api_key: Words | None = None
    client_secret: Words | None = None
    session: Mapping[str, object] = field(default_factory=dict[str, object])
    ice_servers: Sequence[IceServer] | Literal["server"] = ()
    relay_only: bool = False
    proxy: GivenProxy = True
    patience_s: float = 5.0
    steady_s: float = 5.0
    talk: bool = True
    cut: bool = True


@dataclass
class Case:
    """One examination. What has no value yet is set by a hop that comes before those that read it."""

    order: Order
    clock: Clock
    tasks: TaskGroup
    opened: AsyncExitStack
    """Closed when the examination is over."""
    secrets: list[Secret] = field(default_factory=list[Secret])
    """Words that no finding may hold."""

    place: Endpoint = field(init=False)
    addresses: list[Address] = field(init=False)
    reachable: Address = field(init=False)
    skew_s: float | None = None
    source: Source = field(init=False)
    session: Session = field(init=False)
    credential: Credential = field(init=False)
    placing: Credential = field(init=False)
    """What offers are made with; on Azure not the key itself, but a client secret."""
    ice_servers: tuple[IceServer, ...] = ()
    asked: Offering = field(init=False)
    answer: Answer = field(init=False)
    answered: Answered = field(init=False)
    asked_at: float = field(init=False)
    probe: Probe | None = None
    way: Literal["webrtc", "websocket"] | None = None
    """How a call can be made, once one is found."""
    call: Call = field(init=False)
    wires: list[Wire] = field(default_factory=list[Wire])
    """The connections of that call over WebRTC, the newest last."""
    states: list[State] = field(default_factory=list[State])
    """All that the call has been in."""
    before: Remains = field(init=False)
    """What this process held before the call."""
    talking: AsyncExitStack = field(default_factory=AsyncExitStack)
    """Closed when the call is over."""
    _make: Callable[[], Offering] | None = None

    @property
    def server(self) -> Address | None:
        """Where the server itself was reached; None where a proxy was."""
        return self.reachable if self.place.proxy is None else None

    def clean(self, text: str) -> str:
        """The same without any secret."""
        for secret in self.secrets:
            if secret:
                text = text.replace(secret.reveal(), "***")
        return text

    async def offerings(self) -> Callable[[], Offering]:
        """What makes offers, with the ICE servers that are to be used."""
        if self._make is None:
            make = open_offerings(self.ice_servers, relay_only=self.order.relay_only)
            self._make = await self.opened.enter_async_context(make)
        return self._make

    def watch(self, transport: Transport) -> Probe:
        """Look at a connection, until it is hung up."""
        self.probe = probe = Probe(transport, self.clock)
        self.tasks.create_task(probe.run(), name="probe")
        return probe

    async def hang_up(self) -> None:
        """Close the connection that is looked at, if there is one."""
        probe, self.probe = self.probe, None
        if probe is not None:
            await probe.close()
