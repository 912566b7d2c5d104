"""What travels when a call comes back to its session: an extension of this server, `docs/reference/resumption.md`.

A server without the extension never gives `RESUME`, and must then be sent none of this.
"""

import re
from dataclasses import dataclass
from typing import Final

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

_TICKET: Final = re.compile(r"([!-+\--:<-~]+)\s*;\s*max-age=(\d{1,9})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Ticket:
    """What a call can be brought back with, once, until `max_age_s` after it lost its connection."""

    token: str
    max_age_s: int


def read_ticket(value: str) -> Ticket | None:
    """A server's `Viva-Resume`; None where it is not `TOKEN; max-age=SECONDS`."""
    match = _TICKET.fullmatch(value.strip())
    return None if match is None else Ticket(match[1], int(match[2]))
