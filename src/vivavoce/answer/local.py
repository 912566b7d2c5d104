"""Answers calls on this computer: one `LocalCall` for each, all with the same engines."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Protocol, Self

from vivavoce.answer.call import LocalCall
from vivavoce.answer.job import Allowance, Engines
from vivavoce.audio.noise import Suppressor
from vivavoce.clock import Clock
from vivavoce.session.answers import Sound
from vivavoce.session.declaration import ToolServing, shown
from vivavoce.session.host import Host, Service
from vivavoce.session.microphone import Cleaned, Kind
from vivavoce.session.settings import SESSION_S, Settings, effective
from vivavoce.session.voices import Voices
from vivavoce.session.window import Mind
from vivavoce.telemetry.log import Log
from vivavoce.transport.interface import SERVICE_RESTART, Answering, SoundPath, Transport
from vivavoce.wire.config import Session

log = Log("answer")


class Asked(Protocol):
    """What is wanted of a conversation: only what the caller said of its config."""

    @property
    def id(self) -> str:
        """`rtc_…`."""
        ...

    @property
    def session(self) -> Session:
        """Only the keys that the caller set."""
        ...

    @property
    def allowance(self) -> Allowance | None:
        """What it may cost; None where nobody counts."""
        ...


class Offered(Asked, Protocol):
    """A WebRTC call that waits for its answer."""

    @property
    def offer(self) -> str:
        """The caller's SDP."""
        ...

    @property
    def interpret(self) -> Callable[[Transport], Transport]:
        """Puts the caller's dialect over the transport."""
        ...


@dataclass(frozen=True)
class Model:
    """A name that callers may ask for. `created` is in Unix seconds."""

    id: str
    owned_by: str = "vivavoce"
    created: int = 0


class LocalAnswers:
    """All calls that this process answers itself. Leaving the context ends them."""

    def __init__(
        self,
        engines: Engines,
        answering: Answering,
        clock: Clock,
        ids: Callable[[str], str],
        *,
        models: Sequence[str],
        lifetime_s: float = SESSION_S,
        needs: Sequence[AbstractAsyncContextManager[object]] = (),
        suppressor: Callable[[Kind], Suppressor] | None = None,
    ) -> None:
        """Nothing runs yet.

        Args:
            engines: who hears, thinks and speaks.
            answering: answers offers.
            clock: the process's clock.
            ids: makes identifiers.
            models: names it answers to; the first is meant where a caller names none.
            lifetime_s: longest life of a session.
            needs: what must be entered before the first call and left after the last, in this order.
            suppressor: opens what takes noise out of one caller's sound.
        """
        self._engines = engines
        self._serving = ToolServing.NONE if engines.tool_servers is None else ToolServing.MCP
        self._voices = Voices(engines.speaker.traits.voices)
        self._answering = answering
        self._clock = clock
        self._ids = ids
        self._models = tuple(Model(name) for name in models)
        self._lifetime_s = lifetime_s
        self._needs = needs
        self._suppressor = suppressor
        self._entered = AsyncExitStack()
        self._tasks = asyncio.TaskGroup()
        self._calls: set[LocalCall] = set()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as entered:
            for need in self._needs:
                await entered.enter_async_context(need)
            await entered.enter_async_context(self._tasks)
            self._entered = entered.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        for call in list(self._calls):
            await call.hangup(SERVICE_RESTART)
        await self._entered.aclose()

    def models(self) -> Sequence[Model]:
        """The names it answers to."""
        return self._models

    def effective(self, session: Session, session_id: str, expires_at: int) -> Session:
        """The whole config that `session` would run under, as anybody in the call may see it.

        Raises:
            RequestError: something in it that cannot be done here.
        """
        return shown(self._whole(session, session_id, expires_at))

    def _whole(self, session: Session, session_id: str, expires_at: int) -> Session:
        whole = effective(session, session_id, self._models[0].id, expires_at, self._serving, self._voices)
        Cleaned(self._suppressor).reduce(Settings(whole).noise_reduction)
        return whole

    async def answer(self, request: Offered) -> tuple[LocalCall, str]:
        """The running call and its SDP answer.

        Raises:
            OfferError: the offer cannot be answered.
            RequestError: something in the session that cannot be done here.
        """
        session = self._session(request)
        transport, answer = await self._answering.answer(request.offer)
        call = self._call(request.id, session, request.interpret(transport), request.allowance)
        self._tasks.create_task(self._run(call))
        return call, answer

    def converse(self, request: Asked, transport: Transport) -> LocalCall:
        """The running call of a conversation over a transport.

        Raises:
            RequestError: something in the session that cannot be done here.
        """
        call = self._call(request.id, self._session(request), transport, request.allowance)
        self._tasks.create_task(self._run(call))
        return call

    async def reconnect(self, offer: str) -> tuple[Transport, str]:
        """Another connection for a call that runs, and its SDP answer.

        Raises:
            OfferError: the offer cannot be answered.
        """
        return await self._answering.answer(offer)

    def _session(self, request: Asked) -> Session:
        expires_at = int(self._clock.wall() + self._lifetime_s)
        return self._whole(request.session, self._ids("sess"), expires_at)

    def _call(self, id: str, session: Session, transport: Transport, allowance: Allowance | None) -> LocalCall:
        sound = Sound.MEDIA if transport.traits.sound is SoundPath.MEDIA else Sound.TEXT
        thinks, turns = self._engines.thinker.traits, self._engines.turn_model
        host = Host(
            session,
            ids=self._ids,
            sound=sound,
            lifetime_s=self._lifetime_s,
            now=self._clock.now(),
            service=Service(
                counted=allowance is not None,
                serving=self._serving,
                mind=Mind(thinks.context_tokens, thinks.sees),
                turn_window=0 if turns is None else turns.traits.window,
                voices=self._voices,
            ),
            microphone=Cleaned(self._suppressor),
        )
        call = LocalCall(id, host, transport, self._engines, self._clock, allowance)
        self._calls.add(call)
        return call

    async def _run(self, call: LocalCall) -> None:
        try:
            await call.run()
        except* Exception as errors:  # one call's fault must not end the others, who share the task group
            for error in errors.exceptions:
                log.failure("call_failed", error, call_id=call.id)
        finally:
            self._calls.discard(call)
