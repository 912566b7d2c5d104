"""Client secrets: a backend gets one for its user's browser."""

from msgspec import UnsetType
from starlette.requests import Request
from starlette.responses import Response

from vivavoce.gateway.agreement import agree
from vivavoce.gateway.body import read_body
from vivavoce.gateway.caller import Reception, safety_identifier
from vivavoce.gateway.client_secret import ClientSecrets
from vivavoce.gateway.interface import Answerer, Ids
from vivavoce.gateway.quota import Quota
from vivavoce.gateway.reply import json_reply
from vivavoce.gateway.settings import Limits
from vivavoce.wire.codec import decode_secret_request
from vivavoce.wire.secret import ClientSecret, ClientSecretRequest

_LIFETIME_S = 600
_NOT_RUNNING = 0
"""The session's own end, while there is no session."""


class Minting:
    """The endpoint `POST /v1/realtime/client_secrets`."""

    def __init__(
        self, answerer: Answerer, reception: Reception, secrets: ClientSecrets, quota: Quota, ids: Ids, limits: Limits
    ) -> None:
        self._answerer = answerer
        self._reception = reception
        self._secrets = secrets
        self._quota = quota
        self._ids = ids
        self._limits = limits

    async def mint(self, request: Request) -> Response:
        """200 with the secret, its end in Unix seconds, and the config that sessions started with it will have."""
        caller = await self._reception.recognise_key(request)
        end_user = safety_identifier(request)
        await self._quota.spend(caller.identity, "client secrets", self._limits.secrets_per_minute)
        body = await read_body(request, self._limits.json_bytes, self._limits.body_s)
        wanted = decode_secret_request(body) if body.strip() else ClientSecretRequest()
        given = None if isinstance(wanted.session, UnsetType) else wanted.session
        session = agree(None, given, None, self._answerer.models())
        effective = self._answerer.effective(session, self._ids("sess"), _NOT_RUNNING)
        minted = await self._secrets.mint(caller.identity, session, _lifetime_s(wanted), end_user)
        return json_reply(ClientSecret(value=minted.value.reveal(), expires_at=minted.expires_at, session=effective))


def _lifetime_s(wanted: ClientSecretRequest) -> int:
    after = wanted.expires_after
    if isinstance(after, UnsetType) or isinstance(after.seconds, UnsetType):
        return _LIFETIME_S
    return after.seconds
