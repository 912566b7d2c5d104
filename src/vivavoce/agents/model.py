"""Runs a session of the `openai-agents` package over a call of this client.

The package's own model over WebSockets is the base: what settings, tools, items and events mean to agents stays its
business, word for word. What it does with its socket is replaced: how to connect, to send, to hear and to interrupt.
Those places are not public there, so the extra `agents` holds the package to one minor version.
"""

import asyncio
from asyncio import Future, Queue, Task, TaskGroup
from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final, Unpack, cast

from agents.realtime import (
    AssistantMessageItem,
    AssistantText,
    OpenAIRealtimeWebSocketModel,
    RealtimeConnectionStatus,
    RealtimeModelAudioDoneEvent,
    RealtimeModelAudioEvent,
    RealtimeModelAudioInterruptedEvent,
    RealtimeModelConfig,
    RealtimeModelConnectionStatusEvent,
    RealtimeModelEndOfStreamEvent,
    RealtimeModelErrorEvent,
    RealtimeModelEvent,
    RealtimeModelExceptionEvent,
    RealtimeModelItemDeletedEvent,
    RealtimeModelItemUpdatedEvent,
    RealtimeModelOtherEvent,
    RealtimeModelSendAudio,
    RealtimeModelSendInterrupt,
    RealtimeModelTurnEndedEvent,
)
from agents.realtime.items import AssistantAudio
from agents.realtime.model_events import RealtimeModelRawServerEvent

from vivavoce.agents.place import Dumped, Options, body_of, place_of
from vivavoce.agents.voice import Cut, Ended, Heard, News, Part, Voice
from vivavoce.assembly import connect
from vivavoce.audio.format import Decoder, Encoder
from vivavoce.client.call import Call
from vivavoce.client.state import Closed, Connected, Connecting, Failed, Minting, Negotiating, Restoring, State
from vivavoce.errors import VivaError
from vivavoce.wire.codec import whole
from vivavoce.wire.item import AssistantMessage, OutputAudio, OutputText

Place = Callable[..., AbstractAsyncContextManager[Call]]
"""Places a call; `vivavoce.connect` does."""
Body = dict[str, object]

_CREDENTIALS: Final = {"api_key", "client_secret"}
_CUT_AGAIN: Final = ("conversation.item.retrieved", "conversation.item.done", "response.output_item.done")
"""Events that may tell all that was said in an item, although less of it was heard."""


