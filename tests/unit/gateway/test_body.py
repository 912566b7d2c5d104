import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from vivavoce.errors import RequestError
from vivavoce.gateway.body import read_body


def request(receive: Callable[[], Awaitable[Message]], **headers: str) -> Request:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": named}, receive)


def chunks(*bodies: bytes) -> tuple[Callable[[], Awaitable[Message]], list[bytes]]:
    """A source of chunks, and those that were not asked for."""
    left = list(bodies)

    async def receive() -> Message:
        body = left.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(left)}

    return receive, left


async def test_a_body_is_all_of_its_chunks() -> None:
    receive, _ = chunks(b"one ", b"", b"two")
    assert await read_body(request(receive), 7, 1.0) == b"one two"


async def test_no_body_is_an_empty_one() -> None:
    receive, _ = chunks(b"")
    assert await read_body(request(receive), 7, 1.0) == b""


@pytest.mark.parametrize("announced", ["8", "999999999999", "9" * 5000])
async def test_what_is_announced_as_too_large_is_not_read_at_all(announced: str) -> None:
    receive, left = chunks(b"12345678")
    with pytest.raises(RequestError) as refused:
        await read_body(request(receive, content_length=announced), 7, 1.0)
    assert (refused.value.status, refused.value.code) == (413, "request_too_large")
    assert left == [b"12345678"]


@pytest.mark.parametrize("headers", [{}, {"content_length": "7"}, {"content_length": "nonsense"}])
async def test_what_grows_too_large_is_read_no_further(headers: dict[str, str]) -> None:
    receive, left = chunks(b"1234", b"5678", b"more", b"and more")
    with pytest.raises(RequestError) as refused:
        await read_body(request(receive, **headers), 7, 1.0)
    assert refused.value.status == 413
    assert left == [b"more", b"and more"]


async def test_a_body_that_never_ends_is_given_up() -> None:
    async def drip() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(RequestError) as refused:
        await read_body(request(drip), 7, 0.02)
    assert (refused.value.status, refused.value.code) == (408, "request_timeout")


async def test_a_client_that_leaves_in_between_is_told_apart() -> None:
    async def leave() -> Message:
        return {"type": "http.disconnect"}

    with pytest.raises(ClientDisconnect):
        await read_body(request(leave), 7, 1.0)
