"""Whether a Realtime API answers there, at what time, and whether it lets this caller in."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx2

from vivavoce.assembly import credential_source, session_config
from vivavoce.check.case import Case
from vivavoce.check.hop import failure
from vivavoce.check.verdict import Cause, Failed, Passed, Poor, Skipped, Verdict
from vivavoce.client.endpoint import Provider
from vivavoce.client.secret import Kind
from vivavoce.client.signalling import Signalling
from vivavoce.errors import ConfigError, Never, OfferError, RefusedError, TransportError

SKEW_S: Final = 10.0
"""Clocks that differ more begin to matter: client secrets and TURN credentials live for minutes."""
WRONG_S: Final = 120.0
"""With clocks that differ so much, something will be refused as expired, or as not yet valid."""
BROKEN_OFFER: Final = "v=0\r\n"
"""Who calls is asked before what is offered is read; so it tells whether a key is good, and begins nothing."""


@dataclass(frozen=True)
class Knock:
    """What came back to a request without a key."""

    status: int
    kind: str
    location: str = ""


async def knock(case: Case) -> Verdict:
    """Ask without a key: a Realtime API refuses in JSON."""
    url = case.place.calls
    began = case.clock.now()
    try:
        proxy = case.place.proxy
        way = httpx2.AsyncHTTPTransport(proxy=None if proxy is None else proxy.reveal())
        async with httpx2.AsyncClient(transport=way, timeout=case.order.patience_s) as http:
            reply = await http.post(url, content=b"", headers={"Content-Type": "application/sdp"})
    except httpx2.TimeoutException:
        return Failed(
            Cause.UNREACHABLE,
            f"The connection stands, but no reply came within {case.order.patience_s:g} s.",
            "An HTTP reply.",
            "The server hangs, or what listens there is no HTTP server: look at its log.",
        )
    except httpx2.ProxyError as error:
        return judge_proxy(str(error), str(case.place))
    except (httpx2.HTTPError, OSError) as error:
        found = f"The connection stands, but what came back is no HTTP: {error or type(error).__name__}."
        return Failed(Cause.UNREACHABLE, found, "An HTTP reply.", "Are the port and http:// or https:// right?")
    middle = (began + case.clock.now()) / 2
    case.skew_s = _skew(reply.headers.get("date", ""), case.clock.wall() - (case.clock.now() - middle))
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    return judge(Knock(reply.status_code, kind, reply.headers.get("location", "")), str(case.place))


def judge_proxy(said: str, place: str) -> Verdict:
    """What it means that a proxy does not connect: its status and words."""
    if said.startswith("407"):
        return judge(Knock(407, ""), place)
    remedy = "Ask whoever runs the proxy to let this host and port through, or name another by HTTPS_PROXY."
    return Failed(
        Cause.REFUSED, f"The proxy does not connect to the server: {said}.", "A way through the proxy.", remedy
    )


def judge(reply: Knock, place: str) -> Verdict:
    """What a reply says of who is there."""
    shown = f"HTTP {reply.status}" + (f" with {reply.kind}" if reply.kind else "")
    expected = "A refusal with HTTP 400 or 401, as JSON: no key was shown."
    not_one = f"{place} is no Realtime API: is the path of the base URL right (like /v1)?"
    match reply.status:
        case 407:
            remedy = "Tell it who you are: HTTPS_PROXY=http://user:password@proxy:port."
            return Failed(Cause.REFUSED, "A proxy wants to know who asks (HTTP 407).", expected, remedy)
        case status if 300 <= status < 400:
            remedy = "Use that address as base URL."
            return Failed(Cause.REFUSED, f"It redirects to {reply.location or 'elsewhere'}.", expected, remedy)
        case status if status >= 500:
            remedy = "The fault is the server's, or of what stands before it: look at its log, or try again later."
            return Failed(Cause.REFUSED, f"The server answers {shown}.", expected, remedy)
        case status if status in (404, 405) or status < 400:
            return Failed(Cause.REFUSED, f"The server answers {shown}.", expected, not_one)
        case _ if reply.kind == "text/html":
            remedy = f"A proxy or a login page stands before it, or {not_one}"
            return Failed(Cause.REFUSED, f"The server answers {shown}.", expected, remedy)
        case status:
            return Passed(f"refuses a caller without a key, HTTP {status}", {"status": status})


async def compare_clocks(case: Case) -> Verdict:
    """Whether the server's clock and this machine's agree."""
    return Skipped("the server does not tell the time") if case.skew_s is None else judge_skew(case.skew_s)


def judge_skew(skew_s: float) -> Verdict:
    """What it means that this machine's clock is so far ahead."""
    figures = {"ahead_s": round(skew_s, 1)}
    if abs(skew_s) <= SKEW_S:
        return Passed("agree", figures)
    found = f"This machine's clock is {abs(skew_s):.0f} s {'ahead of' if skew_s > 0 else 'behind'} the server's."
    expected = f"No more than {SKEW_S:.0f} s."
    remedy = "Set the clock that is wrong (timedatectl set-ntp true): what lives for minutes is judged expired by it."
    if abs(skew_s) > WRONG_S:
        return Failed(Cause.SETTING, found, expected, remedy, figures)
    return Poor(found, expected, remedy, figures)


