"""A call comes back to the session that it was lost from: nothing is told again, missing, or there twice.

The server is worked by hand here; what it promises is docs/reference/resumption.md.
"""

import asyncio
import json

import pytest

from tests.scenario.coming_back import Stage, play
from tests.scenario.test_coming_back import PLACE, back, item, talked, user
from tests.unit.client.far import FarEnd
from vivavoce.client.policy import Call, Resume
from vivavoce.client.pulse import GRACE_S, PINGED_S
from vivavoce.client.state import Closed, Connected, Disrupted, Kept, Restored, Restoring
from vivavoce.errors import Fault, Never, OtherTransport, RefusedError, TransportError
from vivavoce.transport.interface import ClosedBy, SoundPath
from vivavoce.wire.event import ServerEvent, UnknownEvent

KEEPS_S = 60


def pong(far: FarEnd, ping: dict[str, object]) -> None:
    far.tell(json.dumps({"type": "connection.pong", "ping_event_id": ping["event_id"]}))


async def said(far: FarEnd) -> dict[str, object]:
    """The next message that is no ping."""
    while (message := await far.raw())["type"] == "connection.ping":
        pass
    return message


async def talk_on(stage: Stage, far: FarEnd, pings: int = 4) -> None:
    """The server answers so many pings, and falls silent."""
    for _ in range(pings):
        pong(far, await far.raw())
    await stage.call.until(lambda call: isinstance(call.state, Disrupted))


def names(stage: Stage) -> list[str]:
    return [type(state).__name__ for state in stage.states][3:]


def test_a_call_comes_back_to_its_session_while_the_old_connection_still_stands() -> None:
    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        first.tell(item(user("What is it?")).replace("{", '{"event_id":"e7",', 1))
        await talk_on(stage, first)
        second = await stage.exchange.next(2, greets=False)
        restored = await back(stage)
        assert (restored.session, restored.complete) == (Kept.SAME, True)
        assert restored.gap_s == pytest.approx(PINGED_S, abs=0.15)
        assert (await second.raw())["type"] == "connection.ping", "so that the server knows"
        second.tell(
            '{"type":"response.created","event_id":"e8","response":{"id":"r1","conversation_id":"c"}}',
            f'{{"type":"response.output_text.done","event_id":"e9",{PLACE},"text":"A fish."}}',
        )
        await stage.call.response.create()
        assert (await said(second))["type"] == "response.create"
        assert [each.id for each in stage.call.history] == ["u1"], "nothing was told again"
        await first.gone.wait()
        (claim,) = stage.exchange.claims
        assert (claim.call_id, claim.token.reveal(), claim.last_event_id) == ("rtc_1", "token_1", "e7")
        assert claim.silent_s == pytest.approx(PINGED_S, abs=0.15)

    assert names(play(act, keeps_s=KEEPS_S)) == ["Disrupted", "Connected", "Closed"]


def test_a_connection_that_is_heard_again_first_stays_the_calls_own() -> None:
    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        stage.exchange.network.clear()
        await talk_on(stage, first)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(stage.call.response.create())
            await stage.wait(1.0)
            first.tell('{"type":"response.created","event_id":"e1","response":{"id":"r1","conversation_id":"c"}}')
        stage.exchange.network.set()
        assert (await said(first))["type"] == "response.create"
        for _ in range(6):
            pong(first, await first.raw())
        assert stage.call.state == Connected("rtc_1")

    stage = play(act, keeps_s=KEEPS_S)
    assert len(stage.exchange.far) == 1
    assert names(stage) == ["Disrupted", "Connected", "Closed"]


def test_a_long_outage_ends_in_the_same_session_too() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.network.clear()
        await talk_on(stage, stage.exchange.far[0])
        await stage.wait(25.0)
        assert isinstance(stage.call.state, Restoring)
        assert stage.call.state.step == Resume()
        stage.exchange.network.set()
        await stage.exchange.next(2, greets=False)
        restored = await back(stage)
        assert (restored.session, restored.complete) == (Kept.SAME, True)
        assert restored.gap_s == pytest.approx(25.0 + PINGED_S, abs=1.0)

    assert names(play(act, keeps_s=KEEPS_S))[:2] == ["Disrupted", "Restoring"]


def test_a_socket_that_breaks_is_followed_at_once_by_another_for_the_same_session() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.far[0].transport.vanish()
        await stage.exchange.next(2, greets=False)
        assert await back(stage) == Restored(Kept.SAME, complete=True, gap_s=0.0)

    assert names(play(act, keeps_s=KEEPS_S, sound=SoundPath.TEXT)) == ["Restoring", "Connected", "Closed"]


