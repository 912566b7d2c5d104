"""Lets pages of allowed origins call from a browser."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vivavoce.errors import RequestError
from vivavoce.gateway.origin import Origins
from vivavoce.gateway.reply import error_reply

_METHODS = "GET, OPTIONS, POST"
_HEADERS = {"accept", "api-key", "authorization", "content-type", "last-event-id", "viva-resume", "viva-silent-ms"}
_PREFIXES = ("openai-", "x-openai-", "x-stainless-")
"""What the SDKs add to requests from a browser."""
_EXPOSED = "Link, Location, Retry-After, Viva-Heartbeat, Viva-Last-Event, Viva-Resume, X-Request-Id"
_PREFLIGHT_S = "600"


class Cors:
    """ASGI middleware: answers preflights and marks replies. It never allows credentials.

    `Location` is exposed because a browser learns the id of its call from it.
    """

    def __init__(self, app: ASGIApp, origins: Origins) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None
        if origin is None:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await self._preflight(origin, headers)(scope, receive, send)
            return

        async def mark(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._mark(MutableHeaders(scope=message), origin)
            await send(message)

        await self._app(scope, receive, mark)

    def _preflight(self, origin: str, headers: Headers) -> Response:
        if not self._origins.allows(origin):
            return error_reply(origin_refused(origin))
        reply = Response(status_code=204)
        self._mark(reply.headers, origin)
        asked = [name.strip().lower() for name in headers.get("access-control-request-headers", "").split(",")]
        allowed = [name for name in asked if name in _HEADERS or name.startswith(_PREFIXES)]
        reply.headers["Access-Control-Allow-Methods"] = _METHODS
        reply.headers["Access-Control-Max-Age"] = _PREFLIGHT_S
        if allowed:
            reply.headers["Access-Control-Allow-Headers"] = ", ".join(allowed)
        if headers.get("access-control-request-private-network") == "true":
            reply.headers["Access-Control-Allow-Private-Network"] = "true"
        return reply

    def _mark(self, headers: MutableHeaders, origin: str) -> None:
        headers.add_vary_header("Origin")
        if self._origins.allows(origin):
            headers["Access-Control-Allow-Origin"] = "*" if self._origins.any else origin
            headers["Access-Control-Expose-Headers"] = _EXPOSED


def origin_refused(origin: str) -> RequestError:
    """A 403 for pages that may not call."""
    return RequestError(
        f"Pages of {origin[:200]} may not call this server. Its operator can add them to the allowed origins.",
        code="origin_not_allowed",
        status=403,
    )
