"""Where UDP is shut a call goes over a WebSocket, for as long as it must and no longer."""

import asyncio
import json
from base64 import b64encode
from typing import Any

import pytest

from tests.scenario.coming_back import Scene, Stage, Uplink, perform
from tests.scenario.test_coming_back import PLACE, assistant, back, item, talked, user
from vivavoce.client.lifetime import BETTER_S
from vivavoce.client.pulse import PINGED_S
from vivavoce.client.reach import ALONE_S, MOVED_S, OPEN_S, QUIET_S
from vivavoce.client.shut import KEPT_S, Shut
from vivavoce.client.state import Connected, Disrupted, Kept, Restored
from vivavoce.errors import Fault, Never, OtherTransport, RefusedError, TransportError
from vivavoce.transport.interface import SoundPath

NO_SOCKETS = RefusedError("No WebSocket here.", status=404, fault=Fault.CALLER, next=Never())


def names(stage: Stage) -> list[str]:
    return [type(state).__name__ for state in stage.states]


def test_a_call_begins_over_a_websocket_when_nothing_else_gets_through() -> None:
    async def act(stage: Stage) -> None:
        assert stage.now == pytest.approx(ALONE_S)
        await stage.wait(0.1)
        assert stage.exchange.withdrawn == ["rtc_1"], "the server keeps no session that nobody reaches"
        await stage.exchange.far[0].gone.wait()
        await stage.call.send_audio(b"\0\0" * 480)
        (socket,) = stage.sockets.far
        assert (await socket.raw())["type"] == "input_audio_buffer.append"

    stage = perform(act, Scene(falls_back=True, shut=True))
    assert names(stage) == ["Negotiating", "Connecting", "Connected", "Closed"]


def test_a_call_that_gets_through_opens_no_websocket() -> None:
    async def act(stage: Stage) -> None:
        await stage.wait(100.0)
        assert stage.sockets.asked == []
        assert len(stage.exchange.far) == 1

    assert perform(act, Scene(falls_back=True)).exchange.withdrawn == []


def test_where_udp_is_shut_and_there_is_no_websocket_either_the_call_says_what_is_wrong() -> None:
    async def act(_: Stage) -> None:
        raise AssertionError("there is no call")

    with pytest.raises(ExceptionGroup) as caught:
        perform(act, Scene(falls_back=True, shut=True, refused=NO_SOCKETS))
    (error,) = caught.value.exceptions
    assert isinstance(error, TransportError)
    assert isinstance(error.next, OtherTransport)


def test_a_server_without_websockets_is_called_again_when_udp_is_shut_for_a_while() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.shut = True
        stage.exchange.far[0].transport.vanish()
        await stage.exchange.next(2, greets=False)
        await stage.wait(1.0)
        stage.exchange.shut = False
        await stage.exchange.next(3)
        await back(stage)

    assert len(perform(act, Scene(falls_back=True, refused=NO_SOCKETS)).sockets.asked) == 1


def test_a_call_whose_udp_is_shut_on_the_way_goes_on_as_it_was_heard() -> None:
    async def act(stage: Stage) -> None:
        talked(stage.exchange.far[0])
        await stage.call.until(lambda call: len(call.history) == 2)
        stage.exchange.shut = True
        stage.exchange.far[0].transport.vanish()
        socket = await stage.sockets.next(1)
        lost_at = stage.now
        told = await stage.acknowledge(socket, 2)
        assert [each["id"] for each in told] == ["u1", "a1"]
        restored = await back(stage)
        assert restored.complete
        assert restored.gap_s == pytest.approx(ALONE_S)
        assert stage.now == lost_at
        await stage.wait(0.1)
        assert stage.exchange.withdrawn == ["rtc_2"]
        assert [caption.text for caption in stage.call.transcript] == ["What is it?", "It is a fish."]

    perform(act, Scene(falls_back=True))


def test_what_is_shut_is_not_waited_for_a_second_time() -> None:
    async def act(stage: Stage) -> None:
        await stage.wait(1.0)
        stage.sockets.far[0].transport.vanish()
        await stage.sockets.next(2)
        assert (await back(stage)).gap_s == 0.0

    perform(act, Scene(falls_back=True, shut=True))


