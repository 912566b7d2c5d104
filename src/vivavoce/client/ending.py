"""What the end of a connection means: the call is over, or was lost, or never came about."""

from typing import Final

from vivavoce.client.greeting import refused
from vivavoce.client.state import Closed, Failed
from vivavoce.errors import Fault, Never, OtherTransport, RefusedError, TransportError, VivaError
from vivavoce.transport.interface import Closed as Gone
from vivavoce.transport.interface import ClosedBy, SoundPath
from vivavoce.wire.event import ErrorBody

CLEAN_CODES: Final = (1000, 1001, 1005)
"""Close codes with which a server ends a session as it should."""
BROKEN_CODES: Final = (1006, 1011, 1012, 1013, 1014, 1015)
"""Close codes of a server in trouble, which say nothing against the caller (RFC 6455 and IANA's registry)."""


def lost() -> TransportError:
    """The failure of a connection that nobody said goodbye on."""
    return TransportError("The connection was lost: the server has fallen silent. Call again.")


def meaning(gone: Gone) -> Closed | VivaError:
    """Of the end of a connection that stood: that the call is over, or the failure that ended it."""
    if gone.by is ClosedBy.LOST:
        return lost()
    if gone.by is ClosedBy.US and gone.code == 1013:
        # A network that takes nothing any more piles up what is sent.
        return TransportError(f"The connection was given up: {gone.reason}")
    if gone.code in CLEAN_CODES or gone.by is ClosedBy.US:
        return Closed(gone.by, gone.code, gone.reason)
    words = f"The server broke the call off with code {gone.code}{': ' + gone.reason if gone.reason else ''}."
    if gone.code in BROKEN_CODES:
        return TransportError(f"{words} Call again.", fault=Fault.PROVIDER)
    return RefusedError(words, code=str(gone.code))


def never_came(gone: Gone, sound: SoundPath, complaint: ErrorBody | None) -> VivaError:
    """Of the end of a connection whose session never was ready."""
    if complaint is not None:
        return refused(complaint)
    if sound is SoundPath.MEDIA and gone.by is ClosedBy.LOST:
        return no_way()
    reason = f" ({gone.code}: {gone.reason})" if gone.reason else ""
    return TransportError(f"The server ended the call before it had begun{reason}.")


def no_way() -> TransportError:
    """The server answered, but nothing gets through."""
    return TransportError(
        "The server agreed to the call, but no way for sound and data was found. Does a firewall block UDP? "
        "A WebSocket may work where WebRTC does not.",
        next=OtherTransport(),
    )


def over(state: object) -> VivaError:
    """Why nothing can be asked of a call in this state."""
    match state:
        case Failed(error):
            return error
        case Closed(by, code, reason):
            words = f" ({code}{': ' + reason if reason else ''})" if code != 1000 or reason else ""
            who = "We hung up" if by is ClosedBy.US else "The server ended the call"
            return TransportError(f"{who}{words}.", fault=Fault.CALLER, next=Never())
        case _:
            return TransportError("The call is not connected.", fault=Fault.CALLER, next=Never())
