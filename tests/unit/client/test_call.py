"""A call as a program lives it, with a far end that the test works by hand."""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterable, Awaitable
from typing import cast

import numpy as np
import pytest

from tests.unit.client.far import PATIENCE_S, SESSION, answered, call_to
from vivavoce.audio.frame import Pcm, sample_count, to_bytes
from vivavoce.client.call import Call
from vivavoce.client.line import Configured
from vivavoce.client.player import Heard
from vivavoce.client.state import Closed, Connected, Failed
from vivavoce.errors import (
    ConfigError,
    DeviceError,
    OtherTransport,
    RefusedError,
    TransportError,
    VivaError,
)
from vivavoce.session.caption import Caption, CaptionState, Role
from vivavoce.session.peer import Activity
from vivavoce.transport.interface import ClosedBy, SoundPath
from vivavoce.wire.config import RealtimeSession
from vivavoce.wire.event import (
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    OutputAudioBufferClear,
    ResponseCancel,
    ResponseCreate,
    SessionCreated,
    SessionUpdate,
    UnknownEvent,
)
from vivavoce.wire.item import FunctionCallOutput

BOTH = pytest.mark.parametrize("sound", SoundPath)
UPDATED = '{"type":"session.updated","session":{"type":"realtime","instructions":"ours"}}'


def created(response: str) -> str:
    return f'{{"type":"response.created","response":{{"id":"{response}","conversation_id":"c"}}}}'


def done(response: str) -> str:
    return f'{{"type":"response.done","response":{{"id":"{response}","status":"completed"}}}}'


def calling(call_id: str, name: str, arguments: str) -> str:
    item = f'{{"type":"function_call","call_id":"{call_id}","name":"{name}","arguments":"{arguments}"}}'
    return f'{{"type":"response.output_item.done","response_id":"r1","output_index":0,"item":{item}}}'


def audio(samples: Pcm, item: str = "a1") -> str:
    delta = b64encode(to_bytes(samples)).decode()
    place = f'"response_id":"r1","item_id":"{item}","output_index":0,"content_index":0'
    return f'{{"type":"response.output_audio.delta",{place},"delta":"{delta}"}}'


def tone(ms: int) -> Pcm:
    return (8000 * np.sin(np.arange(sample_count(ms)) * 0.2)).astype(np.int16)


# ── connecting ──────────────────────────────────────────────────────────────────────────────────────────


@BOTH
async def test_a_call_is_connected_when_the_session_has_begun_and_over_when_it_is_left(sound: SoundPath) -> None:
    call, far = call_to(sound)
    async with answered(far, SESSION):
        async with call:
            assert call.state == Connected("rtc_1")
            assert isinstance(await call.recv(), SessionCreated)
            assert call.config == RealtimeSession(instructions="theirs")
            assert (call.timings.connect_ms or 0) >= (call.timings.signalling_ms or 0) >= 0
        assert call.state == Closed(ClosedBy.US)
        async with asyncio.timeout(PATIENCE_S):
            await far.gone.wait()
        with pytest.raises(TransportError):
            await call.response.create()
        with pytest.raises(TransportError):
            await call.recv()
        with pytest.raises(TransportError):
            await call.link()
        await call.close()


async def test_a_config_that_was_not_told_while_calling_is_told_first_of_all() -> None:
    session = RealtimeSession(model="m", instructions="ours")
    call, far = call_to(SoundPath.TEXT, session=session, configured=Configured.NOT_YET)
    async with answered(far, SESSION), asyncio.TaskGroup() as tasks:
        entering = tasks.create_task(call.__aenter__())
        update = await far.told()
        assert isinstance(update, SessionUpdate)
        assert update.session == RealtimeSession(instructions="ours")
        assert not entering.done()
        far.tell(UPDATED)
        await entering
        assert call.config == RealtimeSession(instructions="ours")
        await call.__aexit__(None, None, None)


async def test_a_config_of_nothing_but_the_model_needs_no_telling() -> None:
    call, far = call_to(SoundPath.TEXT, session=RealtimeSession(model="m"), configured=Configured.NOT_YET)
    async with answered(far, SESSION), call:
        assert far.silent


async def test_a_config_that_the_server_refuses_is_no_call() -> None:
    session = RealtimeSession(instructions="ours")
    call, far = call_to(SoundPath.TEXT, session=session, configured=Configured.NOT_YET)
    async with answered(far, SESSION), asyncio.TaskGroup() as tasks:
        entering = tasks.create_task(enter(call))
        update = await far.told()
        error = f'{{"type":"x","code":"invalid_value","message":"No.","event_id":"{update.event_id}"}}'
        far.tell(f'{{"type":"error","error":{error}}}')
        failure = await entering
    assert isinstance(failure, RefusedError)
    assert failure.code == "invalid_value"


