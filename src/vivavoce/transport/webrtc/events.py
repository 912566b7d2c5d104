"""Text of a call, by a data channel."""

import asyncio
from typing import Final

import webrtc

from vivavoce.transport.backlog import Backlog

_AHEAD_BYTES: Final = 2**20  # what the engine's own queue may hold; the rest waits with us, where it is counted
_LOW_BYTES: Final = 2**18


class Events:
    """The event channel and what waits for it. Knows nothing of who listens."""

    def __init__(self) -> None:
        self._channel: webrtc.RTCDataChannel | None = None
        self._backlog = Backlog()
        self._empty = asyncio.Event()

    @property
    def channel(self) -> webrtc.RTCDataChannel | None:
        """The channel, once there is one."""
        return self._channel

    @property
    def overfull(self) -> bool:
        """Whether the peer has stopped reading."""
        return self._backlog.overfull

    def take(self, channel: webrtc.RTCDataChannel) -> None:
        """Use this channel from now on."""
        self._channel = channel
        channel.buffered_amount_low_threshold = _LOW_BYTES
        channel.on("bufferedamountlow", lambda _: self.drain())

    def push(self, text: str, size: int) -> None:
        """Send one text, or keep it until it can be sent."""
        self._backlog.push(text, size)
        self.drain()

    def drain(self) -> None:
        """Send what can be sent now."""
        channel = self._channel
        if channel is None or channel.ready_state != "open":
            return
        while (text := self._backlog.peek()) is not None and channel.buffered_amount < _AHEAD_BYTES:
            try:
                channel.send(text)
            except webrtc.OperationError:
                return  # its queue is full after all; `bufferedamountlow` will come
            except webrtc.InvalidStateError:
                return  # closed in between; its event is on the way
            self._backlog.pop()
        if not len(self._backlog):
            self._empty.set()

    async def sent(self) -> None:
        """Wait until everything is in the engine's hands."""
        while len(self._backlog):
            self._empty.clear()
            await self._empty.wait()

    def close(self) -> None:
        """Drop what waits and let go of the channel."""
        self._backlog.clear()
        self._empty.set()
        if self._channel is not None:
            self._channel.off()
