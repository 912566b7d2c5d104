"""One WebSocket connection, as served by uvicorn, that leaves the loop to the others."""

import asyncio
from codecs import IncrementalDecoder, getincrementaldecoder
from io import StringIO
from typing import TYPE_CHECKING, Final

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.protocol import State

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

from vivavoce.gateway.fragment import Fragments

READ_BYTES: Final = 8 * 1024
"""Read in one go, before the other connections have their turn: some hundred of the shortest frames there are."""
WRITE_BYTES: Final = 2**20
"""Of a longer message so much goes into one fragment, and the next when the transport has room for it."""

_utf8: Final = getincrementaldecoder("utf-8")


class SocketConnection(WebSocketsSansIOProtocol, asyncio.BufferedProtocol):
    """uvicorn's WebSocket connection for messages of many megabytes, and for many of a few bytes.

    Of both only a little is done at a time. Give the class to uvicorn as `ws=`.
    """

    _fragments: Fragments | None = None
    _decoder: IncrementalDecoder
    _text: StringIO

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where the next bytes go; see `asyncio.BufferedProtocol`."""
        self._arriving = bytearray(READ_BYTES)
        return self._arriving

    def buffer_updated(self, nbytes: int) -> None:
        """So many bytes have come."""
        if self._fragments is None:
            self._fragments = Fragments(self.config.ws_max_size)
        self.data_received(self._fragments.cut(bytes(self._arriving[:nbytes])))

    def handle_text(self, event: Frame) -> None:
        """The first frame of a text."""
        self.curr_msg_data_type = "text"
        self._decoder, self._text = _utf8(), StringIO()
        self._take(event)

    def handle_bytes(self, event: Frame) -> None:
        """The first frame of what no event is; none of it is kept."""
        self.curr_msg_data_type = "bytes"
        self._take(event)

    def handle_cont(self, event: Frame) -> None:
        """Any later frame of either."""
        self._take(event)

    async def send(self, message: "ASGISendEvent") -> None:
        """Send what the application has to say; returns when there is room for more."""
        text = message.get("text")
        if message["type"] != "websocket.send" or text is None or len(text) <= WRITE_BYTES or not self._is_open():
            await super().send(message)
            return
        data = await asyncio.to_thread(text.encode)
        for start in range(0, len(data), WRITE_BYTES):
            await self.writable.wait()
            if not self._is_open():
                raise ClientDisconnected
            piece, fin = data[start : start + WRITE_BYTES], start + WRITE_BYTES >= len(data)
            if start:
                self.conn.send_continuation(piece, fin=fin)
            else:
                self.conn.send_text(piece, fin=fin)
            self.transport.write(b"".join(self.conn.data_to_send()))
            await asyncio.sleep(0)

    def _is_open(self) -> bool:
        return self.handshake_complete and not self.disconnected and self.conn.state is State.OPEN

    def _take(self, event: Frame) -> None:
        if self.curr_msg_data_type == "text":
            try:
                self._text.write(self._decoder.decode(event.data, event.fin))
            except UnicodeDecodeError:
                self.conn.send_close(1007)
                self.handle_parser_exception()
                return
        if not event.fin or self.close_sent:
            return
        if self.curr_msg_data_type == "text":
            self.queue.put_nowait({"type": "websocket.receive", "text": self._text.getvalue()})
            self._text = StringIO()
        else:
            self.queue.put_nowait({"type": "websocket.receive", "bytes": b""})
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()
