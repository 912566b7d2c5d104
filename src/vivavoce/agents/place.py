"""What agents say of the place to call, in this client's words."""

from collections.abc import Callable, Mapping
from os import PathLike
from typing import Final, Literal, Protocol, TypedDict, cast
from urllib.parse import parse_qs, urlsplit, urlunsplit

from agents.realtime import RealtimeModelConfig

from vivavoce.audio.format import Format
from vivavoce.client.ice import Fetch as FetchIce
from vivavoce.client.ice import Given as IceServers
from vivavoce.client.player import Player
from vivavoce.client.policy import Policy
from vivavoce.client.proxy import Given as GivenProxy
from vivavoce.client.secret import Fetch, Words
from vivavoce.client.state import State
from vivavoce.errors import ConfigError
from vivavoce.session.price import Price
from vivavoce.transport.webrtc.opus import Opus

_SCHEMES: Final = {"ws": "http", "wss": "https"}
_KEY_HEADERS: Final = ("authorization", "api-key")
_SIDES: Final = ("input", "output")


class Options(TypedDict, total=False):
    """What `vivavoce.connect` may be told beside the session; see there."""

    base_url: str | None
    api_key: Words | Fetch | None
    client_secret: Words | Fetch | None
    transport: Literal["auto", "webrtc", "websocket"]
    ice_servers: IceServers | FetchIce | Literal["server"]
    relay_only: bool
    proxy: GivenProxy
    opus: Opus | None
    player: Player | None
    timeout_s: float
    on_state: Callable[[State], None] | None
    policy: Policy | None
    budget: float | None
    prices: Mapping[str, Price] | None
    dump: str | PathLike[str] | None


def place_of(config: RealtimeModelConfig) -> tuple[Options, str | None]:
    """Where a session's own config says to call, and the model that its URL names.

    Raises:
        ConfigError: it says something that cannot be done over WebRTC.
    """
    if "call_id" in config:
        raise ConfigError(
            "A call that exists already (call_id) is attached to over a WebSocket; use OpenAIRealtimeSIPModel for it."
        )
    place, model = Options(), None
    if (url := config.get("url")) is not None:
        place["base_url"], model = _base(url)
    key = config.get("api_key")
    for name, value in (config.get("headers") or {}).items():
        if name.lower() not in _KEY_HEADERS:
            raise ConfigError(f"The header {name!r} cannot be sent: this client sends the key, and nothing else.")
        key = value.removeprefix("Bearer ")
    if isinstance(key, str) and key.startswith("ek_"):
        place["client_secret"] = key
    elif key is not None:
        place["api_key"] = cast("Words | Fetch", key)
    return place, model


def _base(url: str) -> tuple[str, str | None]:
    """The base URL of an address of the kind that WebSockets have, and the model in its query."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    model = query.pop("model", [None])[-1]
    if query:
        raise ConfigError(f"The URL has {', '.join(sorted(query))} in its query; only `model` has a meaning here.")
    base = parts._replace(scheme=_SCHEMES.get(parts.scheme, parts.scheme), query="", fragment="")
    return urlunsplit(base), model


class Dumped(Protocol):
    """What pydantic makes of the wire's objects."""

    def model_dump(self, *, mode: str, exclude_unset: bool) -> "dict[str, object]":
        """Its fields."""
        ...


def body_of(model: Dumped) -> "tuple[dict[str, object], dict[str, Format]]":
    """An event or a config as it is sent, and the formats of sound that the application wants, by side.

    Sound crosses here as samples, whatever is asked for: the application's formats are its own business with us.
    """
    body = model.model_dump(mode="json", exclude_unset=True)
    session = cast("dict[str, object]", body.get("session", body))
    audio = cast("dict[str, dict[str, object]]", session.get("audio", {}))
    formats: dict[str, Format] = {}
    for side in _SIDES:
        named = cast("dict[str, str] | None", audio.get(side, {}).pop("format", None))
        formats[side] = Format(named["type"]) if named else Format.PCM
    return body, formats
