import pytest

from vivavoce.errors import ConfigError
from vivavoce.gateway.origin import LOOPBACK, Origins, is_same_origin


@pytest.mark.parametrize(
    ("allowed", "origin", "welcome"),
    [
        (("https://app.example",), "https://app.example", True),
        (("https://App.Example",), "https://app.example", True),
        (("https://app.example",), "http://app.example", False),
        (("https://app.example",), "https://app.example:8443", False),
        (("https://app.example",), "https://app.example.evil.com", False),
        (("https://app.example",), "https://evil.com/https://app.example", False),
        (LOOPBACK, "http://localhost:3000", True),
        (LOOPBACK, "http://localhost", True),
        (LOOPBACK, "http://127.0.0.1:8000", True),
        (LOOPBACK, "http://[::1]:5173", True),
        (LOOPBACK, "https://localhost:3000", False),
        (LOOPBACK, "http://localhost.evil.com:80", False),
        (LOOPBACK, "http://user@localhost:80", False),
        (LOOPBACK, "http://localhost:http", False),
        (LOOPBACK, "null", False),
        (("null",), "null", True),
        (("*",), "https://anything.example", True),
        ((), "https://app.example", False),
        (LOOPBACK, "", False),
    ],
)
def test_which_pages_may_call(allowed: tuple[str, ...], origin: str, welcome: bool) -> None:
    assert Origins(allowed).allows(origin) is welcome


@pytest.mark.parametrize(
    "entry", ["app.example", "https://app.example/", "ftp://app.example", "https://*.example", "https://:*", ""]
)
def test_an_entry_that_is_no_origin_is_refused_at_the_start(entry: str) -> None:
    with pytest.raises(ConfigError):
        Origins((entry,))


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("https://voice.example", "voice.example", True),
        ("https://voice.example", "voice.example:443", True),
        ("https://Voice.example", "voice.EXAMPLE", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("https://voice.example", "voice.example:8443", False),
        ("https://evil.example", "voice.example", False),
        ("null", "null", False),
        ("https://voice.example", "", False),
        ("https://voice.example", "voice.example/evil", False),
    ],
)
def test_which_pages_the_server_itself_has_served(origin: str, host: str, same: bool) -> None:
    assert is_same_origin(origin, host) is same