class Model(OpenAIRealtimeWebSocketModel):
    """A `RealtimeModel` that calls by WebRTC: `RealtimeRunner(agent, model=Model(base_url=…))`.

    Sound comes as it is heard, in real time, and the server knows how much of it was: nothing has to be tracked or
    truncated here, and a `playback_tracker` is only told the format and of interruptions. A connection that is lost is
    made again as ever: `connection_status` tells, and each `State` of the call comes as an event of the type `other`.
    """

    def __init__(self, place: Place = connect, /, **options: Unpack[Options]) -> None:
        """Take what `vivavoce.connect` shall be told.

        Args:
            place: what places the call.
            options: arguments of `vivavoce.connect`. What a session's own config says goes before them.
        """
        super().__init__()
        self._place = place
        self._options = options
        self._call: Call | None = None
        self._tasks = TaskGroup()
        self._running: Task[None] | None = None
        self._states: Queue[State | None] = Queue()
        self._restart()

    # ── what a session asks ────────────────────────────────────────────────────────────────────────────

    async def connect(self, options: RealtimeModelConfig) -> None:
        """Place the call.

        Raises:
            VivaError: there is none; the error says why and what to do.
            AssertionError: there is one already.
        """
        assert self._running is None, "Already connected"
        settings = options.get("initial_model_settings", {})
        place, model = place_of(options)
        self.model = settings.get("model_name") or model or self.model
        session, formats = body_of(self._get_session_config(settings))
        tracing = settings.get("tracing", "auto")
        if tracing is not None:
            session["tracing"] = tracing
        self._decoder, self._encoder = Decoder(formats["input"].value), Encoder(formats["output"].value)
        self._playback_tracker = options.get("playback_tracker")
        if self._playback_tracker is not None:
            self._playback_tracker.set_audio_format(formats["output"].value)
        self._close_requested = False
        self._restart()
        placed: Future[None] = asyncio.get_running_loop().create_future()
        given = self._options if not _CREDENTIALS & place.keys() else _without(self._options, _CREDENTIALS)
        calling = self._place(**{**given, **place, "session": session, "on_state": self._note})
        self._tasks = await TaskGroup().__aenter__()  # left in `close`: the package has no context for a call
        self._running = self._tasks.create_task(self._run(calling, placed), name="agents call")
        try:
            await placed
        except BaseException:
            await self._leave()
            raise

    async def close(self) -> None:
        """Hang up. Returns when everything is released; harmless when the call is over already."""
        self._close_requested = True
        try:
            await super().close()
        finally:
            await self._leave()

    async def _send_raw_message(self, event: Dumped) -> None:
        assert self._call is not None, "Not connected"
        body, _ = body_of(event)
        await self._call.send(body)

    async def _send_raw_message_if(self, event: Dumped, send_if: Callable[[], bool]) -> bool:
        # Asked and sent without a pause between, unless there is no connection: then nobody knows when it will go.
        if self._call is None or not isinstance(self._call.state, Connected) or not send_if():
            return False
        await self._send_raw_message(event)
        return True

    async def _send_audio(self, event: RealtimeModelSendAudio) -> None:
        assert self._call is not None, "Not connected"
        samples = self._decoder.decode(event.audio)
        if len(samples):
            await self._call.send_audio(samples)
        if event.commit:
            # Over WebRTC it is spoken in real time, and words would overtake it.
            await self._call.until(lambda call: call.unsent_ms == 0)
            await self._call.input_audio_buffer.commit()

    async def _send_interrupt(self, event: RealtimeModelSendInterrupt) -> None:
        if event.playback_only and (event.cancel_response_only or event.force_response_cancel):
            raise ValueError("playback_only cannot be combined with explicit cancellation modes")
        if event.cancel_response_only and event.response_id is None:
            raise ValueError("cancel_response_only requires response_id")
        if not event.playback_only:
            await self._cancel_response(response_id=event.response_id)
        if not event.cancel_response_only:
            await self._hush(event.response_id)

    async def _hush(self, response_id: str | None) -> None:
        """Stop what is being heard, be it of any answer or of one; an answer that is not heard yet never will be."""
        assert self._call is not None, "Not connected"
        part = self._voice.part
        if response_id is not None and (part is None or part.response_id != response_id):
            self._unwanted.add(response_id)
            return
        await self._call.output_audio_buffer.clear()
        await self._tell(self._voice.cleared())

    async def _send_tracing_config(self, tracing_config: object) -> None:
        """It was in the config from the beginning, and so is in that of each new session."""

    def _update_created_session(self, session: object) -> None:
        """The session's formats are not the application's: see `body_of`."""

    # ── the call ───────────────────────────────────────────────────────────────────────────────────────

    def _restart(self) -> None:
        """Nothing is known of what is said."""
        self._voice = Voice(self._begun)
        self._unwanted: set[str] = set()
        self._cut: set[str] = set()
        self._greeted = 0

    async def _run(self, calling: AbstractAsyncContextManager[Call], placed: "Future[None]") -> None:
        async with TaskGroup() as tasks:
            tasks.create_task(self._tell_states())
            try:
                async with calling as call:
                    self._call = call
                    placed.set_result(None)
                    async with TaskGroup() as senses:
                        senses.create_task(self._hear(call))
                        await self._read(call)
                await self._tell_end(call.state)
            except Exception as error:  # no call, or a fault of ours: either is for whoever waits, not for the loop
                if placed.done():
                    await self._fault(error)
                else:
                    placed.set_exception(error)
            finally:
                self._states.put_nowait(None)

    async def _leave(self) -> None:
        running, call = self._running, self._call
        self._running = self._call = None
        if call is not None:
            await call.close()
        if running is not None:
            running.cancel()
            await self._tasks.__aexit__(None, None, None)

    async def _read(self, call: Call) -> None:
        while True:
            try:
                event = await call.recv()
            except VivaError as error:
                if isinstance(call.state, Closed | Failed):
                    return
                await self._emit(RealtimeModelErrorEvent(error=error))  # some were lost; more will come
                continue
            try:
                await self._handle_ws_event(whole(event))
            except Exception as error:  # see `_emit`
                await self._fault(error)

    async def _hear(self, call: Call) -> None:
        try:
            async for samples in call.audio():
                await self._tell(self._voice.sound(samples))
        except VivaError:
            pass  # the call has failed, as its events tell

    async def _emit(self, event: RealtimeModelEvent) -> None:
        try:
            await self._emit_event(event)
        except Exception as error:  # what a listener raises is told to the listeners, as the package does
            await self._fault(error)

    async def _fault(self, error: Exception) -> None:
        with suppress(Exception):  # a listener that cannot even hear of it
            await self._emit_event(RealtimeModelExceptionEvent(exception=error, context="Error handling an event"))

    # ── states ─────────────────────────────────────────────────────────────────────────────────────────

    def _note(self, state: State) -> None:
        if (told := self._options.get("on_state")) is not None:
            told(state)
        self._states.put_nowait(state)

    async def _tell_states(self) -> None:
        known: RealtimeConnectionStatus = "disconnected"
        while (state := await self._states.get()) is not None:
            match state:
                case Minting() | Negotiating() | Connecting() | Restoring():
                    status = "connecting"
                case Connected():
                    status = "connected"
                case _:
                    status = known  # silent for a moment, or over: then `_tell_end` tells, when all has been read
            if status != known:
                known = status
                await self._emit(RealtimeModelConnectionStatusEvent(status=status))
            await self._emit(RealtimeModelOtherEvent(data=state))

    async def _tell_end(self, state: State) -> None:
        await self._cancel_response_create_tasks()
        await self._release_response_waiters()
        await self._tell(self._voice.cleared())
        if self._close_requested:
            return
        await self._emit(RealtimeModelConnectionStatusEvent(status="disconnected"))
        if isinstance(state, Failed):
            await self._emit(RealtimeModelExceptionEvent(exception=state.error, context="The call has failed"))
        else:
            await self._emit(RealtimeModelEndOfStreamEvent())

    # ── what the server says ───────────────────────────────────────────────────────────────────────────

    async def _handle_ws_event(self, event: Body) -> None:
        match event.get("type"):
            case "response.output_audio.delta" | "response.output_audio.done":
                # Sound is told when it is heard, not when it is made.
                await self._emit(RealtimeModelRawServerEvent(data=event))
                await self._note_sound(_part(event), event.get("delta"))
                return
            case "session.created":
                self._greeted += 1
                if self._greeted > 1:
                    await self._part_with_session()
            case _:
                pass
        await super()._handle_ws_event(event)
        await self._follow(event)

    async def _follow(self, event: Body) -> None:
        """Note what an event means for what is being heard."""
        item_id = event.get("item_id") or cast("Body", event.get("item") or {}).get("id")
        match event:
            case {"type": "response.content_part.added", "part": {"type": "audio"}}:
                self._voice.begin(_part(event))
            case {"type": "output_audio_buffer.started", "response_id": str(response_id)}:
                if response_id in self._unwanted and self._call is not None:
                    self._unwanted.discard(response_id)
                    await self._call.output_audio_buffer.clear()
                else:
                    await self._tell(self._voice.started(response_id))
            case {"type": "output_audio_buffer.stopped", "response_id": str(response_id)}:
                await self._tell(self._voice.stopped(response_id))
            case {"type": "output_audio_buffer.cleared"}:
                await self._tell(self._voice.cleared())
            case {"type": "conversation.item.truncated", "item_id": str(id)}:
                self._cut.add(id)
                if self._voice.part is not None and self._voice.part.item_id == id:
                    await self._tell(self._voice.cleared())
                await self._tell_heard(id)
            case {"type": str(kind)} if kind in _CUT_AGAIN and item_id in self._cut:
                await self._tell_heard(str(item_id))
            case _:
                pass

    async def _note_sound(self, part: Part, delta: object) -> None:
        """Sound of a part has come in an event; without any, it was the last."""
        if isinstance(delta, str):
            self._voice.queued(part, _samples_in(delta))
        else:
            await self._tell(self._voice.finished(part))

    async def _part_with_session(self) -> None:
        """The call goes on in another session: of what was under way in the one before, nothing more will come."""
        news, unheard = self._voice.lost()
        await self._tell(news)
        for item_id in unheard:
            await self._tell_heard(item_id)
        ongoing = self._response_create_sequencer.ongoing_response_id
        await self._mark_response_done()
        if ongoing is not None:
            await self._emit(RealtimeModelTurnEndedEvent(response_id=ongoing))

    # ── what is heard ──────────────────────────────────────────────────────────────────────────────────

    async def _tell(self, news: Iterable[News]) -> None:
        for piece in news:
            item_id, content_index = piece.part.item_id, piece.part.content_index
            match piece:
                case Heard(part, samples):
                    data = self._encoder.encode(samples)
                    await self._emit(
                        RealtimeModelAudioEvent(
                            data=data, response_id=part.response_id, item_id=item_id, content_index=content_index
                        )
                    )
                case Ended():
                    await self._emit(RealtimeModelAudioDoneEvent(item_id=item_id, content_index=content_index))
                case Cut():
                    await self._emit(RealtimeModelAudioInterruptedEvent(item_id=item_id, content_index=content_index))
                    if self._playback_tracker is not None:
                        self._playback_tracker.on_interrupted()

    async def _tell_heard(self, item_id: str) -> None:
        """Tell the words of an item that were heard. The package would keep those that were not."""
        before: str | None = None
        for item in () if self._call is None else self._call.history:
            if item.id == item_id and isinstance(item, AssistantMessage):
                words = [_words(part) for part in item.content]
                if not any(words):
                    # The package takes no words for words that it has not been told, unless it knows no others.
                    await self._emit(RealtimeModelItemDeletedEvent(item_id=item_id))
                told = AssistantMessageItem(
                    item_id=item_id,
                    previous_item_id=before,
                    status="incomplete",
                    content=[
                        AssistantAudio(transcript=text) if isinstance(part, OutputAudio) else AssistantText(text=text)
                        for part, text in zip(item.content, words, strict=True)
                    ],
                )
                await self._emit(RealtimeModelItemUpdatedEvent(item=told))
                return
            before = item.id if isinstance(item.id, str) else before

    def _begun(self) -> Collection[str]:
        """Items of which something was heard."""
        history = () if self._call is None else self._call.history
        return [
            str(item.id) for item in history if isinstance(item, AssistantMessage) and any(map(_words, item.content))
        ]


def _without(options: Options, names: Collection[str]) -> Body:
    return {name: value for name, value in options.items() if name not in names}


def _words(part: OutputAudio | OutputText) -> str:
    words = part.transcript if isinstance(part, OutputAudio) else part.text
    return words if isinstance(words, str) else ""


def _part(event: Body) -> Part:
    return Part(str(event.get("response_id")), str(event.get("item_id")), cast("int", event.get("content_index", 0)))


def _samples_in(delta: str) -> int:
    """How many 16-bit samples a base64 text holds."""
    return (len(delta) * 3 // 4 - delta.count("=", -2)) // 2