def test_what_the_server_has_not_read_is_sent_again_and_nothing_twice() -> None:
    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        for id in ("a", "b", "c"):
            await stage.call.conversation.item.delete(item_id=id, event_id=id)
        assert [(await said(first))["event_id"] for _ in range(3)] == ["a", "b", "c"]
        stage.exchange.last_read = "b"
        first.transport.vanish()
        await stage.call.until(lambda call: isinstance(call.state, Restoring))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(stage.call.response.create(event_id="d"))
            second = await stage.exchange.next(2, greets=False)
        assert [(await said(second))["event_id"] for _ in range(2)] == ["c", "d"]
        await stage.wait(0.5)
        while not second.silent:
            assert (await second.raw())["type"] == "connection.ping"

    play(act, keeps_s=KEEPS_S)


def test_an_event_that_still_came_over_the_old_connection_is_not_taken_twice() -> None:
    events: list[ServerEvent | UnknownEvent] = []

    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        created = '{"type":"response.created","event_id":"e1","response":{"id":"r1","conversation_id":"c"}}'
        done = '{"type":"response.done","event_id":"e2","response":{"id":"r1","status":"completed"}}'
        await talk_on(stage, first)
        second = await stage.exchange.next(2, greets=False)
        first.tell(created)
        await back(stage)
        second.tell(created, done)
        async for event in stage.call:
            events.append(event)
            if event.type == "response.done":
                return

    play(act, keeps_s=KEEPS_S)
    assert [event.type for event in events] == ["session.created", "response.created", "response.done"]


def test_a_function_that_runs_meanwhile_is_untouched() -> None:
    runs: list[str] = []
    go = asyncio.Event()

    async def weather() -> str:
        runs.append("once")
        await go.wait()
        return "rain"

    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        call = {"type": "function_call", "id": "f1", "call_id": "c1", "name": "weather", "arguments": "{}"}
        first.tell(
            '{"type":"response.created","response":{"id":"r1","conversation_id":"c"}}',
            json.dumps({"type": "response.output_item.done", "response_id": "r1", "output_index": 0, "item": call}),
            '{"type":"response.done","response":{"id":"r1","status":"completed"}}',
        )
        await stage.call.until(lambda _: bool(runs))
        stage.exchange.network.clear()
        first.transport.vanish()
        await stage.call.until(lambda call: isinstance(call.state, Restoring))
        go.set()
        await stage.wait(1.0)
        stage.exchange.network.set()
        second = await stage.exchange.next(2, greets=False)
        output = await said(second)
        assert output["item"] == {"type": "function_call_output", "call_id": "c1", "output": "rain"}
        assert (await said(second))["type"] == "response.create"

    play(act, keeps_s=KEEPS_S, functions=[weather])
    assert runs == ["once"]


def test_what_the_user_says_meanwhile_waits_where_it_travels_in_events() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.network.clear()
        stage.exchange.far[0].transport.vanish()
        await stage.call.until(lambda call: isinstance(call.state, Restoring))
        for _ in range(100):
            await stage.call.send_audio(b"\0\0" * 4800)
        stage.exchange.network.set()
        second = await stage.exchange.next(2, greets=False)
        assert not (await back(stage)).complete, "ten seconds had to go"
        await stage.wait(0.1)
        sent = 0
        while not second.silent:
            message = await second.raw()
            sent += message["type"] == "input_audio_buffer.append"
            assert isinstance(message["event_id"], str), "without a name it would come twice"
        assert sent == 50

    play(act, keeps_s=KEEPS_S, sound=SoundPath.TEXT)


@pytest.mark.parametrize("status", [404, 409, 410])
def test_a_session_that_the_server_has_not_any_more_is_followed_by_a_new_one_that_is_told(status: int) -> None:
    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        talked(first)
        stage.exchange.refusals.append(RefusedError("Gone.", status=status, fault=Fault.CALLER, next=Never()))
        await talk_on(stage, first)
        second = await stage.exchange.next(2)
        assert [each["id"] for each in await stage.acknowledge(second, 2)] == ["u1", "a1"]
        restored = await back(stage)
        assert (restored.session, restored.complete) == (Kept.NEW, True)
        assert restored.gap_s < PINGED_S + GRACE_S, "the old connection is of no use any more"
        await first.gone.wait()

    stage = play(act, keeps_s=KEEPS_S)
    assert names(stage) == ["Disrupted", "Restoring", "Connected", "Closed"]
    assert [state.step for state in stage.states if isinstance(state, Restoring)] == [Call()]


def test_after_the_time_for_which_the_server_keeps_a_session_a_new_one_is_begun() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.network.clear()
        stage.exchange.far[0].transport.vanish()
        await stage.exchange.next(2)
        restored = await back(stage)
        assert restored.session is Kept.NEW
        assert 30.0 < restored.gap_s < 51.0

    play(act, keeps_s=30)


