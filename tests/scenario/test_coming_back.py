"""A call whose connection breaks comes back by itself, remembers what was said, and always tells the truth."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress

import pytest

from tests.scenario.coming_back import Hang, Scene, Stage, perform, play
from tests.unit.client.far import FarEnd
from vivavoce.client.policy import Call, GiveUp, History, Persistence, Step, Wait
from vivavoce.client.pulse import GRACE_S, PINGED_S
from vivavoce.client.state import Closed, Connected, Disrupted, Failed, Kept, Restored, Restoring
from vivavoce.errors import Fault, Never, NewSecret, RefusedError, Retry, TransportError, VivaError
from vivavoce.session.caption import CaptionState
from vivavoce.transport.interface import Link, SoundPath
from vivavoce.wire.config import RealtimeSession

PLACE = '"response_id":"r1","item_id":"a1","output_index":0,"content_index":0'
REFUSED = RefusedError("No.", status=403, fault=Fault.CALLER, next=Never())


def item(fields: Mapping[str, object], kind: str = "added") -> str:
    return json.dumps({"type": f"conversation.item.{kind}", "item": fields})


def user(words: str | None, id: str = "u1") -> dict[str, object]:
    content = [{"type": "input_audio", "transcript": words}]
    return {"type": "message", "role": "user", "id": id, "status": "completed", "content": content}


def assistant(words: str, id: str = "a1", status: str = "completed") -> dict[str, object]:
    content = [{"type": "output_audio", "transcript": words}] if words else []
    return {"type": "message", "role": "assistant", "id": id, "status": status, "content": content}


def talked(far: FarEnd) -> None:
    """The user has asked and the assistant has answered, heard to the end."""
    far.tell(
        item(user("What is it?")),
        '{"type":"response.created","response":{"id":"r1","conversation_id":"c"}}',
        item(assistant("", status="in_progress")),
        f'{{"type":"response.output_audio_transcript.done",{PLACE},"transcript":"It is a fish."}}',
        '{"type":"output_audio_buffer.started","response_id":"r1"}',
        item(assistant("It is a fish."), "done"),
        '{"type":"response.done","response":{"id":"r1","status":"completed"}}',
        '{"type":"output_audio_buffer.stopped","response_id":"r1"}',
    )


async def back(stage: Stage) -> Restored:
    await stage.call.until(lambda call: isinstance(call.state, Connected) and call.state.restored is not None)
    assert isinstance(stage.call.state, Connected)
    assert stage.call.state.restored is not None
    return stage.call.state.restored


def test_a_lost_call_comes_back_and_remembers_what_was_said() -> None:
    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        talked(first)
        await stage.call.until(lambda call: len(call.history) == 2)
        first.transport.vanish()
        second = await stage.exchange.next(2)
        told = await stage.acknowledge(second, 2)
        assert await back(stage) == Restored(Kept.NEW, complete=True, gap_s=0.0)
        assert [each["id"] for each in told] == ["u1", "a1"]
        assert told[0]["content"] == [{"type": "input_text", "text": "What is it?"}]
        assert told[1]["content"] == [{"type": "output_text", "text": "It is a fish."}]
        assert [caption.text for caption in stage.call.transcript] == ["What is it?", "It is a fish."]
        assert second.silent, "nobody has asked for an answer"
        await stage.call.response.create()
        assert (await second.raw())["type"] == "response.create"

    stage = play(act)
    names = [type(state).__name__ for state in stage.states]
    assert names == ["Negotiating", "Connecting", "Connected", "Restoring", "Connected", "Closed"]


def test_what_was_changed_of_the_config_holds_in_the_new_session_too() -> None:
    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        await stage.call.session.update(session={"type": "realtime", "instructions": "changed"})
        await first.told()
        first.tell('{"type":"session.updated","session":{"type":"realtime","instructions":"changed"}}')
        await stage.call.until(lambda call: call.config == RealtimeSession(instructions="changed"))
        first.transport.vanish()
        await stage.exchange.next(2)
        await back(stage)

    stage = play(act)
    assert stage.exchange.asked[1][1] == RealtimeSession(model="m", instructions="changed")


def test_speech_that_nobody_wrote_down_is_missed_and_said_to_be() -> None:
    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        first.tell(item(user(None)), item(user("And this?", "u2")))
        await stage.call.until(lambda call: len(call.history) == 2)
        first.transport.vanish()
        second = await stage.exchange.next(2)
        assert [each["id"] for each in await stage.acknowledge(second, 1)] == ["u2"]
        assert not (await back(stage)).complete

    play(act)


def test_an_answer_that_the_loss_cuts_off_is_told_as_far_as_it_was_heard() -> None:
    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        first.tell(
            '{"type":"response.created","response":{"id":"r1","conversation_id":"c"}}',
            item(assistant("", status="in_progress")),
            f'{{"type":"response.output_audio_transcript.delta",{PLACE},"delta":"One two three four five six seven."}}',
            '{"type":"output_audio_buffer.started","response_id":"r1"}',
        )
        await stage.wait(2.0)
        first.transport.vanish()
        second = await stage.exchange.next(2)
        (told,) = await stage.acknowledge(second, 1)
        assert not (await back(stage)).complete
        assert told["content"] == [{"type": "output_text", "text": "One two three"}]
        assert stage.call.transcript[0].text == "One two three"
        assert stage.call.transcript[0].state is CaptionState.CUT
        assert second.silent

    play(act)


def test_a_question_whose_answer_had_not_begun_is_answered_after_all() -> None:
    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        first.tell(
            '{"type":"input_audio_buffer.speech_started","item_id":"u1","audio_start_ms":0}',
            '{"type":"input_audio_buffer.speech_stopped","item_id":"u1","audio_end_ms":900}',
            item(user("What is it?")),
        )
        await stage.call.until(lambda call: len(call.history) == 1)
        first.transport.vanish()
        second = await stage.exchange.next(2)
        await stage.acknowledge(second, 1)
        await back(stage)
        assert (await second.raw())["type"] == "response.create"

    play(act)


@pytest.mark.parametrize("sound", SoundPath)
def test_a_function_that_runs_meanwhile_is_run_once_and_its_output_is_told_afterwards(sound: SoundPath) -> None:
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
            item({**call, "status": "completed"}),
            json.dumps({"type": "response.output_item.done", "response_id": "r1", "output_index": 0, "item": call}),
            '{"type":"response.done","response":{"id":"r1","status":"completed"}}',
        )
        await stage.wait(0.1)
        first.transport.vanish()
        second = await stage.exchange.next(2)
        (told,) = await stage.acknowledge(second, 1)
        assert (told["type"], told["call_id"]) == ("function_call", "c1")
        assert (await back(stage)).complete
        assert second.silent
        go.set()
        output = await second.raw()
        assert output["item"] == {"type": "function_call_output", "call_id": "c1", "output": "rain"}
        assert (await second.raw())["type"] == "response.create"
        assert second.silent

    play(act, functions=[weather], sound=sound)
    assert runs == ["once"]


def test_an_output_that_got_lost_with_the_connection_is_told_again() -> None:
    def weather() -> str:
        return "rain"

    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        await stage.call.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello?"}]}
        )
        await first.told()
        first.transport.vanish()
        second = await stage.exchange.next(2)
        await back(stage)
        again = await second.raw()
        assert again["item"] == {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "Hello?"}],
        }
        assert second.silent

    play(act, functions=[weather])


def test_commands_wait_for_the_connection_and_go_out_in_order() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.far[0].transport.vanish()
        await stage.call.until(lambda call: isinstance(call.state, Restoring))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(stage.call.conversation.item.delete(item_id="x"))
            tasks.create_task(stage.call.response.create())
            second = await stage.exchange.next(2)
        assert [(await second.raw())["type"] for _ in range(2)] == ["conversation.item.delete", "response.create"]
        assert second.silent

    play(act, failures=[None, TransportError("no net")])


def test_sound_that_is_spoken_meanwhile_waits_where_it_travels_in_events() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.far[0].transport.vanish()
        await stage.call.until(lambda call: isinstance(call.state, Restoring))
        for _ in range(100):
            await stage.call.send_audio(b"\0\0" * 4800)
        second = await stage.exchange.next(2)
        await back(stage)
        await asyncio.sleep(0)
        kept = 0
        while not second.silent:
            assert (await second.raw())["type"] == "input_audio_buffer.append"
            kept += 1
        assert kept == 50  # ten seconds of it, the newest

    play(act, sound=SoundPath.TEXT, failures=[None, TransportError("no net")])


def test_what_a_connection_brings_that_is_not_the_calls_own_any_more_changes_nothing() -> None:
    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        await first.transport.close(1012, "restarting")
        second = await stage.exchange.next(2)
        await back(stage)
        first.tell(item(user("From the grave.")))
        second.tell(item(user("From the living.", "u2")))
        await stage.call.until(lambda call: len(call.history) == 1)
        assert stage.call.history[0].id == "u2"

    play(act, sound=SoundPath.TEXT)


def test_a_connection_that_breaks_while_it_is_greeted_is_followed_by_another() -> None:
    async def act(stage: Stage) -> None:
        talked(stage.exchange.far[0])
        await stage.call.until(lambda call: len(call.history) == 2)
        stage.exchange.far[0].transport.vanish()
        second = await stage.exchange.next(2)
        await second.told()
        second.transport.vanish()
        third = await stage.exchange.next(3)
        await stage.acknowledge(third, 2)
        assert (await back(stage)).gap_s == 0.5

    stage = play(act)
    steps = [state.step for state in stage.states if isinstance(state, Restoring)]
    assert steps == [Call(), Wait(0.5), Call()]


def test_a_call_that_came_back_can_come_back_again() -> None:
    async def act(stage: Stage) -> None:
        for number in (1, 2, 3):
            stage.exchange.far[number - 1].transport.vanish()
            await stage.call.until(lambda call: isinstance(call.state, Restoring))
            await stage.exchange.next(number + 1)
            await back(stage)

    assert len(play(act).exchange.far) == 4


def test_a_server_that_never_answers_is_left_for_another_try() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.far[0].transport.vanish()
        await stage.exchange.next(2)
        assert (await back(stage)).gap_s == 20.5

    play(act, failures=[None, Hang()])


@pytest.mark.parametrize(
    ("failure", "gap_s"),
    [
        (RefusedError("429", status=429, next=Retry(7.0)), 7.5),
        (RefusedError("500", status=500, next=Retry(1.0)), 1.5),
    ],
    ids=["429", "500"],
)
def test_a_server_in_trouble_gets_the_time_that_it_asks_for(failure: VivaError, gap_s: float) -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.far[0].transport.vanish()
        await stage.exchange.next(2)
        assert (await back(stage)).gap_s == gap_s

    play(act, failures=[None, failure])


def test_a_secret_that_has_expired_meanwhile_is_renewed() -> None:
    expired = RefusedError("401", status=401, fault=Fault.CALLER, next=NewSecret())

    async def act(stage: Stage) -> None:
        stage.exchange.far[0].transport.vanish()
        await stage.exchange.next(2)
        assert (await back(stage)).gap_s == 0.0

    play(act, failures=[None, expired], renews=True)


def test_a_refusal_that_is_our_own_fault_ends_the_call_and_everybody_is_told() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.far[0].transport.vanish()
        with pytest.raises(RefusedError):
            await stage.call.until(lambda _: False)
        with pytest.raises(RefusedError):
            await stage.call.response.create()
        assert stage.call.state == Failed(REFUSED)

    assert len(play(act, failures=[None, REFUSED]).exchange.asked) == 2


def test_a_server_that_is_gone_for_good_is_given_up_after_a_bounded_time() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.far[0].transport.vanish()
        await stage.call.until(lambda call: isinstance(call.state, Restoring))
        with pytest.raises(TransportError):
            await stage.call.response.create()
        assert isinstance(stage.call.state, Failed)
        assert 55.0 < stage.now <= 60.0

    play(act, failures=[None, *[TransportError("no net")] * 999], policy=Persistence(total_s=60.0))


def test_who_hangs_up_while_the_call_comes_back_is_not_kept_waiting() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.far[0].transport.vanish()
        await stage.call.until(lambda call: isinstance(call.state, Restoring))
        await stage.call.close()
        assert isinstance(stage.call.state, Closed)
        assert stage.now == 0.0

    play(act, failures=[None, Hang()])


def test_who_is_cancelled_while_the_call_comes_back_leaves_nothing_running() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.far[0].transport.vanish()
        second = await stage.exchange.next(2, greets=False)
        raise LookupError(f"the body fails while {second} has not greeted")

    with pytest.raises(ExceptionGroup) as caught:
        play(act)
    assert caught.group_contains(LookupError)


def test_a_policy_of_ones_own_decides() -> None:
    asked: list[tuple[VivaError, float]] = []

    class Once:
        def decide(self, failure: VivaError, history: History, now: float, chance: float) -> Step:
            asked.append((failure, chance))
            return GiveUp(failure) if history.steps else Wait(3.0)

    async def act(stage: Stage) -> None:
        stage.exchange.far[0].transport.vanish()
        with pytest.raises(TransportError):
            await stage.call.until(lambda _: False)
        assert stage.now == 3.0

    play(act, policy=Once())
    assert [chance for _, chance in asked] == [0.5, 0.5]


def flow(stage: Stage, *, until: float) -> None:
    """The server's packets come without pause until then, and its answers to checks as well."""
    stage.exchange.figures = lambda now: Link(
        packets_received=int(min(now, until) * 50), checks_answered=int(min(now, until) / 2.5)
    )


