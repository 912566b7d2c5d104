"""Where a base URL leads, and how the provider there is told who calls."""

import pytest

from vivavoce.client.endpoint import Provider, endpoint
from vivavoce.client.secret import Credential, Kind
from vivavoce.errors import ConfigError
from vivavoce.telemetry.secret import Secret

KEY = Credential(Secret("sk-0123456789"), Kind.API_KEY)
EPHEMERAL = Credential(Secret("ek_0123456789"), Kind.CLIENT_SECRET)


@pytest.mark.parametrize(
    ("base_url", "calls"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1/realtime/calls"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1/realtime/calls"),
        ("https://api.openai.com", "https://api.openai.com/v1/realtime/calls"),
        ("https://api.openai.com/v1/realtime", "https://api.openai.com/v1/realtime/calls"),
        ("http://127.0.0.1:8765", "http://127.0.0.1:8765/v1/realtime/calls"),
        ("http://[::1]:8765/v1", "http://[::1]:8765/v1/realtime/calls"),
        ("https://voice.example/our/api", "https://voice.example/our/api/realtime/calls"),
        ("https://res.openai.azure.com", "https://res.openai.azure.com/openai/v1/realtime/calls"),
        ("https://res.openai.azure.com/openai/v1/", "https://res.openai.azure.com/openai/v1/realtime/calls"),
        ("https://RES.services.ai.azure.com/openai", "https://RES.services.ai.azure.com/openai/v1/realtime/calls"),
    ],
)
def test_a_call_is_placed_where_the_provider_takes_it(base_url: str, calls: str) -> None:
    assert endpoint(base_url).calls == calls


def test_a_websocket_is_as_secure_as_its_base_url() -> None:
    assert endpoint("http://127.0.0.1:1/v1").websocket("m") == "ws://127.0.0.1:1/v1/realtime?model=m"
    assert endpoint("https://api.openai.com/v1").websocket("a b&c") == (
        "wss://api.openai.com/v1/realtime?model=a%20b%26c"
    )
    assert endpoint("https://r.openai.azure.com").websocket("mine") == (
        "wss://r.openai.azure.com/openai/v1/realtime?model=mine"
    )


def test_azure_has_a_header_of_its_own_for_keys_only() -> None:
    azure, openai = endpoint("https://r.openai.azure.com"), endpoint("https://api.openai.com")
    assert (azure.provider, openai.provider) == (Provider.AZURE, Provider.OPENAI)
    assert azure.headers(KEY) == {"api-key": "sk-0123456789"}
    assert azure.headers(EPHEMERAL) == {"Authorization": "Bearer ek_0123456789"}
    assert openai.headers(KEY) == {"Authorization": "Bearer sk-0123456789"}


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "api.openai.com/v1",
        "ws://127.0.0.1/v1",
        "https://",
        "https://host:port/v1",
        "https://[::1/v1",
        "https://r.openai.azure.com/openai?api-version=2025-04-01-preview",
        "https://me:secret@host/v1",
    ],
)
def test_what_is_no_base_url_is_refused_at_once(base_url: str) -> None:
    with pytest.raises(ConfigError):
        endpoint(base_url)
