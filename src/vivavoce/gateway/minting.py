"""Client secrets: a backend gets one for its user's browser."""

from dataclasses import dataclass

from msgspec import UnsetType
from starlette.requests import Request
from starlette.responses import Response

from vivavoce.gateway.agreement import agree
from vivavoce.gateway.body import read_body, understand
from vivavoce.gateway.caller import Reception, safety_identifier
from vivavoce.gateway.client_secret import ClientSecrets, Minted
from vivavoce.gateway.interface import Answerer, Ids
from vivavoce.gateway.quota import Quota
from vivavoce.gateway.reply import json_reply
from vivavoce.gateway.settings import Limits
from vivavoce.telemetry.private import Private
from vivavoce.wire.codec import decode_secret_request
from vivavoce.wire.config import Session
from vivavoce.wire.secret import ClientSecret, ClientSecretRequest, ExpiresAfter

_LIFETIME_S = 600
_NOT_RUNNING = 0
"""The session's own end, while there is no session."""


@dataclass(frozen=True)
class Order:
    """A request for a client secret from somebody who may have one."""

    identity: str
    end_user: Private[str] | None
    body: bytes


class Mint:
    """Makes client secrets, whatever the words in which they are asked for."""

    def __init__(
        self, answerer: Answerer, reception: Reception, secrets: ClientSecrets, quota: Quota, ids: Ids, limits: Limits
    ) -> None:
        self._answerer = answerer
        self._reception = reception
        self._secrets = secrets
        self._quota = quota
        self._ids = ids
        self._limits = limits

    async def order(self, request: Request) -> Order:
        """What is asked for, its body unread until it is known by whom.

        Raises:
            RequestError: no key, too many secrets in this minute, or a body too large or slow.
        """
        caller = await self._reception.recognise_key(request)
        end_user = safety_identifier(request)
        await self._quota.spend(caller.identity, "client secrets", self._limits.secrets_per_minute)
        body = await read_body(request, self._limits.json_bytes, self._limits.body_s)
        return Order(caller.identity, end_user, body)

    async def issue(
        self, order: Order, given: Session | None, lifetime_s: int, temperature: float | None = None
    ) -> tuple[Minted, Session]:
        """The secret, and the config that sessions started with it will have.

        Raises:
            RequestError: a session that cannot be had here.
            StoreError: the secret cannot be kept.
        """
        session = agree(None, given, None, self._answerer.models())
        effective = self._answerer.effective(session, self._ids("sess"), _NOT_RUNNING)
        minted = await self._secrets.mint(order.identity, session, lifetime_s, order.end_user, temperature)
        return minted, effective


class Minting:
    """The endpoint `POST /v1/realtime/client_secrets`."""

    def __init__(self, mint: Mint) -> None:
        self._mint = mint

    async def mint(self, request: Request) -> Response:
        """200 with the secret, its end in Unix seconds, and the config that sessions started with it will have."""
        order = await self._mint.order(request)
        wanted = await understand(decode_secret_request, order.body) if order.body else ClientSecretRequest()
        given = None if isinstance(wanted.session, UnsetType) else wanted.session
        minted, effective = await self._mint.issue(order, given, lifetime_s(wanted.expires_after, _LIFETIME_S))
        return json_reply(ClientSecret(value=minted.value.reveal(), expires_at=minted.expires_at, session=effective))


def lifetime_s(after: ExpiresAfter | UnsetType, default_s: int) -> int:
    """How long a secret shall live."""
    return default_s if isinstance(after, UnsetType) or isinstance(after.seconds, UnsetType) else after.seconds
