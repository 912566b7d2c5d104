"""What a call gives to a program that reads at its own pace, within bounds.

Events must not be lost unnoticed, so a reader that falls behind is told. Old sound is of no use to anybody, and a
caption is only of interest as it is now.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator
from typing import Final, Generic, TypeVar

from vivavoce.audio.frame import RATE_HZ, Pcm
from vivavoce.errors import Fault, Never, Retry, TransportError, VivaError
from vivavoce.session.caption import Caption

T = TypeVar("T")

EVENTS: Final = 2048
"""Events that wait for a reader."""
EVENT_BYTES: Final = 32 * 2**20
"""Their size together."""
SOUND_S: Final = 10
"""Seconds of sound that wait for a listener."""


class Bell:
    """Wakes whoever waits, and knows how it ended."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._over = asyncio.Event()
        self.error: VivaError | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self._over.is_set()

    def ring(self) -> None:
        """There is something."""
        self._event.set()

    def close(self, error: VivaError | None) -> None:
        """There will be nothing more: the call has ended, or failed with this."""
        if not self.over:
            self.error = error
            self._over.set()
            self._event.set()

    async def wait(self) -> None:
        """Return when there is something, or will be nothing more."""
        await self._event.wait()
        if not self.over:
            self._event.clear()


class Feed(Generic[T]):
    """A bounded queue for one reader at a time. When it is full the oldest goes, and the reader is told."""

    def __init__(self, limit: int = EVENTS, limit_bytes: int = EVENT_BYTES) -> None:
        self._bell = Bell()
        self._waiting: deque[tuple[T, int]] = deque()
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._bytes = 0
        self._lost = 0

    def put(self, item: T, size: int) -> None:
        """Add one of so many bytes."""
        self._waiting.append((item, size))
        self._bytes += size
        while len(self._waiting) > self._limit or (self._bytes > self._limit_bytes and len(self._waiting) > 1):
            self._bytes -= self._waiting.popleft()[1]
            self._lost += 1
        self._bell.ring()

    def close(self, error: VivaError | None) -> None:
        """Nothing more will come."""
        self._bell.close(error)

    async def get(self) -> T:
        """The next one.

        Raises:
            VivaError: some were lost because nobody read them in time (the next call goes on with the oldest that
                is left), or the call has failed.
            TransportError: the call has ended; nothing is left.
        """
        while True:
            if self._lost:
                lost, self._lost = self._lost, 0
                raise VivaError(
                    f"{lost} events were dropped because nobody read them: at most {self._limit} wait. Read events "
                    "in a task of their own, or ask for captions and sound only.",
                    fault=Fault.CALLER,
                    next=Retry(),
                )
            if self._waiting:
                item, size = self._waiting.popleft()
                self._bytes -= size
                return item
            if self._bell.over:
                raise self._bell.error or TransportError("The call has ended.", fault=Fault.CALLER, next=Never())
            await self._bell.wait()

    async def __aiter__(self) -> AsyncGenerator[T, None]:
        """All of them; ends with the call.

        Raises:
            VivaError: as `get`.
        """
        while True:
            try:
                item = await self.get()
            except TransportError:
                if self._bell.error is None and not self._waiting:
                    return
                raise
            yield item


class SoundFeed:
    """Sound for one listener; the oldest goes when more than `SOUND_S` seconds wait."""

    def __init__(self) -> None:
        self._bell = Bell()
        self._waiting: deque[Pcm] = deque()
        self._samples = 0

    def put(self, samples: Pcm) -> None:
        """More of it."""
        self._waiting.append(samples)
        self._samples += len(samples)
        while self._samples > SOUND_S * RATE_HZ and len(self._waiting) > 1:
            self._samples -= len(self._waiting.popleft())
        self._bell.ring()

    def close(self, error: VivaError | None) -> None:
        """There will be no more."""
        self._bell.close(error)

    async def __aiter__(self) -> AsyncGenerator[Pcm, None]:
        """Sound as it comes; ends with the call.

        Raises:
            VivaError: the call has failed.
        """
        while True:
            while self._waiting:
                samples = self._waiting.popleft()
                self._samples -= len(samples)
                yield samples
            if self._bell.over:
                if self._bell.error is not None:
                    raise self._bell.error
                return
            await self._bell.wait()


class CaptionFeed:
    """Captions for one reader: of each item the newest form, in the order of their changes."""

    def __init__(self) -> None:
        self._bell = Bell()
        self._waiting: OrderedDict[str, Caption] = OrderedDict()

    def put(self, caption: Caption) -> None:
        """A caption is new or has changed."""
        self._waiting[caption.item_id] = caption
        self._bell.ring()

    def close(self, error: VivaError | None) -> None:
        """There will be no more."""
        self._bell.close(error)

    async def __aiter__(self) -> AsyncGenerator[Caption, None]:
        """Changes as they come; ends with the call.

        Raises:
            VivaError: the call has failed.
        """
        while True:
            while self._waiting:
                yield self._waiting.popitem(last=False)[1]
            if self._bell.over:
                if self._bell.error is not None:
                    raise self._bell.error
                return
            await self._bell.wait()
