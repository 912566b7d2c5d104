"""What the owner of a server says about the chat server behind it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeVar
from urllib.parse import urlsplit, urlunsplit

from vivavoce.errors import ConfigError
from vivavoce.telemetry.secret import Secret

_PATH: Final = "/chat/completions"


class Opening(Enum):
    """How an answer begins."""

    SPEECH = "speech"
    THOUGHT = "thought"
    """The template opens the thought, so that only its closing tag is sent."""


class Sight(Enum):
    """Whether the model takes images."""

    YES = "yes"
    NO = "no"


class Warmth(Enum):
    """Whether to ask for one token at start, so that the server has its model in memory before the first call."""

    YES = "yes"
    NO = "no"


@dataclass(frozen=True)
class ChatOptions:
    """Where the model is and how long to wait for it.

    `url` is the whole address of the completions endpoint. `effort` is sent as `reasoning_effort`, whatever a client
    asks for; for a voice, `none` is what a thinking model on Ollama needs. Waits are in seconds: to connect, for the
    first event, and between two.
    """

    url: str
    model: str
    key: Secret | None = None
    effort: str | None = None
    temperature: float | None = None
    opening: Opening = Opening.SPEECH
    sight: Sight = Sight.YES
    warmth: Warmth = Warmth.NO
    context: int = 0
    """Tokens that the model can hold, its answer included. 0 is unknown; then nothing is left out of a conversation."""
    connect_s: float = 5.0
    first_s: float = 60.0
    stall_s: float = 20.0
    calls: int = 100
    """Requests at one time; more wait `connect_s` and then fail."""

    @classmethod
    def parse(cls, options: Mapping[str, str]) -> "ChatOptions":
        """Reads `name=value` options; the names are those of the fields, and `key_env` names a variable with the key.

        Raises:
            ConfigError: an unknown name, a missing or impossible value.
        """
        known = {*cls.__dataclass_fields__, "key_env"}
        if unknown := sorted(set(options) - known):
            raise ConfigError(f"the chat engine has no option {unknown[0]!r}; it has {', '.join(sorted(known))}")
        if not options.get("model"):
            raise ConfigError("the chat engine needs a model: write chat:http://HOST:PORT/v1#MODEL")
        return cls(
            url=_endpoint(options.get("url", "")),
            model=options["model"],
            key=_key(options),
            effort=options.get("effort"),
            temperature=_number(options, "temperature", None, least=0.0),
            opening=_choice(options, "opening", Opening.SPEECH),
            sight=_choice(options, "sight", Sight.YES),
            warmth=_choice(options, "warmth", Warmth.NO),
            context=int(_number(options, "context", 0.0, least=0.0)),
            connect_s=_number(options, "connect_s", 5.0, least=0.001),
            first_s=_number(options, "first_s", 60.0, least=0.001),
            stall_s=_number(options, "stall_s", 20.0, least=0.001),
            calls=int(_number(options, "calls", 100.0, least=1.0)),
        )


def _endpoint(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(f"the chat engine needs the URL of a server, such as http://127.0.0.1:11434/v1; got {url!r}")
    path = parts.path.rstrip("/").removesuffix(_PATH)
    return urlunsplit((parts.scheme, parts.netloc, path + _PATH, parts.query, ""))


def _key(options: Mapping[str, str]) -> Secret | None:
    if "key_env" not in options:
        return Secret(options["key"]) if options.get("key") else None
    if "key" in options:
        raise ConfigError("give the chat engine either key or key_env, not both")
    name = options["key_env"]
    if not (key := os.environ.get(name)):
        raise ConfigError(f"the chat engine reads its key from the variable {name!r}, which is not set")
    return Secret(key)


Number = TypeVar("Number", float, None)


def _number(options: Mapping[str, str], name: str, default: Number, *, least: float) -> float | Number:
    if name not in options:
        return default
    try:
        value = float(options[name])
    except ValueError:
        value = float("nan")
    if not least <= value < float("inf"):
        raise ConfigError(f"the chat engine's {name} must be a number from {least:g} up; got {options[name]!r}")
    return value


Choice = TypeVar("Choice", bound=Enum)


def _choice(options: Mapping[str, str], name: str, default: Choice) -> Choice:
    if name not in options:
        return default
    kinds = type(default)
    try:
        return kinds(options[name])
    except ValueError as error:
        allowed = " or ".join(str(kind.value) for kind in kinds)
        raise ConfigError(f"the chat engine's {name} must be {allowed}; got {options[name]!r}") from error