def test_a_server_that_closes_the_old_connection_for_the_new_one_has_not_ended_the_call() -> None:
    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        stage.exchange.network.clear()
        await talk_on(stage, first)
        stage.exchange.network.set()
        stage.exchange.refusals.append(TransportError("The reply was lost."))
        await stage.call.until(lambda _: bool(stage.exchange.claims))
        await first.transport.close(1000)
        await stage.exchange.next(2, greets=False)
        assert (await back(stage)).session is Kept.SAME

    play(act, keeps_s=KEEPS_S)


def test_a_server_that_closes_a_connection_on_which_it_heard_nothing_has_not_ended_the_call() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.network.clear()
        await talk_on(stage, stage.exchange.far[0])
        await stage.wait(3.0)
        await stage.exchange.far[0].transport.close(1000)
        await stage.call.until(lambda call: isinstance(call.state, Restoring))
        stage.exchange.network.set()
        await stage.exchange.next(2, greets=False)
        assert (await back(stage)).session is Kept.SAME

    play(act, keeps_s=KEEPS_S)


def test_a_server_that_hears_us_and_hangs_up_has_ended_the_call() -> None:
    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        for _ in range(4):
            pong(first, await first.raw())
        await first.transport.close(1000)
        await stage.call.until(lambda call: isinstance(call.state, Closed))

    play(act, keeps_s=KEEPS_S)


def closing(code: int, reason: str = "") -> str:
    return json.dumps({"type": "connection.closing", "code": code, "reason": reason})


def test_a_call_goes_on_with_the_server_that_follows_one_which_is_stopped() -> None:
    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        talked(first)
        await stage.call.until(lambda call: len(call.history) == 2)
        stage.exchange.refusals.append(RefusedError("Never heard of it.", status=404))
        first.tell(closing(1012))
        await first.transport.close()
        second = await stage.exchange.next(2)
        told = await stage.acknowledge(second, 2)
        restored = await back(stage)
        assert (restored.session, restored.complete) == (Kept.NEW, True)
        assert [each["id"] for each in told] == ["u1", "a1"]
        assert len(stage.exchange.claims) == 1

    assert names(play(act, keeps_s=KEEPS_S))[0] == "Restoring"


@pytest.mark.parametrize("doubted", [True, False])
def test_a_server_that_says_why_it_hangs_up_is_believed_even_where_it_was_doubted(doubted: bool) -> None:
    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        if doubted:
            stage.exchange.network.clear()
            await talk_on(stage, first)
        first.tell(closing(1001, "Your session hit the maximum duration."))
        await first.transport.close()
        await stage.call.until(lambda call: isinstance(call.state, Closed))

    stage = play(act, keeps_s=KEEPS_S)
    assert stage.states[-1] == Closed(ClosedBy.PEER, 1001, "Your session hit the maximum duration.")
    assert len(stage.exchange.far) == 1


def test_a_refusal_does_not_end_a_call_whose_connection_stands() -> None:
    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        stage.exchange.refusals.append(RefusedError("No.", status=403, fault=Fault.CALLER, next=Never()))
        await talk_on(stage, first)
        await stage.call.until(lambda _: bool(stage.exchange.claims))
        await stage.wait(1.0)
        first.tell('{"type":"response.created","event_id":"e1","response":{"id":"r1","conversation_id":"c"}}')
        await stage.call.until(lambda call: isinstance(call.state, Connected))

    assert names(play(act, keeps_s=KEEPS_S)) == ["Disrupted", "Connected", "Closed"]


def test_where_the_way_back_is_shut_another_call_finds_another_way() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.refusals += [TransportError("No way.", next=OtherTransport())] * 2
        stage.exchange.far[0].transport.vanish()
        await stage.exchange.next(2)
        restored = await back(stage)
        assert (restored.session, len(stage.exchange.claims)) == (Kept.NEW, 2)

    play(act, keeps_s=KEEPS_S)


def test_a_call_whose_address_has_gone_does_not_wait_for_silence() -> None:
    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        pong(first, await first.raw())
        stage.exchange.uplink.gone = True
        lost_at = stage.now
        await stage.exchange.next(2, greets=False)
        await back(stage)
        assert stage.now - lost_at <= 0.2

    play(act, keeps_s=KEEPS_S)


def test_a_session_is_come_back_to_again_and_again() -> None:
    async def act(stage: Stage) -> None:
        for number in (1, 2, 3):
            stage.exchange.far[number - 1].transport.vanish()
            await stage.call.until(lambda call: isinstance(call.state, Restoring))
            await stage.exchange.next(number + 1, greets=False)
            assert (await back(stage)).session is Kept.SAME

    stage = play(act, keeps_s=KEEPS_S)
    assert [claim.token.reveal() for claim in stage.exchange.claims] == ["token_1", "token_2", "token_3"]
