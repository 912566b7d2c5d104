"""Which proxy is on the way to a server."""

from urllib.parse import urlsplit

import pytest

from vivavoce.client.proxy import proxy_for, shown
from vivavoce.errors import ConfigError
from vivavoce.telemetry.secret import Secret

SERVER = urlsplit("https://voice.example/v1")
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def way(url: str = "https://voice.example/v1") -> str | None:
    proxy = proxy_for(urlsplit(url))
    return None if proxy is None else proxy.reveal()


def test_without_a_proxy_there_is_none() -> None:
    assert way() is None


def test_the_environment_names_one_by_scheme_and_one_for_all(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ALL_PROXY", "http://all.example:1")
    assert (way(), way("http://voice.example/v1")) == ("http://all.example:1", "http://all.example:1")
    environment.setenv("https_proxy", "tls.example:2")
    assert (way(), way("http://voice.example/v1")) == ("http://tls.example:2", "http://all.example:1")
    environment.setenv("HTTP_PROXY", "https://plain.example:3")
    assert way("http://voice.example/v1") == "https://plain.example:3"


@pytest.mark.parametrize(
    "exempt", ["voice.example", ".example", "example", "*", "a, voice.example:443", "a,voice.example"]
)
def test_the_environment_exempts_servers(exempt: str, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HTTPS_PROXY", "http://proxy.example:1")
    environment.setenv("NO_PROXY", exempt)
    assert way("https://voice.example:443/v1") is None
    assert way("https://[2001:db8::7]/v1") == (None if exempt == "*" else "http://proxy.example:1")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8765/v1", "http://[::1]:8765/v1", "http://localhost:8765/v1"])
def test_no_proxy_of_the_environment_leads_to_this_computer(url: str, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ALL_PROXY", "http://proxy.example:1")
    assert way(url) is None


def test_what_the_program_says_comes_before_the_environment(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ALL_PROXY", "http://all.example:1")
    assert proxy_for(SERVER, "http://mine.example:3128") == Secret("http://mine.example:3128")
    assert proxy_for(SERVER, Secret("http://mine.example")) == Secret("http://mine.example")
    assert proxy_for(SERVER, False) is None
    here = urlsplit("http://127.0.0.1:8765/v1")
    assert proxy_for(here, "http://mine.example:3128") == Secret("http://mine.example:3128")


@pytest.mark.parametrize(
    "proxy",
    [
        "",
        "ftp://proxy.example",
        "socks5://proxy.example:1080",
        "http://",
        "http://proxy.example:99999",
        "http://proxy.example:x",
        "http://proxy.example/path",
        "http://proxy.example?x=hunter2",
        "http://hunter2@proxy.example",
        "http://[::1",
    ],
)
def test_what_is_no_http_proxy_is_refused_without_showing_it(proxy: str, environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError) as refused:
        proxy_for(SERVER, proxy)
    assert "hunter2" not in refused.value.message
    if proxy:
        environment.setenv("ALL_PROXY", proxy)
        with pytest.raises(ConfigError, match="ALL_PROXY"):
            proxy_for(SERVER)


def test_a_proxys_password_is_not_shown() -> None:
    assert shown(Secret("http://me:hunter2@proxy.example:3128")) == "http://proxy.example:3128"