async def enter(call: Call) -> VivaError | None:
    try:
        async with call:
            return None
    except VivaError as error:
        return error


async def test_a_line_that_cannot_be_opened_is_no_call() -> None:
    refusal = RefusedError("wrong key", status=401)
    call, _ = call_to(SoundPath.MEDIA, failure=refusal)
    assert await enter(call) is refusal
    assert call.state == Failed(refusal)


async def test_a_server_that_says_why_before_it_leaves_is_quoted() -> None:
    call, far = call_to(SoundPath.TEXT)
    error = '{"type":"error","error":{"type":"x","code":"model_not_found","message":"No such model."}}'
    async with answered(far, error):
        await far.transport.close(4000)
        failure = await enter(call)
    assert isinstance(failure, RefusedError)
    assert failure.code == "model_not_found"


async def test_sound_that_finds_no_way_is_told_as_such() -> None:
    call, far = call_to(SoundPath.MEDIA)
    async with answered(far):
        far.transport.vanish()
        failure = await enter(call)
    assert isinstance(failure, TransportError)
    assert isinstance(failure.next, OtherTransport)


@BOTH
async def test_a_server_that_never_greets_is_given_up(sound: SoundPath) -> None:
    call, far = call_to(sound, connect_s=0.05)
    async with answered(far):
        assert isinstance(await enter(call), TransportError)


async def test_what_ends_the_body_is_not_wrapped() -> None:
    call, far = call_to(SoundPath.MEDIA)
    async with answered(far, SESSION):
        with pytest.raises(KeyError):
            async with call:
                raise KeyError("mine")
    assert call.state == Closed(ClosedBy.US)


# ── how it ends ─────────────────────────────────────────────────────────────────────────────────────────


async def test_events_end_when_the_server_ends_the_session() -> None:
    call, far = call_to(SoundPath.TEXT)
    async with answered(far, SESSION), call:
        await far.transport.close(1001, "Your session hit the maximum duration of 60 minutes.")
        assert [event.type async for event in call] == ["session.created"]
        assert call.state == Closed(ClosedBy.PEER, 1001, "Your session hit the maximum duration of 60 minutes.")


async def test_a_lost_connection_fails_everybody_who_waits() -> None:
    call, far = call_to(SoundPath.MEDIA)
    async with answered(far, SESSION), call:
        async with asyncio.TaskGroup() as tasks:
            waiting = [
                tasks.create_task(told(each))
                for each in (call.until(lambda _: False), drain(call.audio()), drain(call.captions()), drain(call))
            ]
            await asyncio.sleep(0)
            far.transport.vanish()
        assert all(isinstance(task.result(), TransportError) for task in waiting)
        assert isinstance(call.state, Failed)


@pytest.mark.parametrize(("code", "kind"), [(1011, TransportError), (1012, TransportError), (4000, RefusedError)])
async def test_a_server_that_breaks_off_is_judged_by_its_code(code: int, kind: type[VivaError]) -> None:
    call, far = call_to(SoundPath.TEXT)
    async with answered(far, SESSION), call:
        await far.transport.close(code, "Oh dear.")
        error = await told(call.until(lambda _: False))
    assert isinstance(error, kind)


async def told(waiting: Awaitable[None]) -> BaseException | None:
    try:
        await waiting
    except VivaError as error:
        return error
    return None


async def drain(feed: AsyncIterable[object]) -> None:
    async for _ in feed:
        pass


# ── commands ────────────────────────────────────────────────────────────────────────────────────────────


async def test_commands_have_the_names_of_openais_sdk() -> None:
    call, far = call_to(SoundPath.MEDIA)
    async with answered(far, SESSION), call:
        await call.session.update(session={"type": "realtime", "instructions": "Be brief."}, event_id="mine")
        update = await far.told()
        assert isinstance(update, SessionUpdate)
        assert update.event_id == "mine"
        await call.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
            previous_item_id="root",
        )
        await call.conversation.item.retrieve(item_id="i")
        await call.conversation.item.truncate(item_id="i", content_index=0, audio_end_ms=5)
        await call.conversation.item.delete(item_id="i")
        await call.input_audio_buffer.append(audio="AAA=")
        await call.input_audio_buffer.commit()
        await call.input_audio_buffer.clear()
        await call.output_audio_buffer.clear()
        await call.response.create(response={"instructions": "Say hello."})
        await call.response.cancel(response_id="r1")
        await call.send(ResponseCancel())
        await call.send({"type": "response.cancel"})
        told = [type(await far.told()) for _ in range(12)]
    assert told == [
        ConversationItemCreate,
        ConversationItemRetrieve,
        ConversationItemTruncate,
        ConversationItemDelete,
        InputAudioBufferAppend,
        InputAudioBufferCommit,
        InputAudioBufferClear,
        OutputAudioBufferClear,
        ResponseCreate,
        ResponseCancel,
        ResponseCancel,
        ResponseCancel,
    ]


