"""A connection that can be made to die without a word, as it does when a network goes away."""

from asyncio import Future

from vivavoce.audio.frame import Pcm
from vivavoce.transport.interface import Closed, ClosedBy, Deliver, Inbound, Link, Offering, Transport
from vivavoce.transport.wrapper import Wrapper


class Wire(Wrapper):
    """See `Transport`. Once it is cut nothing passes any more, either way, and nobody is told."""

    def __init__(self, inner: Transport) -> None:
        super().__init__(inner)
        self._last: Link | None = None
        self._cut = False

    def cut(self) -> None:
        """From now on it is dead."""
        self._cut = True

    async def run(self, deliver: Deliver) -> None:
        """See `Transport.run`. Of a dead wire only its end by this side is heard of."""

        def pass_on(inbound: Inbound) -> "Future[None] | None":
            ours = isinstance(inbound, Closed) and inbound.by is ClosedBy.US
            return None if self._cut and not ours else deliver(inbound)

        await self._inner.run(pass_on)

    def send(self, text: str) -> None:
        """See `Transport.send`."""
        if not self._cut:
            self._inner.send(text)

    def play(self, samples: Pcm) -> None:
        """See `Transport.play`."""
        if not self._cut:
            self._inner.play(samples)

    async def link(self) -> Link:
        """See `Transport.link`. The figures of a dead wire do not change."""
        if self._last is None or not self._cut:
            self._last = await self._inner.link()
        return self._last


class Wired:
    """See `Offering`: its connection is a `Wire`."""

    def __init__(self, inner: Offering, wires: list[Wire]) -> None:
        self._inner = inner
        self._wires = wires

    async def offer(self) -> str:
        """See `Offering.offer`."""
        return await self._inner.offer()

    async def accept(self, answer: str) -> Transport:
        """See `Offering.accept`."""
        wire = Wire(await self._inner.accept(answer))
        self._wires.append(wire)
        return wire

    async def abandon(self) -> None:
        """See `Offering.abandon`."""
        await self._inner.abandon()
