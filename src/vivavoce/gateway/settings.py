"""What an operator may decide about the gateway."""

from dataclasses import dataclass, field, fields
from enum import Enum

from vivavoce.errors import ConfigError
from vivavoce.gateway.relays import Relays
from vivavoce.telemetry.secret import Secret


class SecretUse(Enum):
    """How often one client secret may start something before it expires."""

    REUSABLE = "reusable"  # as at OpenAI
    ONCE = "once"


class Beta(Enum):
    """What becomes of those who speak the vocabulary of 2024."""

    TRANSLATED = "translated"
    REFUSED = "refused"  # as at OpenAI since May 2026


@dataclass(frozen=True)
class Limits:
    """Bounds on what callers can make the server hold. Sizes in bytes, times in seconds.

    `calls` counts WebRTC calls and WebSocket conversations together; a half-open one has been let in but
    its caller is not connected yet. Responses and tokens are limited per identity, or not at all (None);
    callers are told in `rate_limits.updated` what is left.
    """

    offer_bytes: int = 64 * 1024
    json_bytes: int = 256 * 1024
    head_s: float = 10.0
    body_s: float = 10.0
    answer_s: float = 15.0
    farewell_s: float = 5.0
    calls: int = 200
    calls_per_identity: int = 100
    half_open: int = 50
    sidebands_per_call: int = 8
    calls_per_minute: int = 600
    secrets_per_minute: int = 600
    responses_per_minute: int | None = None
    tokens_per_minute: int | None = None

    def __post_init__(self) -> None:
        for each in fields(self):
            limit = getattr(self, each.name)
            if limit is not None and limit <= 0:
                raise ConfigError(f"The limit {each.name} is {limit}; it must be more than 0.")


@dataclass(frozen=True)
class Settings:
    """The gateway's settings.

    `bind` is the address that the server listens on: without keys it must be a loopback one. `origins`
    are the web origins whose pages may call: `https://app.example`, `http://localhost:*` for any port, or
    `*` for all; None means pages of this computer when bound to loopback, and none otherwise. Pages that
    the server itself serves may always call. `relays` are handed to callers who ask for them. `keep_detached_s` is how
    long the session of a client that can come back outlives its connection; with 0 it never does.
    """

    bind: str = "127.0.0.1"
    api_keys: tuple[Secret, ...] = ()
    origins: tuple[str, ...] | None = None
    secret_use: SecretUse = SecretUse.REUSABLE
    limits: Limits = field(default_factory=Limits)
    beta: Beta = Beta.TRANSLATED
    relays: Relays | None = None
    keep_detached_s: int = 60

    def __post_init__(self) -> None:
        if self.keep_detached_s < 0:
            raise ConfigError(f"keep_detached_s is {self.keep_detached_s}; it must be 0 seconds or more.")
