"""What a person sees of a call: who says what as it is said, and figures in a quiet voice.

On a terminal the line that grows is rewritten in place; elsewhere a line is written when it is whole. Colours are
for terminals only, and for nobody who has set NO_COLOR.
"""

import os
import shutil
import textwrap
from collections.abc import Mapping
from enum import Enum
from typing import Final, TextIO

from vivavoce.session.caption import Caption, CaptionState, Role

MARGIN: Final = 10
"""Columns before the words."""
ENTRY: Final = 15
"""Columns before the words of an entry in a list."""


class Ink(Enum):
    """What a stretch of text is, as an ANSI style."""

    PLAIN = ""
    QUIET = "2"
    USER = "36"
    ASSISTANT = "32"
    CUT = "33"
    WRONG = "31"


class Below(Enum):
    """What stands in the last line, to be written over."""

    NOTHING = "nothing"
    WORDS = "words"  # that grow
    STATUS = "status"


class Terminal:
    """Writes to one stream. Knows nothing of calls."""

    def __init__(self, stream: TextIO, environment: Mapping[str, str] | None = None) -> None:
        variables = os.environ if environment is None else environment
        self._stream = stream
        self._rewrites = stream.isatty() and variables.get("TERM") != "dumb"
        self._colours = self._rewrites and not variables.get("NO_COLOR")
        self._below = Below.NOTHING
        self._settled: dict[str, Caption] = {}
        self._cut: Caption | None = None

    @property
    def rewrites(self) -> bool:
        """Whether somebody watches who can be shown what is passing."""
        return self._rewrites

    def line(self, text: str = "", ink: Ink = Ink.PLAIN) -> None:
        """One line of its own."""
        self._tell_cut()
        self._stream.write(self._inked(text, ink) + "\n")
        self._stream.flush()

    def row(self, label: str, text: str, ink: Ink = Ink.PLAIN) -> None:
        """A label and words beside it, wrapped."""
        self._tell_cut()
        self._stream.write("\n".join(self._wrapped(label, text, ink)) + "\n")
        self._stream.flush()

    def entry(self, mark: str, label: str, text: str, ink: Ink = Ink.PLAIN) -> None:
        """One of a list: a mark, what it is about, and words, wrapped; the ink is that of the mark."""
        self._tell_cut()
        head = f"  {mark} {label:<{ENTRY - 4}}"
        first, *more = textwrap.wrap(text, self._width - ENTRY) or [""]
        shade = ink if ink is Ink.QUIET else Ink.PLAIN
        lines = [self._inked(head, ink) + self._inked(first, shade)]
        lines += [" " * ENTRY + self._inked(each, shade) for each in more]
        self._stream.write("\n".join(lines) + "\n")
        self._stream.flush()

    def status(self, text: str) -> None:
        """How things are now. It stays in the last line until something else is written; words that grow go before."""
        if not self._rewrites:
            self.line(f"  {text}", Ink.QUIET)
        elif self._below is not Below.WORDS:
            self._tell_cut()
            self._stream.write(self._inked("  " + textwrap.shorten(text, self._width - 2, placeholder=" …"), Ink.QUIET))
            self._stream.flush()
            self._below = Below.STATUS

    def caption(self, caption: Caption) -> None:
        """A caption has changed."""
        before = self._settled.get(caption.item_id)
        match caption.state:
            case CaptionState.WRITING:
                if before is None and caption.text:
                    self._grow(caption)
            case CaptionState.CUT if before is not None:
                # What was heard is first estimated, then told by the server: the last word before the next line counts.
                self._settled[caption.item_id] = self._cut = caption
            case CaptionState.DONE | CaptionState.CUT | CaptionState.FAILED:
                if before is None and (caption.text or caption.state is not CaptionState.DONE):
                    self._settle(caption)

    def _settle(self, caption: Caption) -> None:
        self._settled[caption.item_id] = caption
        match caption.state:
            case CaptionState.CUT:
                self.row(_label(caption), f"{caption.text} — interrupted".strip(), Ink.CUT)
            case CaptionState.FAILED:
                self.row(_label(caption), "(nobody could write this down)", Ink.QUIET)
            case _:
                self.row(_label(caption), caption.text, _ink(caption))

    def _tell_cut(self) -> None:
        self._erase()
        caption, self._cut = self._cut, None
        if caption is not None:
            words = f"interrupted; heard up to “…{_last_words(caption.text)}”" if caption.text else "not heard"
            self._stream.write("\n".join(self._wrapped("", words, Ink.CUT)) + "\n")

    def _grow(self, caption: Caption) -> None:
        """Rewrite the line that grows; only its end, if it has grown too long."""
        if not self._rewrites:
            return
        width = self._width
        text = caption.text if len(caption.text) <= width - MARGIN - 2 else f"…{caption.text[-(width - MARGIN - 3) :]}"
        self._tell_cut()
        self._stream.write("\n".join(self._wrapped(_label(caption), text, _ink(caption))))
        self._stream.flush()
        self._below = Below.WORDS

    def _erase(self) -> None:
        if self._below is not Below.NOTHING:
            self._stream.write("\r\x1b[2K")
            self._below = Below.NOTHING

    def _wrapped(self, label: str, text: str, ink: Ink) -> list[str]:
        lines = textwrap.wrap(text, self._width - MARGIN) or [""]
        heads = [f"{label:>{MARGIN - 3}}   ", *[" " * MARGIN] * (len(lines) - 1)]
        shade = ink if ink is not Ink.PLAIN else Ink.QUIET
        return [
            self._inked(head, shade) + (self._inked(line, ink) if ink in (Ink.QUIET, Ink.CUT, Ink.WRONG) else line)
            for head, line in zip(heads, lines, strict=True)
        ]

    @property
    def _width(self) -> int:
        return max(40, min(100, shutil.get_terminal_size().columns - 1))

    def _inked(self, text: str, ink: Ink) -> str:
        return f"\x1b[{ink.value}m{text}\x1b[0m" if self._colours and ink.value and text else text


def _label(caption: Caption) -> str:
    return "you" if caption.role is Role.USER else "agent"


def _ink(caption: Caption) -> Ink:
    return Ink.USER if caption.role is Role.USER else Ink.ASSISTANT


def _last_words(text: str) -> str:
    return " ".join(text.split()[-5:])