def test_a_blip_is_seen_within_a_second_and_no_connection_is_torn_down_for_it() -> None:
    async def act(stage: Stage) -> None:
        flow(stage, until=10.0)
        await stage.call.until(lambda call: isinstance(call.state, Disrupted))
        assert stage.now <= 11.01
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(stage.call.response.create())
            await stage.wait(1.0)
            assert not waiting.done()
            flow(stage, until=99.0)
        assert stage.call.state == Connected("rtc_1")
        assert (await stage.exchange.far[0].raw())["type"] == "response.create"

    stage = play(act)
    names = [type(state).__name__ for state in stage.states]
    assert names == ["Negotiating", "Connecting", "Connected", "Disrupted", "Connected", "Closed"]


def test_a_server_that_stays_silent_is_left_before_the_transport_gives_it_up() -> None:
    async def act(stage: Stage) -> None:
        flow(stage, until=10.0)
        await stage.call.until(lambda call: isinstance(call.state, Restoring))
        flow(stage, until=99.0)
        await stage.exchange.next(2)
        gap_s = (await back(stage)).gap_s
        assert 7.0 <= gap_s <= 7.2
        await stage.exchange.far[0].gone.wait()

    play(act)


def test_silence_of_an_assistant_who_has_nothing_to_say_is_no_disruption_for_long() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.figures = lambda now: Link(
            packets_received=int(min(now, 10.0) * 50), checks_answered=int(now / 2.5)
        )
        await stage.wait(120.0)
        assert isinstance(stage.call.state, Connected)

    assert [type(state).__name__ for state in play(act).states].count("Disrupted") <= 1


