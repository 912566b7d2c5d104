"""A transport whose far end speaks the beta, and whose near end need not know."""

import asyncio

from vivavoce.audio.frame import Pcm
from vivavoce.errors import RequestError
from vivavoce.gateway.interface import Ids, Interpret
from vivavoce.transport.interface import Deliver, Inbound, Link, Text, Traits, Transport
from vivavoce.wire.beta.interpreter import TEMPERATURE, Interpreter


def interpreting(ids: Ids, temperature: float | None) -> Interpret:
    """For a party that speaks the beta, with the temperature that its client secret was made with, if any."""
    chosen = TEMPERATURE if temperature is None else temperature
    return lambda transport: Interpreted(transport, Interpreter(ids, chosen))


class Interpreted:
    """Carries what the transport beneath carries; text is translated on its way.

    What the client says amiss in the beta's own terms is refused here and does not arrive at the server. Refusals wait
    until the server has spoken, since nothing may come before `session.created`.
    """

    def __init__(self, transport: Transport, interpreter: Interpreter) -> None:
        self._transport = transport
        self._interpreter = interpreter
        self._waiting: list[str] | None = []
        """Refusals for later; None once the server has spoken."""

    @property
    def traits(self) -> Traits:
        """Those of the transport beneath."""
        return self._transport.traits

    async def run(self, deliver: Deliver) -> None:
        """See `Transport.run`."""

        def translate(arrived: Inbound) -> asyncio.Future[None] | None:
            if not isinstance(arrived, Text):
                return deliver(arrived)
            try:
                text = self._interpreter.to_server(arrived.text)
            except RequestError as error:
                self._refuse(self._interpreter.refusal(error))
                return None
            return deliver(Text(text))

        await self._transport.run(translate)

    def send(self, text: str) -> None:
        """See `Transport.send`."""
        told = self._interpreter.to_client(text)
        if told is None:
            return
        self._transport.send(told)
        waiting, self._waiting = self._waiting or [], None
        for refusal in waiting:
            self._transport.send(refusal)

    def _refuse(self, refusal: str) -> None:
        if self._waiting is None:
            self._transport.send(refusal)
        else:
            self._waiting.append(refusal)

    def play(self, samples: Pcm) -> None:
        """See `Transport.play`."""
        self._transport.play(samples)

    def played(self) -> int:
        """See `Transport.played`."""
        return self._transport.played()

    def flush(self) -> int:
        """See `Transport.flush`."""
        return self._transport.flush()

    async def link(self) -> Link:
        """See `Transport.link`."""
        return await self._transport.link()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Transport.close`."""
        await self._transport.close(code, reason)
