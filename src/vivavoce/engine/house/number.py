"""Numbers in words and figures, both ways."""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

_SMALL: Final = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES: Final = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}

_VALUES: Final = {word: value for value, word in enumerate(_SMALL)} | {
    word: 10 * value for value, word in enumerate(_TENS, start=2)
}
_FIGURE: Final = re.compile(r"\d{1,15}(?:\.\d{1,15})?")
HOMOPHONES: Final = {
    "to": 2,
    "too": 2,
    "for": 4,
    "fore": 4,
    "ate": 8,
    "won": 1,
    "tree": 3,
    "sicks": 6,
    "tin": 10,
    "oh": 0,
}
"""What a recogniser writes for a number when it does not expect one."""
EXACT: Final = 10**15
"""Beyond this a number is told by its size only."""


def read(words: Sequence[str], start: int = 0) -> tuple[Fraction, int] | None:
    """The number that begins at `words[start]` and where it ends, or None.

    Words are lower case, without hyphens: figures (`3`, `3.5`), cardinals (`two thousand and five`, `a hundred`),
    and digits after `point`, with or without a number before it.
    """
    if start < len(words) and words[start] == "point":
        value, end = Fraction(0), start
    elif whole := _read_whole(words, start):
        value, end = whole
    else:
        return None
    if end < len(words) and words[end] == "point":
        digits: list[int] = []
        for word in words[end + 1 :]:
            digit = 0 if word in {"oh", "o"} else _VALUES.get(word, int(word) if word.isdecimal() else 10)
            if digit > 9:
                break
            digits.append(digit)
        if digits:
            value += Fraction(int("".join(map(str, digits))), 10 ** len(digits))
            end += 1 + len(digits)
    return (value, end) if end > start else None


def _read_whole(words: Sequence[str], start: int) -> tuple[Fraction, int] | None:
    group = _read_group(words, start)
    if group is None:
        return None
    total, current, place = Fraction(0), *group
    limit = 10**15
    while place < len(words) and (scale := _SCALES.get(words[place])) and scale < limit:
        total, current, limit = total + current * scale, Fraction(0), scale
        place += 1
        follows = place + 1 if place < len(words) and words[place] == "and" else place
        more = _read_group(words, follows)
        if more is None or more[0] >= scale or words[follows][0].isdigit():
            break
        current, place = more
    return total + current, place


def _read_group(words: Sequence[str], start: int) -> tuple[Fraction, int] | None:
    """A figure, or a cardinal below a thousand."""
    if start >= len(words):
        return None
    if _FIGURE.fullmatch(words[start]):
        return Fraction(words[start]), start + 1
    below = _read_below_hundred(words, start)
    if below is None and words[start] == "a" and {"hundred", *_SCALES} & set(words[start + 1 : start + 2]):
        below = 1, start + 1
    if below is None:
        return None
    value, place = below
    if place < len(words) and words[place] == "hundred":
        value, place = value * 100, place + 1
        follows = place + 1 if place < len(words) and words[place] == "and" else place
        if more := _read_below_hundred(words, follows):
            value, place = value + more[0], more[1]
    return Fraction(value), place


def _read_below_hundred(words: Sequence[str], start: int) -> tuple[int, int] | None:
    if start >= len(words) or (value := _VALUES.get(words[start])) is None:
        return None
    unit = _VALUES.get(words[start + 1], 0) if start + 1 < len(words) else 0
    if value >= 20 and 1 <= unit <= 9:
        return value + unit, start + 2
    return value, start + 1


def spell_out(number: int) -> str:
    """A whole number in words: 105 is "one hundred and five". Exact below 10^15."""
    if number < 0:
        return f"minus {spell_out(-number)}"
    if number < 20:
        return _SMALL[number]
    if number < 100:
        tens, unit = divmod(number, 10)
        return _TENS[tens - 2] + (f"-{_SMALL[unit]}" if unit else "")
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        return f"{_SMALL[hundreds]} hundred" + (f" and {spell_out(rest)}" if rest else "")
    name, scale = next((name, scale) for name, scale in reversed(_SCALES.items()) if number >= scale)
    many, rest = divmod(number, scale)
    joint = " and " if 0 < rest < 100 else " "
    return f"{spell_out(many)} {name}" + (f"{joint}{spell_out(rest)}" if rest else "")


def figures(value: Fraction) -> str:
    """A number as a speaker reads it well: `84`, `minus 2.5`, `about 0.3333`, `about 1.27 times 10 to the power of 30`.

    Its size must fit a float.
    """
    sign = "minus " if value < 0 else ""
    size = abs(value)
    if size.denominator == 1 and size < EXACT:
        return f"{sign}{size.numerator}"
    if size >= EXACT or size < Fraction(1, 10_000):
        mantissa, power = f"{float(size):.2e}".split("e")
        told = figures(Fraction(int(power)))
        return f"about {sign}{float(mantissa):g} times 10 to the power of {told}"
    text = f"{float(size):.4g}" if size < 1 else f"{float(size):.4f}".rstrip("0").rstrip(".")
    return f"{sign}{text}" if Fraction(text) == size else f"about {sign}{text}"
