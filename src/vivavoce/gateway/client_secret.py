"""Short-lived secrets for browsers: minted with a key, bound to a config, good for starting calls."""

from dataclasses import dataclass

from msgspec import DecodeError, Struct, json

from vivavoce.clock import Clock
from vivavoce.errors import RequestError, StoreError
from vivavoce.gateway.credential import unauthorized
from vivavoce.gateway.identity import digest
from vivavoce.gateway.ids import new_secret
from vivavoce.gateway.settings import SecretUse
from vivavoce.store.interface import Store
from vivavoce.telemetry.private import Private
from vivavoce.telemetry.secret import Secret
from vivavoce.wire.codec import decode_session, encode
from vivavoce.wire.config import Session

_PREFIX = "ek"
_REMEMBERED_S = 3600
"""How long an expired secret is still known as such, so that its holder is told why it is refused."""


class _Record(Struct, frozen=True):
    """What the store holds of a secret, under the secret's hash."""

    identity: str
    expires_at: int
    session: str | None
    """JSON: only the codec knows how to read a session."""
    safety_identifier: str | None
    temperature: float | None = None


@dataclass(frozen=True)
class Grant:
    """What a client secret allows.

    `name` stands for the secret where it must not be written. `temperature` was asked for in the beta's words, since
    a session has no place for it.
    """

    name: str
    identity: str
    session: Session | None
    safety_identifier: Private[str] | None
    temperature: float | None = None


@dataclass(frozen=True)
class Minted:
    """A new client secret; `expires_at` in Unix seconds. Its words are kept nowhere else."""

    value: Secret
    expires_at: int


def is_client_secret(words: Secret) -> bool:
    """Whether something presented as a key is a client secret by its looks."""
    return words.reveal().startswith(f"{_PREFIX}_")


class ClientSecrets:
    """Mints, recognises and spends client secrets. They are stored hashed and end by themselves."""

    def __init__(self, store: Store, clock: Clock, use: SecretUse) -> None:
        self._store = store
        self._clock = clock
        self._use = use
        self._decoder = json.Decoder(_Record)

    async def mint(
        self,
        identity: str,
        session: Session | None,
        lifetime_s: int,
        safety: Private[str] | None,
        temperature: float | None = None,
    ) -> Minted:
        """A new secret for `identity` that starts sessions of this config for `lifetime_s` seconds.

        Raises:
            StoreError: it cannot be kept.
        """
        value = new_secret(_PREFIX)
        expires_at = int(self._clock.wall()) + lifetime_s
        config = None if session is None else encode(session)
        named = None if safety is None else safety.reveal()
        record = json.encode(_Record(identity, expires_at, config, named, temperature))
        if not await self._store.put_if_absent(_key(_name(value)), record, lifetime_s + _REMEMBERED_S):
            raise StoreError("A new client secret met an old one of the same name; ask for another.")
        return Minted(value, expires_at)

    async def recognise(self, words: Secret) -> Grant:
        """What a client secret allows.

        Raises:
            RequestError: it was never minted, has been used up, or has expired (401).
            StoreError: it cannot be looked up.
        """
        name = _name(words)
        held = await self._store.get(_key(name))
        if held is None:
            raise unauthorized(
                "Incorrect client secret provided. It was never made here, or has been used up; mint one."
            )
        try:
            record = self._decoder.decode(held)
            session = None if record.session is None else decode_session(record.session)
        except (DecodeError, RequestError) as error:
            raise StoreError("A client secret's record cannot be read. Did another version write it?") from error
        if self._clock.wall() >= record.expires_at:
            raise unauthorized("This client secret has expired. Mint a new one for each call, shortly before it.")
        safety = None if record.safety_identifier is None else Private(record.safety_identifier)
        return Grant(name, record.identity, session, safety, record.temperature)

    async def spend(self, grant: Grant) -> None:
        """Note that a secret is being used to start something; the last moment at which it can be refused.

        Raises:
            RequestError: secrets are good for one use, and somebody else was faster (401).
            StoreError: it cannot be noted.
        """
        if self._use is SecretUse.ONCE and not await self._store.delete(_key(grant.name)):
            raise unauthorized("This client secret has been used up; here each is good for one call. Mint a new one.")


def _name(words: Secret) -> str:
    return digest(words).hex()


def _key(name: str) -> str:
    return f"client_secret:{name}"
