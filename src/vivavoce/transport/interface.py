"""What a transport promises to a driver.

A transport knows nothing of events, turns or engines. It delivers whatever arrives to one callable, in
order, and says how much of what it was given to play has really been played.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from vivavoce.audio.frame import Pcm


class SoundPath(Enum):
    """How sound travels."""

    MEDIA = "media"  # as RTP beside the text; the transport paces what it plays
    TEXT = "text"  # inside events; the transport carries only text


@dataclass(frozen=True)
class Traits:
    """What differs between transports and matters to those who use them.

    `largest_text` is in bytes of UTF-8: what the other side accepts as one message, None where nothing is known
    to be too large. It may become smaller when the connection opens, not afterwards.
    """

    sound: SoundPath
    largest_text: int | None = None


@dataclass(frozen=True)
class Opened:
    """The connection is up. Delivered once and first.

    Text can be sent now: the data channel or socket is open. A caller who offered no data channel at all is
    told of as soon as sound can travel; what is sent to such a caller is dropped.
    """


@dataclass(frozen=True)
class Text:
    """One whole message."""

    text: str


@dataclass(frozen=True)
class Sound:
    """Samples that arrived, int16 mono at `audio.frame.RATE_HZ`, in order, without gaps in time.

    About 20 ms each; after a stall of this process several follow one another, so that nothing is lost.
    """

    samples: Pcm


@dataclass(frozen=True)
class Played:
    """How many samples have left since the start, in all.

    Delivered when playing starts after silence (`flush` makes silence, too), and when the queue has run dry.
    Ask `Transport.played` for the figure in between.
    """

    samples: int


SERVICE_RESTART: Final = 1012
"""Close code of a server that is stopped: whoever was there may come back, to its successor."""


class ClosedBy(Enum):
    """Who ended a connection."""

    US = "us"  # `close`, or a limit of ours that the peer overstepped: see the code
    PEER = "peer"
    LOST = "lost"  # never came up, or the peer fell silent


@dataclass(frozen=True)
class Closed:
    """The last delivery.

    `code` is one of RFC 6455, section 7.4.1, over every transport: 1000 for a proper end, 1006 where nobody said
    goodbye, 1008 and above where a limit was overstepped. What the peer said is passed on where the transport
    carries it (WebSocket does, WebRTC does not); `reason` is for people.
    """

    by: ClosedBy
    code: int = 1000
    reason: str = ""


Inbound = Opened | Text | Sound | Played | Closed
Deliver = Callable[[Inbound], "asyncio.Future[None] | None"]
"""Takes one thing that has arrived. A future says that this one is much: a transport that can hold its peer back reads
nothing more until it is done."""


@dataclass(frozen=True)
class Link:
    """A reading of the connection's quality; None where this transport cannot know.

    `checks_answered` counts the peer's answers to checks of the path in use (STUN), which go on while nobody talks.
    Until the first path is found it counts whatever came of the peer's ICE: with 0, not one packet gets through.
    `buffer_ms` is how long sound has waited to be played, on average so far, so that late packets could come.
    """

    round_trip_ms: float | None = None
    jitter_ms: float | None = None
    packets_received: int | None = None
    packets_lost: int | None = None
    bytes_sent: int | None = None
    bytes_received: int | None = None
    checks_answered: int | None = None
    concealed_ratio: float | None = None
    path: str | None = None
    buffer_ms: float | None = None


class Transport(Protocol):
    """One connection. Used from one event loop; every method but the coroutines returns at once."""

    @property
    def traits(self) -> Traits:
        """What this transport can do."""
        ...

    async def run(self, deliver: Deliver) -> None:
        """Deliver everything that arrives, `Closed` last; return then. To be called once.

        What arrives before `run` is kept for it (text up to a limit, sound as far as the engine keeps it: two
        seconds over WebRTC). `deliver` is called on the event loop, never from within `send`, `play` or `flush`.
        An exception from it ends the connection and is raised here. Cancelling closes the transport at once,
        without waiting for queued text; nothing is delivered then.
        """
        ...

    def send(self, text: str) -> None:
        """Queue one message. Silently dropped once the connection is closed: `Closed` tells.

        A peer that does not read what it is sent is disconnected when too much has piled up (code 1013).

        Raises:
            TransportError: longer than `Traits.largest_text`; nothing was sent and the connection goes on.
        """
        ...

    def play(self, samples: Pcm) -> None:
        """Queue samples for the listener, int16 mono at `RATE_HZ`; played on the transport's 20 ms clock.

        The array is kept, not copied: do not write to it afterwards. Dropped once the connection is closed.

        Raises:
            TransportError: sound does not travel beside text here (`SoundPath.TEXT`).
        """
        ...

    def played(self) -> int:
        """Samples that have left since the start. 0 for ever where sound travels as text."""
        ...

    def flush(self) -> int:
        """Drop what has not been played yet and return `played()` as of that moment."""
        ...

    async def link(self) -> Link:
        """A fresh reading; costs up to a millisecond, so ask about once a second. All None once closed."""
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection, having sent what was queued as text (within a bound of seconds). Idempotent."""
        ...


class Answering(Protocol):
    """The side of a WebRTC call that is given an offer."""

    async def answer(self, offer: str) -> tuple[Transport, str]:
        """The transport and the SDP answer (CRLF line ends, final newline kept).

        The transport ends itself (`Closed`, `LOST`) if the caller does not connect within a bound.

        Raises:
            OfferError: no audio section, not SDP, or not usable; nothing is left behind.
            TransportError: no answer could be made although the offer is good (no port free, engine hangs).
        """
        ...


class Offering(Protocol):
    """The side of a WebRTC call that makes the offer. One use per call."""

    async def offer(self) -> str:
        """An SDP offer with one audio section, a data channel and all candidates gathered."""
        ...

    async def accept(self, answer: str) -> Transport:
        """The transport, still connecting; `Opened` is delivered when text can be sent.

        Raises:
            OfferError: the answer cannot be used; nothing is left behind.
        """
        ...

    async def abandon(self) -> None:
        """Release everything when no answer will come."""
        ...
