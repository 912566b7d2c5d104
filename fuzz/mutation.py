"""Inputs that are nearly right: seeds, spoiled by chance from a seed of its own."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

NUMBERS: Final = (b"0", b"-1", b"1e999", b"65536", b"4294967296", b"9" * 40, b"NaN", b"\xd9\xa3")
SEPARATORS: Final = b' \t\r\n:;,=/"{}[]'


class Mutator:
    """Spoils bytes; the same seed spoils alike on every machine."""

    def __init__(self, seed: int, words: Sequence[bytes] = ()) -> None:
        self._random = Random(seed)
        self._words = (*words, *NUMBERS, b"", b"\x00", b"\xff\xfe", b"\r\n\r\n")

    def spoil(self, seeds: Sequence[bytes], longest: int) -> bytes:
        """A few changes to one of the seeds."""
        data = self._random.choice(seeds)
        for _ in range(self._random.choice((1, 1, 1, 2, 3, 5, 8))):
            data = self._random.choice(CHANGES)(self, data, seeds)
        return data[:longest]

    # ── changes ────────────────────────────────────────────────────────────────────────────────────────

    def flip(self, data: bytes, _: Sequence[bytes]) -> bytes:
        """Another byte in one place."""
        at = self._place(data)
        return data[:at] + bytes([self._random.randrange(256)]) + data[at + 1 :]

    def drop(self, data: bytes, _: Sequence[bytes]) -> bytes:
        """Without a stretch."""
        at, length = self._stretch(data)
        return data[:at] + data[at + length :]

    def repeat(self, data: bytes, _: Sequence[bytes]) -> bytes:
        """A stretch several times."""
        at, length = self._stretch(data)
        return data[:at] + data[at : at + length] * self._random.choice((2, 3, 50)) + data[at + length :]

    def drop_line(self, data: bytes, _: Sequence[bytes]) -> bytes:
        """Without a line."""
        lines = data.splitlines(keepends=True)
        return b"".join(lines[:at] + lines[at + 1 :]) if (at := self._place(lines)) < len(lines) else data

    def repeat_lines(self, data: bytes, _: Sequence[bytes]) -> bytes:
        """Some lines many times."""
        lines = data.splitlines(keepends=True)
        at = self._place(lines)
        some = lines[at : at + self._random.choice((1, 2, 20))]
        return b"".join(lines[:at] + some * self._random.choice((1, 2, 30)) + lines[at:])

    def swap_lines(self, data: bytes, _: Sequence[bytes]) -> bytes:
        """Two lines in each other's place."""
        lines = data.splitlines(keepends=True)
        if lines:
            one, other = self._random.randrange(len(lines)), self._random.randrange(len(lines))
            lines[one], lines[other] = lines[other], lines[one]
        return b"".join(lines)

    def swap_word(self, data: bytes, seeds: Sequence[bytes]) -> bytes:
        """Another word in the place of one, often a number that nobody expects."""
        at = self._place(data)
        end = at
        while end < len(data) and data[end] not in SEPARATORS:
            end += 1
        while at > 0 and data[at - 1] not in SEPARATORS:
            at -= 1
        return data[:at] + self._random.choice(self._words) + data[end:]

    def insert_word(self, data: bytes, _: Sequence[bytes]) -> bytes:
        """A word more."""
        at = self._place(data)
        return data[:at] + self._random.choice(self._words) + data[at:]

    def swell(self, data: bytes, _: Sequence[bytes]) -> bytes:
        """Very much of one byte."""
        at = self._place(data)
        return data[:at] + data[at : at + 1] * self._random.choice((100, 1_000, 10_000)) + data[at:]

    def splice(self, data: bytes, seeds: Sequence[bytes]) -> bytes:
        """The rest from another seed."""
        other = self._random.choice(seeds)
        return data[: self._place(data)] + other[self._place(other) :]

    def _place(self, data: Sequence[object]) -> int:
        return self._random.randrange(len(data)) if data else 0

    def _stretch(self, data: bytes) -> tuple[int, int]:
        return self._place(data), self._random.choice((1, 2, 8, 40, 400))


Change = Callable[[Mutator, bytes, Sequence[bytes]], bytes]
CHANGES: Final[tuple[Change, ...]] = (
    Mutator.flip,
    Mutator.drop,
    Mutator.repeat,
    Mutator.drop_line,
    Mutator.repeat_lines,
    Mutator.swap_lines,
    Mutator.swap_word,
    Mutator.swap_word,
    Mutator.insert_word,
    Mutator.swell,
    Mutator.splice,
)
