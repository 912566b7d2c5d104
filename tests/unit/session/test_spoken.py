"""What is said of a written text, and where in the text one is when it is being said."""

import pytest

from vivavoce.session.spoken import spoken


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Plain words stay as they are.", "Plain words stay as they are."),
        ("This is **very** *very* ***very*** good.", "This is very very very good."),
        ("This is __very__ _very_ good, ~~not~~ `really`.", "This is very very good, not really."),
        ("There are **5** apples and *6* pears.", "There are 5 apples and 6 pears."),
        ("2 * 3 is 6, and 2*3 is 6 too.", "2 * 3 is 6, and 2*3 is 6 too."),
        ("The name is snake_case_name here.", "The name is snake_case_name here."),
        (r"Five \* three \_ and \# too.", "Five * three _ and # too."),
        ("## A heading\n\nAnd text.", "A heading, And text."),
        ("Buy:\n- apples\n- pears\n* plums", "Buy: apples, pears, plums"),
        ("Buy:\n1. apples\n2. pears", "Buy: 1. apples, 2. pears"),
        ("- [ ] wash up\n- [x] cook", "wash up, cook"),
        ("> A quoted line\n> and more.", "A quoted line and more."),
        ("A line that\nis wrapped.", "A line that is wrapped."),
        ("Above.\n\n---\n\nBelow.", "Above. Below."),
        ("| name | age |\n|------|:---:|\n| Ann | 30 |", "name, age, Ann, 30"),
        ("See [the guide](https://example.com/a_(b)) first.", "See the guide first."),
        ("See [the **big** guide][1] first.", "See the big guide first."),
        ("![A cat](cat.png) sleeps.", "A cat sleeps."),
        ("See https://www.example.com/path?q=1#x.", "See example.com."),
        ("See (<https://example.com>) now.", "See (example.com) now."),
        ("a torn guide](https://example.com/x) here.", "a torn guide here."),
        ("Run this:\n```sh\nrm -rf x\n```\nDone.", "Run this: Done."),
        ("Run this:\n```sh\nrm -rf x", "Run this:"),
        ("Here: ![x](data:image/png;base64," + "iVBORw0KGgo" * 15 + ") is it.", "Here: x is it."),
        ("Here: data:image/png;base64," + "iVBORw0KGgo" * 15 + " is it.", "Here: is it."),
        ("A<br>B <b>bold</b> <a href='x'>link</a>.", "AB bold link."),
        ("It is 3 < 4 and 5 > 4.", "It is 3 < 4 and 5 > 4."),
        ("Great 😀👍🏽! Flags 🇩🇪 and 👩‍👧 too ❤️.", "Great ! Flags and too ."),
        ("Press 1️⃣ now.", "Press 1 now."),
        ("It is 20 °C, © me.", "It is 20 °C, © me."),
        ("  Many   blanks \t here  ", "Many blanks here"),
        ("മലയാളം ന്‍ क्‍ष", "മലയാളം ന്‍ क्‍ष"),
    ],
)
def test_markup_is_not_said(written: str, said: str) -> None:
    assert spoken(written).text == said


@pytest.mark.parametrize("silent", ["", "  \n", "---", "```\ncode()\n```", "😀", "...", "**", "—", "![](x.png)"])
def test_what_has_no_word_is_said_at_once(silent: str) -> None:
    nothing = spoken(silent)
    assert nothing.text == ""
    assert nothing.source_end(0) == len(silent)


def test_what_was_heard_is_told_in_characters_of_the_transcript() -> None:
    written = "Take **two** of [these](https://example.com), please. "
    heard = spoken(written)
    assert heard.text == "Take two of these, please."

    def transcript_up_to(words: str) -> str:
        return written[: heard.source_end(len(words))]

    assert transcript_up_to("") == ""
    assert transcript_up_to("Take") == "Take"
    assert transcript_up_to("Take two") == "Take **two**"
    assert transcript_up_to("Take two of these") == "Take **two** of [these](https://example.com)"
    assert transcript_up_to("Take two of these, please.") == written


def test_an_address_is_heard_whole_or_not_at_all() -> None:
    heard = spoken("See https://example.com/path now.")
    assert heard.source_end(len("See ")) == len("See ")
    assert heard.source_end(len("See example")) == len("See https://example.com/path")


def test_more_than_everything_is_everything() -> None:
    assert spoken("Yes. 😀").source_end(1000) == len("Yes. 😀")
    assert spoken("Yes.").source_end(-1) == 0
