"""Which calls run in this process, and whose they are."""

import asyncio
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

from vivavoce.errors import RequestError
from vivavoce.gateway.admission import Knock, Place, too_many
from vivavoce.gateway.caller import Caller, KeyHolder, SecretHolder
from vivavoce.gateway.interface import LiveCall
from vivavoce.gateway.lifeline import Lifeline
from vivavoce.telemetry.log import Log
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.interface import SERVICE_RESTART
from vivavoce.transport.resumable import Leg, Resumable

_log = Log("gateway.registry")


@dataclass
class Entry:
    """A call that runs. `secrets` names the client secrets that started it and came back to it."""

    call: LiveCall
    identity: str
    secrets: set[str]
    lifeline: Lifeline
    sidebands: int = 0
    forgotten: asyncio.Event = field(default_factory=asyncio.Event)

    def belongs_to(self, caller: Caller) -> bool:
        """An identity owns its calls; a client secret owns only those that it started."""
        match caller:
            case KeyHolder(identity):
                return self.identity == identity
            case SecretHolder(grant):
                return grant.name in self.secrets


class Registry:
    """Call id → call, for as long as it runs. A context manager; leaving it hangs up what is left, for a restart."""

    def __init__(self, *, sidebands_per_call: int, farewell_s: float) -> None:
        self._sidebands_per_call = sidebands_per_call
        self._farewell_s = farewell_s
        self._entries: dict[str, Entry] = {}
        self._watchers: list[asyncio.Task[None]] = []
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        try:
            async with asyncio.timeout(self._farewell_s), asyncio.TaskGroup() as farewells:
                for entry in self._entries.values():
                    farewells.create_task(_hang_up(entry.call))
        except TimeoutError:
            _log.warning("calls_did_not_end", calls=len(self._entries), waited_s=self._farewell_s)
        for watcher in self._watchers:
            watcher.cancel()
        await self._group.__aexit__(None, None, None)

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, call: LiveCall, caller: Caller, place: Place, lifeline: Lifeline) -> Entry:
        """Know a call until it ends. From now on the registry leaves its place."""
        entry = self._entries[call.id] = Entry(call, caller.identity, _secrets(caller), lifeline)
        self._begin(self._watch(entry, place))
        return entry

    def _begin(self, watching: Coroutine[object, object, None]) -> None:
        watcher = self._group.create_task(watching)
        self._watchers.append(watcher)
        watcher.add_done_callback(self._watchers.remove)

    def find(self, call_id: str, caller: Caller) -> Entry:
        """A call of this caller's.

        Raises:
            RequestError: there is none by this id, or it is somebody else's; the caller is not told which (404).
        """
        entry = self._entries.get(call_id)
        if entry is None or not entry.belongs_to(caller):
            raise unknown_call()
        return entry

    def find_lost(self, call_id: str, caller: Caller, token: Secret | None) -> tuple[Entry, Resumable]:
        """A call to come back to, by whoever has a token of it and a credential of the same identity.

        Raises:
            RequestError: there is none; the caller is not told why (404).
        """
        entry = self._entries.get(call_id)
        if entry is None or token is None or entry.identity != caller.identity:
            raise unknown_call()
        transport = entry.lifeline.transport
        if transport is None or transport.over or not entry.lifeline.accepts(token):
            raise unknown_call()
        return entry, transport

    def follow(self, entry: Entry, caller: Caller, leg: Leg, knock: Knock) -> None:
        """Know a connection that somebody has come back by. From now on the registry leaves the knock."""
        entry.secrets |= _secrets(caller)
        self._begin(self._attend(entry, leg, knock))

    @staticmethod
    async def lend(entry: Entry, transport: Resumable, leg: Leg) -> None:
        """Lend a connection its socket until it is over, and if the call is over then, until that is forgotten."""
        try:
            await leg.over.wait()
        finally:
            transport.drop(leg)
        if transport.over:
            await entry.forgotten.wait()

    async def end(self, entry: Entry) -> None:
        """Hang up. Returns when the call is over, its place free and its id forgotten.

        Raises:
            TimeoutError: it has not ended within the time for farewells.
        """
        async with asyncio.timeout(self._farewell_s):
            await entry.call.hangup()
            await entry.forgotten.wait()

    @contextmanager
    def sideband(self, entry: Entry) -> Generator[None]:
        """One more party on a call, while the context is open.

        Raises:
            RequestError: it has as many as a call may have (429).
        """
        if entry.sidebands >= self._sidebands_per_call:
            raise too_many(f"This call has {entry.sidebands} sidebands, as many as a call may have.", 5.0)
        entry.sidebands += 1
        try:
            yield
        finally:
            entry.sidebands -= 1

    async def _attend(self, entry: Entry, leg: Leg, knock: Knock) -> None:
        try:
            await leg.settled.wait()
            knock.leave()
            await leg.heard_or_over()
            if leg.spoken.is_set():
                entry.lifeline.spend()
        finally:
            knock.leave()

    async def _watch(self, entry: Entry, place: Place) -> None:
        call = entry.call
        try:
            await call.connected()
            place.connected()
            await call.ended()
        except Exception as error:
            # The edge of a task: one broken call must not take down the others, which share its task group.
            _log.failure("call_broke", error, call_id=call.id)
        finally:
            place.leave()
            del self._entries[call.id]
            entry.forgotten.set()


def _secrets(caller: Caller) -> set[str]:
    return {caller.grant.name} if isinstance(caller, SecretHolder) else set()


def unknown_call() -> RequestError:
    """A 404 that does not say whether there is such a call."""
    return RequestError(
        "There is no such call. It has ended, or it was started with another key.",
        code="call_id_not_found",
        param="call_id",
        status=404,
    )


async def _hang_up(call: LiveCall) -> None:
    try:
        await call.hangup(SERVICE_RESTART)
    except Exception as error:
        # The edge of a task: the other calls are still to be ended.
        _log.failure("hangup_broke", error, call_id=call.id)
