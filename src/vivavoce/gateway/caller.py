"""Who a request comes from and what that lets them do."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from vivavoce.errors import RequestError
from vivavoce.gateway.client_secret import ClientSecrets, Grant, is_client_secret
from vivavoce.gateway.credential import credential, unauthorized
from vivavoce.gateway.identity import Keyring
from vivavoce.telemetry.private import Private

_SAFETY_LENGTH = 512


@dataclass(frozen=True)
class KeyHolder:
    """Holds an API key: may do everything to what is theirs."""

    identity: str


@dataclass(frozen=True)
class SecretHolder:
    """Holds a client secret: may start calls and meddle with those that this secret started, nothing else."""

    grant: Grant

    @property
    def identity(self) -> str:
        """Of whoever minted the secret."""
        return self.grant.identity


Caller = KeyHolder | SecretHolder


class Reception:
    """Recognises callers, from headers alone: no body is read before somebody is known."""

    def __init__(self, keyring: Keyring, secrets: ClientSecrets) -> None:
        self._keyring = keyring
        self._secrets = secrets

    async def recognise(self, connection: HTTPConnection) -> Caller:
        """The caller of an HTTP request or WebSocket.

        Raises:
            RequestError: no key, a wrong one, or an expired client secret (401).
            StoreError: client secrets cannot be looked up.
        """
        if connection.scope["type"] == "websocket":
            tried = credential(connection.headers, connection.scope["subprotocols"], connection.query_params)
        else:
            tried = credential(connection.headers)
        if is_client_secret(tried):
            grant = await self._secrets.recognise(tried)
            if not self._keyring.holds(grant.identity):
                raise unauthorized("The API key that made this client secret has been withdrawn.")
            return SecretHolder(grant)
        identity = self._keyring.recognise(tried)
        if identity is None:
            raise unauthorized("Incorrect API key provided. Check it, or make a new one.")
        return KeyHolder(identity)

    async def recognise_key(self, connection: HTTPConnection) -> KeyHolder:
        """As `recognise`, where a client secret is not enough.

        Raises:
            RequestError: also for a client secret (403).
        """
        caller = await self.recognise(connection)
        if isinstance(caller, SecretHolder):
            raise RequestError(
                "A client secret may start calls but not do this; use an API key.",
                code="insufficient_permissions",
                status=403,
            )
        return caller


def safety_identifier(connection: HTTPConnection) -> Private[str] | None:
    """The end user's stable hash, as some clients send it.

    Raises:
        RequestError: it is too long.
    """
    words = connection.headers.get("openai-safety-identifier")
    if words is None or not words.strip():
        return None
    if len(words) > _SAFETY_LENGTH:
        raise RequestError(
            f"OpenAI-Safety-Identifier has {len(words)} characters; send a hash of at most {_SAFETY_LENGTH}.",
            code="invalid_value",
            param="OpenAI-Safety-Identifier",
        )
    return Private(words.strip())
