"""Who is asking, by the API key that they hold."""

import hashlib
import hmac
import ipaddress
from collections.abc import Sequence

from vivavoce.errors import ConfigError
from vivavoce.gateway.ids import new_secret
from vivavoce.gateway.settings import Settings
from vivavoce.telemetry.secret import Secret

_SHORTEST = 16


class Keyring:
    """The API keys that open this server. Holds their hashes only.

    `development` is the key that was made because none was given; whoever runs the server must show it
    to its user once, since nothing else knows it.
    """

    def __init__(self, keys: Sequence[Secret], development: Secret | None = None) -> None:
        self._digests = [digest(key) for key in (*keys, *([development] if development is not None else []))]
        self.development = development

    def recognise(self, key: Secret) -> str | None:
        """The identity that holds this key; None when it opens nothing.

        Every hash is compared, each in constant time, so that the time taken says nothing.
        """
        tried = digest(key)
        found = [known for known in self._digests if hmac.compare_digest(known, tried)]
        return _identity(found[0]) if found else None

    def holds(self, identity: str) -> bool:
        """Whether the key of an identity is still on the ring."""
        return any(_identity(known) == identity for known in self._digests)


def _identity(known: bytes) -> str:
    return f"key_{known.hex()[:16]}"


def digest(secret: Secret) -> bytes:
    """What may be stored of a secret: its SHA-256. Enough for words with 128 bits of chance in them."""
    return hashlib.sha256(secret.reveal().encode()).digest()


def read_keys(text: str) -> tuple[Secret, ...]:
    """Keys as they stand in `VIVA_API_KEYS`: separated by commas, blanks around them ignored.

    Raises:
        ConfigError: a key that could not be sent in a header, or that looks like a client secret.
    """
    keys = tuple(Secret(word) for part in text.split(",") if (word := part.strip()))
    for place, key in enumerate(keys, start=1):
        words = key.reveal()
        if not words.isascii() or not words.isprintable() or " " in words:
            raise ConfigError(f"API key number {place} holds blanks or letters outside ASCII; it could not be sent.")
        if words.startswith("ek_"):
            raise ConfigError(f"API key number {place} starts with ek_, as client secrets do; choose another one.")
    return keys


def open_keyring(settings: Settings) -> Keyring:
    """The keys of a server; when only this computer can reach it, a development key is made if there are none.

    Raises:
        ConfigError: others can reach it, and there are no keys or one could be guessed.
    """
    bind, keys = settings.bind, settings.api_keys
    if is_loopback(bind):
        return Keyring(keys) if keys else Keyring((), development=new_secret("viva_dev"))
    if not keys:
        raise ConfigError(
            f"Refusing to listen on {bind} without API keys: anybody could call. "
            "Set VIVA_API_KEYS to one or more keys separated by commas, or listen on 127.0.0.1."
        )
    for place, key in enumerate(keys, start=1):
        if len(key.reveal()) < _SHORTEST:
            raise ConfigError(
                f"API key number {place} is shorter than {_SHORTEST} characters, too short to listen on {bind}. "
                "Make one with: openssl rand -hex 24"
            )
    return Keyring(keys)


def is_loopback(bind: str) -> bool:
    """Whether only this computer can reach an address. An empty or unknown name counts as reachable."""
    if bind.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(bind.strip("[]")).is_loopback
    except ValueError:
        return False