LIMITED = 600.0
"""Seconds that a session may live."""


def test_a_session_whose_time_is_nearly_up_is_replaced_between_two_turns_without_a_gap() -> None:
    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        talked(first)
        first.tell('{"type":"input_audio_buffer.speech_started","item_id":"u2","audio_start_ms":0}')
        await stage.wait(560.0)
        assert len(stage.exchange.far) == 1, "somebody speaks"
        first.tell(
            '{"type":"input_audio_buffer.speech_stopped","item_id":"u2","audio_end_ms":9000}',
            item(user("Thank you.", "u2")),
            '{"type":"response.created","response":{"id":"r2","conversation_id":"c"}}',
            '{"type":"response.done","response":{"id":"r2","status":"completed"}}',
        )
        second = await stage.exchange.next(2)
        assert isinstance(stage.call.state, Connected)
        await stage.call.conversation.item.retrieve(item_id="u1")
        assert (await first.raw())["type"] == "conversation.item.retrieve"
        await stage.acknowledge(second, 3)
        assert await back(stage) == Restored(Kept.NEW, complete=True, gap_s=0.0)
        await first.gone.wait()
        await stage.call.response.create()
        assert (await second.raw())["type"] == "response.create"

    stage = play(act, lifetime_s=LIMITED)
    assert not any(isinstance(state, Restoring) for state in stage.states)


