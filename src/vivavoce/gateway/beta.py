"""The beta's endpoints for client secrets, and how a client shows that it speaks the beta."""

from msgspec import UNSET, UnsetType, to_builtins
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from vivavoce.errors import RequestError
from vivavoce.gateway.body import understand
from vivavoce.gateway.client_secret import Minted
from vivavoce.gateway.minting import Mint, Order, lifetime_s
from vivavoce.gateway.reply import json_reply
from vivavoce.wire.beta.config import BetaSecretWish, BetaSession, BetaTranscriptionSession
from vivavoce.wire.beta.interpreter import TEMPERATURE, decode_beta_session, decode_beta_transcription_session
from vivavoce.wire.beta.inward import ga_session, ga_transcription_session
from vivavoce.wire.beta.outward import beta_session
from vivavoce.wire.beta.param import in_body
from vivavoce.wire.config import Session

AZURE_PREVIEW = "/openai/realtime"
"""Azure's address of the beta: it needs no header to be known for what it is."""

_HEADER = "realtime=v1"
_SUBPROTOCOL = "openai-beta.realtime-v1"
_LIFETIME_S = 60


def speaks_beta(socket: WebSocket) -> bool:
    """Whether a client announces the vocabulary of 2024."""
    return (
        _HEADER in socket.headers.get("openai-beta", "")
        or _SUBPROTOCOL in socket.scope["subprotocols"]
        or socket.url.path == AZURE_PREVIEW
    )


class BetaSessions:
    """`POST /v1/realtime/sessions` and `/transcription_sessions`: a flat session goes in and comes back whole."""

    def __init__(self, mint: Mint) -> None:
        self._mint = mint

    async def conversation(self, request: Request) -> Response:
        """200 with the session, and in it a secret that lives for a minute."""
        order = await self._mint.order(request)
        wanted = await understand(decode_beta_session, order.body) if order.body else BetaSession()
        temperature = None if isinstance(wanted.temperature, UnsetType) else wanted.temperature
        try:
            minted, effective = await self._issue(order, ga_session(wanted), wanted.client_secret, temperature)
        except RequestError as error:
            raise in_body(error) from None
        return _shown(effective, minted, TEMPERATURE if temperature is None else temperature)

    async def transcription(self, request: Request) -> Response:
        """The same for a session that only writes down."""
        order = await self._mint.order(request)
        wanted = (
            await understand(decode_beta_transcription_session, order.body)
            if order.body
            else BetaTranscriptionSession()
        )
        try:
            minted, effective = await self._issue(order, ga_transcription_session(wanted), wanted.client_secret, None)
        except RequestError as error:
            raise in_body(error) from None
        return _shown(effective, minted, TEMPERATURE)

    async def _issue(
        self, order: Order, session: Session, wish: BetaSecretWish | None | UnsetType, temperature: float | None
    ) -> tuple[Minted, Session]:
        after = UNSET
        if isinstance(wish, BetaSecretWish):
            after = wish.expires_at if isinstance(wish.expires_after, UnsetType) else wish.expires_after
        return await self._mint.issue(order, session, lifetime_s(after, _LIFETIME_S), temperature)


def _shown(effective: Session, minted: Minted, temperature: float) -> Response:
    secret = {"value": minted.value.reveal(), "expires_at": minted.expires_at}
    return json_reply({**to_builtins(beta_session(effective, temperature)), "client_secret": secret})
