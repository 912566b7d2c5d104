"""The HTTP side of a call: asking for a client secret, and trading an SDP offer for an answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx2
import msgspec

from vivavoce.client.endpoint import Endpoint
from vivavoce.client.secret import Credential, Kind
from vivavoce.errors import Fault, Never, NewSecret, Next, OfferError, RefusedError, Retry, TransportError
from vivavoce.telemetry.secret import Secret
from vivavoce.wire.codec import decode_secret, encode
from vivavoce.wire.config import RealtimeSession, Session
from vivavoce.wire.heartbeat import HEARTBEAT
from vivavoce.wire.secret import ClientSecretRequest

LARGEST_REPLY: Final = 2**20
"""Bytes of a reply that are read; an SDP answer has some thousand."""
_SHOWN: Final = 300
_KEY: Final = re.compile(r"\b(?:sk-|ek_|viva_)[\w*.-]+")
_FOR_GOOD: Final = {
    "insufficient_quota",
    "credit_balance_exhausted",
    "billing_hard_limit_reached",
    "account_deactivated",
}
"""Refusals with status 429 or 403 that no waiting helps."""


@dataclass(frozen=True)
class Answer:
    """What the server agreed to.

    `call_id` is its name for the call (`rtc_…`), where it tells; `pings`: it answers pings.
    """

    sdp: str
    call_id: str | None
    pings: bool = False


@dataclass(frozen=True)
class Reply:
    """An HTTP reply, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Signalling:
    """Requests to one endpoint. Each is bounded in time and in the size of its reply."""

    def __init__(self, endpoint: Endpoint, timeout_s: float) -> None:
        self._endpoint = endpoint
        self._timeout_s = timeout_s

    async def mint(self, credential: Credential, session: Session) -> Credential:
        """A client secret for a session, made with an API key.

        Raises:
            RefusedError: the provider said no, or its reply holds none.
            TransportError: it could not be reached.
        """
        body = encode(ClientSecretRequest(session=session)).encode()
        reply = await self._post(
            self._endpoint.client_secrets, credential, body, "application/json", "application/json"
        )
        return Credential(Secret(decode_secret(reply.body).value), Kind.CLIENT_SECRET)

    async def place(self, credential: Credential, offer: str, session: Session | None) -> Answer:
        """Offer a call. With a session both go as one form; without one it comes from the client secret.

        Raises:
            RefusedError: the provider said no.
            OfferError: its answer is no SDP.
            TransportError: it could not be reached.
        """
        if session is None:
            body, kind = offer.encode(), "application/sdp"
        else:
            body, kind = _form(offer, session)
        reply = await self._post(self._endpoint.calls, credential, body, kind, "application/sdp")
        sdp = reply.body.decode(errors="replace")
        if not sdp.startswith("v=0"):
            raise OfferError(
                f"{self._endpoint} took the call but answered with something that is not SDP. Is it a Realtime API?",
                fault=Fault.PROVIDER,
            )
        location = reply.headers.get("location", "")
        pings = reply.headers.get(HEARTBEAT) == "ping"
        return Answer(sdp, location.rstrip("/").rpartition("/")[2] or None, pings)

    async def _post(self, url: str, credential: Credential, body: bytes, kind: str, accept: str) -> Reply:
        headers = {**self._endpoint.headers(credential), "Content-Type": kind, "Accept": accept}
        try:
            async with (
                httpx2.AsyncClient(timeout=self._timeout_s) as http,
                http.stream("POST", url, content=body, headers=headers) as response,
            ):
                reply = Reply(response.status_code, response.headers, await _read(response))
        except httpx2.TimeoutException as error:
            raise TransportError(
                f"{self._endpoint} gave no answer within {self._timeout_s:.0f} s. Is it up, and the way to it open?"
            ) from error
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise TransportError(
                f"{self._endpoint} cannot be reached: {_clean(str(error), credential) or type(error).__name__}. "
                "Is the server running, and the base URL right?"
            ) from error
        if reply.status not in (200, 201):
            raise refusal(reply, credential, self._endpoint)
        return reply


def refusal(reply: Reply, credential: Credential, endpoint: Endpoint) -> RefusedError:
    """What an HTTP status means, and what to do about it."""
    said, code = _said(reply.body, credential)
    fault, following, advice = _judge(reply, credential, code)
    words = f": {said}" if said else ""
    message = f"{endpoint} refused with HTTP {reply.status}{f' ({code})' if code else ''}{words}. {advice}"
    return RefusedError(message.strip(), status=reply.status, code=code, fault=fault, next=following)


def _judge(reply: Reply, credential: Credential, code: str | None) -> tuple[Fault, Next, str]:
    ours = credential.kind is Kind.CLIENT_SECRET
    match reply.status:
        case _ if code in _FOR_GOOD:
            return Fault.CALLER, Never(), "The account must be put in order first."
        case 401 | 403:
            advice = "Get a fresh client secret." if ours else "Check the API key."
            return Fault.CALLER, NewSecret() if ours else Never(), advice
        case 404:
            return Fault.CALLER, Never(), "Check the base URL and the model."
        case 408 | 409 | 425 | 429:
            wait_s = _retry_after(reply)
            return Fault.PROVIDER, Retry(wait_s), f"Try again in {wait_s:.0f} s."
        case status if 300 <= status < 400:
            return Fault.CALLER, Never(), "It redirects elsewhere; use that address as base URL."
        case status if status >= 500:
            return Fault.PROVIDER, Retry(_retry_after(reply)), "The fault is the server's; try again later."
        case _:
            return Fault.CALLER, Never(), ""


def _retry_after(reply: Reply) -> float:
    value = reply.headers.get("retry-after", "")
    return float(value) if value.isdecimal() else 1.0


def _said(body: bytes, credential: Credential) -> tuple[str, str | None]:
    """Message and code of OpenAI's error shape; empty when the body has another."""
    try:
        error = msgspec.json.decode(body, type=_Refusal).error
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return "", None
    return _clean(error.message or "", credential).rstrip("."), error.code if isinstance(error.code, str) else None


def _clean(text: str, credential: Credential) -> str:
    """Words of the server that may be shown: it may quote the key, or go on for pages."""
    return _KEY.sub("***", text.replace(credential.secret.reveal(), "***"))[:_SHOWN]


class _Error(msgspec.Struct):
    message: str | None = None
    code: object = None


class _Refusal(msgspec.Struct):
    error: _Error


async def _read(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > LARGEST_REPLY:
            raise RefusedError(
                f"The server's reply is longer than {LARGEST_REPLY} bytes; that is no Realtime API.",
                status=response.status_code,
            )
    return bytes(body)


def _form(offer: str, session: Session) -> tuple[bytes, str]:
    """The offer and the config as OpenAI's SDK sends them: two parts with content types, without file names."""
    boundary = "viva-voce-form-data"
    while boundary in offer or boundary in encode(session):
        boundary += "-"
    if isinstance(session, RealtimeSession) and not isinstance(session.model, str):
        raise OfferError("A call over WebRTC needs a model; give one.", fault=Fault.CALLER, next=Never())
    lines = [
        f"--{boundary}",
        'Content-Disposition: form-data; name="sdp"',
        "Content-Type: application/sdp",
        "",
        offer,
        f"--{boundary}",
        'Content-Disposition: form-data; name="session"',
        "Content-Type: application/json",
        "",
        encode(session),
        f"--{boundary}--",
        "",
    ]
    return "\r\n".join(lines).encode(), f"multipart/form-data; boundary={boundary}"
