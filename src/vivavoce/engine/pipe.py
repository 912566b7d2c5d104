"""Frames between our process and a child of it, over the child's standard input and output.

Both ends use it, so it imports nothing that is slow to load. A frame is a kind, a job number and some bytes.
A child answers in the order in which it was asked.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from enum import IntEnum
from queue import SimpleQueue
from struct import Struct
from typing import BinaryIO, Final, NamedTuple

_HEAD: Final = Struct("<BII")
LARGEST_BODY: Final = 1 << 24
"""A longer frame means that something other than our own code writes into the pipe."""


class Kind(IntEnum):
    """What a frame says."""

    READY = 1
    """Child: loaded; asks may come."""
    FAILED = 2
    """Child: this job, or before `READY` all work, is impossible; the body says why in UTF-8."""
    BEGIN = 3
    """Parent: a job begins; the body says which."""
    SOUND = 4
    """Either: samples, and in answers what belongs to them."""
    WORDS = 5
    """Child: text."""
    END = 6
    """Parent: the job has all that it needs. Child: the job is done."""
    CANCEL = 7
    """Parent: the job's result is not wanted any more. Not answered."""


class Frame(NamedTuple):
    """One message."""

    kind: Kind
    job: int
    body: bytes = b""

    def pack(self) -> bytes:
        """As bytes for the pipe."""
        return _HEAD.pack(self.kind, self.job, len(self.body)) + self.body


class Unpacker:
    """Cuts a stream of bytes back into frames."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete now.

        Raises:
            ValueError: these are not frames.
        """
        self._bytes += data
        while len(self._bytes) >= _HEAD.size:
            kind, job, size = _HEAD.unpack_from(self._bytes)
            if size > LARGEST_BODY:
                raise ValueError(f"a frame promises {size} bytes; the largest has {LARGEST_BODY}")
            end = _HEAD.size + size
            if len(self._bytes) < end:
                return
            body = bytes(self._bytes[_HEAD.size : end])
            del self._bytes[:end]
            yield Frame(Kind(kind), job, body)


class Parent:
    """The child's end: a thread reads what the parent asks, so that a cancel is seen during work.

    When the parent is gone, the child leaves at once, whatever it is doing.
    """

    def __init__(self) -> None:
        # Ctrl-C reaches the whole terminal; when we end is for the parent to say.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # Anything that a library prints must not fall between the frames.
        self._out: BinaryIO = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        self._asks: SimpleQueue[Frame] = SimpleQueue()
        self._cancelled: set[int] = set()
        threading.Thread(target=self._read, daemon=True).start()

    def ask(self) -> Frame:
        """Wait for what the parent wants next."""
        frame = self._asks.get()
        # Jobs come in the order of their numbers, so older ones are over.
        self._cancelled -= {job for job in tuple(self._cancelled) if job < frame.job}
        return frame

    def answer(self, kind: Kind, job: int, body: bytes = b"") -> None:
        """Tell the parent."""
        try:
            self._out.write(Frame(kind, job, body).pack())
            self._out.flush()
        except OSError:
            _leave()

    def is_cancelled(self, job: int) -> bool:
        """Whether the parent has given up this job."""
        return job in self._cancelled

    def _read(self) -> None:
        unpacker = Unpacker()
        while data := os.read(sys.stdin.fileno(), 1 << 16):
            for frame in unpacker.feed(data):
                if frame.kind is Kind.CANCEL:
                    self._cancelled.add(frame.job)
                else:
                    self._asks.put(frame)
        _leave()


def _leave() -> None:
    """End the process from any thread, without waiting for work that nobody wants."""
    os._exit(0)


def serve(load: Callable[[], Callable[[Frame, Parent], None]]) -> None:
    """A child's main: load the engine, say so, then handle one frame after the other for ever.

    Args:
        load: makes the engine; what it returns handles a frame. Exceptions become `FAILED`.
    """
    parent = Parent()
    try:
        handle = load()
    except Exception as error:  # whatever a foreign library raises, the parent must hear of it
        parent.answer(Kind.FAILED, 0, _said(error))
        return
    parent.answer(Kind.READY, 0)
    while True:
        frame = parent.ask()
        try:
            handle(frame, parent)
        except Exception as error:  # one utterance may fail; the next deserves a try
            parent.answer(Kind.FAILED, frame.job, _said(error))


def _said(error: Exception) -> bytes:
    return (str(error) or type(error).__name__).encode()
