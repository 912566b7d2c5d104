"""Sums in words and figures: "what is twelve times seven", "15 % of 80", "the square root of 81".

A recursive descent over the words, in exact fractions. It starts wherever the longest sum starts, so that the words
around it do not matter, and accepts what a recogniser makes of numbers ("two plus to").
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from vivavoce.engine.house import number

MOST_WORDS: Final = 80
_MOST_BRACKETS: Final = 10
_MOST_BITS: Final = 1000
"""Size of a result that is still worked out; all of them fit a float."""

# Phrases stand without "the", which is left out of the words.

_TOKEN = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|[^\W\d_]+(?:'[a-z]+)?|\*\*|[-+−–*/^%()×÷!=.]")

_PLUS = ("added to", "plus", "and add", "+")
_MINUS = ("take away", "minus", "less", "subtract", "-", "−", "–")
_TIMES = ("multiplied by", "multiply by", "multiplied with", "times", "time", "timed", "multiply", "×", "x", "*")
_OVER = ("divided by", "divide by", "divided buy", "divided", "over", "÷", "/")
_POWER = ("raised to power of", "to power of", "to power", "raised to", "^", "**")
_ROOTS = ("square root of", "square root", "squared root of", "squareroot of", "root of")
_CUBE_ROOTS = ("cube root of", "cubic root of")
_MULTIPLES = {"double": 2, "twice": 2, "triple": 3, "half of": Fraction(1, 2), "half": Fraction(1, 2)}
_PARTS = {"half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fifth": 5, "fifths": 5}
_TIGHT = re.compile(r"(?<=\d)[-/](?=\d)")
_DATE = re.compile(r"\d[-/]\d+[-/]\d")
_ASKS = re.compile(r"\b(?:what|what's|how much|calculate|compute|work out|solve)\b|^[^a-z]*$")
_STRAY = ("to", "too", "a", "and")
_PERCENT = ("percent", "per cent", "percents", "%")


class _NoSumError(Exception):
    """These words are no sum."""


class _UndefinedError(Exception):
    """A sum without a result; the text says why."""


@dataclass(frozen=True)
class _Value:
    """A value, how it is said, and how many operations made it."""

    value: Fraction
    said: str
    steps: int = 0

    def __post_init__(self) -> None:
        if max(self.value.numerator.bit_length(), self.value.denominator.bit_length()) > _MOST_BITS:
            raise _UndefinedError(f"{self.said} is too big for me.")


def compute(text: str) -> str | None:
    """The answer to a sum in `text` as a sentence, or None when there is no sum in it."""
    lowered = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text.lower())
    if _DATE.search(lowered) or not _ASKS.search(lowered):
        # 555-1234 is a telephone and 20/11/2026 a day, unless somebody asks.
        lowered = _TIGHT.sub(" . ", lowered)
    words = [word.replace(",", "") for word in _TOKEN.findall(lowered) if word != "the"][:MOST_WORDS]
    best: tuple[int, str] | None = None
    for start in range(len(words)):
        parser = _Parser(words, start)
        try:
            found = parser.sum()
            answer = f"{found.said} is {number.figures(found.value)}."
        except _NoSumError:
            continue
        except _UndefinedError as why:
            answer = str(why)
        if best is None or parser.place - start > best[0]:
            best = parser.place - start, answer
    return None if best is None else best[1][0].upper() + best[1][1:]


class _Parser:
    def __init__(self, words: Sequence[str], place: int) -> None:
        self._words = words
        self.place = place
        self._brackets = 0

    def sum(self) -> _Value:
        found = self._command() or self._expression()
        if not found.steps:
            raise _NoSumError
        return found

    def _command(self) -> _Value | None:
        """Sums that begin with a verb or a noun: "add two and three", "the product of two and three"."""
        for opening, joints, name in (
            (("add", "sum of", "total of"), ("and", "to", "plus"), "plus"),
            (("subtract", "take"), ("from",), "from"),
            (("difference between",), ("and",), "minus"),
            (("multiply", "product of"), ("by", "and", "with", "times"), "times"),
            (("divide",), ("by", "buy"), "divided by"),
        ):
            if self._take(opening):
                first = self._term()
                if not self._take(joints):
                    raise _NoSumError
                second = self._term()
                return _combine(second, "minus", first) if name == "from" else _combine(first, name, second)
        return None

    def _expression(self) -> _Value:
        return self._chain(self._term, (("plus", _PLUS), ("minus", _MINUS)))

    def _term(self) -> _Value:
        return self._chain(self._factor, (("times", _TIMES), ("divided by", _OVER)))

    def _chain(self, operand: Callable[[], _Value], operators: Sequence[tuple[str, Sequence[str]]]) -> _Value:
        """Operands joined by operators from left to right; an operator without an operand ends the sum before it."""
        left = operand()
        while True:
            before = self.place
            name = self._operator(operators)
            if not name:
                self.place = before
                return left
            try:
                right = operand()
            except _NoSumError:
                self.place = before
                return left
            left = _combine(left, name, right)

    def _operator(self, operators: Sequence[tuple[str, Sequence[str]]]) -> str:
        """The next operator; a recogniser may put a stray word before it ("one hundred to minus thirty five")."""
        for _ in range(2):
            for name, phrases in operators:
                if self._take(phrases):
                    return name
            if not self._take(_STRAY):
                break
        return ""

    def _factor(self) -> _Value:
        if self._take(("minus", "negative", "-", "−")):
            inner = self._factor()
            return _Value(-inner.value, f"minus {inner.said}", inner.steps)
        if self._take(_ROOTS):
            return _root(self._factor(), 2, "square root")
        if self._take(_CUBE_ROOTS):
            return _root(self._factor(), 3, "cube root")
        for words, multiple in _MULTIPLES.items():
            if self._take((words,)):
                inner = self._factor()
                return _Value(inner.value * multiple, f"{words} {inner.said}", inner.steps + 1)
        return self._power()

    def _power(self) -> _Value:
        base = self._suffixed(self._operand())
        if self._take(_POWER):
            return _power(base, self._factor())
        return base

    def _suffixed(self, base: _Value) -> _Value:
        while True:
            if self._take(("squared",)):
                base = _Value(base.value**2, f"{base.said} squared", base.steps + 1)
            elif self._take(("cubed",)):
                base = _Value(base.value**3, f"{base.said} cubed", base.steps + 1)
            elif self._take(("factorial", "!")):
                base = _factorial(base)
            elif self._take(_PERCENT):
                base = self._percent(base)
            elif parts := self._part():
                base = self._of(_Value(base.value / parts[0], f"{base.said} {parts[1]}", base.steps))
            else:
                return base

    def _percent(self, rate: _Value) -> _Value:
        share = rate.value / 100
        if self._take(("off", "off of")):
            whole = self._factor()
            said = f"{rate.said} percent off {whole.said}"
            return _Value(whole.value * (1 - share), said, rate.steps + whole.steps + 1)
        return self._of(_Value(share, f"{rate.said} percent", rate.steps))

    def _of(self, share: _Value) -> _Value:
        if not self._take(("of",)):
            return share
        whole = self._factor()
        return _Value(share.value * whole.value, f"{share.said} of {whole.said}", share.steps + whole.steps + 1)

    def _part(self) -> tuple[int, str] | None:
        if self.place < len(self._words) and (parts := _PARTS.get(self._words[self.place])):
            self.place += 1
            return parts, self._words[self.place - 1]
        return None

    def _operand(self) -> _Value:
        if self._take(("(",)):
            return self._bracketed()
        if found := number.read(self._words, self.place):
            self.place = found[1]
            return _Value(found[0], number.figures(found[0]))
        word = self._words[self.place] if self.place < len(self._words) else ""
        follower = self._words[self.place + 1] if self.place + 1 < len(self._words) else ""
        if word in {"a", "one"} and follower in _PARTS:
            self.place += 1
            return _Value(Fraction(1), "one")
        if word in number.HOMOPHONES:
            self.place += 1
            value = number.HOMOPHONES[word]
            return _Value(Fraction(value), str(value))
        raise _NoSumError

    def _bracketed(self) -> _Value:
        self._brackets += 1
        if self._brackets > _MOST_BRACKETS:
            raise _NoSumError
        inner = self._expression()
        self._brackets -= 1
        if not self._take((")",)):
            raise _NoSumError
        return _Value(inner.value, f"({inner.said})", inner.steps)

    def _take(self, phrases: Sequence[str]) -> bool:
        for phrase in phrases:
            parts = phrase.split()
            if list(self._words[self.place : self.place + len(parts)]) == parts:
                self.place += len(parts)
                return True
        return False


def _combine(left: _Value, name: str, right: _Value) -> _Value:
    said, steps = f"{left.said} {name} {right.said}", left.steps + right.steps + 1
    match name:
        case "plus":
            return _Value(left.value + right.value, said, steps)
        case "minus":
            return _Value(left.value - right.value, said, steps)
        case "times":
            return _Value(left.value * right.value, said, steps)
        case _ if right.value == 0:
            raise _UndefinedError("nothing can be divided by zero.")
        case _:
            return _Value(left.value / right.value, said, steps)


def _power(base: _Value, exponent: _Value) -> _Value:
    said, steps = f"{base.said} to the power of {exponent.said}", base.steps + exponent.steps + 1
    if base.value == 0 and exponent.value < 0:
        raise _UndefinedError("nothing can be divided by zero.")
    size = max(base.value.numerator.bit_length(), base.value.denominator.bit_length())
    if abs(exponent.value) * size > _MOST_BITS:
        raise _UndefinedError(f"{said} is too big for me.")
    if exponent.value.denominator == 1:
        return _Value(base.value ** int(exponent.value), said, steps)
    if base.value < 0:
        raise _UndefinedError(f"{said} is not a real number.")
    return _Value(Fraction(float(base.value) ** float(exponent.value)), said, steps)


def _root(inner: _Value, degree: int, name: str) -> _Value:
    said, steps = f"the {name} of {inner.said}", inner.steps + 1
    if inner.value < 0 and degree == 2:
        raise _UndefinedError(f"{said} is not a real number.")
    size = abs(inner.value)
    exact = Fraction(_whole_root(size.numerator, degree), _whole_root(size.denominator, degree))
    root = exact if exact**degree == size else Fraction(float(size) ** (1 / degree))
    return _Value(root if inner.value >= 0 else -root, said, steps)


def _whole_root(value: int, degree: int) -> int:
    return math.isqrt(value) if degree == 2 else round(value ** (1 / degree))


def _factorial(base: _Value) -> _Value:
    said = f"the factorial of {base.said}"
    if base.value.denominator != 1 or base.value < 0:
        raise _UndefinedError(f"{said} is not defined.")
    if base.value > 300:
        raise _UndefinedError(f"{said} is too big for me.")
    return _Value(Fraction(math.factorial(int(base.value))), said, base.steps + 1)
