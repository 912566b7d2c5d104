"""What somebody sees of a call on a terminal, and in a file."""

import io

import pytest

from vivavoce.cli.terminal import Ink, Terminal
from vivavoce.session.caption import Caption, CaptionState, Role


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def caption(text: str, state: CaptionState, role: Role = Role.ASSISTANT, id: str = "a") -> Caption:
    return Caption(id, role, text, state)


def test_in_a_file_a_line_is_written_when_it_is_whole() -> None:
    stream = io.StringIO()
    terminal = Terminal(stream, {})
    terminal.caption(caption("Good", CaptionState.WRITING))
    assert stream.getvalue() == ""
    terminal.caption(caption("Good morning.", CaptionState.DONE))
    terminal.caption(caption("Good morning.", CaptionState.DONE))
    assert stream.getvalue() == "  agent   Good morning.\n"


def test_on_a_terminal_a_line_grows_in_place() -> None:
    stream = Screen()
    terminal = Terminal(stream, {"TERM": "xterm"})
    for text in ("Good", "Good mor", "Good morning"):
        terminal.caption(caption(text, CaptionState.WRITING))
    terminal.caption(caption("Good morning.", CaptionState.DONE))
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().count("\r\x1b[2K") == 3
    assert stream.getvalue().endswith("Good morning.\n")


def test_a_growing_line_never_fills_more_than_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    stream = Screen()
    Terminal(stream, {"NO_COLOR": "1"}).caption(caption("word " * 100, CaptionState.WRITING))
    assert len(stream.getvalue()) < 60
    assert "…" in stream.getvalue()


def test_colours_are_for_terminals_and_not_for_who_does_not_want_them() -> None:
    for stream, environment, coloured in (
        (Screen(), {}, True),
        (Screen(), {"NO_COLOR": "1"}, False),
        (Screen(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ):
        terminal = Terminal(stream, environment)
        terminal.line("words", Ink.QUIET)
        terminal.row("you", "words", Ink.USER)
        assert ("\x1b[" in stream.getvalue()) is coloured


def test_an_interruption_is_told_once_with_the_last_word_on_what_was_heard() -> None:
    stream = io.StringIO()
    terminal = Terminal(stream, {})
    terminal.caption(caption("One, two, three, four, five, six.", CaptionState.DONE))
    terminal.caption(caption("One,", CaptionState.CUT))
    terminal.caption(caption("One, two,", CaptionState.CUT))
    terminal.caption(caption("Stop.", CaptionState.DONE, Role.USER, "u"))
    assert stream.getvalue().splitlines() == [
        "  agent   One, two, three, four, five, six.",
        "          interrupted; heard up to “…One, two,”",
        "    you   Stop.",
    ]


def test_what_was_never_heard_and_what_nobody_understood_says_so() -> None:
    stream = io.StringIO()
    terminal = Terminal(stream, {})
    terminal.caption(caption("All of it.", CaptionState.DONE))
    terminal.caption(caption("", CaptionState.CUT))
    terminal.caption(caption("", CaptionState.FAILED, Role.USER, "u"))
    terminal.caption(caption("Half", CaptionState.CUT, id="b"))
    terminal.caption(caption("", CaptionState.DONE, Role.USER, "silence"))
    assert stream.getvalue().splitlines() == [
        "  agent   All of it.",
        "          not heard",
        "    you   (nobody could write this down)",
        "  agent   Half — interrupted",
    ]


def test_long_words_are_wrapped_beside_their_label(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    stream = io.StringIO()
    Terminal(stream, {}).row("agent", "word " * 20)
    lines = stream.getvalue().splitlines()
    assert len(lines) > 2
    assert all(len(line) <= 50 for line in lines)
    assert all(line.startswith(" " * 10) for line in lines[1:])


def test_how_things_are_stands_in_one_line_and_gives_way_to_words() -> None:
    stream = Screen()
    terminal = Terminal(stream, {"TERM": "xterm", "NO_COLOR": "1"})
    terminal.status("MOS 4.4")
    terminal.status("MOS 4.3")
    assert stream.getvalue().endswith("\r\x1b[2K  MOS 4.3")
    terminal.caption(caption("Good", CaptionState.WRITING))
    terminal.status("MOS 4.2")
    assert stream.getvalue().endswith("\r\x1b[2K  agent   Good")
    terminal.caption(caption("Good morning.", CaptionState.DONE))
    terminal.status("MOS 4.1")
    assert stream.getvalue().endswith("Good morning.\n  MOS 4.1")
    assert stream.getvalue().count("\n") == 1


def test_in_a_file_every_word_on_how_things_are_has_its_line() -> None:
    stream = io.StringIO()
    terminal = Terminal(stream, {})
    terminal.status("MOS 4.4")
    terminal.status("MOS 4.3")
    assert stream.getvalue() == "  MOS 4.4\n  MOS 4.3\n"
