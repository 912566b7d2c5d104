"""A fault is told once: what depends on it is not looked at, and nothing that is told holds a secret."""

import asyncio

from vivavoce.check.case import Case, Order
from vivavoce.check.hop import Hop, examine
from vivavoce.check.verdict import Blocked, Cause, Failed, Finding, Passed, Skipped, Verdict
from vivavoce.clock import SystemClock
from vivavoce.errors import ConfigError, RefusedError, TransportError, VivaError
from vivavoce.telemetry.secret import Secret


async def passes(case: Case) -> Verdict:
    return Passed("well")


async def skips(case: Case) -> Verdict:
    return Skipped("nothing there")


async def fails(case: Case) -> Verdict:
    return Failed(Cause.LOST, "a", "b", "c")


def failing(error: VivaError) -> Hop:
    async def look(case: Case) -> Verdict:
        raise error

    return Hop("it", look)


async def examined(*hops: Hop, patience_s: float = 5.0) -> list[Finding]:
    told: list[Finding] = []
    order = Order("https://voice.example/v1", patience_s=patience_s)
    findings = await examine(order, hops, SystemClock(), lambda _: None, told.append)
    assert told == findings
    return findings


async def test_what_needs_something_that_failed_is_not_looked_at() -> None:
    hops = (
        Hop("tcp", fails),
        Hop("tls", passes, ("tcp",)),
        Hop("http", passes, ("tls",)),
        Hop("sound", passes, either=("tcp", "http")),
        Hop("clock", passes),
    )
    verdicts = {finding.hop: finding.verdict for finding in await examined(*hops)}
    assert verdicts["tls"] == Blocked("tcp")
    assert verdicts["http"] == Blocked("tls")
    assert verdicts["sound"] == Blocked("tcp and http")
    assert verdicts["clock"] == Passed("well")


async def test_what_needs_something_that_was_not_there_to_look_at_goes_on() -> None:
    hops = (Hop("tls", skips), Hop("http", passes, ("tls",)), Hop("sound", passes, either=("tls", "http")))
    assert [finding.verdict for finding in await examined(*hops)][1:] == [Passed("well"), Passed("well")]


async def test_a_look_that_never_ends_is_ended() -> None:
    async def hang(case: Case) -> Verdict:
        await asyncio.Event().wait()
        raise AssertionError("not reached")

    (finding,) = await examined(Hop("it", hang), patience_s=0.01)
    assert isinstance(finding.verdict, Failed)
    assert finding.verdict.cause is Cause.UNANSWERED


async def test_an_error_is_a_finding_of_its_kind() -> None:
    errors = {
        Cause.SETTING: ConfigError("x"),
        Cause.REFUSED: RefusedError("x"),
        Cause.UNREACHABLE: TransportError("x"),
        Cause.OURS: VivaError("x"),
    }
    for cause, error in errors.items():
        (finding,) = await examined(failing(error))
        assert isinstance(finding.verdict, Failed)
        assert finding.verdict.cause is cause


async def test_no_finding_holds_a_secret() -> None:
    async def look(case: Case) -> Verdict:
        case.secrets.append(Secret("viva-words-0123"))
        return Passed("got viva-words-0123", {"list": ["viva-words-0123"], "map": {"it": "viva-words-0123"}})

    (finding,) = await examined(Hop("it", look))
    assert "viva-words-0123" not in repr(finding)
    assert "***" in repr(finding)
