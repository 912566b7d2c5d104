import asyncio
import base64
import inspect
import json
from asyncio import TaskGroup
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import cast

import numpy as np
import pytest
from agents.realtime import (
    AssistantMessageItem,
    RealtimeModelAudioEvent,
    RealtimeModelConfig,
    RealtimeModelConnectionStatusEvent,
    RealtimeModelErrorEvent,
    RealtimeModelEvent,
    RealtimeModelExceptionEvent,
    RealtimeModelItemUpdatedEvent,
    RealtimeModelListener,
    RealtimeModelOtherEvent,
    RealtimeModelRawClientMessage,
    RealtimeModelSendAudio,
    RealtimeModelSendInterrupt,
    RealtimeModelSendRawMessage,
    RealtimeModelSendSessionUpdate,
    RealtimeModelSendToolOutput,
    RealtimeModelSendUserInput,
    RealtimeModelToolCallEvent,
    RealtimeModelTurnEndedEvent,
    RealtimePlaybackTracker,
)

import vivavoce
from tests.scenario.coming_back import Exchange, LoopClock
from tests.unit.client.far import FarEnd
from tests.unit.transport.virtual import VirtualLoop
from vivavoce.agents import Model, Options
from vivavoce.audio.frame import sample_count, to_bytes
from vivavoce.client.call import Call
from vivavoce.client.plan import Plan
from vivavoce.client.state import Connected, Restoring, State
from vivavoce.errors import ConfigError, Never, RefusedError, VivaError
from vivavoce.transport.interface import SoundPath
from vivavoce.wire.config import RealtimeSession

Body = dict[str, object]
SETTINGS: RealtimeModelConfig = {"api_key": "sk-test-0123456789", "initial_model_settings": {"instructions": "Hum."}}


class Listener(RealtimeModelListener):
    """All that a model tells."""

    def __init__(self) -> None:
        self.told: list[RealtimeModelEvent] = []
        self._news = asyncio.Event()

    async def on_event(self, event: RealtimeModelEvent) -> None:
        self.told.append(event)
        self._news.set()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(100):
            while not condition():
                self._news.clear()
                await self._news.wait()

    def kinds(self) -> list[str]:
        """All but what is said in any case."""
        return [event.type for event in self.told if event.type not in ("raw_server_event", "other")]

    def statuses(self) -> list[str]:
        return [event.status for event in self.told if isinstance(event, RealtimeModelConnectionStatusEvent)]


