"""When a call's encoder works."""

import asyncio
from contextlib import suppress
from enum import Enum

import webrtc


class _Side(Enum):
    OPEN = "open"
    SHUT = "shut"


class Gate:
    """Lets a call's sound out, or rests its encoder.

    Merely writing nothing would rest it, too, but the engine counts RTP time by what is written: after a pause of
    less than two seconds the listener's jitter buffer takes the next word for one that was late by the whole pause,
    and from then on plays everything that much later (measured with libwebrtc: half a second after the third pause
    of one second). An encoding that is made inactive and active again has its RTP time moved on by the pause.

    Attributes:
        turning: held by whoever changes how the sender sends.
    """

    def __init__(self, sender: webrtc.RTCRtpSender) -> None:
        self._sender = sender
        self._now = self._wanted = _Side.OPEN
        self._changed = asyncio.Event()
        self.turning = asyncio.Lock()

    @property
    def is_open(self) -> bool:
        """Whether sound that is written now is sent."""
        return self._now is self._wanted is _Side.OPEN

    def open(self) -> None:
        """Have it opened; takes the engine a millisecond or two."""
        self._want(_Side.OPEN)

    def shut(self) -> None:
        """Have it shut."""
        self._want(_Side.SHUT)

    async def tend(self) -> None:
        """Carry out the wishes, for as long as the call lasts."""
        with suppress(webrtc.RTCException):  # the connection was closed meanwhile
            while True:
                await self._changed.wait()
                self._changed.clear()
                while self._now is not self._wanted:
                    await self._turn(self._wanted)

    async def _turn(self, side: _Side) -> None:
        async with self.turning:
            parameters = self._sender.get_parameters()
            for encoding in parameters.encodings:
                encoding.active = side is _Side.OPEN
            await self._sender.set_parameters(parameters)
        self._now = side

    def _want(self, side: _Side) -> None:
        if self._wanted is not side:
            self._wanted = side
            self._changed.set()
