"""Where callers are told of relays."""

from starlette.requests import Request
from starlette.responses import Response

from vivavoce.clock import Clock
from vivavoce.gateway.caller import Reception
from vivavoce.gateway.quota import Quota
from vivavoce.gateway.relays import Relays
from vivavoce.transport.ice import link


class Handout:
    """Hands relays to callers: `OPTIONS` of the address where calls are placed, as WHIP does (RFC 9725, section 4.6).

    Before the call, since afterwards it would be too late: a caller's offer carries all its candidates, and the
    protocol has no message for a second one.
    """

    def __init__(
        self, relays: Relays | None, reception: Reception, quota: Quota, clock: Clock, per_minute: int
    ) -> None:
        self._relays = relays
        self._reception = reception
        self._quota = quota
        self._clock = clock
        self._per_minute = per_minute

    async def give(self, request: Request) -> Response:
        """`OPTIONS /v1/realtime/calls`: 204, and the relays, if there are any, in `Link`."""
        caller = await self._reception.recognise(request)
        await self._quota.spend(caller.identity, "relays", self._per_minute)
        headers = {"Allow": "OPTIONS, POST"}
        if self._relays is not None:
            headers["Link"] = link([self._relays.of(caller.identity, self._clock.wall())])
        return Response(status_code=204, headers=headers)
