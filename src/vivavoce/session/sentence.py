"""Cuts an answer that is still being written into pieces that a speaker can say.

A piece is a sentence, or for the very first one a clause that is long enough, so that sound starts early. The
pieces joined are exactly the text that came in, because a truncated answer is counted in its characters. Where
the cuts fall depends on the text alone, never on how it was chopped into deltas. What a speaker should leave
out of a piece (markdown, links) is the business of `spoken`.
"""

import re
import unicodedata
from enum import Enum
from typing import Final

from vivavoce.session.spoken import Spoken, spoken

__all__ = ["CLAUSE_MIN", "FIRST_MIN", "LATER_MIN", "LIMIT", "LINK_LIMIT", "Sentences", "Spoken", "spoken"]

FIRST_MIN: Final = 8
"""Shortest first piece, in characters (wide ones count twice): below it a speaker sounds chopped."""
LATER_MIN: Final = 20
"""Shortest later piece: there is sound playing already, so prosody matters more than speed."""
CLAUSE_MIN: Final = 30
"""A first piece may end at a comma, semicolon, colon or dash when it is this long."""
LIMIT: Final = 220
"""No piece of prose is longer; a cut is forced between two words."""

LINK_LIMIT: Final = 2_000
"""No link is longer; what claims to be one is cut here."""

_FENCE = "```"
_CLOSERS = r"""["'”’»)\]}*_`]*+"""
_STOP = re.compile(
    rf"""
      (?P<latin>[.!?…؟۔]++)(?P<closers>{_CLOSERS})(?P<gap>\s++)(?=\S)
    | (?P<wide>[。！？｡।॥]++[」』”’）》】"')\]]*+\s*+)(?=\S)
    | (?P<clause>[,;:]{_CLOSERS}\s++ | [^\S\n]*+—\s*+ | [^\S\n]++(?:--?|–)\s++ | [，、；：]++\s*+)(?=\S)
    | (?P<line>[^\S\n]*+\n\s*+)(?=\S)
    """,
    re.VERBOSE,
)
_LINK = re.compile(r"(?:https?|ftp|wss?)://|www\.")
_BEFORE = re.compile(r"[\w.&'’-]*$")
_NEXT_WORD = re.compile(r"[^\W\d_]+")
_LIST_NUMBER = re.compile(r"(?:^|\n)\s*[(]?\d{1,3}$")
_DOTTED = re.compile(r"\w(?:\.\w{1,2})*")


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_TITLES = _words(
    "dr mr mrs ms mx prof st rev hon gov sen rep pres gen col lt sgt capt cmdr adm maj messrs mme mlle hr fr sra srta"
    " mt ft vs cf viz approx ca bzw z.b d.h e.g i.e p.ex jan feb apr jun jul aug sept oct nov dec"
)
"""Abbreviations that never end a sentence."""
_NUMBERED = _words("no nos nr fig figs vol p pp ch sec art eq ex ver")
"""Abbreviations only when a number follows; "No." by itself is an answer."""
_MAYBE_LAST = _words("etc inc ltd co corp jr sr bros esq dept est usw al am pm a.m p.m")
"""Abbreviations that may also be the last word of a sentence, like initials and dotted letters (D.C.)."""
_STARTERS = _words(
    "i he she it we you they the a an this that these those there here but and so or if in on at my your our his her"
    " its their what who when where why how which is are was were do does did can could would will shall should may"
    " then now also however yes no let please as for after before since while with one another some many most all"
    " not next first finally today tomorrow"
)
"""Words that begin sentences rather than names: after "D.C." they decide that the sentence was over."""
_DATE_DOT_MONTHS = _words(
    "januar jänner februar feber märz april mai juni juli august september oktober november dezember"
)
"""German writes the day of a date with a dot ("am 3. Mai")."""


class _Verdict(Enum):
    CUT = "cut"
    JOIN = "join"
    WAIT = "wait"


