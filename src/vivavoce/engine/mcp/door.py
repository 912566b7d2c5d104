"""HTTP to one tool server, within bounds: where it may lead, how much may come back, and what was refused."""

import ssl
from collections.abc import AsyncIterator
from typing import Final

import httpx2

from vivavoce.engine.mcp.reach import ForbiddenError, Reach, addresses

CONNECT_S: Final = 10.0
"""To reach a server, and to get one request across."""
DOCUMENT_BYTES: Final = 2**20
"""The longest answer that is not a stream. Each event of a stream is held to the same by MCP's own package."""
_ERROR: Final = 400


class Door(httpx2.AsyncBaseTransport):
    """Sends requests to addresses that were looked at first, so that a name cannot change its mind in between."""

    def __init__(self, reach: Reach, context: ssl.SSLContext) -> None:
        self._reach = reach
        self._inner = httpx2.AsyncHTTPTransport(verify=context, trust_env=False)
        self.refusal: int | None = None
        """The last HTTP status that was an error, since somebody has set this to None."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request.

        Raises:
            httpx2.ConnectError: the server must not be reached, or cannot be.
            httpx2.RemoteProtocolError: it sends what cannot be bounded.
        """
        response = await self._send(request)
        if response.status_code >= _ERROR:
            self.refusal = response.status_code
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise httpx2.RemoteProtocolError("it compresses its answers, though it was told not to")
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            return response
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Bounded(response.stream),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._inner.aclose()

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            found = await addresses(url.host, port, self._reach)
        except ForbiddenError as error:
            raise httpx2.ConnectError(str(error)) from error
        request.headers["accept-encoding"] = "identity"
        request.extensions = {**request.extensions, "sni_hostname": url.host}
        for place, address in enumerate(found):
            request.url = url.copy_with(host=address)
            try:
                return await self._inner.handle_async_request(request)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                if place == len(found) - 1:
                    raise
        raise httpx2.ConnectError("its name has no address")


class _Bounded(httpx2.AsyncByteStream):
    """An answer that is read up to a limit."""

    def __init__(self, stream: httpx2.SyncByteStream | httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        if isinstance(self._stream, httpx2.AsyncByteStream):
            async for piece in self._stream:
                read += len(piece)
                if read > DOCUMENT_BYTES:
                    raise httpx2.StreamError(f"it answers with more than {DOCUMENT_BYTES} bytes")
                yield piece

    async def aclose(self) -> None:
        """Read no more."""
        if isinstance(self._stream, httpx2.AsyncByteStream):
            await self._stream.aclose()


def client(headers: dict[str, str], door: Door) -> httpx2.AsyncClient:
    """An HTTP client that goes through a door. How long an answer may take is for the asker to say."""
    timeout = httpx2.Timeout(connect=CONNECT_S, write=CONNECT_S, pool=CONNECT_S, read=None)
    return httpx2.AsyncClient(headers=headers, transport=door, timeout=timeout, trust_env=False)
