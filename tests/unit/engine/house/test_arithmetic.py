"""Sums as they are said, written and misheard."""

import pytest

from vivavoce.engine.house.arithmetic import compute


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("what is twelve times seven", "12 times 7 is 84."),
        ("12*7", "12 times 7 is 84."),
        ("12 × 7 =", "12 times 7 is 84."),
        ("how much is 5 x 6", "5 times 6 is 30."),
        ("1,000 times 1,000", "1000 times 1000 is 1000000."),
        ("twenty-one plus two", "21 plus 2 is 23."),
        ("a hundred and five times two", "105 times 2 is 210."),
        ("two plus three times four", "2 plus 3 times 4 is 14."),
        ("ten minus three minus two", "10 minus 3 minus 2 is 5."),
        ("(1+2)*3", "(1 plus 2) times 3 is 9."),
        ("what is minus five plus three", "Minus 5 plus 3 is minus 2."),
        ("what is 7-3", "7 minus 3 is 4."),
        ("what is 15/3", "15 divided by 3 is 5."),
        ("ten take away three", "10 minus 3 is 7."),
        ("one divided by three", "1 divided by 3 is about 0.3333."),
        ("point five times two", "0.5 times 2 is 1."),
        ("15 % of 80", "15 percent of 80 is 12."),
        ("fifteen per cent of eighty", "15 percent of 80 is 12."),
        ("20 percent off fifty", "20 percent off 50 is 40."),
        ("half of ninety", "Half of 90 is 45."),
        ("one half of ten", "1 half of 10 is 5."),
        ("a third of nine", "One third of 9 is 3."),
        ("three quarters of eighty", "3 quarters of 80 is 60."),
        ("double twenty one", "Double 21 is 42."),
        ("the square root of 81", "The square root of 81 is 9."),
        ("square root of two", "The square root of 2 is about 1.4142."),
        ("cube root of 27", "The cube root of 27 is 3."),
        ("the cube root of minus eight", "The cube root of minus 8 is minus 2."),
        ("three squared plus four squared", "3 squared plus 4 squared is 25."),
        ("two cubed", "2 cubed is 8."),
        ("two to the power of ten", "2 to the power of 10 is 1024."),
        ("2^0.5", "2 to the power of 0.5 is about 1.4142."),
        ("five factorial", "The factorial of 5 is 120."),
        ("5!", "The factorial of 5 is 120."),
        ("add two and three", "2 plus 3 is 5."),
        ("the sum of two and three", "2 plus 3 is 5."),
        ("subtract three from ten", "10 minus 3 is 7."),
        ("the difference between ten and four", "10 minus 4 is 6."),
        ("multiply six by seven", "6 times 7 is 42."),
        ("the product of six and seven", "6 times 7 is 42."),
        ("divide ten by four", "10 divided by 4 is 2.5."),
        # misheard
        ("twelve time seven", "12 times 7 is 84."),
        ("two plus to", "2 plus 2 is 4."),
        ("ate minus for", "8 minus 4 is 4."),
        ("one hundred to minus thirty five", "100 minus 35 is 65."),
        ("ten divided buy two", "10 divided by 2 is 5."),
        ("please tell me two plus two plus", "2 plus 2 is 4."),
        # the longest sum wins
        ("i have two dogs and what is five plus six plus seven", "5 plus 6 plus 7 is 18."),
    ],
)
def test_a_sum_is_worked_out_and_read_back(said: str, answer: str) -> None:
    assert compute(said) == answer


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("ten divided by zero", "Nothing can be divided by zero."),
        ("zero to the power of minus one", "Nothing can be divided by zero."),
        ("square root of minus four", "The square root of minus 4 is not a real number."),
        ("minus two to the power of 0.5", "Minus 2 to the power of 0.5 is about minus 1.4142."),
        ("(minus two) to the power of 0.5", "(Minus 2) to the power of 0.5 is not a real number."),
        ("two to the power of ten thousand", "2 to the power of 10000 is too big for me."),
        ("9 squared squared squared squared squared squared squared squared squared squared", "too big for me."),
        ("five thousand factorial", "The factorial of 5000 is too big for me."),
        ("300 factorial", "The factorial of 300 is too big for me."),
        ("2.5 factorial", "The factorial of 2.5 is not defined."),
        ("minus three factorial", "Minus the factorial of 3 is minus 6."),
    ],
)
def test_a_sum_without_a_result_says_why(said: str, answer: str) -> None:
    told = compute(said)
    assert told is not None
    assert told.lower().endswith(answer.lower())


@pytest.mark.parametrize(
    "said",
    [
        "",
        "hello",
        "what time is it",
        "one two three",
        "count to ten",
        "it is twenty-one",
        "call 555-1234",
        "20/11/2026",
        "what was on 2026-11-20",
        "what is 10 % 3",
        "remind me to buy milk for two",
        "add milk and honey",
        "subtract three",
        "the sum of three",
        "((((1",
        "half " * 50,
        "minus " * 50,
    ],
)
def test_what_is_no_sum_is_left_to_others(said: str) -> None:
    assert compute(said) is None


def test_brackets_are_followed_only_so_deep() -> None:
    deep = compute("(" * 30 + "1+1" + ")" * 30)
    assert deep is not None
    assert deep.endswith("1 plus 1)))))))))) is 2.")
    assert compute("(" * 5000 + "1+1" + ")" * 5000) is None