async def show_key(case: Case) -> Verdict:
    """Whether the server takes the key, and has anything left for it."""
    order, place = case.order, case.place
    try:
        case.source = credential_source(place, order.api_key, order.client_secret)
        case.session = session_config(order.session, order.model, place)
    except ConfigError as error:
        return failure(error, "A key, and a config that can be sent.", "Set OPENAI_API_KEY.")
    case.credential = case.placing = await case.source.get()
    case.secrets.append(case.credential.secret)
    if place.provider is Provider.AZURE and case.credential.kind is Kind.API_KEY:
        return Skipped("Azure takes keys for client secrets only")
    # A client secret carries its own config.
    sent = case.session if case.credential.kind is Kind.API_KEY else None
    try:
        await Signalling(place, order.patience_s).place(case.credential, BROKEN_OFFER, sent)
    except RefusedError as error:
        return judge_refusal(error, case.credential.kind)
    except OfferError:
        pass  # it did not mind the offer; what it makes of a good one is seen later
    except TransportError as error:
        return failure(error, "An answer to a broken offer.", "Look at the server's log.")
    return Passed(f"the {case.credential.kind.value} is taken")


def judge_refusal(error: RefusedError, kind: Kind) -> Verdict:
    """What it means that a broken offer was refused so."""
    expected = f"The {kind.value} to be taken, and only the offer refused, which is broken on purpose."
    match error.status:
        case 401 | 403 if kind is Kind.CLIENT_SECRET:
            remedy = "Get a fresh client secret: they live for minutes."
        case 401 | 403:
            remedy = "Is it the key of this server, copied whole, and of a project that may use realtime models?"
        case 402 | 429 if isinstance(error.next, Never):
            remedy = "The account is empty or over its limit: look at its billing page. No waiting helps."
        case 429:
            remedy = "Too many requests: wait, or raise the limit."
        case int(status) if status >= 500:
            remedy = "The fault is the server's: look at its log, or try again later."
        case _:
            return Passed(f"the {kind.value} is taken")
    return failure(error, expected, remedy)


async def mint(case: Case) -> Verdict:
    """Whether client secrets can be made, which browsers call with."""
    if case.credential.kind is Kind.CLIENT_SECRET:
        return Skipped("the call is made with a client secret")
    expected = "A client secret, which a browser could call with."
    try:
        minted = await Signalling(case.place, case.order.patience_s).mint(case.credential, case.session)
    except (RefusedError, TransportError) as error:
        absent = isinstance(error, RefusedError) and error.status in (404, 405) and error.code != "model_not_found"
        if absent:
            remedy = "Let no browser call it: it would need the key."
            return Poor("The server makes no client secrets.", expected, remedy)
        if isinstance(error, RefusedError) and error.status == 404:
            return failure(error, expected, "Give a model that this server has: --model.")
        remedy = (
            "May this key make client secrets? A restricted key needs that permission; else look at the server's log."
        )
        return failure(error, expected, remedy)
    case.secrets.append(minted.secret)
    if case.place.provider is Provider.AZURE:
        case.placing = minted
    return Passed("a client secret was made")


def _skew(date: str, now: float) -> float | None:
    """How far this machine's clock is ahead of a Date header, which counts whole seconds."""
    try:
        told: datetime = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    return now - told.timestamp() - 0.5
