"""One WebRTC call: its states, and what ends it."""

import asyncio
from asyncio import TaskGroup
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import webrtc
import wrtc
from webrtc.utils.loops import call_native

from vivavoce.audio.frame import Pcm
from vivavoce.errors import Fault, Never, TransportError
from vivavoce.transport.backlog import LIMIT_BYTES, utf8_size
from vivavoce.transport.inbox import Inbox
from vivavoce.transport.interface import (
    Closed,
    ClosedBy,
    Deliver,
    Link,
    Opened,
    Sound,
    SoundPath,
    Text,
    Traits,
)
from vivavoce.transport.pacer import Pacer
from vivavoce.transport.webrtc import reading
from vivavoce.transport.webrtc.engine import dismiss, native, voice_of
from vivavoce.transport.webrtc.events import Events
from vivavoce.transport.webrtc.gate import Gate
from vivavoce.transport.webrtc.media import Media
from vivavoce.transport.webrtc.repeater import Repeater
from vivavoce.transport.webrtc.sdp import Description
from vivavoce.transport.webrtc.settings import WebRtcSettings

LARGEST_TEXT: Final = 262_144
"""Bytes of one data-channel message that libwebrtc sends and accepts."""


@dataclass(frozen=True)
class _Connecting:
    until: float


@dataclass(frozen=True)
class _Open:
    pass


@dataclass(frozen=True)
class _Silent:
    """Was open; ICE has had no answer for a while."""

    until: float


@dataclass(frozen=True)
class _Closing:
    farewell: Closed


@dataclass(frozen=True)
class _Over:
    pass


_State = _Connecting | _Open | _Silent | _Closing | _Over


