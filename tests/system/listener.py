"""Reads what a server sends to somebody who uses the `openai` package, and holds every event to the package's types."""

import asyncio
from base64 import b64decode, b64encode
from typing import Final, TypeVar

import numpy as np
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import RealtimeServerEvent, ResponseAudioDeltaEvent

from tests.strict import Reader
from vivavoce.audio.frame import Pcm, from_bytes, sample_count, to_bytes

PATIENCE_S: Final = 20.0
CHUNK: Final = sample_count(100)

Event = TypeVar("Event")


class Listener:
    """One connection of the package. `events` holds what has come so far, as the package's own objects."""

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self.connection = connection
        self.reader = Reader()
        self.events = self.reader.events

    @property
    def types(self) -> list[str]:
        """The types of the events so far; a run of the same delta counts once."""
        types = [event.type for event in self.events]
        return [each for each, before in zip(types, ["", *types], strict=False) if each != before]

    async def next(self) -> RealtimeServerEvent:
        """The next event."""
        async with asyncio.timeout(PATIENCE_S):
            raw = await self.connection.recv_bytes()
        event = self.reader.read(raw)
        # What a program gets that uses the package as everybody does.
        assert self.connection.parse_event(raw) == event
        return event

    async def until(self, kind: type[Event]) -> Event:
        """The next event of a kind."""
        while True:
            event = await self.next()
            if isinstance(event, kind):
                return event

    async def until_closed(self) -> None:
        """Read until the connection ends.

        Raises:
            ConnectionClosed: that is how the package tells.
        """
        while True:
            await self.next()

    def last(self, kind: type[Event]) -> Event:
        """The last event of a kind among those that have come."""
        return next(event for event in reversed(self.events) if isinstance(event, kind))

    def all(self, kind: type[Event]) -> list[Event]:
        """The events of a kind among those that have come."""
        return [event for event in self.events if isinstance(event, kind)]

    async def say(self, samples: Pcm) -> None:
        """Append sound as an application does that reads a microphone: in pieces of 100 ms."""
        for start in range(0, len(samples), CHUNK):
            piece = to_bytes(samples[start : start + CHUNK])
            await self.connection.input_audio_buffer.append(audio=b64encode(piece).decode("ascii"))

    async def ask(self, words: str) -> None:
        """Put a written question into the conversation."""
        await self.connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}
        )

    def sound(self) -> Pcm:
        """The assistant's sound so far."""
        pieces = [b64decode(event.delta) for event in self.all(ResponseAudioDeltaEvent)]
        return from_bytes(b"".join(pieces)) if pieces else np.zeros(0, np.int16)
