"""Long frames of a WebSocket cut into fragments while they arrive (RFC 6455, sections 5.2 and 5.4). Pure.

A parser that waits for a whole frame has it all to unmask and to copy when the last byte is there: for one of 20 MiB
about 30 ms in a process that has not touched as much memory before. Of a message in fragments it does a little whenever
a little has come.
"""

from typing import Final

FRAGMENT_BYTES: Final = 2**16
"""A multiple of four, so that the mask of the whole frame fits each of its fragments."""

_FIN: Final = 0x80
_MASKED: Final = 0x80
_LENGTH: Final = 0x7F
_MASK_BYTES: Final = 4
_CONTINUATION: Final = 0
_LAST_DATA: Final = 2
"""Opcodes up to this one carry data; control frames may not be cut, and are short."""


class Fragments:
    """What a client sends, with its long data frames in fragments. All else passes as it is, mistakes too."""

    def __init__(self, largest_bytes: int) -> None:
        """Before the first frame. One of more than `largest_bytes` passes uncut, so that it is refused by its head."""
        self._largest = largest_bytes
        self._head = bytearray()
        self._payload = 0
        """Bytes of the current frame, or fragment, that have not come yet."""
        self._more = 0
        """Bytes of the current frame behind this fragment."""
        self._last = 0
        """First byte of the head of the current frame's last fragment."""
        self._mask = b""

    def cut(self, data: bytes) -> bytes:
        """The next bytes of the stream, on their way to the parser."""
        out = bytearray()
        at = 0
        while at < len(data) or (self._more and not self._payload):
            if self._payload:
                piece = data[at : at + self._payload]
                out += piece
                at += len(piece)
                self._payload -= len(piece)
            elif self._more:
                out += self._next(_CONTINUATION)
            else:
                self._head.append(data[at])
                at += 1
                if len(self._head) == _head_bytes(self._head):
                    out += self._begin(bytes(self._head))
                    self._head.clear()
        return bytes(out)

    def _begin(self, head: bytes) -> bytes:
        first, second = head[0], head[1]
        masked = bool(second & _MASKED)
        mask = head[-_MASK_BYTES:] if masked else b""
        wide = head[2 : len(head) - len(mask)]
        length = int.from_bytes(wide, "big") if wide else second & _LENGTH
        if first & 0x0F > _LAST_DATA or not masked or not FRAGMENT_BYTES < length <= self._largest:
            self._payload = length
            return head
        self._more, self._mask, self._last = length, mask, first & _FIN
        return self._next(first & ~_FIN)

    def _next(self, first: int) -> bytes:
        """The head of the next fragment."""
        self._payload = min(FRAGMENT_BYTES, self._more)
        self._more -= self._payload
        if not self._more:
            first |= self._last
        return bytes((first, _MASKED | _LENGTH)) + self._payload.to_bytes(8, "big") + self._mask


def _head_bytes(head: bytearray) -> int:
    """How long the head of a frame is, as far as its first bytes tell."""
    if len(head) < 2:
        return 2
    wide = {126: 2, 127: 8}.get(head[1] & _LENGTH, 0)
    return 2 + wide + (_MASK_BYTES if head[1] & _MASKED else 0)
