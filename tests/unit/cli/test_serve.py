import argparse

import pytest

from vivavoce.assembly import EngineNames, open_engines
from vivavoce.cli.serve import configure, read_settings
from vivavoce.clock import SystemClock
from vivavoce.errors import ConfigError
from vivavoce.gateway.settings import Beta


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    configure(parser)
    return parser.parse_args(words)


def test_the_longest_session_is_an_hour_unless_it_is_said_otherwise() -> None:
    assert read_settings(options()).lifetime_s == 3600
    assert read_settings(options("--session-minutes", "0.5")).lifetime_s == 30


@pytest.mark.parametrize("minutes", ["0", "-1", "inf", "nan"])
def test_a_session_that_could_not_be_is_refused(minutes: str) -> None:
    with pytest.raises(ConfigError, match="--session-minutes"):
        read_settings(options(f"--session-minutes={minutes}"))


def test_the_beta_is_translated_unless_it_is_said_otherwise() -> None:
    assert read_settings(options()).gateway.beta is Beta.TRANSLATED
    assert read_settings(options("--no-beta")).gateway.beta is Beta.REFUSED


def test_private_mcp_servers_are_called_for_callers_on_this_machine_only() -> None:
    assert read_settings(options()).engines.mcp == "all"
    assert read_settings(options("--host", "0.0.0.0")).engines.mcp == "public"
    assert read_settings(options("--host", "0.0.0.0", "--mcp", "all")).engines.mcp == "all"


def test_an_operator_may_have_no_mcp_server_called() -> None:
    names = read_settings(options("--mcp", "none")).engines
    assert open_engines(names, SystemClock()).tool_servers is None
    assert open_engines(EngineNames(), SystemClock()).tool_servers is not None
