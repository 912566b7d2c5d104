"""Whether STUN and TURN servers do what they are there for. What they say is found out by gathering from each alone."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from typing import Final

from vivavoce.assembly import open_offerings
from vivavoce.check.answer import Candidate, read_answer
from vivavoce.check.case import Case
from vivavoce.check.verdict import Cause, Failed, Figure, Passed, Skipped, Verdict
from vivavoce.client.signalling import Signalling
from vivavoce.errors import TransportError
from vivavoce.transport.ice import IceServer

SILENT_S: Final = 0.9
"""Gathering that takes longer had no answer: it is given up after a second. Without NAT an answer adds no address."""
_HOST: Final = re.compile(r"\w+:(\[[^\]]+\]|[^:?]+)")

Ask = Callable[[IceServer, Case], Awaitable[str]]


class _Wrong(Exception):
    """What one server does not do."""


async def ask_stun(case: Case) -> Verdict:
    """Whether each STUN server tells an address."""
    case.ice_servers = await _servers(case)
    wrong = "Is the server up, and UDP open to it? Without it a call from behind NAT depends on relays."
    return await _ask_each(case, "stun", _reflexive, "The address that this machine has on the Internet.", wrong)


async def ask_turn(case: Case) -> Verdict:
    """Whether each TURN server, over UDP, TCP and TLS, lends an address."""
    wrong = (
        "401 and 403: user name or credential are wrong or have expired, check --ice-server. No answer: is it up, and "
        "the way to it open? Over TLS its certificate must be one that browsers trust."
    )
    return await _ask_each(case, "turn", _relayed, "An address on the relay (an allocation).", wrong)


async def _servers(case: Case) -> tuple[IceServer, ...]:
    given = case.order.ice_servers
    if given == "server":
        given = await Signalling(case.place, case.order.patience_s).ice_servers(case.credential)
    case.secrets += [each.credential for each in given if each.credential is not None]
    return tuple(given)


async def _ask_each(case: Case, scheme: str, ask: Ask, expected: str, remedy: str) -> Verdict:
    alone = [
        IceServer((url,), each.username, each.credential)
        for each in case.ice_servers
        for url in each.urls
        if url.startswith(scheme)
    ]
    if not alone:
        return Skipped("none was given (--ice-server)")
    said: dict[str, Figure] = {}
    wrong: list[str] = []
    for server in alone:
        url = server.urls[0]
        try:
            said[url] = await ask(server, case)
        except _Wrong as fault:
            said[url] = f"fails: {fault}"
            wrong.append(f"{url}: {fault}")
    if wrong:
        return Failed(Cause.NO_WAY, "; ".join(wrong), expected, remedy, {"servers": said})
    return Passed(", ".join(f"{url} {words}" for url, words in said.items()), {"servers": said})


async def _reflexive(server: IceServer, case: Case) -> str:
    host = _HOST.match(server.urls[0])
    assert host is not None, "an IceServer has URLs that were read"
    try:
        await asyncio.get_running_loop().getaddrinfo(host[1].strip("[]"), None, type=socket.SOCK_DGRAM)
    except OSError:
        raise _Wrong("its name has no address") from None
    began = case.clock.now()
    candidates = await _gathered(server, relay_only=False)
    told = [str(each.address) for each in candidates if each.kind == "srflx"]
    if told:
        return f"sees {told[0]}"
    if case.clock.now() - began > SILENT_S:
        raise _Wrong("no answer")
    return "answers: no NAT between"


async def _relayed(server: IceServer, case: Case) -> str:
    try:
        candidates = await _gathered(server, relay_only=True)
    except TransportError as error:
        raise _Wrong(error.message.removeprefix("No relay lets us through: ")) from error
    lent = [str(each.address) for each in candidates if each.kind == "relay"]
    return f"lends {lent[0]}"


async def _gathered(server: IceServer, *, relay_only: bool) -> tuple[Candidate, ...]:
    """What an offer has with this server alone."""
    async with open_offerings([server], relay_only=relay_only) as make:
        offering = make()
        try:
            return read_answer(await offering.offer()).candidates
        finally:
            await offering.abandon()
