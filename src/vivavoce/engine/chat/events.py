"""Reads server-sent events from bytes that arrive in any pieces.

Follows https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation where servers do, and
forgives them where they do not: a last event without its blank line counts, empty events do not, and an `error:` field,
which llama.cpp sent until late 2025 (https://github.com/ggml-org/llama.cpp/pull/16109), reads as `{"error": …}`.
"""

import codecs
import re
from typing import Final

EVENT_LIMIT: Final = 1_000_000
"""Characters of one event; more is not a chat server talking."""

_LINE_END = re.compile(r"\r\n|\n|\r(?=.)", re.DOTALL)


class Events:
    """Collects bytes and hands out the data of each whole event."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._line = ""
        self._data: list[str] = []
        self._size = 0

    def push(self, chunk: bytes) -> list[str]:
        """Adds bytes and returns the data of the events that they complete.

        Raises:
            ValueError: one event is longer than `EVENT_LIMIT`.
        """
        return self._read(self._decoder.decode(chunk))

    def finish(self) -> list[str]:
        """The data of a last event that was never closed by a blank line, if it has any."""
        return [*self._read(self._decoder.decode(b"", final=True) + "\n"), *self._close()]

    def _read(self, text: str) -> list[str]:
        *lines, self._line = _LINE_END.split(self._line + text)
        events: list[str] = []
        for line in lines:
            events += self._read_line(line)
        if self._size + len(self._line) > EVENT_LIMIT:
            raise ValueError(f"one event is longer than {EVENT_LIMIT} characters")
        return events

    def _read_line(self, line: str) -> list[str]:
        if not line:
            return self._close()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "data":
                self._data.append(value)
                self._size += len(value)
                return []
            case "error":
                return [f'{{"error": {value}}}'] if value.startswith("{") else []
            case _:
                return []

    def _close(self) -> list[str]:
        data, self._data, self._size = "\n".join(self._data), [], 0
        return [data] if data.strip() else []


class Document:
    """Stands in for `Events` where a server answers with one JSON text instead of a stream."""

    def __init__(self) -> None:
        self._data = b""

    def push(self, chunk: bytes) -> list[str]:
        """Adds bytes; nothing is whole before the end.

        Raises:
            ValueError: more than `EVENT_LIMIT` bytes.
        """
        self._data += chunk
        if len(self._data) > EVENT_LIMIT:
            raise ValueError(f"the answer is longer than {EVENT_LIMIT} bytes")
        return []

    def finish(self) -> list[str]:
        """The text, if there is any."""
        text = self._data.decode(errors="replace")
        return [text] if text.strip() else []
