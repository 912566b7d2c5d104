"""Text over a WebSocket (RFC 6455), for both ends.

`dial` opens one with the `websockets` package. `take` carries on one that a web framework has accepted; it needs
three methods of it and names no framework. Sound travels inside the text, so nothing here knows of any.
"""

import asyncio
import json
import logging
import re
from asyncio import TaskGroup
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Final, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidProxyStatus, InvalidStatus, InvalidURI, WebSocketException
from websockets.http11 import Response
from websockets.typing import Subprotocol

from vivavoce.audio.frame import Pcm
from vivavoce.errors import ConfigError, Fault, Never, NewSecret, Next, RefusedError, Retry, TransportError
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.backlog import LIMIT_BYTES, Backlog, utf8_size
from vivavoce.transport.inbox import Inbox
from vivavoce.transport.interface import Closed, ClosedBy, Deliver, Link, Opened, SoundPath, Text, Traits

LARGEST_TEXT: Final = 20 * 2**20 + 1024
"""Bytes of one message that either end sends and a server accepts: 15 MiB of sound in base64, the most that
`input_audio_buffer.append` may carry, and the event around it."""
LARGEST_DIALLED: Final = 24 * 2**20
"""Bytes of one message that a client accepts; a server that speaks of a long item needs some more."""
AT_ONCE: Final = 32
"""Messages that are read, or written, before others have their turn: a socket that has some, or room, does not wait."""
CLOSE_S: Final = 2.0
"""How long leaving may take before the connection is dropped."""

EYEBALLS_S: Final = 0.25
"""How long an address has before the next is tried beside it; what httpx2 takes for HTTP."""

_SENDABLE: Final = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}  # RFC 6455, section 7.4
_KEY: Final = re.compile(r"\b(?:sk-|ek_)[\w*-]+")

# The package writes headers and messages at DEBUG: the key, and what people say. So it is held to warnings here,
# whatever the program around us has set.
_quiet = logging.getLogger("vivavoce.transport.websockets")
_quiet.setLevel(logging.WARNING)


