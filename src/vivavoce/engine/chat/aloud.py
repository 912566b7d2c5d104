"""Separates what a model says from what it thinks inside its own text.

Reasoning models without a parser in front of them write `<think>…</think>` (or a like tag) into the answer; a voice
must not read that out.
"""

import re

_NAMES = ("think", "thinking", "thought", "reasoning")
_TAG = re.compile(rf"<(?P<closing>/?)(?:{'|'.join(_NAMES)})>", re.IGNORECASE)
_TAGS = tuple(f"<{slash}{name}>" for slash in ("", "/") for name in _NAMES)
_LONGEST = max(map(len, _TAGS))


class Aloud:
    """Lets through what stands outside of thoughts, without the blanks around them.

    `depth` 1 begins inside a thought: some chat templates write the opening tag themselves, so that the server sends
    only the closing one.
    """

    def __init__(self, depth: int = 0) -> None:
        self._held = ""
        self._depth = depth
        self._trim = True

    def push(self, delta: str) -> str:
        """The part of the text so far that is surely to be said and was not returned before."""
        self._held += delta
        said = ""
        while tag := _TAG.search(self._held):
            said += self._outside(self._held[: tag.start()])
            self._held = self._held[tag.end() :]
            self._depth = 0 if tag["closing"] else 1
            self._trim = True
        keep = _unfinished(self._held)
        ready, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return said + self._outside(ready)

    def flush(self) -> str:
        """What was held back because it looked like the start of a tag."""
        rest, self._held = self._held, ""
        return self._outside(rest)

    def _outside(self, text: str) -> str:
        if self._depth:
            return ""
        if self._trim:
            text = text.lstrip()
        if text:
            self._trim = False
        return text


def _unfinished(text: str) -> int:
    """Length of the end of `text` that may become a tag."""
    start = text.rfind("<", max(0, len(text) - _LONGEST + 1))
    if start < 0:
        return 0
    end = text[start:].lower()
    return len(end) if any(tag.startswith(end) for tag in _TAGS) else 0
