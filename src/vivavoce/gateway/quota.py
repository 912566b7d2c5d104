"""How often one identity may do something in a minute, over all processes."""

from vivavoce.clock import Clock
from vivavoce.errors import StoreError
from vivavoce.gateway.admission import too_many
from vivavoce.store.interface import Store
from vivavoce.telemetry.log import Log

_WINDOW_S = 60.0
_log = Log("gateway.quota")


class Quota:
    """Counts in whole minutes of the wall clock, which processes share."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def spend(self, identity: str, what: str, per_minute: int) -> None:
        """Count one, unless the minute's share is used up.

        A store that fails does not stop calls: it is better to count too little than to refuse everybody.

        Raises:
            RequestError: it is used up (429); its `next` says when the next minute begins.
        """
        window, passed_s = divmod(self._clock.wall(), _WINDOW_S)
        try:
            count = await self._store.increment(f"quota:{what}:{identity}:{int(window)}", 1, 2 * _WINDOW_S)
        except StoreError as error:
            _log.failure("quota_not_counted", error, what=what)
            return
        if count > per_minute:
            raise too_many(f"More than {per_minute} {what} in a minute with one key.", _WINDOW_S - passed_s)
