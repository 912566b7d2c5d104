"""The HTTP side of a call: asking for a client secret, and trading an SDP offer for an answer."""

import asyncio
import re
from asyncio import Task, TaskGroup
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

import httpx2
import msgspec

from vivavoce.client.endpoint import Endpoint
from vivavoce.client.proxy import shown
from vivavoce.client.secret import Credential, Kind
from vivavoce.errors import Fault, Never, NewSecret, Next, OfferError, RefusedError, Retry, TransportError, VivaError
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.ice import IceServer, read_link
from vivavoce.wire.codec import decode_secret, encode
from vivavoce.wire.config import RealtimeSession, Session
from vivavoce.wire.heartbeat import HEARTBEAT
from vivavoce.wire.resumption import LAST_EVENT, LAST_EVENT_ID, RESUME, SILENT_MS, Ticket, read_ticket
from vivavoce.wire.secret import ClientSecretRequest

LARGEST_REPLY: Final = 2**20
"""Bytes of a reply that are read; an SDP answer has some thousand."""
REACH_EVERY_S: Final = 0.3
"""Between two attempts to reach a server that was lost."""
REACH_AGAIN_S: Final = 0.2
"""After one that has failed already."""
REACH_S: Final = 5.0
"""How long each of them may take; the way may be long."""
HANG_UP_S: Final = 2.0
"""How long hanging up may take."""
_SHOWN: Final = 300
_SDP: Final = "application/sdp"
_JSON: Final = "application/json"
_KEY: Final = re.compile(r"\b(?:sk-|ek_|viva_)[\w*.-]+")
_FOR_GOOD: Final = {
    "insufficient_quota",
    "credit_balance_exhausted",
    "billing_hard_limit_reached",
    "account_deactivated",
}
"""Refusals with status 429 or 403 that no waiting helps."""


@dataclass(frozen=True)
class Terms:
    """What a server says of a connection by the headers of its reply; each is None where it says nothing.

    Attributes:
        call_id: its name for the call (`rtc_…`).
        pings: whether it answers pings.
        ticket: what the session is come back to by.
        last_read: where a session goes on, the last message that the server has read in it, by its `event_id`.
    """

    call_id: str | None = None
    pings: bool = False
    ticket: Ticket | None = None
    last_read: str | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Terms":
        """Read the headers; their names may be in small letters."""
        return cls(
            headers.get("location", "").rstrip("/").rpartition("/")[2] or None,
            headers.get(HEARTBEAT.lower()) == "ping",
            read_ticket(headers.get(RESUME.lower(), "")),
            headers.get(LAST_EVENT.lower()),
        )


@dataclass(frozen=True)
class Claim:
    """What a client says to come back to its session.

    Attributes:
        call_id: the server's name for the call.
        token: the newest that it was given.
        last_event_id: the last event that it has received; None where it has none.
        silent_s: for how long it has heard nothing.
    """

    call_id: str
    token: Secret
    last_event_id: str | None
    silent_s: float

    def headers(self) -> dict[str, str]:
        """As HTTP carries it."""
        last = {} if self.last_event_id is None else {LAST_EVENT_ID: self.last_event_id}
        return {RESUME: self.token.reveal(), SILENT_MS: f"{max(0.0, self.silent_s) * 1000:.0f}", **last}


