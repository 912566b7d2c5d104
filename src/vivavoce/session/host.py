"""The server's truth of one conversation.

Client events, sound, the detector's word, engine reports and the time go in; effects come out, in order. It owns
every rule of the protocol and composes smaller machines: `Conversation`, `Intake` (what the user says), `Answers`
(what is said back, and what was heard of it), `Toolbox` (what the model may call) and `Settings`. A client's mistake
becomes the protocol's `error` event; nothing here raises for it.
"""

from dataclasses import dataclass
from math import inf
from typing import Final, assert_never

from msgspec import UnsetType

from vivavoce.audio.frame import Pcm
from vivavoce.errors import RequestError
from vivavoce.session.answers import Answers, Sound
from vivavoce.session.conversation import Conversation, item_id
from vivavoce.session.declaration import ToolServing, shown
from vivavoce.session.effect import Effect, Hangup, Ids, Job, Think
from vivavoce.session.inlet import Inlet
from vivavoce.session.intake import Intake
from vivavoce.session.items import Items
from vivavoce.session.meter import Meter
from vivavoce.session.microphone import Microphone, Straight
from vivavoce.session.outbox import Outbox
from vivavoce.session.recording import Archive
from vivavoce.session.response import Response
from vivavoce.session.result import Failed, Judged, Result, Spoken
from vivavoce.session.scribe import Report, Scribe
from vivavoce.session.settings import History, Settings, known, wish
from vivavoce.session.toolbox import Toolbox
from vivavoce.session.toolset import Catalogue
from vivavoce.session.turn import Onset, Pause
from vivavoce.session.voices import VOICES, Voices
from vivavoce.session.window import Mind, Window
from vivavoce.wire.codec import decode_client
from vivavoce.wire.config import RealtimeSession, ResponseConfig, Session
from vivavoce.wire.event import (
    ClientEvent,
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    Error,
    ErrorBody,
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    OutputAudioBufferClear,
    ResponseCancel,
    ResponseCreate,
    SessionCreated,
    SessionUpdate,
    SessionUpdated,
)
from vivavoce.wire.item import Item

LINGER_S: Final = 0.3
"""A client that plays needs so long to hear of an interruption and to stop."""

ItemEvent = ConversationItemCreate | ConversationItemRetrieve | ConversationItemTruncate | ConversationItemDelete


@dataclass(frozen=True, slots=True)
class Service:
    """What stands behind a conversation.

    `counted`: somebody answers a `Charge`, else none is made; `serving`: whether MCP servers can be called; `mind`:
    what the thinker can take in; `turn_window`: so many of the last samples a turn model wants, 0 when there is none;
    `voices`: those that may be asked for.
    """

    counted: bool = False
    serving: ToolServing = ToolServing.NONE
    mind: Mind = Mind()
    turn_window: int = 0
    voices: Voices = VOICES


SERVICE: Final = Service()


