"""What is looked at, and what has been learnt of it so far. Each hop leaves here what later ones need."""

from asyncio import TaskGroup
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Literal

from vivavoce.check.answer import Answered
from vivavoce.check.probe import Probe
from vivavoce.client.endpoint import Endpoint
from vivavoce.client.proxy import Given as GivenProxy
from vivavoce.client.secret import Credential, Source, Words
from vivavoce.client.signalling import Answer
from vivavoce.clock import Clock
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.ice import IceServer
from vivavoce.transport.interface import Offering, Transport
from vivavoce.wire.config import Session

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Order:
    """What is to be looked at.

    `patience_s` is how long one thing may take. Without `talk` nothing is done that a provider takes money for.
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
    ice_servers: tuple[IceServer, ...] = field(init=False)
    asked: Offering = field(init=False)
    answer: Answer = field(init=False)
    answered: Answered = field(init=False)
    asked_at: float = field(init=False)
    probe: Probe | None = None

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
