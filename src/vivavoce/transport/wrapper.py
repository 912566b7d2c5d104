"""A transport around another, for those that change a part of what it does."""

from vivavoce.audio.frame import Pcm
from vivavoce.transport.interface import Deliver, Link, Traits, Transport


class Wrapper:
    """See `Transport`. Everything goes through as it is; subclasses say what does not."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    @property
    def traits(self) -> Traits:
        """Those of the inner one."""
        return self._inner.traits

    async def run(self, deliver: Deliver) -> None:
        """See `Transport.run`."""
        await self._inner.run(deliver)

    def send(self, text: str) -> None:
        """See `Transport.send`."""
        self._inner.send(text)

    def play(self, samples: Pcm) -> None:
        """See `Transport.play`."""
        self._inner.play(samples)

    def played(self) -> int:
        """See `Transport.played`."""
        return self._inner.played()

    def flush(self) -> int:
        """See `Transport.flush`."""
        return self._inner.flush()

    async def link(self) -> Link:
        """See `Transport.link`."""
        return await self._inner.link()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Transport.close`."""
        await self._inner.close(code, reason)