class Stage:
    """A model, who listens to it, and the far ends of its call."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.asked: list[dict[str, object]] = []
        self.model = Model(self.place, base_url="http://far.example/v1")
        self.listener = Listener()
        self.model.add_listener(self.listener)

    @asynccontextmanager
    async def place(self, *, on_state: Callable[[State], None], **asked: object) -> AsyncGenerator[Call]:
        self.asked.append(asked)
        plan = Plan(self.exchange, RealtimeSession(model="m"), LoopClock(), on_state=on_state, chance=lambda: 0.5)
        async with Call(plan) as call:
            yield call

    async def connect(self, config: RealtimeModelConfig = SETTINGS) -> FarEnd:
        number = len(self.exchange.far) + 1
        async with TaskGroup() as tasks:
            tasks.create_task(self.model.connect(config))
            return await self.exchange.next(number)

    @property
    def session(self) -> Body:
        return cast("Body", self.asked[-1]["session"])


def play(
    act: Callable[[Stage], Awaitable[None]],
    sound: SoundPath = SoundPath.MEDIA,
    failures: Sequence[VivaError | None] = (),
) -> None:
    """Let an act be played on virtual time; nothing is left of it."""

    async def main() -> None:
        async with TaskGroup() as tasks:
            stage = Stage(Exchange(tasks, sound, failures))
            await act(stage)
            await stage.model.close()
            for far in stage.exchange.far:
                await far.transport.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())


def say(far: FarEnd, type: str, **fields: object) -> None:
    far.tell(json.dumps({"type": type, "event_id": "event_1", **fields}))


def respond(far: FarEnd, response_id: str, item_id: str, words: str, *, played: bool = True) -> None:
    """An answer whose words have been made, and that is beginning to be heard, where the server plays it."""
    part = {"response_id": response_id, "item_id": item_id, "content_index": 0, "output_index": 0}
    item: Body = {"type": "message", "id": item_id, "role": "assistant", "status": "in_progress", "content": []}
    say(far, "response.created", response={"id": response_id, "object": "realtime.response", "status": "in_progress"})
    say(far, "response.output_item.added", response_id=response_id, output_index=0, item=item)
    say(far, "conversation.item.added", item=item)
    say(far, "response.content_part.added", **part, part={"type": "audio", "transcript": ""})
    say(far, "response.output_audio_transcript.delta", **part, delta=words)
    if played:
        say(far, "output_audio_buffer.started", response_id=response_id)


def test_the_whole_session_is_told_while_the_call_is_placed_and_the_sound_stays_ours() -> None:
    async def act(stage: Stage) -> None:
        await stage.connect(
            {
                "api_key": "sk-test-0123456789",
                "url": "wss://other.example/v1/realtime?model=theirs",
                "initial_model_settings": {
                    "instructions": "Hum.",
                    "voice": "sage",
                    "turn_detection": None,
                    "output_audio_format": "g711_ulaw",
                    "tracing": {"workflow_name": "w"},
                },
            }
        )
        assert {**stage.asked[-1], "session": None} == {
            "base_url": "https://other.example/v1/realtime",
            "api_key": "sk-test-0123456789",
            "session": None,
        }
        assert stage.session["instructions"] == "Hum."
        assert stage.session["model"] == "theirs"
        assert stage.session["tracing"] == {"workflow_name": "w"}
        assert stage.session["audio"] == {
            "input": {"transcription": {"model": "gpt-4o-mini-transcribe"}, "turn_detection": None},
            "output": {"voice": "sage"},
        }
        assert stage.listener.statuses() == ["connecting", "connected"]

    play(act)


def test_whatever_connect_takes_beside_the_session_can_be_said() -> None:
    # The package makes the session, and runs the functions itself.
    known = inspect.signature(vivavoce.connect).parameters.keys()
    assert Options.__annotations__.keys() == known - {"model", "session", "tools"}


def test_a_key_of_the_session_goes_before_another_credential() -> None:
    async def act(stage: Stage) -> None:
        stage.model = Model(stage.place, client_secret="ek_old-0123456789")
        await stage.connect()
        assert "client_secret" not in stage.asked[-1]
        await stage.model.close()
        await stage.connect({"headers": {"Authorization": "Bearer ek_new-0123456789"}})
        assert stage.asked[-1]["client_secret"] == "ek_new-0123456789"

    play(act)


@pytest.mark.parametrize(
    "config",
    [
        RealtimeModelConfig(call_id="rtc_1"),
        RealtimeModelConfig(url="wss://far.example/v1/realtime?api-version=1"),
        RealtimeModelConfig(headers={"X-Other": "1"}),
    ],
)
def test_what_cannot_be_done_over_webrtc_is_said(config: RealtimeModelConfig) -> None:
    async def act(stage: Stage) -> None:
        with pytest.raises(ConfigError):
            await stage.model.connect(config)

    play(act)


def test_a_call_that_cannot_be_made_raises_and_another_can_be() -> None:
    async def act(stage: Stage) -> None:
        with pytest.raises(RefusedError):
            await stage.model.connect(SETTINGS)
        await stage.connect()
        with pytest.raises(AssertionError):
            await stage.model.connect(SETTINGS)

    play(act, failures=[RefusedError("no", next=Never())])


def test_everything_that_can_be_sent_reaches_the_server() -> None:
    async def act(stage: Stage) -> None:
        far = await stage.connect()
        model = stage.model
        await model.send_event(RealtimeModelSendUserInput("Hello."))
        assert (await far.raw())["type"] == "conversation.item.create"
        assert (await far.raw())["type"] == "response.create"
        respond(far, "resp_1", "item_1", "Hm.")
        await stage.listener.until(lambda: "turn_started" in stage.listener.kinds())
        call = RealtimeModelToolCallEvent(name="f", call_id="call_1", arguments="{}")
        await model.send_event(RealtimeModelSendToolOutput(call, "out", start_response=True))
        output = await far.raw()
        assert output["item"] == {"type": "function_call_output", "call_id": "call_1", "output": "out"}
        await model.send_event(RealtimeModelSendSessionUpdate({"instructions": "Sing."}))
        update = cast("Body", (await far.raw())["session"])
        assert update["instructions"] == "Sing."
        assert "format" not in cast("Body", cast("Body", update["audio"])["input"])
        raw: RealtimeModelRawClientMessage = {"type": "input_audio_buffer.clear"}
        await model.send_event(RealtimeModelSendRawMessage(raw))
        assert (await far.raw())["type"] == "input_audio_buffer.clear"
        assert not await model.send_event_if(RealtimeModelSendUserInput("No."), lambda: False)
        # The answer to the tool waits for the end of the one that is being given.
        assert far.silent
        say(far, "response.done", response={"id": "resp_1", "object": "realtime.response", "status": "completed"})
        assert (await far.raw())["type"] == "response.create"

    play(act)


def test_sound_has_the_applications_own_format_both_ways() -> None:
    async def act(stage: Stage) -> None:
        tracker = RealtimePlaybackTracker()
        far = await stage.connect(
            {
                **SETTINGS,
                "playback_tracker": tracker,
                "initial_model_settings": {"input_audio_format": "g711_ulaw", "output_audio_format": "g711_alaw"},
            }
        )
        await stage.model.send_event(RealtimeModelSendAudio(b"\xff" * 800))
        call = stage.exchange.far[0]
        assert call.transport.queued == 0
        respond(far, "resp_1", "item_1", "Hm.")
        await stage.listener.until(lambda: "transcript_delta" in stage.listener.kinds())
        far.transport.play(np.full(sample_count(200), 3000, np.int16))
        for _ in range(10):
            far.transport.advance()
        await stage.listener.until(lambda: len(sound(stage)) > 1000)
        assert len(sound(stage)) < 1700
        tracker.on_play_bytes("item_1", 0, b"\x00" * 800)
        assert tracker.get_state()["elapsed_ms"] == 100

    play(act)


def sound(stage: Stage) -> bytes:
    return b"".join(event.data for event in stage.listener.told if isinstance(event, RealtimeModelAudioEvent))


def test_a_commit_waits_until_the_sound_before_it_was_spoken() -> None:
    async def act(stage: Stage) -> None:
        far = await stage.connect()
        near = stage.exchange.near[0]
        async with TaskGroup() as tasks:
            words = to_bytes(np.zeros(sample_count(100), np.int16))
            sending = tasks.create_task(stage.model.send_event(RealtimeModelSendAudio(words, commit=True)))
            await asyncio.sleep(1)
            assert not sending.done()
            near.advance(sample_count(100))
        assert (await far.raw())["type"] == "input_audio_buffer.commit"

    play(act)


def test_an_interruption_stops_the_answer_and_its_sound_and_leaves_only_words_that_were_heard() -> None:
    async def act(stage: Stage) -> None:
        far = await stage.connect()
        respond(far, "resp_1", "item_1", "One two three four five.")
        await stage.listener.until(lambda: "transcript_delta" in stage.listener.kinds())
        await stage.model.send_event(RealtimeModelSendInterrupt())
        assert (await far.raw())["type"] == "response.cancel"
        assert (await far.raw())["type"] == "output_audio_buffer.clear"
        assert "audio_interrupted" in stage.listener.kinds()
        say(far, "output_audio_buffer.cleared", response_id="resp_1")
        say(far, "conversation.item.truncated", item_id="item_1", content_index=0, audio_end_ms=0)
        await stage.listener.until(lambda: stage.listener.kinds()[-1] == "item_updated")
        assert stage.listener.kinds().count("audio_interrupted") == 1
        assert stage.listener.kinds()[-2:] == ["item_deleted", "item_updated"]
        assert told_words(stage) == ""
        # This client asks for the words that the server has kept, and truncates nothing: the server has.
        assert (await far.raw())["type"] == "conversation.item.retrieve"
        assert far.silent

    play(act)


def told_words(stage: Stage) -> str | None:
    items = [event.item for event in stage.listener.told if isinstance(event, RealtimeModelItemUpdatedEvent)]
    assert isinstance(items[-1], AssistantMessageItem)
    return getattr(items[-1].content[0], "transcript", None)


def test_an_interruption_of_another_answer_leaves_this_one_alone_and_that_one_unheard() -> None:
    async def act(stage: Stage) -> None:
        far = await stage.connect()
        respond(far, "resp_1", "item_1", "One.")
        await stage.listener.until(lambda: "transcript_delta" in stage.listener.kinds())
        await stage.model.send_event(RealtimeModelSendInterrupt(response_id="resp_2", playback_only=True))
        assert far.silent
        say(far, "output_audio_buffer.started", response_id="resp_2")
        assert (await far.raw())["type"] == "output_audio_buffer.clear"
        for wrong in (
            RealtimeModelSendInterrupt(playback_only=True, force_response_cancel=True),
            RealtimeModelSendInterrupt(cancel_response_only=True),
        ):
            with pytest.raises(ValueError):
                await stage.model.send_event(wrong)

    play(act)


def test_a_lost_connection_shows_and_what_was_under_way_ends() -> None:
    async def act(stage: Stage) -> None:
        far = await stage.connect()
        respond(far, "resp_1", "item_1", "One two three four five.")
        await stage.listener.until(lambda: "transcript_delta" in stage.listener.kinds())
        far.transport.vanish()
        second = await stage.exchange.next(2)
        await stage.listener.until(lambda: stage.listener.statuses()[-2:] == ["connecting", "connected"])
        await stage.listener.until(lambda: "turn_ended" in stage.listener.kinds())
        ended = [event for event in stage.listener.told if isinstance(event, RealtimeModelTurnEndedEvent)]
        assert [event.response_id for event in ended] == ["resp_1"]
        assert "audio_interrupted" in stage.listener.kinds()
        states = [event.data for event in stage.listener.told if isinstance(event, RealtimeModelOtherEvent)]
        assert [type(state) for state in states[-2:]] == [Restoring, Connected]
        # Nothing waits for the end of an answer that will never come.
        await stage.model.send_event(RealtimeModelSendUserInput("Go on."))
        sent = [(await second.raw())["type"] for _ in range(2)]
        assert sent == ["conversation.item.create", "response.create"]

    play(act)


def test_a_tool_that_runs_while_the_connection_is_lost_is_run_once_and_answered_once() -> None:
    async def act(stage: Stage) -> None:
        far = await stage.connect()
        user: Body = {
            "type": "message",
            "id": "item_0",
            "role": "user",
            "content": [{"type": "input_text", "text": "?"}],
        }
        call: Body = {"type": "function_call", "id": "item_1", "call_id": "call_1", "name": "f", "arguments": "{}"}
        response: Body = {"id": "resp_1", "object": "realtime.response", "status": "completed", "output": []}
        say(far, "conversation.item.added", item=user)
        say(far, "response.created", response={**response, "status": "in_progress"})
        done: Body = {**call, "status": "completed"}
        say(far, "conversation.item.added", item=done, previous_item_id="item_0")
        say(far, "response.output_item.done", response_id="resp_1", output_index=0, item=done)
        say(far, "response.done", response={**response, "output": [done]})
        await stage.listener.until(lambda: "turn_ended" in stage.listener.kinds())
        far.transport.vanish()
        second = await stage.exchange.next(2)
        for _ in range(2):
            told = await second.raw()
            say(second, "conversation.item.added", item={"status": "completed", **cast("Body", told["item"])})
        await stage.listener.until(lambda: stage.listener.statuses()[-2:] == ["connecting", "connected"])
        asked = RealtimeModelToolCallEvent(name="f", call_id="call_1", arguments="{}")
        await stage.model.send_event(RealtimeModelSendToolOutput(asked, "out", start_response=True))
        output = cast("Body", (await second.raw())["item"])
        assert output == {"type": "function_call_output", "call_id": "call_1", "output": "out"}
        assert (await second.raw())["type"] == "response.create"
        say(second, "conversation.item.added", item={**output, "id": "item_2", "status": "completed"})
        say(second, "response.created", response={**response, "id": "resp_2", "status": "in_progress"})
        say(second, "response.done", response={**response, "id": "resp_2"})
        await asyncio.sleep(1)
        assert second.silent
        assert stage.listener.kinds().count("function_call") == 1

    play(act)


def test_sound_that_comes_in_events_is_told_as_it_is_heard() -> None:
    async def act(stage: Stage) -> None:
        far = await stage.connect()
        part = {"response_id": "resp_1", "item_id": "item_1", "content_index": 0, "output_index": 0}
        respond(far, "resp_1", "item_1", "One two.", played=False)
        second = base64.b64encode(to_bytes(np.full(sample_count(1000), 3000, np.int16))).decode()
        say(far, "response.output_audio.delta", **part, delta=second)
        say(far, "response.output_audio.delta", **part, delta=second)
        say(far, "response.output_audio.done", **part)
        begun = asyncio.get_running_loop().time()
        await stage.listener.until(lambda: "audio_done" in stage.listener.kinds())
        assert asyncio.get_running_loop().time() - begun >= 1.9
        assert len(sound(stage)) == 2 * sample_count(2000)
        assert "audio" not in stage.listener.kinds()[stage.listener.kinds().index("audio_done") :]

    play(act, SoundPath.TEXT)


def test_sound_that_comes_in_events_is_truncated_once_where_the_user_interrupts() -> None:
    async def act(stage: Stage) -> None:
        far = await stage.connect()
        part = {"response_id": "resp_1", "item_id": "item_1", "content_index": 0, "output_index": 0}
        respond(far, "resp_1", "item_1", "One two three four five six.", played=False)
        long = base64.b64encode(to_bytes(np.full(sample_count(4000), 3000, np.int16))).decode()
        say(far, "response.output_audio.delta", **part, delta=long)
        await stage.listener.until(lambda: len(sound(stage)) >= 2 * sample_count(1000))
        await stage.model.send_event(RealtimeModelSendInterrupt())
        done: Body = {"type": "message", "id": "item_1", "role": "assistant", "status": "incomplete", "content": []}
        say(far, "conversation.item.done", item=done)
        sent = [await far.raw() for _ in range(2)]
        assert [event["type"] for event in sent] == ["response.cancel", "conversation.item.truncate"]
        heard_ms = sent[1]["audio_end_ms"]
        assert isinstance(heard_ms, int)
        assert 1000 <= heard_ms < 1200
        say(far, "conversation.item.truncated", item_id="item_1", content_index=0, audio_end_ms=heard_ms)
        await stage.listener.until(lambda: stage.listener.kinds()[-1] == "item_updated")
        assert stage.listener.kinds().count("audio_interrupted") == 1
        assert told_words(stage) in ("One", "One two")

    play(act, SoundPath.TEXT)


def lost(listener: Listener) -> bool:
    """Whether it was told of events that it will not get."""
    errors = [event.error for event in listener.told if isinstance(event, RealtimeModelErrorEvent)]
    return any(isinstance(error, VivaError) for error in errors)


def test_events_that_nobody_read_in_time_are_told_as_an_error_and_the_call_goes_on() -> None:
    class Slow(Listener):
        def __init__(self) -> None:
            super().__init__()
            self.free = asyncio.Event()

        async def on_event(self, event: RealtimeModelEvent) -> None:
            await super().on_event(event)
            if event.type == "turn_started":
                await self.free.wait()

    async def act(stage: Stage) -> None:
        stage.model.remove_listener(stage.listener)
        stage.listener = listener = Slow()
        stage.model.add_listener(listener)
        far = await stage.connect()
        respond(far, "resp_1", "item_1", "One.")
        await listener.until(lambda: "turn_started" in listener.kinds())
        for _ in range(3000):
            say(far, "rate_limits.updated", rate_limits=[])
        await asyncio.sleep(1)
        listener.free.set()
        await listener.until(lambda: lost(listener))
        say(far, "conversation.item.deleted", item_id="item_1")
        await listener.until(lambda: "item_deleted" in listener.kinds())

    play(act)


def test_a_call_that_the_server_ends_is_told_once() -> None:
    async def act(stage: Stage) -> None:
        far = await stage.connect()
        await far.transport.close()
        await stage.listener.until(lambda: stage.listener.kinds()[-1] == "end_of_stream")
        assert stage.listener.statuses() == ["connecting", "connected", "disconnected"]
        await stage.model.close()
        await stage.connect()
        assert stage.listener.statuses()[-1] == "connected"

    play(act)


def test_a_call_that_fails_raises_where_the_session_is_read() -> None:
    async def act(stage: Stage) -> None:
        far = await stage.connect()
        far.transport.vanish()
        await stage.listener.until(lambda: stage.listener.kinds()[-1] == "exception")
        failure = stage.listener.told[-1]
        assert isinstance(failure, RealtimeModelExceptionEvent)
        assert isinstance(failure.exception, RefusedError)
        assert stage.listener.statuses()[-1] == "disconnected"

    play(act, failures=[None, RefusedError("no", next=Never())])


def test_a_listener_that_raises_is_told_of_it_and_the_call_goes_on() -> None:
    class Clumsy(Listener):
        async def on_event(self, event: RealtimeModelEvent) -> None:
            await super().on_event(event)
            if event.type == "turn_started":
                raise LookupError

    async def act(stage: Stage) -> None:
        stage.model.remove_listener(stage.listener)
        stage.listener = Clumsy()
        stage.model.add_listener(stage.listener)
        far = await stage.connect()
        respond(far, "resp_1", "item_1", "One.")
        await stage.listener.until(lambda: "transcript_delta" in stage.listener.kinds())
        failures = [event for event in stage.listener.told if isinstance(event, RealtimeModelExceptionEvent)]
        assert [type(failure.exception) for failure in failures] == [LookupError]

    play(act)


def test_what_it_takes_over_from_the_package_is_there() -> None:
    # None of it is public; an upgrade that renames one must not pass unnoticed.
    own = [name for name in vars(Model) if name.startswith("_send") or name in TAKEN]
    base = Model.__bases__[0]
    assert [name for name in own if not hasattr(base, name)] == []
    assert set(TAKEN) <= set(vars(Model))


TAKEN = ("_handle_ws_event", "_send_raw_message", "_send_raw_message_if", "_update_created_session")
