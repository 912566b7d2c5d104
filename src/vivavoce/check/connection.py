"""A call over WebRTC step by step, and one over a WebSocket: offer, path, channel, session, sign of life."""

import asyncio
from typing import Final

from vivavoce.assembly import dialling
from vivavoce.check.address import listed
from vivavoce.check.answer import Answered, inward, read_answer
from vivavoce.check.case import Address, Case
from vivavoce.check.hop import failure
from vivavoce.check.probe import Probe
from vivavoce.check.verdict import Cause, Failed, Figure, Passed, Poor, Skipped, Verdict
from vivavoce.client.secret import Kind
from vivavoce.client.signalling import Signalling
from vivavoce.errors import OfferError, RefusedError, TransportError
from vivavoce.transport.interface import Closed
from vivavoce.wire.codec import encode
from vivavoce.wire.config import RealtimeSession
from vivavoce.wire.heartbeat import ConnectionPing

SET_UP_S: Final = 2.0
"""A caller who waits longer begins to wonder whether anything happens."""
PING: Final = encode(ConnectionPing())


async def offer(case: Case) -> Verdict:
    """Whether the server answers an offer for a call."""
    began = case.asked_at = case.clock.now()
    offering = (await case.offerings())()
    case.opened.push_async_callback(offering.abandon)
    sent = case.session if case.placing.kind is Kind.API_KEY else None
    expected = "An SDP answer (HTTP 201)."
    try:
        offered = await offering.offer()
        offered_at = case.clock.now()
        case.answer = await Signalling(case.place, case.order.patience_s).place(case.placing, offered, sent)
    except RefusedError as error:
        return failure(error, expected, "See what the server says of it: the model, the config, the account or itself.")
    except TransportError as error:
        return failure(error, expected, "Look at the server's log.")
    case.asked = offering
    case.answered = read_answer(case.answer.sdp)
    took_ms = (case.clock.now() - offered_at) * 1000
    figures: dict[str, Figure] = {
        "gathered_ms": round((offered_at - began) * 1000, 1),
        "answered_ms": round(took_ms, 1),
        "codecs": list(case.answered.codecs),
        "candidates": [str(each) for each in case.answered.candidates],
    }
    codec = next(iter(case.answered.codecs), "no codec")
    where = listed([str(each) for each in case.answered.candidates]) or "no address"
    return Passed(f"answered in {took_ms:.0f} ms: {codec}, {where}", figures)


async def find_path(case: Case) -> Verdict:
    """Whether packets get through, both ways: ICE finds a pair of addresses."""
    try:
        transport = await case.asked.accept(case.answer.sdp)
    except OfferError as error:
        return failure(error, "An SDP answer that can be used.", "The server's WebRTC and this one do not understand.")
    probe = case.watch(transport)
    began = case.clock.now()
    link = await probe.until_link(lambda link: link.path is not None, case.order.patience_s)
    if link is None:
        return no_path(case.answered, case.server, case.order.patience_s)
    took_ms = (case.clock.now() - began) * 1000
    words = f"{link.path} after {took_ms:.0f} ms"
    if link.round_trip_ms is not None:
        words += f", round trip {link.round_trip_ms:.1f} ms"
    return Passed(words, {"path": link.path, "took_ms": round(took_ms, 1), "round_trip_ms": link.round_trip_ms})


def no_path(answered: Answered, server: Address | None, patience_s: float) -> Failed:
    """Why nothing gets through, as far as the answer lets one guess."""
    tried = listed([str(each) for each in answered.candidates])
    if not answered.candidates:
        found = "The server's answer names no address to send sound to."
        remedy = "The server gathers none: look at its network settings, `viva serve --advertise` for ours."
    elif server is not None and inward(answered.candidates, server):
        found = (
            f"The server says that it is at {tried}, where only its own network can reach it; it answered at {server}."
        )
        remedy = "Tell it its outer address (`viva serve --advertise ADDRESS`) and publish its UDP ports."
    else:
        found = f"No packet came back from {tried} within {patience_s:g} s."
        remedy = (
            "UDP is shut somewhere between: open it to the server's ports, give a TURN server, or call over a "
            'WebSocket (transport="websocket").'
        )
    return Failed(Cause.NO_WAY, found, "A pair of addresses that packets pass between.", remedy)


async def open_channel(case: Case) -> Verdict:
    """Whether the encrypted connection stands and events can travel."""
    probe = _probe(case)
    if await probe.until(lambda: probe.opened_at is not None, case.order.patience_s):
        return Passed("DTLS and the data channel stand")
    found = _ended(probe) or f"Packets pass, but no data channel opened within {case.order.patience_s:g} s."
    remedy = "Does the server take the data channel of an offer (m=application), and its own certificate's fingerprint?"
    return Failed(Cause.NO_WAY, found, "An open data channel.", remedy)


