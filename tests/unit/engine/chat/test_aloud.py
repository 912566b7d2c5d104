"""Thoughts are not said."""

import pytest

from vivavoce.engine.chat.aloud import Aloud


def said(text: str, depth: int = 0) -> str:
    """What is let through, one character at a time."""
    aloud = Aloud(depth)
    return "".join(aloud.push(char) for char in text) + aloud.flush()


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("It is five.", "It is five."),
        ("<think>Let me see.</think>It is five.", "It is five."),
        ("<think>\n\n</think>\n\nIt is five.", "It is five."),
        ("\n<think>Hm.</think>\nIt is <thinking>oh</thinking>five.", "It is five."),
        ("<THINK>Hm.</THINK> Five.", "Five."),
        ("<thought>Hm.</thought> Five.", "Five."),
        ("<reasoning>Hm.</reasoning> Five.", "Five."),
        ("Five. <think>And never closed", "Five. "),
        ("A stray</think> tag.", "A straytag."),
        ("3 < 4 and <b>bold</b>", "3 < 4 and <b>bold</b>"),
        ("a <thin line", "a <thin line"),
        ("ends with <thi", "ends with <thi"),
        ("  Leading blanks.", "Leading blanks."),
    ],
)
def test_only_what_stands_outside_of_thoughts_is_said(written: str, heard: str) -> None:
    assert said(written) == heard
    aloud = Aloud()
    assert aloud.push(written) + aloud.flush() == heard


def test_an_answer_may_begin_inside_a_thought() -> None:
    assert said("Hm, let me see.</think>Five.", depth=1) == "Five."


def test_words_are_not_held_back_longer_than_a_tag_could_be() -> None:
    aloud = Aloud()
    assert aloud.push("It is <") == "It is "
    assert aloud.push("b") == "<b"
    assert aloud.push(">five") == ">five"
