"""A transport whose far end speaks the beta, and whose near end need not know."""

import asyncio
from typing import Final

from vivavoce.errors import RequestError, TransportError
from vivavoce.gateway.interface import Ids, Interpret
from vivavoce.transport.interface import Deliver, Inbound, SoundPath, Text, Transport
from vivavoce.transport.wrapper import Wrapper
from vivavoce.wire.beta.interpreter import TEMPERATURE, Interpreter

LONG: Final = 32 * 1024
"""Characters of a message that a thread translates: even to see that one of 20 MiB needs no translation takes 12 ms."""


def interpreting(ids: Ids, temperature: float | None) -> Interpret:
    """For a party that speaks the beta, with the temperature that its client secret was made with, if any."""
    chosen = TEMPERATURE if temperature is None else temperature
    return lambda transport: Interpreted(transport, Interpreter(ids, chosen))


class Interpreted(Wrapper):
    """Carries what the transport beneath carries; text is translated on its way.

    What the client says amiss in the beta's own terms is refused here and does not arrive at the server. Refusals wait
    until the server has spoken, since nothing may come before `session.created`.
    """

    def __init__(self, transport: Transport, interpreter: Interpreter) -> None:
        super().__init__(transport)
        self._interpreter = interpreter
        self._waiting: list[str] | None = []
        """Refusals for later; None once the server has spoken."""
        self._translating: asyncio.Task[None] | None = None
        """The last of those that wait for a long message before them, or are one; the next is of those that go out."""
        self._telling: asyncio.Task[None] | None = None
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self, deliver: Deliver) -> None:
        """See `Transport.run`."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks

            def translate(arrived: Inbound) -> asyncio.Future[None] | None:
                long = isinstance(arrived, Text) and len(arrived.text) > LONG
                if not long and (self._translating is None or self._translating.done()):
                    return self._deliver(arrived, deliver)
                taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._translating = tasks.create_task(self._in_turn(self._translating, arrived, deliver, taken))
                return taken

            await self._inner.run(translate)
            self._tasks = None

    async def _in_turn(
        self, before: asyncio.Task[None] | None, arrived: Inbound, deliver: Deliver, taken: asyncio.Future[None]
    ) -> None:
        """Hand on what came behind a long message, or is one, after what came before it."""
        if before is not None:
            await asyncio.wait([before])
        if isinstance(arrived, Text) and len(arrived.text) > LONG:
            waiting = self._hand_on(await asyncio.to_thread(self._translated, arrived), deliver)
        else:
            waiting = self._deliver(arrived, deliver)
        if waiting is None:
            _release(taken)
        else:
            waiting.add_done_callback(lambda _: _release(taken))

    def _deliver(self, arrived: Inbound, deliver: Deliver) -> asyncio.Future[None] | None:
        return self._hand_on(self._translated(arrived) if isinstance(arrived, Text) else arrived, deliver)

    def _translated(self, arrived: Text) -> Text | RequestError:
        try:
            return Text(self._interpreter.to_server(arrived.text))
        except RequestError as error:
            return error

    def _hand_on(self, arrived: Inbound | RequestError, deliver: Deliver) -> asyncio.Future[None] | None:
        if not isinstance(arrived, RequestError):
            return deliver(arrived)
        self._refuse(self._interpreter.refusal(arrived))
        return None

    def send(self, text: str) -> None:
        """See `Transport.send`."""
        # Beside media no text is so long that it would hold anybody up.
        long = len(text) > LONG and self.traits.sound is SoundPath.TEXT
        queued = self._telling is not None and not self._telling.done()
        if self._tasks is not None and (long or queued):
            self._telling = self._tasks.create_task(self._tell_in_turn(self._telling, text))
        else:
            self._tell(self._interpreter.to_client(text))

    async def _tell_in_turn(self, before: asyncio.Task[None] | None, text: str) -> None:
        if before is not None:
            await asyncio.wait([before])
        long = len(text) > LONG
        told = await asyncio.to_thread(self._interpreter.to_client, text) if long else self._interpreter.to_client(text)
        try:
            self._tell(told)
        except TransportError as error:
            left_out = RequestError(f"An event was left out: {error.message}", code=None, type="server_error")
            self._refuse(self._interpreter.refusal(left_out))

    def _tell(self, told: str | None) -> None:
        if told is None:
            return
        self._inner.send(told)
        waiting, self._waiting = self._waiting or [], None
        for refusal in waiting:
            self._inner.send(refusal)

    def _refuse(self, refusal: str) -> None:
        if self._waiting is None:
            self._inner.send(refusal)
        else:
            self._waiting.append(refusal)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Transport.close`."""
        if self._telling is not None:
            await asyncio.wait([self._telling])
        await self._inner.close(code, reason)


def _release(taken: asyncio.Future[None]) -> None:
    if not taken.done():  # whoever waited may have gone
        taken.set_result(None)
