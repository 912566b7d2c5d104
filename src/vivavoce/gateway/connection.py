"""One HTTP connection, as served by uvicorn, that does not wait for ever for a request."""

import asyncio

import h11
import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol

from vivavoce.gateway.settings import Limits


class Connection(H11Protocol):
    """uvicorn's HTTP/1.1 connection with a bound on how long a request's head may take to arrive.

    uvicorn bounds only the silence between two requests; a peer that sends one letter a minute would keep its
    socket for ever, before anybody knows who it is. Give the class to uvicorn as `http=`. What cannot be read
    as HTTP gets its 400 in the same JSON shape as any other refusal.
    """

    head_s = Limits().head_s
    """Seconds from connecting, or from the first byte of a later request, to the end of its head."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Start waiting for a request."""
        super().connection_made(transport)
        self._wait_or_rest()

    def data_received(self, data: bytes) -> None:
        """Go on waiting, or stop because the head is whole."""
        super().data_received(data)
        self._wait_or_rest()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._rest()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP; behind a last reply it is of no interest."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
            return
        if self._is_busy():
            # A body that turned out to be none: its request is over, and whoever serves it has nobody to answer.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started:
                self.transport.close()
                return
        error = {"message": msg, "type": "invalid_request_error", "param": None, "code": "invalid_http"}
        body = msgspec.json.encode({"error": error})
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _wait_or_rest(self) -> None:
        # A request in hand is the application's to bound. After it, or before the first, we wait for the next head;
        # so we do while the rest of a body comes in that the application has refused to read.
        if self._is_busy() or self.transport.is_closing():
            self._rest()
        elif self._patience is None:
            self._patience = self.loop.call_later(self.head_s, self.transport.close)

    def _is_busy(self) -> bool:
        if self.transport.get_protocol() is not self:
            return True  # a WebSocket by now
        return self.cycle is not None and not self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison] - uvicorn starts with None

    def _rest(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def connection_class(head_seconds: float) -> type[Connection]:
    """The class with another patience, for uvicorn, which makes the instances itself."""
    return type("Connection", (Connection,), {"head_s": head_seconds})
