"""What a misfit says."""

import pytest

from vivavoce.wire.misfit import (
    PATH_CHARS,
    SHOWN_CHARS,
    child,
    kind,
    missing,
    named,
    shown,
    unknown,
    wrong_type,
    wrong_value,
)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "a boolean"),
        (3, "an integer"),
        (3.5, "a decimal number"),
        ("x", "a string"),
        ([], "an array"),
        ({}, "an object"),
    ],
)
def test_a_value_is_called_what_json_calls_it(value: object, name: str) -> None:
    assert kind(value) == name


def test_a_path_joins_keys_by_dots() -> None:
    assert child("", "session") == "session"
    assert child("session.tools[0]", "name") == "session.tools[0].name"


def test_each_misfit_has_the_code_of_the_protocol_and_names_the_place() -> None:
    misfits = [
        unknown("a.b", ["c", "d"]),
        missing("a.b"),
        wrong_type("a.b", "a string", 3),
        wrong_value("a.b", "'x'", "one of 'y', 'z'"),
    ]
    codes = ["unknown_parameter", "missing_required_parameter", "invalid_type", "invalid_value"]
    assert [misfit.code for misfit in misfits] == codes
    for misfit in misfits:
        assert misfit.path == "a.b"
        assert "'a.b'" in misfit.message


def test_a_misfit_says_what_was_seen_and_what_was_expected() -> None:
    assert wrong_type("a", "a string", 3).message == "'a' is an integer, expected a string."
    assert wrong_value("", "'x'", "'y'").message == "The message is 'x', expected 'y'."
    assert "c, d" in unknown("a", ["c", "d"]).message


def test_a_value_is_shown_no_longer_than_a_log_can_bear() -> None:
    assert shown("short") == "'short'"
    assert len(shown("x" * 1_000_000)) == SHOWN_CHARS + 1
    assert len(shown(10**100)) == SHOWN_CHARS + 1


def test_a_path_of_any_length_makes_an_answer_of_bounded_length() -> None:
    misfit = missing("x" * 1_000_000)
    assert len(misfit.path) == PATH_CHARS
    assert len(misfit.message) < 2 * PATH_CHARS
    assert len(named("x" * 1_000_000)) == PATH_CHARS + 2
