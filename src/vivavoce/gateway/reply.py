"""Refusals in the one JSON shape that clients of the protocol can read."""

import math

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from vivavoce.errors import OfferError, RequestError, Retry, VivaError
from vivavoce.gateway.offer import invalid_offer
from vivavoce.telemetry.log import Log

_JSON = "application/json"
_log = Log("gateway")


def json_reply(body: object, status: int = 200) -> Response:
    """A JSON reply of plain values or wire structs."""
    return Response(msgspec.json.encode(body), status_code=status, media_type=_JSON)


def error_reply(error: RequestError) -> Response:
    """`{"error": {"message", "type", "param", "code"}}` and nothing else, with the headers that belong to it."""
    body = {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
    reply = json_reply({"error": body}, error.status)
    if isinstance(error.next, Retry) and error.next.after_s > 0:
        reply.headers["Retry-After"] = str(math.ceil(error.next.after_s))
    if error.status == 401:
        reply.headers["WWW-Authenticate"] = "Bearer"
    if error.status == 426:
        reply.headers["Upgrade"] = "websocket"
    if error.status in (408, 413):
        # The rest of the body is still to come; nobody will read it.
        reply.headers["Connection"] = "close"
    return reply


def as_request_error(error: VivaError) -> RequestError:
    """Any failure of ours as what a client is told. What is not its fault is logged, and told without details."""
    match error:
        case RequestError():
            return error
        case OfferError():
            return invalid_offer(error.message)
        case _:
            _log.failure("request_failed", error)
            busy = isinstance(error.next, Retry)
            told = server_error(503 if busy else 500)
            told.next = error.next
            return told


def server_error(status: int) -> RequestError:
    """A fault of the server, without details."""
    return RequestError(
        "The server had an error while processing your request. Try again; if it persists, tell its operator the "
        "x-request-id of this reply.",
        code=None,
        type="server_error",
        status=status,
    )


async def on_viva_error(_request: Request, error: Exception) -> Response:
    """Starlette's handler for our own failures."""
    assert isinstance(error, VivaError)
    return error_reply(as_request_error(error))


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Starlette's handler for its own refusals, of which a wrong method is the only one left."""
    assert isinstance(error, HTTPException)
    reply = error_reply(
        RequestError(
            f"{error.detail} ({request.method} {request.url.path[:200]}).",
            code="method_not_supported" if error.status_code == 405 else None,
            status=error.status_code,
        )
    )
    reply.headers.update(error.headers or {})
    return reply
