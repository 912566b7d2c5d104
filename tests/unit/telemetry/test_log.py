import io
import json
import logging
from collections.abc import Iterator

import pytest

from vivavoce.errors import ConfigError, EngineError
from vivavoce.telemetry.log import Log, Style, configure
from vivavoce.telemetry.private import Private
from vivavoce.telemetry.secret import Secret

NAMES = ("", "vivavoce", "uvicorn", "uvicorn.error", "uvicorn.access")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    levels = {name: logging.getLogger(name).level for name in NAMES}
    handlers = list(logging.getLogger().handlers)
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    logging.getLogger().handlers[:] = handlers


def test_a_json_record_is_one_line_with_its_fields() -> None:
    stream = io.StringIO()
    configure(stream, style=Style.JSON)
    Log("gateway").info("call_started", call_id="rtc_1", took_ms=1.5, model=None)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1
    record = json.loads(lines[0])
    assert record.pop("time").startswith("20")
    assert record == {
        "level": "info",
        "part": "vivavoce.gateway",
        "event": "call_started",
        "call_id": "rtc_1",
        "took_ms": 1.5,
        "model": None,
    }


def test_a_text_record_is_one_line_whatever_its_fields_hold() -> None:
    stream = io.StringIO()
    configure(stream)
    Log("gateway").warning("refused", path="/a\nb c", code="not_found", kept=True)
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().endswith('warning vivavoce.gateway refused path="/a\\nb c" code=not_found kept=true\n')


@pytest.mark.parametrize("style", list(Style))
def test_secrets_and_private_words_are_stars_in_every_style(style: Style) -> None:
    stream = io.StringIO()
    configure(stream, style=style)
    Log("gateway").info("minted", secret=Secret("ek_hidden"), speaker=Private("hidden too"))
    assert "hidden" not in stream.getvalue()
    assert stream.getvalue().count("***") == 2


def test_a_foreign_failure_is_named_and_placed_but_not_quoted() -> None:
    stream = io.StringIO()
    configure(stream, style=Style.JSON)
    try:
        int("spoken words")
    except ValueError as error:
        Log("answer").failure("engine_broke", error, call_id="rtc_1")
    record = json.loads(stream.getvalue())
    assert record["error"] == "ValueError"
    assert "test_log.py" in record["where"]
    assert "spoken" not in stream.getvalue()


def test_a_failure_of_ours_says_its_message() -> None:
    stream = io.StringIO()
    configure(stream, style=Style.JSON)
    Log("answer").failure("engine_broke", EngineError("The recogniser died; it is started again."))
    assert json.loads(stream.getvalue())["message"] == "The recogniser died; it is started again."


def test_a_key_that_slipped_into_a_message_is_stars_too() -> None:
    stream = io.StringIO()
    configure(stream, style=Style.JSON)
    Log("engine").failure("refused", EngineError("The provider said: Incorrect API key provided: sk-proj-a1B2c3."))
    Log("gateway").info("request", path="/v1/realtime/ek_a1B2c3d4")
    assert "a1B2c3" not in stream.getvalue()
    assert json.loads(stream.getvalue().splitlines()[0])["message"].endswith("provided: ***.")


def test_what_another_package_logs_with_its_error_is_not_quoted_either() -> None:
    stream = io.StringIO()
    configure(stream, style=Style.JSON)
    try:
        int("spoken words")
    except ValueError:
        logging.getLogger("elsewhere").exception("it broke")
    record = json.loads(stream.getvalue())
    assert (record["event"], record["error"]) == ("it broke", "ValueError")
    assert "spoken" not in stream.getvalue()


def test_other_packages_are_held_to_warnings_even_when_ours_debugs() -> None:
    stream = io.StringIO()
    configure(stream, level="debug")
    logging.getLogger("websockets.server").debug("< TEXT hello")
    logging.getLogger("uvicorn.error").info('"WebSocket /v1/realtime?api-key=k" [accepted]')
    Log("gateway").debug("seen")
    assert stream.getvalue().count("\n") == 1
    assert "seen" in stream.getvalue()


def test_a_field_of_endless_length_is_cut() -> None:
    stream = io.StringIO()
    configure(stream)
    Log("gateway").info("refused", path="x" * 100_000)
    assert len(stream.getvalue()) < 700


def test_configuring_twice_writes_each_record_once() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure(first)
    configure(second)
    Log("gateway").info("hello")
    assert first.getvalue() == ""
    assert second.getvalue().count("hello") == 1


def test_records_below_the_level_are_not_written() -> None:
    stream = io.StringIO()
    configure(stream, level="warning")
    Log("gateway").info("quiet")
    assert stream.getvalue() == ""


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ConfigError):
        configure(io.StringIO(), level="loud")