def test_webrtc_is_taken_again_between_two_turns_when_it_works_again() -> None:
    async def act(stage: Stage) -> None:
        socket = stage.sockets.far[0]
        for _ in range(2):
            await stage.wait(BETTER_S + 0.2)
        assert len(stage.exchange.far) == 3, "it is looked for in the background"
        stage.exchange.shut = False
        socket.tell('{"type":"input_audio_buffer.speech_started","item_id":"u1","audio_start_ms":0}')
        await stage.wait(BETTER_S + 0.2)
        assert len(stage.exchange.far) == 3, "somebody speaks"
        socket.tell(
            '{"type":"input_audio_buffer.speech_stopped","item_id":"u1","audio_end_ms":9000}',
            item(user("What is it?")),
            '{"type":"response.created","response":{"id":"r1","conversation_id":"c"}}',
            item(assistant("It is a fish."), "done"),
            '{"type":"response.done","response":{"id":"r1","status":"completed"}}',
        )
        media = await stage.exchange.next(4)
        await stage.acknowledge(media, 2)
        assert await back(stage) == Restored(Kept.NEW, complete=True, gap_s=0.0)
        assert stage.call.state == Connected("rtc_4", Restored(Kept.NEW, complete=True, gap_s=0.0))
        await socket.gone.wait()
        await stage.call.response.create()
        assert (await media.raw())["type"] == "response.create"
        await stage.wait(3 * BETTER_S)
        assert len(stage.exchange.far) == 4

    stage = perform(act, Scene(falls_back=True, shut=True))
    assert names(stage) == ["Negotiating", "Connecting", "Connected", "Connected", "Closed"]
    assert stage.exchange.withdrawn == ["rtc_1", "rtc_2", "rtc_3"]


def test_nothing_that_was_said_is_given_up_for_a_better_way() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.shut = False
        stage.sockets.far[0].tell(item(user(None)))
        await stage.wait(3 * BETTER_S)
        assert len(stage.exchange.far) == 1, "speech that nobody wrote down cannot be told to another session"

    perform(act, Scene(falls_back=True, shut=True))


def test_a_websocket_that_was_asked_for_is_kept() -> None:
    async def act(stage: Stage) -> None:
        await stage.wait(5 * BETTER_S)
        assert len(stage.exchange.asked) == 1

    perform(act, Scene(SoundPath.TEXT))


def test_who_hangs_up_while_a_way_is_looked_for_leaves_nothing_behind() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.shut = True
        stage.exchange.far[0].transport.vanish()
        await stage.exchange.next(2, greets=False)
        await stage.sockets.next(1, greets=False)
        await stage.call.close()
        for far in (stage.exchange.far[1], stage.sockets.far[0]):
            await far.gone.wait()
        assert stage.exchange.withdrawn == ["rtc_2"]

    perform(act, Scene(falls_back=True))


def test_sound_that_still_waits_to_be_heard_is_not_heard_again_after_the_swap() -> None:
    words = "One two three four five six."

    async def act(stage: Stage) -> None:
        socket = stage.sockets.far[0]
        heard = 0

        async def listen() -> None:
            nonlocal heard
            async for samples in stage.call.audio():
                heard += len(samples)

        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(listen())
            sound = b64encode(bytes(4 * 48_000)).decode()  # four seconds
            socket.tell(
                '{"type":"response.created","response":{"id":"r1","conversation_id":"c"}}',
                item(assistant("", status="in_progress")),
                f'{{"type":"response.output_audio.delta",{PLACE},"delta":"{sound}"}}',
                f'{{"type":"response.output_audio_transcript.done",{PLACE},"transcript":"{words}"}}',
                json.dumps({"type": "response.done", "response": {"id": "r1", "status": "completed"}}),
            )
            await stage.wait(2.0)
            socket.transport.vanish()
            stage.exchange.shut = False
            media = await stage.exchange.next(2)
            (told,) = await stage.acknowledge(media, 1)
            assert not (await back(stage)).complete
            await stage.wait(5.0)
            listening.cancel()
        assert 1.9 <= heard / 24_000 <= 2.1
        content: Any = told["content"]
        (part,) = content
        assert words.startswith(part["text"])
        assert part["text"] not in ("", words)

    perform(act, Scene(falls_back=True, shut=True))