class Accepted(Protocol):
    """A WebSocket that a web framework has accepted; Starlette's has this form. Messages are those of ASGI."""

    async def receive(self) -> Mapping[str, object]:
        """The next `websocket.receive` or `websocket.disconnect`."""
        ...

    async def send_text(self, data: str) -> None:
        """Send one message; returns when the server would take another."""
        ...

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Say goodbye."""
        ...


def take(socket: Accepted, *, close_s: float = CLOSE_S) -> "WebSocketTransport":
    """The server's end of an accepted WebSocket. The framework's handler runs it and returns when it is over."""
    return WebSocketTransport(_Taken(socket), largest_in=LARGEST_TEXT, close_s=close_s)


async def dial(
    url: str,
    headers: Mapping[str, str],
    *,
    subprotocols: Sequence[str] = (),
    proxy: Secret | None = None,
    open_s: float = 10.0,
    close_s: float = CLOSE_S,
) -> "WebSocketTransport":
    """Open a WebSocket as a client, uncompressed (base64 does not shrink), through an HTTP proxy if one is given.

    Of a server's several addresses the next is tried, too, when one has not answered for `EYEBALLS_S` (RFC 8305).

    Raises:
        ConfigError: not a WebSocket URL.
        RefusedError: the server answered with another HTTP status; `code` is the one of its JSON body, if any.
        TransportError: no connection, no TLS, no handshake, or none within `open_s`.
    """
    try:
        connection = await connect(
            url,
            additional_headers=headers,
            subprotocols=[Subprotocol(each) for each in subprotocols] or None,
            compression=None,
            proxy=None if proxy is None else proxy.reveal(),
            happy_eyeballs_delay=EYEBALLS_S,
            open_timeout=open_s,
            close_timeout=close_s,
            max_size=LARGEST_DIALLED,
            logger=_quiet,
        )
    except InvalidURI as failure:
        raise ConfigError("This is not a WebSocket URL; it must begin with ws:// or wss://.") from failure
    except InvalidStatus as failure:
        raise refusal(failure.response) from failure
    except InvalidProxyStatus as failure:
        raise proxy_refusal(failure.response.status_code) from failure
    except TimeoutError as failure:
        raise TransportError(f"No WebSocket within {open_s} s; is the server there, and the way to it?") from failure
    except (OSError, WebSocketException) as failure:
        why = _KEY.sub("***", str(failure)) or type(failure).__name__
        raise TransportError(f"No WebSocket: {why}. Is the server running, and the base URL right?") from failure
    reply = () if connection.response is None else connection.response.headers.raw_items()
    handshake = {name.lower(): value for name, value in reply}
    return WebSocketTransport(_Dialled(connection), largest_in=LARGEST_DIALLED, close_s=close_s, handshake=handshake)


def proxy_refusal(status: int) -> TransportError:
    """What it means that a proxy lets nobody through."""
    if status == 407:
        message = "The proxy wants to know who asks (HTTP 407); put user and password into its URL."
        return TransportError(message, fault=Fault.CALLER, next=Never())
    return TransportError(f"The proxy does not let the WebSocket through (HTTP {status}).")


def refusal(response: Response) -> RefusedError:
    """What an HTTP answer in place of a WebSocket means, in our words."""
    said, code = _said(bytes(response.body or b""))
    status = response.status_code
    message = f"The server refused the WebSocket with HTTP {status}{': ' + said if said else ''}."
    fault, advice = _judged(status, response.headers.get("Retry-After", ""))
    return RefusedError(message, status=status, code=code, fault=fault, next=advice)


def _said(body: bytes) -> tuple[str, str | None]:
    """Message and code of a body like OpenAI's, `{"error": {"message": …, "code": …}}`; empty if it is not."""
    try:
        error = json.loads(body)["error"]
        said, code = str(error["message"]), error.get("code")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", None
    return _KEY.sub("***", said[:500]).rstrip("."), code if isinstance(code, str) else None


def _judged(status: int, retry_after: str) -> tuple[Fault, Next]:
    match status:
        case 401:
            return Fault.CALLER, NewSecret()
        case 408 | 425 | 429 | 500 | 502 | 503 | 504:
            return Fault.PROVIDER, Retry(float(retry_after) if retry_after.isdecimal() else 1.0)
        case _ if status < 500:
            return Fault.CALLER, Never()
        case _:
            return Fault.PROVIDER, Never()


