"""Two transports joined inside one process, for tests and for programs that talk to themselves."""

import asyncio
from collections import deque

from vivavoce.audio.frame import Pcm, silence
from vivavoce.errors import Fault, Never, TransportError
from vivavoce.transport.backlog import utf8_size
from vivavoce.transport.inbox import Inbox
from vivavoce.transport.interface import (
    Closed,
    ClosedBy,
    Deliver,
    Inbound,
    Link,
    Opened,
    Sound,
    SoundPath,
    Text,
    Traits,
)
from vivavoce.transport.playback import FRAME, Playback


def join(
    sound: SoundPath = SoundPath.MEDIA, *, largest_text: int | None = None
) -> "tuple[MemoryTransport, MemoryTransport]":
    """Both ends of a connection that is up already.

    Nothing in it waits for a clock: texts cross in the next turn of the event loop, sound when an end is told to
    `advance` or is served by a `Pacer`. The two ends may be run by any tasks of one event loop.
    """
    near, far = MemoryTransport(sound, largest_text), MemoryTransport(sound, largest_text)
    near.meet(far)
    far.meet(near)
    return near, far


class MemoryTransport:
    """One end of a joined pair; made by `join`."""

    def __init__(self, sound: SoundPath, largest_text: int | None = None) -> None:
        self._traits = Traits(sound, largest_text=largest_text)
        self._inbox = Inbox()
        self._inbox.put(Opened())
        self._playback = Playback()
        self._other: MemoryTransport | None = None
        self._crossing: deque[Inbound] = deque()
        self._sent_bytes = 0
        self._received_bytes = 0

    def meet(self, other: "MemoryTransport") -> None:
        """Join with the other end."""
        self._other = other

    # ── what a driver sees ──────────────────────────────────────────────────────────────────────────────

    @property
    def traits(self) -> Traits:
        """As given to `join`."""
        return self._traits

    async def run(self, deliver: Deliver) -> None:
        """See `Transport.run`."""
        try:
            await self._inbox.run(deliver)
        finally:
            self._part(None, Closed(ClosedBy.PEER))

    def send(self, text: str) -> None:
        """See `Transport.send`."""
        size = utf8_size(text)
        limit = self._traits.largest_text
        if limit is not None and size > limit:
            message = f"A message of {size} bytes; the peer accepts {limit}. Send less at once."
            raise TransportError(message, fault=Fault.OURS, next=Never())
        if self._other is not None:
            self._sent_bytes += size
            self._other.cross(Text(text), size)

    def play(self, samples: Pcm) -> None:
        """See `Transport.play`."""
        if self._traits.sound is SoundPath.TEXT:
            raise TransportError("Sound travels inside text here; send it as an event.", fault=Fault.OURS, next=Never())
        if self._other is not None:
            self._playback.push(samples)

    def played(self) -> int:
        """See `Transport.played`."""
        return self._playback.played

    def flush(self) -> int:
        """See `Transport.flush`."""
        return self._playback.flush()

    async def link(self) -> Link:
        """See `Transport.link`. There is no way that could be good or bad."""
        if self._other is None:
            return Link()
        return Link(bytes_sent=self._sent_bytes, bytes_received=self._received_bytes, path="memory")

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Transport.close`."""
        self._part(Closed(ClosedBy.US, code, reason), Closed(ClosedBy.PEER, code, reason))

    # ── what a test sees ────────────────────────────────────────────────────────────────────────────────

    @property
    def queued(self) -> int:
        """Samples given to `play` that have not left yet."""
        return self._playback.queued

    def advance(self, samples: int = FRAME) -> None:
        """Let so much time pass for what this end plays.

        Sound crosses, silence where nothing is queued (as over WebRTC, a listener's time has no gaps), and
        `Played` is delivered here where due.
        """
        if self._other is None or self._traits.sound is SoundPath.TEXT:
            return
        sound, note = self._playback.pull(samples)
        if note is not None:
            self.cross(note)
        self._other.cross(Sound(silence(samples) if sound is None else sound))

    def vanish(self) -> None:
        """Be gone without a word: the other end is told that the connection is lost, this one nothing but that."""
        self._part(Closed(ClosedBy.LOST, 1006), Closed(ClosedBy.LOST, 1006))

    # ── the pacer's side ────────────────────────────────────────────────────────────────────────────────

    def beat(self, beats: int, now: float) -> None:
        """20 ms each: see `Paced`."""
        self.advance(beats * FRAME)

    def broke(self, error: Exception) -> None:
        """See `Paced`."""
        self._part(Closed(ClosedBy.LOST, 1011), Closed(ClosedBy.LOST, 1011))

    # ── the other end's side ────────────────────────────────────────────────────────────────────────────

    def cross(self, inbound: Inbound, size: int = 0) -> None:
        """Arrive here in the loop's next turn, so that nobody is called from within what it called."""
        self._received_bytes += size
        if not self._crossing:
            asyncio.get_running_loop().call_soon(self._arrive)
        self._crossing.append(inbound)

    def _arrive(self) -> None:
        arrived = list(self._crossing)
        self._crossing.clear()
        for inbound in arrived:
            self._inbox.put(inbound)

    def _part(self, here: Closed | None, there: Closed) -> None:
        other = self._other
        if other is None:
            return
        self._other = None
        self._playback.flush()
        if here is not None:
            self.cross(here)
        other.left(there)

    def left(self, closed: Closed) -> None:
        """The other end has gone."""
        self._other = None
        self._playback.flush()
        self.cross(closed)
