"""Texts that wait for a slow reader."""

from collections import deque
from typing import Final

LIMIT_BYTES: Final = 16 * 2**20
"""What may wait for one peer. A whole conversation's events fit; beyond it the peer has stopped reading."""


class Backlog:
    """A queue of texts with a bound on their bytes together. Knows nothing of who reads it."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._texts: deque[tuple[str, int]] = deque()
        self._limit = limit_bytes
        self._bytes = 0

    def __len__(self) -> int:
        """How many texts wait."""
        return len(self._texts)

    @property
    def waiting_bytes(self) -> int:
        """Their bytes in UTF-8."""
        return self._bytes

    @property
    def overfull(self) -> bool:
        """Whether more waits than may. The texts are kept all the same; it is for the owner to give up."""
        return self._bytes > self._limit

    def push(self, text: str, size: int) -> None:
        """Add a text of `size` bytes at the end."""
        self._texts.append((text, size))
        self._bytes += size

    def peek(self) -> str | None:
        """The text that has waited longest, left where it is."""
        return self._texts[0][0] if self._texts else None

    def pop(self) -> str | None:
        """The text that has waited longest."""
        if not self._texts:
            return None
        text, size = self._texts.popleft()
        self._bytes -= size
        return text

    def clear(self) -> None:
        """Forget them all."""
        self._texts.clear()
        self._bytes = 0


def utf8_size(text: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