class WebRtcTransport:
    """One WebRTC call. Made by `WebRtcAnswerer` and `WebRtcOfferer`, never by itself."""

    def __init__(
        self,
        peer: webrtc.RTCPeerConnection,
        voice: wrtc.TrackGenerator,
        channel: webrtc.RTCDataChannel | None,
        pacer: Pacer,
        settings: WebRtcSettings,
        theirs: Description,
    ) -> None:
        self._peer = peer
        self._gate = Gate(voice_of(peer).sender)
        self._repeater = Repeater(peer, theirs, settings, self._gate)
        self._media = Media(voice, self._gate)
        self._events = Events()
        self._pacer = pacer
        self._settings = settings
        self._inbox = Inbox()
        self._gone = asyncio.Event()
        self._reads_text = theirs.has_text_path
        self._largest_text = LARGEST_TEXT if self._reads_text else None
        self._loop = asyncio.get_running_loop()
        self._state: _State = _Connecting(self._loop.time() + settings.connect_s)
        peer.on("connectionstatechange", self._on_connection)
        peer.on("datachannel", self._on_channel)
        if channel is not None:
            self._use(channel)
        pacer.add(self)

    # ── what a driver sees ──────────────────────────────────────────────────────────────────────────────

    @property
    def traits(self) -> Traits:
        """Sound travels as RTP; a message has a limit, set by the peer's SDP once the channel is open."""
        return Traits(SoundPath.MEDIA, largest_text=self._largest_text)

    async def run(self, deliver: Deliver) -> None:
        """See `Transport.run`."""
        broken: Exception | None = None
        try:
            async with TaskGroup() as tasks:
                tending = [tasks.create_task(each.tend()) for each in (self._gate, self._repeater)]
                try:
                    await self._inbox.run(deliver)
                except Exception as failure:  # the listener's own failure: raised below, outside the group
                    broken = failure
                for each in tending:
                    each.cancel()
        finally:
            self.release()
        if broken is not None:
            raise broken

    def send(self, text: str) -> None:
        """See `Transport.send`."""
        if isinstance(self._state, _Closing | _Over) or not self._reads_text:
            return
        size = utf8_size(text)
        if self._largest_text is not None and size > self._largest_text:
            raise TransportError(
                f"A message of {size} bytes; the peer accepts {self._largest_text}. Send less at once.",
                fault=Fault.OURS,
                next=Never(),
            )
        self._events.push(text, size)
        if self._events.overfull:
            # Not at once: `deliver` is never called from within `send`.
            self._loop.call_soon(self._end, Closed(ClosedBy.US, 1013, "The peer does not read what it is sent."))

    def play(self, samples: Pcm) -> None:
        """See `Transport.play`."""
        if not isinstance(self._state, _Closing | _Over):
            self._media.play(samples)

    def played(self) -> int:
        """See `Transport.played`."""
        return self._media.played()

    def flush(self) -> int:
        """See `Transport.flush`."""
        return self._media.flush()

    async def link(self) -> Link:
        """See `Transport.link`."""
        with suppress(webrtc.RTCException, TimeoutError, ValueError):
            async with asyncio.timeout(1.0):
                if not isinstance(self._state, _Over):
                    return reading.read(str(await call_native(native(self._peer).getStats)))
        return Link()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Transport.close`. The peer is not told code and reason: WebRTC has no words for them."""
        match self._state:
            case _Over():
                return
            case _Closing():
                await self._gone.wait()
                return
            case _Connecting() | _Open() | _Silent():
                pass
        farewell = Closed(ClosedBy.US, code, reason)
        self._state = _Closing(farewell)
        self._media.flush()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.close_s):
                    await self._take_leave()
        finally:
            self._end(farewell)

    # ── the pacer's side ────────────────────────────────────────────────────────────────────────────────

    def beat(self, beats: int, now: float) -> None:
        """20 ms of sound each way, and a look at the time."""
        match self._state:
            case _Connecting(until) if now >= until:
                self._end(Closed(ClosedBy.LOST, 1006, "No connection within the time limit."))
            case _Silent(until) if now >= until:
                self._end(Closed(ClosedBy.LOST, 1006, "The peer fell silent and did not come back."))
            case _Open() if self._inbox.passing:
                note = self._media.speak(beats)
                if note is not None:
                    self._inbox.put(note)
                self._listen()
            case _Silent():
                # Nothing is played: whether it would be heard is not known.
                self._listen()
            case _:
                pass

    def broke(self, error: Exception) -> None:
        """The sound of this call cannot go on."""
        self._end(Closed(ClosedBy.LOST, 1011, f"The sound of this call broke: {type(error).__name__}."))

    def _listen(self) -> None:
        if isinstance(self._state, _Over) or not self._inbox.passing:
            return
        for piece in self._media.hear():
            if len(piece):
                self._inbox.put(Sound(piece))

    # ── the engine's side ───────────────────────────────────────────────────────────────────────────────

    def _on_connection(self, _: webrtc.Event) -> None:
        match self._peer.connection_state, self._state:
            case webrtc.RTCPeerConnectionState.connected, _Silent():
                self._state = _Open()
            case webrtc.RTCPeerConnectionState.connected, _Connecting() | _Open():
                self._on_connected()
            case webrtc.RTCPeerConnectionState.disconnected, _Open():
                self._state = _Silent(self._loop.time() + self._settings.grace_s)
            case webrtc.RTCPeerConnectionState.failed, _:
                self._end(Closed(ClosedBy.LOST, 1006, "No way to the peer is left, or its certificate is another."))
            case _:
                pass

    def _on_connected(self) -> None:
        receiver = voice_of(self._peer).receiver
        self._media.listen(native(receiver.track))
        if receiver.transport is not None:
            # The peer's DTLS goodbye; the only quick sign of a hang-up from a caller without a data channel.
            receiver.transport.on("statechange", self._on_encryption)
        if not self._reads_text:
            self._open()

    def _on_encryption(self, _: webrtc.Event) -> None:
        transport = voice_of(self._peer).receiver.transport
        if transport is not None and transport.state == webrtc.RTCDtlsTransportState.closed:
            self._on_goodbye()

    def _on_channel(self, event: webrtc.RTCDataChannelEvent) -> None:
        # The first is the event channel, whatever its label; OpenAI's guide makes just one.
        if self._events.channel is None and self._reads_text:
            self._use(event.channel)

    def _use(self, channel: webrtc.RTCDataChannel) -> None:
        self._events.take(channel)
        channel.on("open", lambda _: self._open())
        channel.on("message", self._on_message)
        channel.on("close", lambda _: self._on_goodbye())

    def _open(self) -> None:
        if not isinstance(self._state, _Connecting):
            return
        self._state = _Open()
        if self._reads_text and self._peer.sctp is not None:
            self._largest_text = min(LARGEST_TEXT, int(self._peer.sctp.max_message_size or LARGEST_TEXT))
        self._inbox.put(Opened())
        self._events.drain()

    def _on_message(self, event: webrtc.MessageEvent) -> None:
        match self._state, event.data:
            case ((_Closing() | _Over()), _):
                pass
            case _, str() as text:
                self._inbox.put(Text(text))
                if self._inbox.kept_characters > LIMIT_BYTES:
                    self._end(Closed(ClosedBy.US, 1013, "More text arrived than is kept for a call not yet running."))
            case _:
                self._end(Closed(ClosedBy.US, 1003, "A binary message; events are JSON as text."))

    def _on_goodbye(self) -> None:
        match self._state:
            case _Closing(farewell):
                self._end(farewell)
            case _:
                self._end(Closed(ClosedBy.PEER))

    # ── the end ─────────────────────────────────────────────────────────────────────────────────────────

    async def _take_leave(self) -> None:
        """Have all text sent, and the peer told so by a closed channel."""
        channel = self._events.channel
        if channel is not None and channel.ready_state == "open":
            await self._events.sent()
            channel.close()
            await self._gone.wait()

    def _end(self, closed: Closed) -> None:
        if not isinstance(self._state, _Over):
            self.release()
            self._inbox.put(closed)

    def release(self) -> None:
        """Free everything native, now. Idempotent."""
        if isinstance(self._state, _Over):
            return
        self._state = _Over()
        self._pacer.remove(self)
        self._events.close()
        self._media.close()
        dismiss(self._peer)
        self._gone.set()