@dataclass(frozen=True)
class Answer:
    """What the server agreed to."""

    sdp: str
    terms: Terms


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
        async with self._client() as http:
            reply = await self._post(http, self._endpoint.client_secrets, credential, body, _JSON, _JSON)
        return Credential(Secret(decode_secret(reply.body).value), Kind.CLIENT_SECRET)

    async def place(self, credential: Credential, offer: str, session: Session | None) -> Answer:
        """Offer a call. With a session both go as one form; without one it comes from the client secret.

        Raises:
            RefusedError: the provider said no.
            OfferError: its answer is no SDP.
            TransportError: it could not be reached.
        """
        if session is None:
            body, kind = offer.encode(), _SDP
        else:
            body, kind = _form(offer, session)
        async with self._client() as http:
            return self._answer(await self._post(http, self._endpoint.calls, credential, body, kind, _SDP))

    @asynccontextmanager
    async def reached(self) -> AsyncGenerator[httpx2.AsyncClient]:
        """A client over which the server has answered something: it asks again and again until then.

        A request whose first packet the network has lost waits longer and longer before it is sent again, so that
        others are made meanwhile.

        Raises:
            TransportError: it has not answered for `REACH_S`.
        """
        async with self._client() as http:
            reached = asyncio.Event()
            async with TaskGroup() as tasks:
                asking: list[Task[None]] = []
                until = asyncio.get_running_loop().time() + REACH_S
                while not reached.is_set() and asyncio.get_running_loop().time() < until:
                    asking.append(tasks.create_task(self._ask(http, reached)))
                    await asyncio.wait(asking[-1:], timeout=REACH_EVERY_S)
                    if asking[-1].done() and not reached.is_set():  # there is no network, or nobody at the address
                        await asyncio.sleep(REACH_AGAIN_S)
                for each in asking:
                    each.cancel()
            if not reached.is_set():
                raise TransportError(f"{self._endpoint} has not answered for {REACH_S:.0f} s. Is the way to it open?")
            yield http

    async def resume(self, http: httpx2.AsyncClient, credential: Credential, claim: Claim, offer: str) -> Answer:
        """Offer another connection for the same session; raises as `place` does."""
        url = self._endpoint.resumption(claim.call_id)
        return self._answer(await self._post(http, url, credential, offer.encode(), _SDP, _SDP, claim.headers()))

    async def _ask(self, http: httpx2.AsyncClient, reached: asyncio.Event) -> None:
        """See whether there is anybody."""
        with suppress(httpx2.HTTPError, OSError):
            await http.head(self._endpoint.calls, timeout=REACH_S)
            reached.set()

    def _client(self) -> httpx2.AsyncClient:
        proxy = self._endpoint.proxy
        # Chosen already: httpx2 would look into the environment again.
        way = httpx2.AsyncHTTPTransport(proxy=None if proxy is None else proxy.reveal())
        return httpx2.AsyncClient(transport=way, timeout=self._timeout_s)

    def _answer(self, reply: Reply) -> Answer:
        sdp = reply.body.decode(errors="replace")
        if not sdp.startswith("v=0"):
            raise OfferError(
                f"{self._endpoint} took the call but answered with something that is not SDP. Is it a Realtime API?",
                fault=Fault.PROVIDER,
            )
        return Answer(sdp, Terms.of(reply.headers))

    async def ice_servers(self, credential: Credential) -> tuple[IceServer, ...]:
        """The ICE servers that the server hands to its callers (RFC 9725, section 4.6); none where it has none.

        Raises:
            RefusedError: it does not know the caller.
            TransportError: it could not be reached.
        """
        async with self._client() as http:
            try:
                reply = await self._request(http, "OPTIONS", self._endpoint.calls, credential, {})
            except RefusedError as refused:
                if refused.status in (404, 405, 501):
                    return ()
                raise
        return read_link(reply.headers.get("link", ""))

    def ends(self, credential: Credential, call_id: str | None) -> Callable[[], Awaitable[None]] | None:
        """What ends a call, where the server has a name for it."""
        return None if call_id is None else partial(self.hang_up, credential, call_id)

    async def hang_up(self, credential: Credential, call_id: str) -> None:
        """End a call that cannot be told so itself. Where this does not succeed, the server ends it by and by."""
        with suppress(VivaError, TimeoutError):
            async with asyncio.timeout(HANG_UP_S), self._client() as http:
                await self._post(http, f"{self._endpoint.calls}/{call_id}/hangup", credential, b"", _JSON, "*/*")

    async def _post(
        self,
        http: httpx2.AsyncClient,
        url: str,
        credential: Credential,
        body: bytes,
        kind: str,
        accept: str,
        more: Mapping[str, str] | None = None,
    ) -> Reply:
        headers = {"Content-Type": kind, "Accept": accept, **(more or {})}
        return await self._request(http, "POST", url, credential, headers, body)

    async def _request(
        self,
        http: httpx2.AsyncClient,
        method: str,
        url: str,
        credential: Credential,
        headers: Mapping[str, str],
        body: bytes = b"",
    ) -> Reply:
        headers = {**self._endpoint.headers(credential), **headers}
        try:
            async with http.stream(method, url, content=body, headers=headers) as response:
                reply = Reply(response.status_code, response.headers, await _read(response))
        except httpx2.TimeoutException as error:
            raise TransportError(
                f"{self._endpoint} gave no answer within {self._timeout_s:.0f} s. Is it up, and the way to it open?"
            ) from error
        except httpx2.ProxyError as error:
            raise self._proxy_failure(error, credential) from error
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            said = _clean(str(error), credential) or type(error).__name__
            raise TransportError(
                f"{self._endpoint} cannot be reached{self._through()}: {said}. "
                "Is the server running, and the base URL right?"
            ) from error
        if reply.status not in (200, 201, 204):
            raise refusal(reply, credential, self._endpoint)
        return reply

    def _proxy_failure(self, error: httpx2.ProxyError, credential: Credential) -> TransportError:
        said = _clean(str(error), credential)
        if said.startswith("407"):
            return TransportError(
                f"The proxy wants to know who asks ({said}); put user and password into its URL.",
                fault=Fault.CALLER,
                next=Never(),
            )
        return TransportError(f"{self._endpoint} cannot be reached{self._through()}: {said}.")

    def _through(self) -> str:
        return "" if self._endpoint.proxy is None else f" through {shown(self._endpoint.proxy)}"


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