class Host:
    """One conversation. Every method returns what is to be done, in order."""

    def __init__(
        self,
        session: Session,
        *,
        ids: Ids,
        sound: Sound,
        lifetime_s: float,
        now: float,
        service: Service = SERVICE,
        microphone: Microphone | None = None,
    ) -> None:
        """Begin.

        Args:
            session: the effective config (see `settings.effective`).
            ids: makes identifiers.
            sound: how sound travels.
            lifetime_s: seconds until the session expires.
            now: monotonic seconds; all `now` are of the same clock.
            service: what stands behind it.
            microphone: what is done to the user's sound first; nothing if not given.

        Raises:
            RequestError: noise shall be reduced, and there is nothing that could.
        """
        self._settings = Settings(session, service.voices)
        self._sound = sound
        self._out = Outbox(ids)
        self._conversation_id = ids("conv")
        self._conversation = Conversation()
        archive = Archive()
        self._microphone = microphone or Straight()
        self._microphone.reduce(self._settings.noise_reduction)
        self._scribe = Scribe(self._out)
        self._intake = Intake(
            self._out, self._conversation, archive, self._scribe, service.turn_window, self._microphone.echoes
        )
        self._window = Window(service.mind, archive)
        meter = Meter(self._out, counted=service.counted)
        self._answers = Answers(self._out, self._conversation, archive, sound, meter)
        self._tools = Toolbox(self._out, self._conversation, self._answers, service.serving)
        self._items = Items(self._out, self._conversation, archive, self._intake, self._answers, self._settings, sound)
        self._inlet = Inlet(self._microphone, self._intake, self._settings, sound, now)
        self._lifetime_s = lifetime_s
        self._expires_at = now + lifetime_s

    @property
    def items(self) -> tuple[Item, ...]:
        """The conversation as it was heard."""
        return tuple(self._conversation)

    # ── inputs ─────────────────────────────────────────────────────────────────────────────────────────

    def open(self, now: float) -> list[Effect]:
        """The connection can carry text now. The first effect is `session.created`, for the caller alone."""
        self._out.send(SessionCreated(session=shown(self._settings.session)))
        if self._settings.realtime is not None:
            self._tools.declare(self._settings.realtime.tools, now)
        return self._out.drain()

    def introduction(self) -> SessionCreated:
        """The first event for somebody who joins a running call to listen in."""
        return SessionCreated(event_id=self._out.ids("event"), session=shown(self._settings.session))

    def receive(self, text: str | bytes, now: float) -> list[Effect]:
        """One message from the client, or from somebody who listens in."""
        try:
            event = decode_client(text)
        except RequestError as error:
            self._refuse(error, error.event_id)
            return self._drain(now)
        try:
            self._handle(event, now)
            self._go_on(now)
        except RequestError as error:
            self._refuse(error, known(event.event_id, None))
        return self._drain(now)

    def hear(self, samples: Pcm, now: float) -> list[Effect]:
        """Sound that came beside the text."""
        self._inlet.hear(samples, now)
        return self._drain(now)

    def speech(self, probability: float, heard: int, now: float) -> list[Effect]:
        """The detector's word on one window; `heard` counts the samples it has been given up to its end."""
        detection = self._settings.detection
        if detection is None:
            return []
        floor = "assistant" if self._answers.audible(now) else "free"
        change = self._intake.speech(probability, heard, detection, self._settings.transcription, floor, now)
        match change:
            case Onset():
                self._answers.ask(now)
                if self._settings.interrupts_response:
                    self._answers.interrupt(now)
            case Pause():
                self._answer_turn(now)
            case None:
                pass
            case _:
                assert_never(change)
        if change is not None:
            self._go_on(now)
        return self._drain(now)

    def result(self, job: Job, result: Result, now: float) -> list[Effect]:
        """A report on engine work; ignored when nobody waits for it any more."""
        if self._scribe.owns(job):
            if isinstance(result, Report):
                self._scribe.result(job, result, logprobs=self._settings.logprobs)
        elif self._intake.owns(job):
            if isinstance(result, Judged | Failed):
                self._intake.result(result)
        elif self._tools.servers.owns(job):
            self._tools.servers.result(job, result)
        elif self._answers.owns(job):
            if self._sound is Sound.TEXT and isinstance(result, Spoken):
                self._microphone.play(result.samples, now)
            self._answers.result(job, result, now)
        self._go_on(now)
        return self._drain(now)

    def played(self, total: int, now: float) -> list[Effect]:
        """The transport has played so many samples since the start."""
        self._answers.played(total, now)
        return self._drain(now)

    def flushed(self, total: int, now: float) -> list[Effect]:
        """`Flush` was carried out when so many samples had been played."""
        self._answers.flushed(total, now)
        return self._drain(now)

    def fault(self, message: str) -> list[Effect]:
        """Something of ours broke that belongs to no response, the detector for instance. The session lives on."""
        self._refuse(RequestError(message, code=None, type="server_error"), None)
        return self._out.drain()

    def tick(self, now: float) -> list[Effect]:
        """Time has passed; to be called no later than `deadline`."""
        if now >= self._expires_at:
            return self._expire(now)
        stall_at = self._inlet.stall_at
        if stall_at is not None and now >= stall_at:
            self._inlet.release()
            if self._intake.fall_silent(now):
                self._answer_turn(now)
        self._scribe.tick(now)
        self._tools.servers.tick(now)
        self._answers.tick(now)
        self._go_on(now)
        idle_at = self._idle_at
        if idle_at is not None and now >= idle_at:
            self._time_out(now)
        return self._drain(now)

    def deadline(self, now: float) -> float:
        """When `tick` is due if nothing else happens."""
        times = (
            self._inlet.stall_at,
            self._scribe.deadline,
            self._tools.servers.deadline,
            self._answers.deadline,
            self._idle_at,
        )
        return min((time for time in times if time is not None), default=self._expires_at)

    def close(self, now: float) -> list[Effect]:
        """The connection is gone: stop all engine work."""
        self._intake.stop()
        self._tools.stop()
        self._answers.stop(now)
        return self._out.drain()

    # ── client events ──────────────────────────────────────────────────────────────────────────────────

    def _handle(self, event: ClientEvent, now: float) -> None:
        match event:
            case SessionUpdate():
                self._update(event.session, now)
            case InputAudioBufferAppend():
                self._inlet.append(event.audio, now)
            case InputAudioBufferCommit():
                self._inlet.release()
                self._intake.commit(self._settings.transcription, now)
            case InputAudioBufferClear():
                self._inlet.release()
                self._intake.clear()
            case ResponseCreate():
                self._create_response(known(event.response, ResponseConfig()), now)
            case ResponseCancel():
                self._answers.cancel(known(event.response_id, None), now)
            case OutputAudioBufferClear():
                self._clear_output(now)
            case _:
                self._handle_item(event, now)

    def _handle_item(self, event: ItemEvent, now: float) -> None:
        match event:
            case ConversationItemCreate():
                self._tools.check(event.item)
                self._items.create(event.item, known(event.previous_item_id, None), now)
                self._tools.take(event.item)
            case ConversationItemRetrieve():
                self._items.retrieve(event.item_id)
            case ConversationItemTruncate():
                self._answers.truncate(event.item_id, event.content_index, event.audio_end_ms, now)
            case ConversationItemDelete():
                self._items.delete(event.item_id)
            case _:
                assert_never(event)

    def _update(self, session: Session, now: float) -> None:
        current = self._settings.realtime
        if isinstance(session, RealtimeSession) and current is not None:
            session = self._tools.complete(session, current, "session")
        detected = self._settings.detection is not None
        self._settings.update(session, History(voice_used=self._answers.voice_used), self._microphone.reduce)
        if detected and self._settings.detection is None:
            self._intake.stop_detecting()
        elif not detected and self._settings.detection is not None:
            self._intake.start_detecting()
        self._intake.rewish(self._settings.transcription)
        self._out.send(SessionUpdated(session=shown(self._settings.session)))
        if isinstance(session, RealtimeSession):
            self._tools.declare(session.tools, now)

    def _clear_output(self, now: float) -> None:
        if self._sound is not Sound.MEDIA:
            raise RequestError(
                "output_audio_buffer.clear is for WebRTC, where the server plays. Over a WebSocket stop your own "
                "player and send conversation.item.truncate.",
                code="invalid_value",
                param="type",
            )
        self._answers.clear(now)

    # ── answering ──────────────────────────────────────────────────────────────────────────────────────

    def _create_response(self, config: ResponseConfig, now: float) -> None:
        session = self._settings.realtime
        if session is None:
            raise RequestError("A transcription session makes no responses.", code="invalid_value", param="type")
        config = self._tools.complete(config, session, "response")
        wanted = wish(self._settings, session, config)
        in_band = known(config.conversation, "auto") == "auto"
        if in_band:
            if self._tools.approvals.hold(config):
                return
            self._answers.check_free()
        context = None if isinstance(config.input, UnsetType) else self._items.context(config.input, now)
        self._tools.declare(config.tools, now)
        if in_band:
            self._tools.approvals.told()
        self._answers.create(
            wanted,
            conversation_id=self._conversation_id if in_band else None,
            context=context,
            metadata=known(config.metadata, None),
        )
        self._wake(now)

    def _answer_turn(self, now: float) -> None:
        """The user has finished a turn: answer, if the settings say so."""
        if self._settings.creates_response:
            self._answer(ResponseConfig(), now)

    def _answer(self, config: ResponseConfig, now: float) -> None:
        """Make a response that no client has just asked for."""
        try:
            self._create_response(config, now)
        except RequestError as error:
            self._refuse(error, None)

    def _wake(self, now: float) -> None:
        """Let responses think whose context is known: whatever was said has been written down."""
        for response in self._answers.waiting:
            context = response.brief.context
            items = self.items if context is None else context.items
            ids = [item_id(item) for item in items]
            if any(map(self._scribe.transcribing, ids)) or not self._tools.ready(response.brief.wish):
                continue
            catalogue = self._tools.catalogue(response.brief.wish)
            whole = prompt(known((self._settings.realtime or RealtimeSession()).model, ""), response, items, catalogue)
            fit = self._window.fit if context is None else self._window.fit_once
            think = (self._scribe.failure(ids[-1]) if ids else None) or fit(whole, self._settings.truncation)
            if isinstance(think, Failed):
                self._answers.fail(response, think, now)
            else:
                self._answers.think(response, think, now, catalogue)

    def _go_on(self, now: float) -> None:
        """Do what waited for somebody else's word: a transcript, a list of tools, an approval."""
        self._wake(now)
        if self._intake.speaking:
            return  # what they say will be answered first
        self._tools.approvals.go_on(now)
        owed = self._tools.approvals.owed
        if owed is not None and self._answers.active is None:
            self._tools.approvals.told()
            self._answer(owed, now)

    # ── time ───────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _idle_at(self) -> float | None:
        timeout_ms, since = self._settings.idle_timeout_ms, self._answers.quiet_since
        if timeout_ms is None or since is None or self._intake.speaking:
            return None
        return since + timeout_ms / 1000

    def _time_out(self, now: float) -> None:
        self._inlet.release()
        since = self._answers.quiet_since
        begun = self._inlet.position_at(now if since is None else since)
        self._answers.ask(now)
        self._intake.time_out(begun, self._settings.transcription, now)
        self._answer_turn(now)

    def _expire(self, now: float) -> list[Effect]:
        message = f"Your session hit the maximum duration of {self._lifetime_s / 60:g} minutes."
        self._expires_at = inf
        self._refuse(RequestError(message, code="session_expired"), None)
        self._answers.stop(now)
        self._out.add(Hangup(1001, message))
        return self._out.drain()

    # ── odds ───────────────────────────────────────────────────────────────────────────────────────────

    def _drain(self, now: float) -> list[Effect]:
        effects = self._out.drain()
        self._microphone.watch(effects, now)
        if self._sound is Sound.TEXT:
            self._microphone.stop(max(self._answers.busy_until, now) + LINGER_S)
        return effects

    def _refuse(self, error: RequestError, event_id: str | None) -> None:
        body = ErrorBody(type=error.type, code=error.code, message=error.message, param=error.param, event_id=event_id)
        self._out.send(Error(error=body))


def prompt(model: str, response: Response, items: tuple[Item, ...], catalogue: Catalogue) -> Think:
    """What the thinker is given for a response, if it can read it all."""
    wanted = response.brief.wish
    tools, tool_choice = catalogue.choose(wanted.tool_choice)
    return Think(
        model=model,
        instructions=wanted.instructions,
        items=catalogue.read(item for item in items if item.status != "in_progress"),
        tools=tools,
        tool_choice=tool_choice,
        parallel_tool_calls=wanted.parallel_tool_calls,
        max_output_tokens=None if wanted.max_output_tokens == "inf" else wanted.max_output_tokens,
        metadata=response.brief.metadata or {},
        effort=wanted.effort,
    )
