"""How a client sees that a call is alive, or why it ends: an extension of this server (`docs/reference/resumption.md`).

Its events are no part of the protocol's unions: they are answered at the edge of a connection, and no machine ever
sees them. A server without the extension never gives `HEARTBEAT`, and must then be sent none of this.
"""

from typing import Final, TypeVar

import msgspec

from vivavoce.wire.event import ClientBase, ServerBase

HEARTBEAT: Final = "Viva-Heartbeat"
"""Header of a server that answers `connection.ping`; its value is `ping`."""

_LONGEST: Final = 1024
"""Characters: an `event_id` has 512 at most."""


class ConnectionPing(ClientBase, frozen=True, kw_only=True, tag="connection.ping"):
    """Asks the other end for a sign of life. Sent only to a server that gave `HEARTBEAT`."""


class ConnectionPong(ServerBase, frozen=True, kw_only=True, tag="connection.pong"):
    """Answers a `connection.ping`, also while the model talks; `ping_event_id` is null where the ping had no id."""

    ping_event_id: str | None = None


class ConnectionClosing(ServerBase, frozen=True, kw_only=True, tag="connection.closing"):
    """The last event over WebRTC, which has no close frame: `code` and `reason` are those that a WebSocket would carry.

    Sent only to a client that has sent a ping.
    """

    code: int
    reason: str = ""


Heartbeat = TypeVar("Heartbeat", ConnectionPing, ConnectionPong, ConnectionClosing)
_PING: Final = msgspec.json.Decoder(ConnectionPing)
_PONG: Final = msgspec.json.Decoder(ConnectionPong)
_CLOSING: Final = msgspec.json.Decoder(ConnectionClosing)


def decode_ping(text: str) -> ConnectionPing | None:
    """A client's message if it is a ping; costs next to nothing if it is not."""
    return _decode(_PING, '"connection.ping"', text)


def decode_pong(text: str) -> ConnectionPong | None:
    """A server's message if it is a pong."""
    return _decode(_PONG, '"connection.pong"', text)


def decode_closing(text: str) -> ConnectionClosing | None:
    """A server's message if it is its last one."""
    return _decode(_CLOSING, '"connection.closing"', text)


def _decode(decoder: "msgspec.json.Decoder[Heartbeat]", name: str, text: str) -> Heartbeat | None:
    if len(text) > _LONGEST or name not in text:
        return None
    try:
        return decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError):
        return None  # of another type, with these words in it, or ill-formed: whoever reads the rest says so