async def test_what_is_newer_than_this_client_is_for_the_server_to_judge() -> None:
    call, far = call_to(SoundPath.MEDIA)
    async with answered(far, SESSION), call:
        await call.session.update(session={"type": "realtime", "shiny": {"new": True}})
        assert (await far.raw())["session"] == {"type": "realtime", "shiny": {"new": True}}
        await call.send({"type": "brand.new", "x": 1})
        assert await far.raw() == {"type": "brand.new", "x": 1}
        far.tell('{"type":"even.newer","y":2}')
        events = [await call.recv() for _ in range(2)]
        assert isinstance(events[1], UnknownEvent)
        assert events[1].body["y"] == 2


async def test_what_is_no_event_at_all_is_not_sent() -> None:
    call, far = call_to(SoundPath.MEDIA)
    async with answered(far, SESSION), call:
        for nonsense in ({}, {"type": 5}, {"type": "x", "y": object()}, RealtimeSession()):
            with pytest.raises(ConfigError):
                await call.send(nonsense)
        assert far.silent


# ── sound ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_sound_beside_text_is_spoken_and_heard_as_samples() -> None:
    call, far = call_to(SoundPath.MEDIA)
    async with answered(far, SESSION), call:
        await call.send_audio(tone(40))
        await call.send_audio(to_bytes(tone(20)))
        assert call.unsent_ms == 60
        heard: list[Pcm] = []

        async def listen() -> None:
            async for samples in call.audio():
                heard.append(samples)
                if len(heard) == 2:
                    return

        async with asyncio.TaskGroup() as tasks, asyncio.timeout(PATIENCE_S):
            tasks.create_task(listen())
            await asyncio.sleep(0)
            far.transport.play(tone(40))
            far.transport.advance()
            far.transport.advance()
        assert np.array_equal(np.concatenate(heard), tone(40))


async def test_sound_inside_text_is_sent_in_events() -> None:
    call, far = call_to(SoundPath.TEXT)
    async with answered(far, SESSION), call:
        await call.send_audio(tone(20))
        event = await far.told()
        assert isinstance(event, InputAudioBufferAppend)
        assert event.audio == b64encode(to_bytes(tone(20))).decode()
        assert call.unsent_ms == 0


async def test_who_is_muted_is_not_heard_and_what_he_had_said_does_not_follow() -> None:
    call, far = call_to(SoundPath.MEDIA)
    async with answered(far, SESSION), call:
        await call.send_audio(tone(60))
        call.mute()
        assert call.muted
        await call.send_audio(tone(60))
        assert call.unsent_ms == 0
        call.unmute()
        await call.send_audio(tone(40))
        assert call.unsent_ms == 40


async def test_a_muted_caller_appends_only_the_pause_that_ends_his_turn() -> None:
    vad = SESSION.replace('"instructions":"theirs"', '"audio":{"input":{"turn_detection":{"type":"server_vad"}}}')
    call, far = call_to(SoundPath.TEXT)
    async with answered(far, vad), call:
        call.mute()
        call.mute()
        await call.send_audio(tone(20))
        await call.response.create()
        event = await far.told()
        assert isinstance(event, InputAudioBufferAppend)
        assert not any(b64decode(event.audio))
        assert isinstance(await far.told(), ResponseCreate)
        call.unmute()
        await call.send_audio(tone(20))
        event = await far.told()
        assert isinstance(event, InputAudioBufferAppend)
        assert any(b64decode(event.audio))


async def test_what_is_no_sound_is_refused() -> None:
    call, far = call_to(SoundPath.MEDIA)
    async with answered(far, SESSION), call:
        for nonsense in (b"odd", np.zeros(3, np.float32), np.zeros((2, 2), np.int16)):
            with pytest.raises(ConfigError):
                await call.send_audio(cast("Pcm | bytes", nonsense))


class ByHand:
    """A player that plays when the test says so."""

    def __init__(self) -> None:
        self.queued = 0
        self.count = 0
        self.heard: Heard | None = None

    async def run(self, heard: Heard) -> None:
        self.heard = heard
        await asyncio.get_running_loop().create_future()

    def play(self, samples: Pcm, late_s: float | None = None) -> None:
        self.queued += len(samples)

    def played(self) -> int:
        return self.count

    def flush(self) -> int:
        self.queued = self.count
        return self.count

    def advance(self, samples: int) -> None:
        self.count += samples
        assert self.heard is not None
        self.heard(tone(1000)[:samples])


