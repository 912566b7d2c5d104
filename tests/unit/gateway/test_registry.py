import asyncio

import pytest

from tests.unit.gateway.stand import FakeCall, StubbornCall
from vivavoce.errors import RequestError
from vivavoce.gateway.admission import Admission
from vivavoce.gateway.caller import KeyHolder, SecretHolder
from vivavoce.gateway.client_secret import Grant
from vivavoce.gateway.lifeline import Lifeline
from vivavoce.gateway.registry import Registry
from vivavoce.gateway.settings import Limits
from vivavoce.transport.resumable import Terms

ANNA = KeyHolder("anna")
ANNAS_BROWSER = SecretHolder(Grant("hash1", "anna", None, None))
ANNAS_OTHER_BROWSER = SecretHolder(Grant("hash2", "anna", None, None))
BELA = KeyHolder("bela")


class BrokenCall(FakeCall):
    """Breaks its promise never to raise."""

    async def ended(self) -> None:
        await super().ended()
        raise ValueError("broken")

    async def hangup(self, code: int = 1000) -> None:
        await super().hangup(code)
        raise ValueError("broken")


def registry(farewell_s: float = 5.0, sidebands: int = 2) -> Registry:
    return Registry(sidebands_per_call=sidebands, farewell_s=farewell_s)


async def settle() -> None:
    """Let the watchers take the few turns of the loop that they need."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_call_is_known_until_it_ends_and_its_place_is_free_then() -> None:
    admission = Admission(Limits())
    async with registry() as calls:
        call = FakeCall("rtc_1")
        calls.add(call, ANNA, admission.enter("anna"), Lifeline(Terms()))
        assert calls.find("rtc_1", ANNA).call is call
        assert (admission.held, admission.half_open) == (1, 1)
        await call.arrive()
        await settle()
        assert (admission.held, admission.half_open) == (1, 0)
        await call.hangup()
        await settle()
        assert (len(calls), admission.held) == (0, 0)
        with pytest.raises(RequestError):
            calls.find("rtc_1", ANNA)


async def test_a_call_that_was_ended_is_forgotten_at_once() -> None:
    admission = Admission(Limits())
    async with registry() as calls:
        calls.add(FakeCall("rtc_1"), ANNA, admission.enter("anna"), Lifeline(Terms()))
        await calls.end(calls.find("rtc_1", ANNA))
        assert (len(calls), admission.held) == (0, 0)


async def test_nobody_learns_of_calls_that_are_not_theirs() -> None:
    admission = Admission(Limits())
    async with registry() as calls:
        calls.add(FakeCall("rtc_backend"), ANNA, admission.enter("anna"), Lifeline(Terms()))
        calls.add(FakeCall("rtc_browser"), ANNAS_BROWSER, admission.enter("anna"), Lifeline(Terms()))
        for caller, theirs in [
            (ANNA, {"rtc_backend", "rtc_browser"}),
            (ANNAS_BROWSER, {"rtc_browser"}),
            (ANNAS_OTHER_BROWSER, set[str]()),
            (BELA, set[str]()),
        ]:
            for call_id in ("rtc_backend", "rtc_browser", "rtc_nobody"):
                if call_id in theirs:
                    assert calls.find(call_id, caller).call.id == call_id
                    continue
                with pytest.raises(RequestError) as refused:
                    calls.find(call_id, caller)
                error = refused.value
                assert (error.status, error.code, error.param) == (404, "call_id_not_found", "call_id")


async def test_leaving_hangs_up_every_call_so_that_its_caller_may_come_back_to_another_server() -> None:
    admission = Admission(Limits())
    running = [FakeCall(f"rtc_{number}") for number in range(5)]
    async with registry() as calls:
        for call in running:
            calls.add(call, ANNA, admission.enter("anna"), Lifeline(Terms()))
    async with asyncio.timeout(5):
        for call in running:
            await call.ended()
    assert (len(calls), admission.held) == (0, 0)
    assert {call.code for call in running} == {1012}


async def test_a_call_that_does_not_end_does_not_keep_the_server_from_ending(
    caplog: pytest.LogCaptureFixture,
) -> None:
    admission = Admission(Limits())
    async with asyncio.timeout(5):
        async with registry(farewell_s=0.05) as calls:
            calls.add(StubbornCall("rtc_stubborn"), ANNA, admission.enter("anna"), Lifeline(Terms()))
    assert (len(calls), admission.held) == (0, 0)
    assert "calls_did_not_end" in [record.getMessage() for record in caplog.records]


async def test_a_call_that_breaks_takes_nobody_with_it() -> None:
    admission = Admission(Limits())
    async with registry() as calls:
        broken, whole = BrokenCall("rtc_broken"), FakeCall("rtc_whole")
        calls.add(broken, ANNA, admission.enter("anna"), Lifeline(Terms()))
        calls.add(whole, ANNA, admission.enter("anna"), Lifeline(Terms()))
        with pytest.raises(ValueError):
            await broken.hangup()
        await settle()
        assert len(calls) == 1
        assert calls.find("rtc_whole", ANNA).call is whole
        assert admission.held == 1
        calls.add(BrokenCall("rtc_broken_2"), ANNA, admission.enter("anna"), Lifeline(Terms()))
    assert admission.held == 0


async def test_a_call_has_room_for_so_many_sidebands() -> None:
    async with registry(sidebands=2) as calls:
        calls.add(FakeCall("rtc_1"), ANNA, Admission(Limits()).enter("anna"), Lifeline(Terms()))
        entry = calls.find("rtc_1", ANNA)
        with calls.sideband(entry):
            with calls.sideband(entry):
                with pytest.raises(RequestError) as refused, calls.sideband(entry):
                    pass
                assert (refused.value.status, refused.value.code) == (429, "rate_limit_exceeded")
            with calls.sideband(entry):
                pass
        assert entry.sidebands == 0
