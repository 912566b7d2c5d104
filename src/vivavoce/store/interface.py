"""What a store promises.

A store holds small facts that every process of a service must see alike: hashed client secrets, quota
counters, notices, an audit trail. It knows nothing of what the bytes mean. No sound and no transcript goes
through it, and nothing stays for ever: every key has an end and every log a length.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol, Self


class Store(Protocol):
    """Small shared facts. Every operation is atomic, also between processes.

    Keys, channels and logs are three name spaces; names are any text. Every method may raise `StoreError`
    when the store cannot be reached or is full; a caller that can go on without the fact should.
    """

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    async def put_if_absent(self, key: str, value: bytes, ttl_s: float) -> bool:
        """Keep `value` for `ttl_s` seconds unless the key is there already; say whether it was kept."""
        ...

    async def get(self, key: str) -> bytes | None:
        """The value, or None when it never was, was deleted or has run out."""
        ...

    async def delete(self, key: str) -> bool:
        """Remove a key; True for exactly one of several who try at once."""
        ...

    async def expire(self, key: str, ttl_s: float) -> bool:
        """Let a key end in `ttl_s` seconds from now instead; False when there is none."""
        ...

    async def increment(self, key: str, by: int, ttl_s: float) -> int:
        """Add to a counter and return the sum.

        The first call makes the counter, from 0, and sets its end; later ones leave the end alone, so a
        counter is a window of time. `get` reads it as decimal digits.

        Raises:
            StoreError: the key holds something that is not a counter.
        """
        ...

    async def publish(self, channel: str, message: bytes) -> None:
        """Tell everybody who is subscribed at this moment; nobody else ever hears of it."""
        ...

    def subscribe(self, channel: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Messages published while the context is open, in order.

        Whoever falls too far behind to be served in order gets `StoreError` from the iterator, never a
        silent gap.
        """
        ...

    async def append(self, log: str, entry: bytes, keep: int) -> None:
        """Add to the end of a log of which the newest `keep` (at least 1) entries stay."""
        ...

    async def tail(self, log: str, count: int) -> list[bytes]:
        """The newest `count` entries, oldest first."""
        ...
