"""Numbers in words and figures."""

from fractions import Fraction

import pytest

from vivavoce.engine.house.number import figures, read, spell_out


@pytest.mark.parametrize(
    ("words", "value", "length"),
    [
        ("seven", 7, 1),
        ("twenty one", 21, 2),
        ("twenty", 20, 1),
        ("twenty thirty", 20, 1),
        ("one two three", 1, 1),
        ("a hundred", 100, 2),
        ("a hundred and five", 105, 4),
        ("one hundred twenty three", 123, 4),
        ("two thousand and five", 2005, 4),
        ("a thousand", 1000, 2),
        ("twelve thousand three hundred and forty five", 12_345, 7),
        ("two million three thousand", 2_003_000, 4),
        ("three thousand million", 3000, 2),
        ("two thousand 5", 2000, 2),
        ("two thousand and", 2000, 2),
        ("three point one four", Fraction("3.14"), 4),
        ("three point oh five", Fraction("3.05"), 4),
        ("three point 5", Fraction("3.5"), 3),
        ("three point taken", 3, 1),
        ("three point", 3, 1),
        ("point five", Fraction("0.5"), 2),
        ("42", 42, 1),
        ("3.5", Fraction("3.5"), 1),
        ("3 million", 3_000_000, 2),
        ("zero", 0, 1),
    ],
)
def test_a_number_is_read_to_its_end(words: str, value: Fraction | int, length: int) -> None:
    assert read(words.split()) == (value, length)


@pytest.mark.parametrize("words", ["", "hello", "a", "a dog", "hundred", "point", "point blank", "and five", "x1"])
def test_what_begins_with_no_number_is_none(words: str) -> None:
    assert read(words.split()) is None


def test_a_number_is_read_where_it_stands() -> None:
    assert read(["count", "to", "thirty", "one", "please"], 2) == (31, 4)
    assert read(["one"], 1) is None


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (40, "forty"),
        (99, "ninety-nine"),
        (100, "one hundred"),
        (105, "one hundred and five"),
        (1000, "one thousand"),
        (1001, "one thousand and one"),
        (1100, "one thousand one hundred"),
        (2_000_017, "two million and seventeen"),
        (-3, "minus three"),
    ],
)
def test_numbers_are_written_as_they_are_said(number: int, words: str) -> None:
    assert spell_out(number) == words


@pytest.mark.parametrize("number", [0, 7, 21, 105, 999, 1000, 1001, 12_345, 999_999, 2_003_000, 10**12 + 7])
def test_what_is_written_can_be_read_again(number: int) -> None:
    words = spell_out(number).replace("-", " ").split()
    assert read(words) == (number, len(words))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Fraction(84), "84"),
        (Fraction(-5), "minus 5"),
        (Fraction("2.5"), "2.5"),
        (Fraction(1, 3), "about 0.3333"),
        (Fraction(-1, 3), "about minus 0.3333"),
        (Fraction(22, 7), "about 3.1429"),
        (Fraction(1, 7000), "about 0.0001429"),
        (Fraction(10**14), "100000000000000"),
        (Fraction(10**15), "about 1 times 10 to the power of 15"),
        (Fraction(-(2**100)), "about minus 1.27 times 10 to the power of 30"),
        (Fraction(1, 3 * 10**5), "about 3.33 times 10 to the power of minus 6"),
    ],
)
def test_results_are_said_so_that_one_can_follow(value: Fraction, said: str) -> None:
    assert figures(value) == said
