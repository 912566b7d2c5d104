"""Messages that were sent lately, in case they did not arrive. Pure."""

import re
from collections import deque
from typing import Final

import msgspec

_OVERHEAD_BYTES: Final = 64
"""Counted for each message beside its text, so that a flood of short ones is bounded, too."""
_LONG: Final = 32 * 1024
"""Characters of a message that is not read to its end for its label: 5 ms for as many, if they are hostile."""
_EARLY: Final = re.compile(r'\s*\{\s*(?:"type"\s*:\s*"[^"\\]*"\s*,\s*)?"event_id"\s*:\s*"([^"\\]{1,512})"')


class Ring:
    """The latest messages up to a number of bytes, found again by their labels.

    `limit_bytes` may be raised at any time.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._kept: deque[tuple[str, int, str | None]] = deque()
        self._first = 0
        """The number of the oldest that is kept; they are counted from the beginning."""
        self._bytes = 0
        self._numbers: dict[str, int] = {}
        self._before_first: str | None = None

    @property
    def end(self) -> int:
        """How many there have been."""
        return self._first + len(self._kept)

    def push(self, text: str, size: int, label: str | None) -> None:
        """One more message, of `size` bytes; the oldest are forgotten for it."""
        if label is not None:
            self._numbers[label] = self.end
        self._kept.append((text, size + _OVERHEAD_BYTES, label))
        self._bytes += size + _OVERHEAD_BYTES
        while self._bytes > self.limit_bytes and self._kept:
            self._forget()

    def place(self, label: str | None) -> int | None:
        """Whence to go on for whoever got everything up to this label, or nothing (None).

        Returns:
            A number for `since`; None where something behind the label has been forgotten, or the label never was.
        """
        place = 0 if label is None else self._numbers.get(label, -2) + 1
        return place if place >= self._first else None

    def since(self, place: int) -> list[str] | None:
        """Everything from a place on; None where some of it has been forgotten meanwhile."""
        if place < self._first:
            return None
        return [text for text, _, _ in list(self._kept)[place - self._first :]]

    def _forget(self) -> None:
        _, size, label = self._kept.popleft()
        self._bytes -= size
        if self._before_first is not None:
            # Its own label stays for as long as nothing behind it is gone.
            self._numbers.pop(self._before_first, None)
        self._before_first = label
        self._first += 1


class _Labelled(msgspec.Struct):
    event_id: str | None = None


_LABELLED: Final = msgspec.json.Decoder(_Labelled)


def label_of(text: str) -> str | None:
    """The `event_id` of a message. In a long one it is found only before what makes it long."""
    if len(text) > _LONG:
        found = _EARLY.match(text)
        return found[1] if found else None
    try:
        return _LABELLED.decode(text).event_id
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
