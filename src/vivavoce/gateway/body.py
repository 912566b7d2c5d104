"""The body of a request, read with a bound on its size and its time."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from starlette.requests import Request

from vivavoce.errors import RequestError

_ANNOUNCED_DIGITS = 15
_LONG_BYTES = 32 * 1024
"""What is longer is understood by a thread: a session of 256 KiB takes up to 15 ms of the loop otherwise."""

Read = TypeVar("Read")


async def read_body(request: Request, limit_bytes: int, limit_s: float) -> bytes:
    """All of the body. To be called once its sender is known, never before.

    Raises:
        RequestError: too large (413) or too slow (408).
        ClientDisconnect: the client went away (starlette's own; there is nobody left to answer).
    """
    announced = request.headers.get("content-length", "0")
    if len(announced) > _ANNOUNCED_DIGITS or (announced.isdecimal() and int(announced) > limit_bytes):
        raise _too_large(limit_bytes)
    body = bytearray()
    try:
        async with asyncio.timeout(limit_s):
            async for chunk in request.stream():
                if len(body) + len(chunk) > limit_bytes:
                    raise _too_large(limit_bytes)
                body += chunk
    except TimeoutError:
        raise RequestError(
            f"The body did not arrive within {limit_s:g} s; {len(body)} bytes did. Send it in one go.",
            code="request_timeout",
            status=408,
        ) from None
    return bytes(body)


async def understand(read: Callable[[bytes], Read], body: bytes) -> Read:
    """What `read` makes of a body, while other requests and calls go on. It raises what `read` raises."""
    return read(body) if len(body) <= _LONG_BYTES else await asyncio.to_thread(read, body)


def _too_large(limit_bytes: int) -> RequestError:
    return RequestError(
        f"The body is larger than the {limit_bytes} bytes that are allowed here.",
        code="request_too_large",
        status=413,
    )
