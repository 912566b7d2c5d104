"""Which calls run in this process, and whose they are."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

from vivavoce.errors import RequestError
from vivavoce.gateway.admission import Place, too_many
from vivavoce.gateway.caller import Caller, KeyHolder, SecretHolder
from vivavoce.gateway.interface import LiveCall
from vivavoce.telemetry.log import Log

_log = Log("gateway.registry")


@dataclass
class Entry:
    """A call that runs. `secret` names the client secret that started it; None for an API key."""

    call: LiveCall
    identity: str
    secret: str | None
    sidebands: int = 0
    forgotten: asyncio.Event = field(default_factory=asyncio.Event)

    def belongs_to(self, caller: Caller) -> bool:
        """An identity owns its calls; a client secret owns only those that it started."""
        match caller:
            case KeyHolder(identity):
                return self.identity == identity
            case SecretHolder(grant):
                return self.secret == grant.name


class Registry:
    """Call id → call, for as long as it runs. An async context manager; leaving it hangs up what is left."""

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

    def add(self, call: LiveCall, caller: Caller, place: Place) -> None:
        """Know a call until it ends. From now on the registry leaves its place."""
        secret = caller.grant.name if isinstance(caller, SecretHolder) else None
        entry = self._entries[call.id] = Entry(call, caller.identity, secret)
        watcher = self._group.create_task(self._watch(entry, place))
        self._watchers.append(watcher)
        watcher.add_done_callback(self._watchers.remove)

    def find(self, call_id: str, caller: Caller) -> Entry:
        """A call of this caller's.

        Raises:
            RequestError: there is none by this id, or it is somebody else's; the caller is not told which (404).
        """
        entry = self._entries.get(call_id)
        if entry is None or not entry.belongs_to(caller):
            raise RequestError(
                "There is no such call. It has ended, or it was started with another key.",
                code="call_id_not_found",
                param="call_id",
                status=404,
            )
        return entry

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


async def _hang_up(call: LiveCall) -> None:
    try:
        await call.hangup()
    except Exception as error:
        # The edge of a task: the other calls are still to be ended.
        _log.failure("hangup_broke", error, call_id=call.id)
