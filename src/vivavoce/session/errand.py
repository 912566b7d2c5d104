"""The closed list of what a `Peer` may ask of its driver. Errands are run in order."""

from dataclasses import dataclass

from vivavoce.audio.frame import Pcm
from vivavoce.session.caption import Caption
from vivavoce.wire.event import ClientEvent


@dataclass(frozen=True, slots=True)
class Send:
    """One event for the server."""

    event: ClientEvent


@dataclass(frozen=True, slots=True)
class Play:
    """Samples for the listener, after those before them. Only where sound travels in events."""

    samples: Pcm


@dataclass(frozen=True, slots=True)
class Flush:
    """The player drops what it has not played; what it has played was counted before."""


@dataclass(frozen=True, slots=True)
class Show:
    """A caption is new or has changed."""

    caption: Caption


@dataclass(frozen=True, slots=True)
class CallTool:
    """Run a function, then tell `Peer.returned`. `arguments` is the model's JSON text, which may be broken."""

    call_id: str
    name: str
    arguments: str


Errand = Send | Play | Flush | Show | CallTool