async def meet_session(case: Case) -> Verdict:
    """Whether the server begins the session, and how long all of it took."""
    probe = _probe(case)
    verdict = await _greeting(case, probe)
    if verdict is not None:
        return verdict
    case.way = "webrtc"
    took_s = (probe.greeted_at or 0.0) - case.asked_at
    figures: dict[str, Figure] = {"set_up_ms": round(took_s * 1000, 1)}
    if took_s > SET_UP_S:
        remedy = "See above which step took long: gathering (STUN and TURN servers), the answer, or the path."
        return Poor(f"The session began after {took_s:.1f} s.", f"{SET_UP_S:.0f} s at most.", remedy, figures)
    return Passed(f"set up in {took_s * 1000:.0f} ms", figures)


async def ping(case: Case) -> Verdict:
    """Whether the server answers pings, so that a loss is noticed within a second."""
    probe = _probe(case)
    if not case.answer.terms.pings:
        return Skipped("the server does not offer it; a loss is noticed by ICE and sound")
    began = case.clock.now()
    probe.transport.send(PING)
    if await probe.until(lambda: probe.ponged_at is not None, case.order.patience_s):
        took_ms = (case.clock.now() - began) * 1000
        return Passed(f"answered in {took_ms:.1f} ms", {"round_trip_ms": round(took_ms, 1)})
    found = (
        _ended(probe)
        or f"No connection.pong within {case.order.patience_s:g} s, though the server said that it answers."
    )
    return Failed(Cause.UNANSWERED, found, "An answer to each connection.ping.", "Look at the server's log.")


async def open_websocket(case: Case) -> Verdict:
    """Whether a session begins over a WebSocket, which is what is left where UDP is shut."""
    await case.hang_up()
    model = case.session.model if isinstance(case.session, RealtimeSession) else None
    expected = "A WebSocket (HTTP 101) that begins with session.created."
    began = case.clock.now()
    try:
        async with asyncio.timeout(case.order.patience_s):
            url = case.place.websocket(model if isinstance(model, str) else None)
            transport = await dialling(case.place)(url, case.place.headers(case.credential))
    except RefusedError as error:
        return failure(error, expected, _refused_socket(error.status))
    except TransportError as error:
        return failure(error, expected, "A proxy or load balancer before the server must pass `Upgrade: websocket`.")
    except TimeoutError:
        found = f"No WebSocket within {case.order.patience_s:g} s."
        return Failed(Cause.UNREACHABLE, found, expected, "A proxy holds it back, or the server hangs: look at both.")
    probe = case.watch(transport)
    verdict = await _greeting(case, probe)
    took_ms = (case.clock.now() - began) * 1000
    await case.hang_up()
    if verdict is None and case.way is None:
        case.way = "websocket"
    return verdict or Passed(f"session began after {took_ms:.0f} ms", {"set_up_ms": round(took_ms, 1)})


async def _greeting(case: Case, probe: Probe) -> Failed | None:
    """Wait for `session.created`; what is wrong if it does not come."""
    expected = "session.created, as the first event."
    await probe.until(lambda: probe.greeted_at is not None or probe.complaint is not None, case.order.patience_s)
    if probe.greeted_at is not None:
        return None
    if probe.complaint is not None:
        remedy = "See what it says: the model, the config or the account."
        return Failed(Cause.REFUSED, f"The server says: {probe.complaint}", expected, remedy)
    found = _ended(probe) or f"The connection stands, but no session.created came within {case.order.patience_s:g} s."
    remedy = "The server has answered and then hangs: look at its log. Its engines or its provider may be stuck."
    return Failed(Cause.UNANSWERED, found, expected, remedy)


def _probe(case: Case) -> Probe:
    if case.probe is None:
        raise RuntimeError("This hop needs the connection of those before it.")
    return case.probe


def _ended(probe: Probe) -> str | None:
    match probe.closed:
        case Closed(code=code, reason=reason):
            return f"The connection ended with code {code}{f' ({reason})' if reason else ''}."
        case None:
            return None


def _refused_socket(status: int | None) -> str:
    match status:
        case 401 | 403:
            return "The key is not taken for WebSockets: does a proxy before the server drop the Authorization header?"
        case 404:
            return "Nothing answers WebSockets at /v1/realtime: does a proxy pass that path on?"
        case int() if status >= 500:
            return "The fault is the server's, or of a proxy before it: look at both logs."
        case _:
            return "A proxy or load balancer before the server must pass `Upgrade: websocket`; have it do so."