async def test_who_interrupts_stops_our_player_and_the_server_learns_what_was_heard() -> None:
    player = ByHand()
    call, far = call_to(SoundPath.TEXT, player=player)
    item = '{"type":"message","role":"assistant","id":"a1","status":"completed","content":[]}'
    async with answered(far, SESSION), call, asyncio.timeout(PATIENCE_S):
        far.tell(created("r1"), f'{{"type":"conversation.item.added","item":{item}}}', audio(tone(1000)), done("r1"))
        await call.until(lambda call: call.activity is Activity.SPEAKING)
        assert player.queued == sample_count(1000)
        player.advance(sample_count(400))
        far.tell('{"type":"input_audio_buffer.speech_started","item_id":"u1","audio_start_ms":0}')
        truncate = await far.told()
        assert isinstance(truncate, ConversationItemTruncate)
        assert truncate.audio_end_ms == 400
        assert player.queued == sample_count(400)
        assert call.activity is Activity.LISTENING


async def test_a_loudspeaker_that_fails_ends_the_call() -> None:
    class Broken(ByHand):
        async def run(self, heard: Heard) -> None:
            raise DeviceError("unplugged")

    call, far = call_to(SoundPath.MEDIA, player=Broken())
    async with answered(far, SESSION):
        assert isinstance(await enter_and_wait(call), DeviceError)


async def enter_and_wait(call: Call) -> BaseException | None:
    async def stay() -> None:
        async with call:
            await call.until(lambda _: False)

    return await told(stay())


# ── functions ───────────────────────────────────────────────────────────────────────────────────────────


async def test_functions_of_one_answer_are_run_together_and_answered_with_one_request() -> None:
    both = asyncio.Barrier(2)

    async def add(a: int, b: int) -> int:
        async with asyncio.timeout(PATIENCE_S):
            await both.wait()
        return a + b

    def fail() -> None:
        raise RuntimeError("no luck")

    call, far = call_to(SoundPath.MEDIA, functions=[add, fail])
    async with answered(far, SESSION), call:
        far.tell(created("r1"))
        far.tell(calling("c1", "add", '{\\"a\\":1,\\"b\\":2}'), calling("c2", "add", '{\\"a\\":3,\\"b\\":4}'))
        far.tell(calling("c3", "fail", "{}"), done("r1"))
        events = [await far.told() for _ in range(4)]
    outputs = {
        event.item.call_id: event.item.output
        for event in events
        if isinstance(event, ConversationItemCreate) and isinstance(event.item, FunctionCallOutput)
    }
    assert outputs == {"c1": "3", "c2": "7", "c3": '{"error":"RuntimeError: no luck"}'}
    assert isinstance(events[3], ResponseCreate)


async def test_hanging_up_stops_functions_that_still_run() -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def dawdle() -> None:
        try:
            begun.set()
            await asyncio.get_running_loop().create_future()
        finally:
            stopped.set()

    call, far = call_to(SoundPath.MEDIA, functions=[dawdle])
    async with answered(far, SESSION), call:
        far.tell(created("r1"), calling("c1", "dawdle", "{}"))
        async with asyncio.timeout(PATIENCE_S):
            await begun.wait()
    assert stopped.is_set()


# ── what is shown ───────────────────────────────────────────────────────────────────────────────────────


async def test_captions_come_as_they_grow_those_so_far_first() -> None:
    call, far = call_to(SoundPath.MEDIA)
    place = '"response_id":"r1","item_id":"a1","output_index":0,"content_index":0'
    async with answered(far, SESSION), call, asyncio.timeout(PATIENCE_S):
        far.tell(f'{{"type":"response.output_audio_transcript.delta",{place},"delta":"Good"}}')
        await call.until(lambda call: len(call.history) == 0 and call.activity is Activity.IDLE)
        captions = call.captions()
        assert await anext(captions) == Caption("a1", Role.ASSISTANT, "Good", CaptionState.WRITING)
        far.tell(f'{{"type":"response.output_audio_transcript.delta",{place},"delta":" day"}}')
        assert (await anext(captions)).text == "Good day"
        await captions.aclose()


async def test_waiting_for_something_is_bounded() -> None:
    call, far = call_to(SoundPath.MEDIA)
    async with answered(far, SESSION), call:
        with pytest.raises(TimeoutError):
            await call.until(lambda _: False, 0.01)
        await call.until(lambda _: True, 0.01)
