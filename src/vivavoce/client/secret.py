"""Who calls: an API key, or a client secret that somebody's backend has made for this call."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeVar, cast

from vivavoce.errors import ConfigError, RefusedError, Retry, VivaError
from vivavoce.telemetry.secret import Secret

T = TypeVar("T")
Words = str | Secret
"""A key or client secret."""
Fetch = Callable[[], Words | Awaitable[Words]]
"""Gets a fresh client secret or key, from an application's backend for instance. A plain function runs in a thread."""


class Kind(Enum):
    """What a credential opens."""

    API_KEY = "api key"
    CLIENT_SECRET = "client secret"


@dataclass(frozen=True)
class Credential:
    """What is shown to a provider."""

    secret: Secret
    kind: Kind


class Source(Protocol):
    """Where the credential of a call comes from."""

    @property
    def kind(self) -> Kind:
        """What it gives."""
        ...

    @property
    def fetches(self) -> bool:
        """Whether somebody must be asked for it."""
        ...

    async def get(self) -> Credential:
        """A credential for one call.

        Raises:
            VivaError: there is none.
        """
        ...


class Given:
    """A credential that is at hand."""

    def __init__(self, words: Words, kind: Kind) -> None:
        """Take it.

        Raises:
            ConfigError: it is empty, or cannot stand in an HTTP header.
        """
        self._credential = Credential(secret(words, kind), kind)

    @property
    def kind(self) -> Kind:
        """What it gives."""
        return self._credential.kind

    @property
    def fetches(self) -> bool:
        """No."""
        return False

    async def get(self) -> Credential:
        """The same one each time."""
        return self._credential


class Fetched:
    """A credential that the application fetches, a fresh one for each connection."""

    def __init__(self, fetch: Fetch, kind: Kind = Kind.CLIENT_SECRET) -> None:
        self._fetch = fetch
        self._kind = kind

    @property
    def kind(self) -> Kind:
        """As it was said to give."""
        return self._kind

    @property
    def fetches(self) -> bool:
        """Yes."""
        return True

    async def get(self) -> Credential:
        """A fresh one.

        Raises:
            RefusedError: the function failed.
            ConfigError: it gave no secret.
        """
        try:
            words = await run(self._fetch)
        except VivaError:
            raise
        except Exception as error:
            raise RefusedError(
                f"The function that fetches the {self._kind.value} failed: {type(error).__name__}: {error}",
                next=Retry(),  # it has worked before where a call is being brought back: its network is away, too
            ) from error
        return Credential(secret(words, self._kind), self._kind)


async def run(function: Callable[[], T | Awaitable[T]]) -> T:
    """What a function of the application gives; a plain one runs in a thread, for it may wait for a network."""
    if inspect.iscoroutinefunction(function):
        return await cast("Awaitable[T]", function())
    got = await asyncio.to_thread(function)
    return await cast("Awaitable[T]", got) if inspect.isawaitable(got) else got


def secret(words: object, kind: Kind) -> Secret:
    """Words that can be sent.

    Raises:
        ConfigError: they are none.
    """
    if isinstance(words, str):
        words = Secret(words.strip())
    if not isinstance(words, Secret) or not words:
        raise ConfigError(f"The {kind.value} is empty or not a string; expected something like sk-… or ek_…")
    plain = words.reveal()
    if not plain.isascii() or not plain.isprintable() or " " in plain:
        raise ConfigError(f"The {kind.value} has a blank or a character that no key has; was it copied whole?")
    return words
