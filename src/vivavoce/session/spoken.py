"""What a speaker should say of a written text: no markup, no pictures, no addresses, no code.

The transcript keeps the text as it was written. Every character that is said remembers where its source ends,
so that "heard up to here" can be told in characters of the transcript.
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Spoken:
    """`text` is what to say of `source`; `ends[i]` is where the source of character `i` ends. Ends never fall."""

    text: str
    source: str
    ends: tuple[int, ...]

    def source_end(self, spoken_end: int) -> int:
        """How much of the source has been said when `text[:spoken_end]` has been said, in characters.

        Nothing said is 0, all said is the whole source with the unspoken rest after it. Text that has nothing to
        say counts as said at once.
        """
        if spoken_end >= len(self.ends):
            return len(self.source)
        return self.ends[spoken_end - 1] if spoken_end > 0 else 0


_PICTURE: Final = r"\U0001F000-\U0001FAFF\u2600-\u27BF\u2B00-\u2BFF\u231A\u231B\u23E9-\u23FA"
_MARKUP = re.compile(
    rf"""
      (?P<fence>```.*?(?:```|\Z))
    | (?P<link>!?\[(?P<label>[^\]\n]*)\](?:\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)|\[[^\]\n]*\]))
    | (?P<torn>\]\((?:https?|ftp)://[^\s)]*\)?)
    | (?P<address><?\b(?:https?|ftp|wss?)://(?:www\.)?(?P<host>[\w.-]*\w)(?:[/:?\#](?:[^\s<>]*[\w/])?)?>?)
    | (?P<noise>[!-~]{{80,}})
    | (?P<tag></?[A-Za-z][A-Za-z0-9]*(?:\s[^<>\n]*)?/?>)
    | (?P<rule>^[^\S\n]*(?:(?:[-*_=][^\S\n]*){{3,}}|[|](?:[-|:]|[^\S\n])*-(?:[-|:]|[^\S\n])*)$)
    | (?P<lead>^[^\S\n]*(?:\#{{1,6}}[^\S\n]+|(?:>[^\S\n]?)+|[-*+•][^\S\n]+(?:\[[ xX]\][^\S\n]+)?))
    | (?P<line>(?<=[\w)])[^\S\n]*\n(?=[^\S\n]*(?:\n|[-*+•][^\S\n]|\d{{1,3}}[.)][^\S\n])))
    | (?P<cell>[^\S\n]*[|][^\S\n]*)
    | (?P<escape>\\(?P<literal>[!-/:-@\[-`{{-~]))
    | (?P<emphasis>(?!(?<=\d)\*\d|(?<=\s)\*\s)\*+|~~|`+|(?<!\w)_+|_+(?!\w))
    | (?P<picture>[{_PICTURE}][{_PICTURE}\uFE0F\u200D\u20E3\U000E0020-\U000E007F]*|[\uFE0E\uFE0F\u20E3])
    | (?P<blank>\n|[^\S\n]+)
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_WORD = re.compile(r"[^\W_]")


def spoken(text: str) -> Spoken:
    """The words of `text` for a speaker, each character with its place in `text`.

    Left out: code blocks, markdown marks, HTML tags, emoji, the address behind a link, and runs of 80 and more signs
    without a blank, which are data and not words. A bare address is said as
    its host. Lines and table cells become pauses, blanks are single, nothing begins or ends with one. Text with no
    letter or digit left has nothing to say and gives an empty string.
    """
    said = _Said()
    _say(text, 0, len(text), said)
    words = "".join(said.chars)
    if not _WORD.search(words):
        return Spoken("", text, ())
    return Spoken(words, text, tuple(said.ends))


class _Said:
    """Characters said so far, each with the end of its source, and the gap before the next one."""

    def __init__(self) -> None:
        self.chars: list[str] = []
        self.ends: list[int] = []
        self._gap = ""
        self._gap_end = 0

    def say(self, chars: str, end: int) -> None:
        if self.chars and self._gap:
            self._put(self._gap, self._gap_end)
        self._gap = ""
        self._put(chars, end)

    def blank(self, end: int) -> None:
        """One blank, unless nothing follows."""
        self._gap = self._gap or " "
        self._gap_end = end

    def pause(self, end: int) -> None:
        """A comma, unless there is punctuation already: the eye sees a new line or cell, the ear would not."""
        spoken_word = self.chars and (self.chars[-1].isalnum() or self.chars[-1] in ")\"'”’")
        self._gap = ", " if spoken_word else " "
        self._gap_end = end

    def close(self, end: int) -> None:
        """Markup that closes a word belongs to that word."""
        if self.ends and not self._gap:
            self.ends[-1] = end

    def _put(self, chars: str, end: int) -> None:
        self.chars.extend(chars)
        self.ends.extend([end] * len(chars))


def _say(text: str, start: int, stop: int, said: _Said) -> None:
    place = start
    for mark in _MARKUP.finditer(text, start, stop):
        for at in range(place, mark.start()):
            said.say(text[at], at + 1)
        _say_mark(text, mark, said)
        place = mark.end()
    for at in range(place, stop):
        said.say(text[at], at + 1)


def _say_mark(text: str, mark: re.Match[str], said: _Said) -> None:
    end = mark.end()
    match mark.lastgroup:
        case "link":
            _say(text, mark.start("label"), mark.end("label"), said)
            said.close(end)
        case "address":
            said.say(mark["host"], end)
        case "escape":
            said.say(mark["literal"], end)
        case "emphasis" | "torn":
            said.close(end)
        case "line" | "cell":
            said.pause(end)
        case "blank" | "fence" | "picture" | "rule" | "noise":
            said.blank(end)
        case _:
            pass