class WebSocketTransport:
    """One WebSocket. Made by `dial` and `take`."""

    def __init__(
        self, socket: "_Socket", *, largest_in: int, close_s: float, handshake: Mapping[str, str] | None = None
    ) -> None:
        self.handshake = handshake or {}
        """Headers of the reply by which it was opened, where this side has dialled; their names in small letters."""
        self._socket = socket
        self._largest_in = largest_in
        self._close_s = close_s
        self._inbox = Inbox()
        self._inbox.put(Opened())
        # The longest text there may be fills nothing up by itself.
        self._backlog = Backlog(LIMIT_BYTES + LARGEST_TEXT)
        self._something = asyncio.Event()
        self._leaving = asyncio.Event()
        self._gone = asyncio.Event()
        self._farewell: Closed | None = None
        self._running = False
        self._sent_bytes = 0
        self._received_bytes = 0

    @property
    def traits(self) -> Traits:
        """Sound travels as text."""
        return Traits(SoundPath.TEXT, largest_text=LARGEST_TEXT)

    async def run(self, deliver: Deliver) -> None:
        """See `Transport.run`."""
        broken: Exception | None = None
        self._running = True
        try:
            async with TaskGroup() as tasks:
                mine = [tasks.create_task(each()) for each in (self._read, self._write, self._hurry)]
                try:
                    await self._inbox.run(deliver)
                except Exception as failure:  # the listener's own failure: raised below, outside the group
                    broken = failure
                for task in mine:
                    task.cancel()
        finally:
            self._running = False
            await self._part(1001 if broken is None else 1011)
        if broken is not None:
            raise broken

    def send(self, text: str) -> None:
        """See `Transport.send`."""
        if self._farewell is not None or self._gone.is_set():
            return
        size = utf8_size(text)
        if size > LARGEST_TEXT:
            message = f"A message of {size} bytes; the peer accepts {LARGEST_TEXT}. Send less at once."
            raise TransportError(message, fault=Fault.OURS, next=Never())
        self._backlog.push(text, size)
        self._something.set()
        if self._backlog.overfull:
            self._backlog.clear()
            self._leave(Closed(ClosedBy.US, 1013, "The peer does not read what it is sent."))

    def play(self, samples: Pcm) -> None:
        """See `Transport.play`: sound travels inside text here."""
        raise TransportError("Sound travels inside text here; send it as an event.", fault=Fault.OURS, next=Never())

    def played(self) -> int:
        """Always 0: the peer plays, and says how far it came."""
        return 0

    def flush(self) -> int:
        """Always 0: nothing is played here."""
        return 0

    async def link(self) -> Link:
        """See `Transport.link`. The round trip is that of the last ping, on the client's side only."""
        if self._gone.is_set():
            return Link()
        return Link(
            round_trip_ms=self._socket.round_trip_ms(),
            bytes_sent=self._sent_bytes,
            bytes_received=self._received_bytes,
            path="websocket/tcp",
        )

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Transport.close`. A code that may not travel becomes 1000; a reason is cut to 123 bytes."""
        if self._gone.is_set():
            return
        self._leave(Closed(ClosedBy.US, code if code in _SENDABLE else 1000, reason))
        if self._running:
            await self._gone.wait()
        else:
            with suppress(TimeoutError, _Gone):
                async with asyncio.timeout(self._close_s):
                    await self._write()
            self._end(self._farewell or Closed(ClosedBy.US))

    # ── the three tasks of a run ────────────────────────────────────────────────────────────────────────

    async def _read(self) -> None:
        for number in count(1):
            if not number % AT_ONCE:
                await asyncio.sleep(0)
            match await self._socket.receive():
                case Closed() as closed:
                    self._end(self._farewell or closed)
                    return
                case _ if self._farewell is not None:
                    pass  # too late: we are leaving
                case bytes():
                    self._leave(Closed(ClosedBy.US, 1003, "A binary message; events are JSON as text."))
                case str() as text:
                    size = utf8_size(text)
                    if size > self._largest_in:
                        self._leave(Closed(ClosedBy.US, 1009, f"A message of more than {self._largest_in} bytes."))
                    else:
                        self._received_bytes += size
                        taken = self._inbox.put(Text(text))
                        if taken is not None:
                            await taken

    async def _write(self) -> None:
        try:
            while True:
                for number in count(1):
                    waiting, text = self._backlog.waiting_bytes, self._backlog.pop()
                    if text is None:
                        break
                    self._sent_bytes += waiting - self._backlog.waiting_bytes
                    await self._socket.send(text)
                    if not number % AT_ONCE:
                        await asyncio.sleep(0)
                if self._farewell is not None:
                    await self._socket.close(self._farewell.code, _fitting(self._farewell.reason))
                    self._end(self._farewell)
                    return
                self._something.clear()
                await self._something.wait()
        except _Gone:
            return  # `_read` learns how, and says so

    async def _hurry(self) -> None:
        """Whoever leaves does not wait for a peer that has stopped reading."""
        await self._leaving.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._close_s):
                await self._gone.wait()
        if self._farewell is not None:
            self._end(self._farewell)

    # ── the end ─────────────────────────────────────────────────────────────────────────────────────────

    def _leave(self, farewell: Closed) -> None:
        """Have the writer say goodbye after what is queued. The first to leave chooses the words."""
        if self._farewell is None:
            self._farewell = farewell
            self._leaving.set()
            self._something.set()

    def _end(self, closed: Closed) -> None:
        if not self._gone.is_set():
            self._gone.set()
            self._inbox.put(closed)

    async def _part(self, code: int) -> None:
        """The run is over: leave nothing open."""
        self._gone.set()
        with suppress(TimeoutError, _Gone):
            async with asyncio.timeout(self._close_s):
                await self._socket.close(code, "")


def _fitting(reason: str) -> str:
    return reason.encode()[:123].decode(errors="ignore")


# ── the two kinds of socket ─────────────────────────────────────────────────────────────────────────────


class _Gone(Exception):
    """The socket takes nothing more."""


class _Socket(Protocol):
    """What the transport needs of either end."""

    async def receive(self) -> str | bytes | Closed:
        """The next message, or how it ended."""
        ...

    async def send(self, text: str) -> None:
        """Send one message, waiting for room.

        Raises:
            _Gone: too late.
        """
        ...

    async def close(self, code: int, reason: str) -> None:
        """Say goodbye and wait for the other's. Harmless if it is over.

        Raises:
            _Gone: too late.
        """
        ...

    def round_trip_ms(self) -> float | None:
        """As last measured."""
        ...


class _Dialled:
    """A client's connection of the `websockets` package."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def receive(self) -> str | bytes | Closed:
        try:
            return await self._connection.recv()
        except ConnectionClosed as closed:
            return _ending(closed)

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except ConnectionClosed as closed:
            raise _Gone from closed

    async def close(self, code: int, reason: str) -> None:
        try:
            await self._connection.close(code, reason)
        except asyncio.CancelledError:
            # Out of patience: the peer does not answer, and what is still queued for it is dropped.
            self._connection.transport.abort()
            raise

    def round_trip_ms(self) -> float | None:
        return self._connection.latency * 1000 or None


def _ending(closed: ConnectionClosed) -> Closed:
    received, sent = closed.rcvd, closed.sent
    if received is not None and closed.rcvd_then_sent is not False:
        return Closed(ClosedBy.PEER, received.code, received.reason)
    if sent is not None and (received is not None or sent.code != 1011):
        return Closed(ClosedBy.US, sent.code, sent.reason)
    # Neither said goodbye, or the package gave up on pings that nobody answered (it sends 1011 then).
    return Closed(ClosedBy.LOST, 1006, "The connection broke.")


class _Taken:
    """A connection that a web framework accepted."""

    def __init__(self, socket: Accepted) -> None:
        self._socket = socket
        self._over = False

    async def receive(self) -> str | bytes | Closed:
        if self._over:
            return Closed(ClosedBy.LOST, 1006, "The connection broke.")
        message = await self._socket.receive()
        if message.get("type") != "websocket.disconnect":
            text = message.get("text")
            return text if isinstance(text, str) else b""
        self._over = True
        code, reason = message.get("code"), message.get("reason")
        if not isinstance(code, int) or code == 1006 or (code == 1005 and reason is None):
            # uvicorn says 1005 for a connection that broke as for a close frame without a code, but gives the
            # latter a reason, if an empty one.
            return Closed(ClosedBy.LOST, 1006, "The connection broke.")
        return Closed(ClosedBy.PEER, code, reason if isinstance(reason, str) else "")

    async def send(self, text: str) -> None:
        try:
            await self._socket.send_text(text)
        except Exception as failure:  # ASGI leaves it to the framework which; all of them mean that it is over
            raise _Gone from failure

    async def close(self, code: int, reason: str) -> None:
        if self._over:
            return
        self._over = True
        try:
            await self._socket.close(code, reason)
        except Exception as failure:  # as above
            raise _Gone from failure

    def round_trip_ms(self) -> float | None:
        return None
