"""Stands around every HTTP request: names it, notes it, and turns what nobody foresaw into a clean reply."""

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vivavoce.clock import Clock
from vivavoce.gateway.interface import Ids
from vivavoce.gateway.reply import error_reply, server_error
from vivavoce.telemetry.log import Log

_log = Log("gateway")


class Guard:
    """ASGI middleware. Replies may hold secrets, so none may be cached unless it says otherwise itself.

    The log gets method, path and status. It gets no query, since some clients put keys there, and no address.
    """

    def __init__(self, app: ASGIApp, clock: Clock, ids: Ids) -> None:
        self._app = app
        self._clock = clock
        self._ids = ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._ids("req")
        began = self._clock.now()
        status: int | None = None

        async def mark(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, mark)
        except ClientDisconnect:
            _log.debug("client_left", request_id=request_id)
        except Exception as error:
            # The edge of a request: whatever it is, the server lives on and the client gets JSON.
            _log.failure("request_broke", error, request_id=request_id)
            if status is not None:
                raise
            await error_reply(server_error(500))(scope, receive, mark)
        took_ms = round((self._clock.now() - began) * 1000, 1)
        _log.info(
            "request", method=scope["method"], path=scope["path"], status=status, took_ms=took_ms, request_id=request_id
        )
