"""What travels when a call is kept alive and comes back: an extension of this server, `docs/reference/resumption.md`.

Its two events are no part of the protocol's unions: they are answered at the edge of a connection, and no machine ever
sees them. A server without the extension gives neither `HEARTBEAT` nor `RESUME`, and must then be sent none of this.
"""

import re
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from vivavoce.wire.event import ClientBase, ServerBase

HEARTBEAT: Final = "Viva-Heartbeat"
"""Header of a server that answers `connection.ping`; its value is `ping`."""
RESUME: Final = "Viva-Resume"
"""Header, both ways: the token that brings a call back; from the server with `max-age`."""
LAST_EVENT_ID: Final = "Last-Event-ID"
"""Header of a client that comes back: the last server event that it received. Absent: none was."""
LAST_EVENT: Final = "Viva-Last-Event"
"""Header of a server that takes a call back: the last client event with an `event_id` that it has read."""
SILENT_MS: Final = "Viva-Silent-Ms"
"""Header of a client that comes back over WebRTC: for how many milliseconds it has heard nothing."""
RESUME_PROTOCOL: Final = "viva-resume."
"""`RESUME` as a subprotocol, for browsers, which cannot set headers on a WebSocket."""
LAST_EVENT_PROTOCOL: Final = "viva-last-event."
"""`LAST_EVENT_ID` as a subprotocol."""

_LONGEST_HEARTBEAT: Final = 1024
"""Characters: an `event_id` has 512 at most."""
_TICKET: Final = re.compile(r"([!-+\--:<-~]+)\s*;\s*max-age=(\d{1,9})", re.ASCII | re.IGNORECASE)


class ConnectionPing(ClientBase, frozen=True, kw_only=True, tag="connection.ping"):
    """Asks the other end for a sign of life. Sent only to a server that gave `HEARTBEAT`."""


class ConnectionPong(ServerBase, frozen=True, kw_only=True, tag="connection.pong"):
    """Answers a `connection.ping`, also while the model talks; `ping_event_id` is null where the ping had no id."""

    ping_event_id: str | None = None


@dataclass(frozen=True)
class Ticket:
    """What a call can be brought back with, once, until `max_age_s` after it lost its connection."""

    token: str
    max_age_s: int


def read_ticket(value: str) -> Ticket | None:
    """A server's `Viva-Resume`; None where it is not `TOKEN; max-age=SECONDS`."""
    match = _TICKET.fullmatch(value.strip())
    return None if match is None else Ticket(match[1], int(match[2]))


Heartbeat = TypeVar("Heartbeat", ConnectionPing, ConnectionPong)
_PING: Final = msgspec.json.Decoder(ConnectionPing)
_PONG: Final = msgspec.json.Decoder(ConnectionPong)


def decode_ping(text: str) -> ConnectionPing | None:
    """A client's message if it is a ping; costs next to nothing if it is not."""
    return _decode(_PING, '"connection.ping"', text)


def decode_pong(text: str) -> ConnectionPong | None:
    """A server's message if it is a pong."""
    return _decode(_PONG, '"connection.pong"', text)


def _decode(decoder: "msgspec.json.Decoder[Heartbeat]", name: str, text: str) -> Heartbeat | None:
    if len(text) > _LONGEST_HEARTBEAT or name not in text:
        return None
    try:
        return decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError):
        return None  # of another type, with these words in it, or ill-formed: whoever reads the rest says so
