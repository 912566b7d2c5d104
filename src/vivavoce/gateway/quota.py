"""How often one identity may do something in a minute, over all processes."""

from dataclasses import dataclass

from vivavoce.clock import Clock
from vivavoce.errors import StoreError
from vivavoce.gateway.admission import too_many
from vivavoce.store.interface import Store
from vivavoce.telemetry.log import Log

_WINDOW_S = 60.0
_log = Log("gateway.quota")


@dataclass(frozen=True)
class Share:
    """What was used in this minute, and how many seconds of it are left."""

    used: int
    left_s: float


class Quota:
    """Counts in whole minutes of the wall clock, which processes share."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def count(self, identity: str, what: str, by: int) -> Share | None:
        """Count so many; None when nobody can."""
        window, passed_s = divmod(self._clock.wall(), _WINDOW_S)
        try:
            used = await self._store.increment(f"quota:{what}:{identity}:{int(window)}", by, 2 * _WINDOW_S)
        except StoreError as error:
            _log.failure("quota_not_counted", error, what=what)
            return None
        return Share(used, _WINDOW_S - passed_s)

    async def spend(self, identity: str, what: str, per_minute: int) -> None:
        """Count one, unless the minute's share is used up.

        A store that fails does not stop calls: it is better to count too little than to refuse everybody.

        Raises:
            RequestError: it is used up (429); its `next` says when the next minute begins.
        """
        share = await self.count(identity, what, 1)
        if share is not None and share.used > per_minute:
            raise too_many(f"More than {per_minute} {what} in a minute with one key.", share.left_s)