class Sentences:
    """Collects the deltas of one answer and hands out pieces as soon as they are sure to be whole.

    It does not know who speaks or when. Push every delta, then flush once.
    """

    def __init__(self) -> None:
        self._held = ""
        self._least = FIRST_MIN

    def push(self, delta: str) -> list[str]:
        """Adds text and returns the pieces that it completed, oldest first, often none.

        A piece ends after its terminator *and* the blanks that follow, and is only returned once the next visible
        character has been seen, because only then is "3." known not to become "3.5".
        """
        self._held += delta
        pieces: list[str] = []
        while (cut := self._cut()) is not None:
            pieces.append(self._held[:cut])
            self._held = self._held[cut:]
            self._least = LATER_MIN
        return pieces

    def flush(self) -> list[str]:
        """The rest, because the answer has ended: one piece, or none. The next push begins a new answer.

        The rest may be nothing but blanks; then `spoken` of it is empty.
        """
        rest, self._held, self._least = self._held, "", FIRST_MIN
        return [rest] if rest else []

    def _cut(self) -> int | None:
        fence = self._held.find(_FENCE)
        if 0 <= fence <= LIMIT - len(_FENCE) + 1:
            # A block of code is not spoken; kept in one piece, `spoken` can see where it ends.
            return self._boundary(self._held[: fence + 1]) or self._after_fence(fence)
        window = self._held[: LIMIT + 1]
        cut = self._boundary(window)
        if cut is None and len(window) > LIMIT:
            return self._forced(window)
        return cut

    def _boundary(self, window: str) -> int | None:
        for stop in _STOP.finditer(window):
            match self._verdict(window, stop):
                case _Verdict.CUT if _weight(window[: stop.end()]) >= self._least:
                    return stop.end()
                case _Verdict.WAIT:
                    return None
                case _:
                    pass
        return None

    def _verdict(self, window: str, stop: re.Match[str]) -> _Verdict:
        if stop["wide"] or stop["line"]:
            return _Verdict.CUT
        if clause := stop["clause"]:
            long_enough = self._least == FIRST_MIN and _weight(window[: stop.end()]) >= CLAUSE_MIN
            return _Verdict.CUT if "\n" in clause or long_enough else _Verdict.JOIN
        following = window[stop.end()]
        if stop["latin"] == "." and not stop["closers"]:
            return _full_stop(window, stop, following)
        trails_off = stop["latin"].endswith(("…", "..")) or stop["closers"]
        return _Verdict.JOIN if trails_off and following.islower() else _Verdict.CUT

    def _after_fence(self, fence: int) -> int | None:
        closed = self._held.find(_FENCE, fence + len(_FENCE))
        if closed < 0:
            return None
        end = closed + len(_FENCE)
        rest = self._held[end:]
        visible = len(rest) - len(rest.lstrip())
        return end + visible if visible < len(rest) else None

    def _forced(self, window: str) -> int | None:
        clauses = [stop.end() for stop in _STOP.finditer(window) if stop["clause"] and stop.end() > LIMIT // 2]
        if clauses:
            return min(clauses[-1], LIMIT)
        gaps = [i + 1 for i, char in enumerate(window[:LIMIT]) if char.isspace()]
        if gaps:
            return gaps[-1]
        if link := _LINK.search(window):
            return link.start() or self._after_word()
        return _between_graphemes(window, LIMIT)

    def _after_word(self) -> int | None:
        """A link stays whole, so that `spoken` can drop it; wait for its end."""
        found = re.search(r"\s", self._held[:LINK_LIMIT])
        if found:
            return found.end()
        return LINK_LIMIT if len(self._held) > LINK_LIMIT else None


def _full_stop(window: str, stop: re.Match[str], following: str) -> _Verdict:
    """Whether one dot ends a sentence, belongs to a number or a list, or to an abbreviation."""
    before = window[: stop.start()]
    found = _BEFORE.search(before)
    word = found[0].lower().strip("'’-") if found else ""
    next_word = _NEXT_WORD.match(window, stop.end())
    next_is_whole = next_word is None or next_word.end() < len(window)
    if word.isdigit():
        if _LIST_NUMBER.search(before) or following.islower() or following.isdigit():
            return _Verdict.JOIN
        if not next_is_whole:
            return _Verdict.WAIT
        return _Verdict.JOIN if next_word and next_word[0].lower() in _DATE_DOT_MONTHS else _Verdict.CUT
    if word in _TITLES:
        return _Verdict.JOIN
    if word in _NUMBERED:
        return _Verdict.JOIN if following.isdigit() else _Verdict.CUT
    if word in _MAYBE_LAST or _DOTTED.fullmatch(word):
        if "\n" in stop["gap"]:
            return _Verdict.CUT
        if next_word is None or following.islower():
            return _Verdict.JOIN
        if not next_is_whole:
            return _Verdict.WAIT
        return _Verdict.CUT if next_word[0].lower() in _STARTERS else _Verdict.JOIN
    return _Verdict.CUT


def _weight(piece: str) -> int:
    """Length as a listener feels it: a wide (Chinese, Japanese, Korean) character says as much as two Latin ones."""
    visible = piece.strip()
    return len(visible) + sum(unicodedata.east_asian_width(char) in "WF" for char in visible)


def _between_graphemes(window: str, cut: int) -> int:
    """The nearest place at or before `cut` that tears no accent or joined picture apart."""
    place = cut
    while place > 1 and (unicodedata.category(window[place])[0] == "M" or "\u200d" in window[place - 1 : place + 1]):
        place -= 1
    return place if place > 1 else cut