def test_a_server_that_gives_up_who_it_cannot_hear_is_called_again() -> None:
    async def act(stage: Stage) -> None:
        await stage.call.until(lambda call: isinstance(call.state, Disrupted))
        await stage.exchange.far[0].transport.close()
        await stage.exchange.next(2)
        await back(stage)

    perform(act, Scene(keeps_s=0))


def test_a_session_that_cannot_be_come_back_to_where_udp_is_shut_is_followed_by_one_over_a_websocket() -> None:
    async def act(stage: Stage) -> None:
        talked(stage.exchange.far[0])
        await stage.call.until(lambda call: len(call.history) == 2)
        stage.exchange.shut = True
        await stage.call.until(lambda call: isinstance(call.state, Disrupted))
        socket = await stage.sockets.next(1)
        await stage.acknowledge(socket, 2)
        restored = await back(stage)
        assert restored.session is Kept.NEW
        assert restored.gap_s == pytest.approx(PINGED_S + QUIET_S, abs=0.15)
        assert len(stage.exchange.claims) == 1
        await stage.wait(0.1)
        assert "rtc_1" in stage.exchange.withdrawn, "nobody comes back to it"

    perform(act, Scene(falls_back=True, keeps_s=60))


def test_a_session_to_which_the_way_is_only_slow_is_not_given_up() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.slow_s = OPEN_S - 0.5
        await stage.call.until(lambda call: isinstance(call.state, Disrupted))
        restored = await back(stage)
        assert restored.session is Kept.SAME
        assert restored.gap_s == pytest.approx(PINGED_S + OPEN_S - 0.5, abs=0.15)
        assert stage.sockets.asked == []

    perform(act, Scene(falls_back=True, keeps_s=60))


def test_on_a_network_that_has_just_come_nothing_arrives_at_first() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.slow_s, stage.exchange.arrived = MOVED_S - 0.1, 0
        stage.exchange.uplink.gone = True
        stage.exchange.uplink = Uplink("198.51.100.7")
        assert (await back(stage)).session is Kept.SAME

    perform(act, Scene(falls_back=True, keeps_s=60))


def test_without_a_websocket_a_session_is_not_given_up_for_a_while_in_which_nothing_comes() -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.shut = True
        await stage.call.until(lambda call: isinstance(call.state, Disrupted))
        await stage.wait(OPEN_S - 0.5)
        stage.exchange.shut = False
        await stage.exchange.next(3, greets=False)
        assert (await back(stage)).session is Kept.SAME

    perform(act, Scene(keeps_s=60))


def test_the_next_call_does_not_wait_where_udp_was_shut_just_now() -> None:
    learned = Shut()

    async def first(stage: Stage) -> None:
        assert stage.now == pytest.approx(ALONE_S)

    async def second(stage: Stage) -> None:
        assert stage.now == pytest.approx(0.0, abs=0.01)
        assert len(stage.exchange.far) == 1, "UDP may be open again"

    perform(first, Scene(falls_back=True, shut=True, learned=learned))
    perform(second, Scene(falls_back=True, shut=True, learned=learned))


def test_on_another_network_it_is_not_remembered_that_udp_was_shut() -> None:
    learned = Shut()
    learned.learn("198.51.100.7", 0.0)

    async def act(stage: Stage) -> None:
        assert stage.now == pytest.approx(ALONE_S)

    perform(act, Scene(falls_back=True, shut=True, learned=learned))


def test_a_call_that_gets_through_by_udp_forgets_that_it_was_shut() -> None:
    learned = Shut()
    learned.learn("192.0.2.1", 0.0)

    async def act(_: Stage) -> None:
        assert not learned.known("192.0.2.1", 0.0)

    perform(act, Scene(falls_back=True, learned=learned))


def test_after_some_minutes_it_is_not_remembered_any_more_that_udp_was_shut() -> None:
    learned = Shut()
    learned.learn("192.0.2.1", 0.0)
    learned.learn("192.0.2.2", KEPT_S - 1.0)
    assert learned.known("192.0.2.1", KEPT_S - 0.1)
    assert not learned.known("192.0.2.1", KEPT_S)
    assert learned.known("192.0.2.2", KEPT_S)
