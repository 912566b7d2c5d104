"""Things that are done to words and numbers aloud: counting, spelling, repeating."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from vivavoce.engine.house import number
from vivavoce.engine.house.turn import Turn, words_of

MOST_NUMBERS: Final = 1000
_PER_SENTENCE: Final = 5
"""Numbers in one breath: a sentence, so that speech can begin at once and be interrupted in between."""

_COUNT: Final = re.compile(r"\b(?:re)?(?:ac)?count(?:s|ed|ing|er)?\b")
_COUNT_MISHEARD: Final = re.compile(r"\b(?:out|come|came|outrun)\b(?= (?:from|to|down|one)\b)")
"""What a recogniser hears for it: "out from one to thirty", "please come from three to nine"."""
_SPELL: Final = re.compile(
    r"\b(?:spell|spells|spelt|spelled|spelling)\b(?:\s+(?:out|of|for|me|us|the|word|name|please|it|to))*\s*[:,]?\s*(.*)$",
    re.IGNORECASE | re.DOTALL,
)
_HOW_SPELT: Final = re.compile(r"\bhow (?:is|do you|does one|would you) (.+?) (?:spelled|spelt)\b", re.IGNORECASE)
_SAY: Final = re.compile(
    r"^(?:(?:please|now|can|could|would|will|you|ok|okay|so|and|or|hey|just|i|want|to|let us)[\s,]+)*"
    r"(?:(?:repeat|say|speak)(?: this| these words| the words| the following)? after me|say|repeat|reap eat)\b"
    r"\s*(?:exactly|the words?\b|the following|the sentence)?\s*[:,]?\s*(?P<words>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_NOT_TO_SAY: Final = re.compile(
    r"^(?:that|this|it|yourself|your|the last|again|what|more|once|something)\b", re.IGNORECASE
)
_DOWN: Final = frozenset({"down", "backward", "backwards"})
_TO: Final = frozenset({"to", "two", "too", "till", "until", "through"})


def count(turn: Turn) -> str | None:
    """A row of numbers in words, up or down, five to a sentence."""
    if asked := _COUNT.search(turn.plain):
        row = _row(turn.plain[asked.end() :].split())
    elif asked := _COUNT_MISHEARD.search(turn.plain):
        row = _row(turn.plain[asked.end() :].split())
        if len(row.found) < 2 and not row.down:
            return None
    else:
        return None
    first, last, step = row.bounds()
    if abs(last - first) // step >= MOST_NUMBERS:
        return f"That would take all day. Ask me for at most {number.spell_out(MOST_NUMBERS)} numbers."
    values = range(first, last + 1, step) if first <= last else range(first, last - 1, -step)
    named = [number.spell_out(value) for value in values]
    sentences = [", ".join(named[at : at + _PER_SENTENCE]) for at in range(0, len(named), _PER_SENTENCE)]
    return " ".join(f"{sentence[0].upper()}{sentence[1:]}." for sentence in sentences)


@dataclass(frozen=True)
class _Row:
    """What was said about a row of numbers."""

    found: tuple[int, ...]
    step: int
    down: bool

    def bounds(self) -> tuple[int, int, int]:
        """First, last and step."""
        match self.found[:2]:
            case (first, second):
                return (max(first, second), min(first, second), self.step) if self.down else (first, second, self.step)
            case (only,):
                return (only, 1, self.step) if self.down else (min(1, only), only, self.step)
            case _:
                return (10, 1, 1) if self.down else (1, 10, 1)


def _row(words: Sequence[str]) -> _Row:
    """Reads the numbers of a row. "Count two ten" is how a recogniser hears "count to ten"."""
    found: list[int] = []
    step, down, place = 1, False, 0
    while place < len(words):
        word = words[place]
        number_next = number.read(words, place + 1)
        if word in _TO and number_next:
            place += 1
        elif word in {"by", "of"} and number_next and found:
            step = max(1, int(number_next[0]))
            place = number_next[1]
        elif read := _read(words, place):
            found.append(read[0])
            place = read[1]
        else:
            down = down or word in _DOWN
            place += 1
    return _Row(tuple(found), step, down)


def _read(words: Sequence[str], place: int) -> tuple[int, int] | None:
    """A whole number; at the very end also what sounds like one."""
    if read := number.read(words, place):
        return int(read[0]), read[1]
    if place == len(words) - 1 and words[place] in number.HOMOPHONES:
        return number.HOMOPHONES[words[place]], place + 1
    return None


def spell(turn: Turn) -> str | None:
    """The letters of a word, or of each word of a name."""
    asked = _HOW_SPELT.search(turn.text) or _SPELL.search(turn.text)
    if asked is None:
        return None
    words = [word for word in words_of(asked[1]) if word not in {"please", "for", "me"}]
    if not words:
        return "Which word shall I spell?"
    letters = ". ".join(", ".join(word.replace("'", "").upper()) for word in words)
    whole = " ".join(words)
    return f"{whole[0].upper()}{whole[1:]}: {letters}."


def repeat(turn: Turn) -> str | None:
    """The words that one is told to say."""
    asked = _SAY.match(turn.text.strip())
    if asked is None or _NOT_TO_SAY.match(asked["words"]):
        return None
    return sentence(asked["words"])


def sentence(words: str) -> str:
    """Words with a capital at the start and an end, without the quotes around them."""
    bare = " ".join(words.split()).strip("\"'“”‘’«» ")
    if not bare:
        return ""
    ended = bare if bare[-1] in ".!?…。！？।" else f"{bare.rstrip(',;:')}."
    return ended[0].upper() + ended[1:]