def test_a_replacement_that_the_conversation_has_outrun_is_made_again() -> None:
    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        second = await stage.exchange.next(2, greets=False)
        talked(first)
        await stage.call.until(lambda call: len(call.history) == 2)
        await stage.exchange.next(2)
        await second.gone.wait()
        assert stage.call.state == Connected("rtc_1")
        third = await stage.exchange.next(3)
        await stage.acknowledge(third, 2)
        await back(stage)
        assert stage.call.state == Connected("rtc_3", Restored(Kept.NEW, complete=True, gap_s=0.0))

    play(act, lifetime_s=LIMITED)


def test_a_replacement_that_cannot_be_had_costs_nothing() -> None:
    async def act(stage: Stage) -> None:
        await stage.wait(575.0)
        assert stage.call.state == Connected("rtc_1")
        stage.exchange.far[0].transport.vanish()
        await stage.exchange.next(2)
        await back(stage)

    play(act, lifetime_s=LIMITED, failures=[None, *[TransportError("no net")] * 4])


def test_a_connection_that_breaks_while_its_replacement_is_made_is_made_again() -> None:
    async def act(stage: Stage) -> None:
        second = await stage.exchange.next(2, greets=False)
        stage.exchange.far[0].transport.vanish()
        third = await stage.exchange.next(3)
        second.tell('{"type":"session.created","session":{"type":"realtime"}}')
        await back(stage)
        await second.gone.wait()
        await stage.call.response.create()
        assert (await third.raw())["type"] == "response.create"

    play(act, lifetime_s=LIMITED)


