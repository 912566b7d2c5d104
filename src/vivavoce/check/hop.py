"""Looking at one thing after the other, so that a fault is told once and not by all that depends on it."""

import asyncio
from asyncio import TaskGroup
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, fields, replace
from typing import Final

from vivavoce.check.case import Case, Order
from vivavoce.check.verdict import Blocked, Cause, Failed, Figure, Finding, Passed, Poor, Verdict
from vivavoce.clock import Clock
from vivavoce.errors import (
    ConfigError,
    OtherTransport,
    RefusedError,
    TransportError,
    VivaError,
)

Look = Callable[[Case], Awaitable[Verdict]]
MOST_PATIENCE: Final = 3.0
"""A hop asks several things one after the other; no more time than this many times its patience is given to all."""


@dataclass(frozen=True)
class Hop:
    """One thing to look at.

    Attributes:
        name: one word, the same in the table and in JSON.
        look: finds out.
        needs: the hops that must stand before.
        either: hops of which one must have passed.
        longer: seconds beyond the usual bound that it may take.
    """

    name: str
    look: Look
    needs: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    longer: Callable[[Order], float] = lambda _: 0.0


async def examine(
    order: Order, hops: Sequence[Hop], clock: Clock, begin: Callable[[Hop], None], tell: Callable[[Finding], None]
) -> list[Finding]:
    """Look at everything in this order; each finding is told at once. Nothing is left open afterwards."""
    findings: dict[str, Finding] = {}
    async with TaskGroup() as tasks, AsyncExitStack() as opened:
        case = Case(order, clock, tasks, opened)
        opened.push_async_callback(case.hang_up)
        for hop in hops:
            begin(hop)
            began = clock.now()
            verdict = _blocked(hop, findings) or await _look(hop, case)
            finding = Finding(hop.name, _cleaned(verdict, case), (clock.now() - began) * 1000)
            findings[hop.name] = finding
            tell(finding)
    return list(findings.values())


def _blocked(hop: Hop, findings: Mapping[str, Finding]) -> Blocked | None:
    for need in hop.needs:
        if isinstance(findings[need].verdict, Failed | Blocked):
            return Blocked(need)
    if hop.either and not any(isinstance(findings[each].verdict, Passed | Poor) for each in hop.either):
        return Blocked(" and ".join(hop.either))
    return None


async def _look(hop: Hop, case: Case) -> Verdict:
    bound_s = MOST_PATIENCE * case.order.patience_s + hop.longer(case.order)
    try:
        async with asyncio.timeout(bound_s):
            return await hop.look(case)
    except TimeoutError:
        return Failed(
            Cause.UNANSWERED,
            f"Nothing had come of it after {bound_s:.0f} s.",
            "An end, good or bad, within that time.",
            "Try again; if it stays so, the server or something before it accepts connections and then forgets them.",
        )
    except VivaError as error:
        return failure(error, "It should simply work.", "See what the message asks for.")


def failure(error: VivaError, expected: str, remedy: str) -> Failed:
    """What an error that was met means."""
    return Failed(cause_of(error), error.message, expected, remedy)


def cause_of(error: VivaError) -> Cause:
    """What kind of fault it is."""
    match error:
        case ConfigError():
            return Cause.SETTING
        case RefusedError():
            return Cause.REFUSED
        case TransportError() if isinstance(error.next, OtherTransport):
            return Cause.NO_WAY
        case TransportError():
            return Cause.UNREACHABLE
        case _:
            return Cause.OURS


def _cleaned(verdict: Verdict, case: Case) -> Verdict:
    """The same without secrets, whoever wrote them."""
    changes = {each.name: _clean(getattr(verdict, each.name), case) for each in fields(verdict)}
    return replace(verdict, **changes)


def _clean(value: Figure, case: Case) -> Figure:
    match value:
        case str():
            return " ".join(case.clean(value).split())
        case Mapping():
            return {name: _clean(each, case) for name, each in value.items()}
        case list() | tuple():
            return [_clean(each, case) for each in value]
        case _:
            return value