def test_an_item_that_the_new_session_refuses_is_missed_and_the_call_goes_on() -> None:
    async def act(stage: Stage) -> None:
        talked(stage.exchange.far[0])
        await stage.call.until(lambda call: len(call.history) == 2)
        stage.exchange.far[0].transport.vanish()
        second = await stage.exchange.next(2)
        refused = await second.raw()
        error = {"type": "invalid_request_error", "message": "No.", "event_id": refused["event_id"]}
        second.tell(json.dumps({"type": "error", "error": error}))
        assert [each["id"] for each in await stage.acknowledge(second, 1)] == ["a1"]
        assert not (await back(stage)).complete

    play(act)


def test_the_gap_counts_from_when_the_server_was_last_heard_of() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.figures = lambda now: Link(checks_answered=1 + int(min(now, 5.0) / 2.5))
        await stage.wait(9.0)
        stage.exchange.far[0].transport.vanish()
        await stage.exchange.next(2)
        assert (await back(stage)).gap_s == pytest.approx(4.0, abs=0.3)

    play(act)


def test_a_server_that_answers_pings_is_missed_within_a_second_and_left_when_it_stays_away() -> None:
    async def act(stage: Stage) -> None:
        far = await stage.exchange.next(1, greets=False)
        for _ in range(10):
            assert (await far.raw())["type"] == "connection.ping"
            far.tell('{"type":"connection.pong","ping_event_id":null}')
        silent_at = stage.now
        await stage.call.until(lambda call: isinstance(call.state, Disrupted))
        assert stage.now - silent_at <= 1.1
        far.tell('{"type":"connection.pong","ping_event_id":null}')
        await stage.call.until(lambda call: isinstance(call.state, Connected))
        again = stage.now
        await stage.exchange.next(2)
        assert stage.now - again == pytest.approx(PINGED_S + GRACE_S, abs=0.3)
        await stage.call.until(lambda call: isinstance(call.state, Connected))

    stage = play(act, keeps_s=0)
    names = [type(state).__name__ for state in stage.states]
    assert names[names.index("Disrupted") :] == [
        "Disrupted",
        "Connected",
        "Disrupted",
        "Restoring",
        "Connected",
        "Closed",
    ]


@pytest.mark.parametrize("keeps_s", [None, 60])
def test_a_call_is_given_up_when_its_time_is_over_though_the_last_attempt_has_more(keeps_s: int | None) -> None:
    told: list[float] = []

    async def act(stage: Stage) -> None:
        stage.exchange.network.clear()
        stage.exchange.far[0].transport.vanish()
        lost_at = stage.now
        await stage.call.until(lambda call: isinstance(call.state, Restoring))
        with suppress(VivaError):
            await stage.call.until(lambda call: isinstance(call.state, Failed))
        told.append(stage.now - lost_at)

    policy = Persistence(total_s=9.0)
    play(act, failures=[None, *99 * [Hang()]], policy=policy, keeps_s=keeps_s)
    assert told == [pytest.approx(9.0, abs=0.5)]


def test_that_a_call_has_failed_is_told_before_its_goodbye() -> None:
    told: list[float] = []

    async def act(stage: Stage) -> None:
        stage.exchange.network.clear()
        await stage.call.until(lambda call: isinstance(call.state, Disrupted))
        silent_at = stage.now
        with suppress(VivaError):
            await stage.call.until(lambda call: isinstance(call.state, Failed))
        told.append(stage.now - silent_at)

    perform(act, Scene(policy=Persistence(total_s=9.0), keeps_s=60, leaving_s=5.0))
    assert told == [pytest.approx(9.0, abs=0.6)]
