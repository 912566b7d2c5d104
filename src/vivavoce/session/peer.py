"""The client's side of one conversation: a mirror of what the server holds, and the witness of what was heard.

Server events, commands, sound, the player's count and the time go in; errands come out, in order. A mirror never
fails: what comes twice, too early or not at all changes as little as possible. Every `now` is of one monotonic clock.
"""

from collections.abc import Collection
from enum import Enum
from math import inf

from vivavoce.audio.frame import RATE_HZ, Pcm
from vivavoce.session.answers import Sound
from vivavoce.session.caption import Caption
from vivavoce.session.commands import Commands, Truncation
from vivavoce.session.deltas import Deltas
from vivavoce.session.effect import Ids
from vivavoce.session.errand import Errand, Flush, Play, Send, Show
from vivavoce.session.past import Past
from vivavoce.session.replies import Fate, Free, Kind, Replies
from vivavoce.session.round import Rounds
from vivavoce.session.settings import Settings, known, realtime_defaults, transcription_defaults
from vivavoce.session.timing import Turn, loud
from vivavoce.session.tokens import Tokens, response_tokens, transcription_tokens
from vivavoce.session.transcript import AssistantWords, ItemNews, Transcript, UserWords
from vivavoce.session.uplink import Uplink, pause
from vivavoce.wire.config import RealtimeSession, Response, ResponseConfig, Session, merge
from vivavoce.wire.event import (
    ClientEvent,
    ConversationItemAdded,
    ConversationItemCreate,
    ConversationItemCreated,
    ConversationItemDeleted,
    ConversationItemDone,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemRetrieve,
    ConversationItemRetrieved,
    ConversationItemTruncate,
    ConversationItemTruncated,
    Error,
    InputAudioBufferAppend,
    InputAudioBufferCleared,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    OutputAudioBufferClear,
    OutputAudioBufferCleared,
    OutputAudioBufferStarted,
    OutputAudioBufferStopped,
    ResponseCancel,
    ResponseCreate,
    ResponseCreated,
    ResponseDone,
    ResponseOutputAudioDelta,
    ResponseOutputAudioDone,
    ResponseOutputItemDone,
    ServerEvent,
    SessionCreated,
    SessionUpdated,
    UnknownEvent,
)
from vivavoce.wire.item import FunctionCall, FunctionCallOutput, Item, McpCall

Input = (
    InputAudioBufferSpeechStarted | InputAudioBufferSpeechStopped | InputAudioBufferCommitted | InputAudioBufferCleared
)
Playback = OutputAudioBufferStarted | OutputAudioBufferStopped | OutputAudioBufferCleared
Making = ResponseCreated | ResponseDone | ResponseOutputItemDone | ResponseOutputAudioDelta | ResponseOutputAudioDone
Filing = ItemNews | ConversationItemRetrieved | ConversationItemTruncated | ConversationItemDeleted


class Activity(Enum):
    """What is going on in the conversation."""

    IDLE = "idle"
    LISTENING = "listening"  # the user speaks
    THINKING = "thinking"  # an answer is expected or being made
    SPEAKING = "speaking"  # the assistant is heard


class Floor(Enum):
    """Whose turn it is."""

    OPEN = "open"
    TAKEN = "taken"  # the user speaks
    HANDED = "handed"  # the user has finished, and the server has not begun to answer


class Knowledge:
    """What a client knows of one conversation; `Peer` gains it."""

    def __init__(
        self, *, ids: Ids, sound: Sound, tools: Collection[str] = (), now: float = 0.0, past: Past | None = None
    ) -> None:
        """Begin.

        Args:
            ids: makes identifiers of commands.
            sound: how sound travels, and so who knows what was heard.
            tools: names of the functions that the driver can run; calls of others are left to the application.
            now: monotonic seconds.
            past: what a session before this one has left (`part`).
        """
        past = past or Past(Transcript(sound), Rounds(tools))
        past.goes_on(sound)
        self.session: Session | None = None
        """The config that the server says is in force; None before `session.created`."""
        self.tokens: Tokens = past.tokens
        """What the call has cost so far."""
        self._sound = sound
        self._now = now
        self._errands: list[Errand] = []
        self._settings = Settings(realtime_defaults("", "", 0))
        self._transcript = past.transcript
        self._replies = Replies()
        self._rounds = past.rounds
        self._timing = past.timing
        self._deltas = Deltas()
        self._uplink = Uplink()
        self._floor = Floor.OPEN
        self._commands = Commands(ids, past.changes)

    @property
    def captions(self) -> tuple[Caption, ...]:
        """What both sides have said so far, in order of first news."""
        return self._transcript.captions

    @property
    def turns(self) -> tuple[Turn, ...]:
        """How long each turn's answer and silence took."""
        return self._timing.turns

    @property
    def audible(self) -> bool:
        """Whether the assistant is being heard, as of the last input."""
        return self._transcript.hearing.playing(self._now)

    @property
    def activity(self) -> Activity:
        """What is going on, as of the last input."""
        if self._floor is Floor.TAKEN:
            return Activity.LISTENING
        if self.audible:
            return Activity.SPEAKING
        if self._replies.running or self._asked or self._rounds.waiting:
            return Activity.THINKING
        return Activity.IDLE

    @property
    def _asked(self) -> bool:
        """Whether an answer is owed that the server has not begun."""
        return not isinstance(self._replies.request, Free) or self._floor is Floor.HANDED

    @property
    def changes(self) -> Session | None:
        """What was changed of the config since the session began, as far as the server has confirmed it."""
        return self._commands.changes

    def history(self) -> tuple[Item, ...]:
        """The conversation as it was heard: of the assistant's speech, only words that have reached the listener."""
        return self._transcript.history(self._now)

    def blame(self, error: Error) -> ClientEvent | None:
        """The command that an error is about, if it is one of the last."""
        return self._commands.get(known(error.error.event_id, None))


class Peer(Knowledge):
    """One conversation, seen by a client. Every input returns what is to be done, in order."""

    # ── inputs ─────────────────────────────────────────────────────────────────────────────────────────

    def receive(self, event: ServerEvent | UnknownEvent, now: float) -> list[Errand]:
        """One event of the server. The player's count must have been told before (`played`)."""
        self._now = max(self._now, now)
        match event:
            case SessionCreated():
                self._configure(event.session)
            case SessionUpdated():
                self._commands.configured()
                self._configure(event.session)
            case Error():
                self._fail(event)
            case _:
                self._receive_more(event)
        self._go_on()
        return self._drain()

    def command(self, event: ClientEvent, now: float) -> list[Errand]:
        """Something that the application wants to be sent; it gets an `event_id` if it has none."""
        self._now = max(self._now, now)
        match event:
            case OutputAudioBufferClear() if self._sound is Sound.TEXT:
                # The server plays nothing and would refuse: this side's player is meant.
                self._timing.interrupted(self._now)
                if self._replies.stoppable:
                    self._send(ResponseCancel())
                self._hush(Truncation.WHEN_MADE)
                return self._drain()
            case OutputAudioBufferClear():
                if self._transcript.hearing.playing(self._now):
                    self._timing.interrupted(self._now)
            case ConversationItemCreate(item=FunctionCallOutput(call_id=call_id)):
                self._rounds.answer(call_id)
            case ResponseCancel():
                self._replies.cancel()
            case _:
                pass
        self._send(event)
        if isinstance(event, ResponseCreate) and known(event.response, ResponseConfig()).conversation != "none":
            self._timing.asked(self._now)
        return self._drain()

    def speak(self, samples: Pcm, now: float, *, ahead: int = 0) -> list[Errand]:
        """Sound of the user. Where it travels beside text the driver plays it, `ahead` samples being queued before."""
        self._now = max(self._now, now)
        if self._sound is Sound.MEDIA:
            self._timing.spoke(samples, now + ahead / RATE_HZ)
            return []
        self._timing.spoke(samples, now, inf)
        self._errands += map(Send, self._uplink.events(samples))
        return self._drain()

    def hush(self, now: float) -> list[InputAudioBufferAppend]:
        """The user says nothing more for now, and what was still queued of his sound will not be spoken.

        Inside events a server counts time by the sound that it is sent: what is returned is the pause that ends a turn.
        """
        self._timing.hushed(now)
        if self._sound is Sound.MEDIA or self._settings.detection is None:
            return []
        return list(self._uplink.events(pause(self._settings.detection)))

    def hear(self, samples: Pcm, now: float) -> None:
        """Sound of the assistant, where it travels beside text."""
        self._now = max(self._now, now)
        pieces = loud(samples)
        self._timing.heard(pieces, now)
        self._transcript.hearing.sounded(sum(last - first for first, last in pieces))

    def played(self, total: int, now: float) -> None:
        """This side's player has played so many samples in all, where sound travels in events."""
        self._now = max(self._now, now)
        self._transcript.hearing.played(total)

    def returned(self, call_id: str, output: str, now: float) -> list[Errand]:
        """A function that `CallTool` asked for has ended."""
        self._now = max(self._now, now)
        self._rounds.answer(call_id)
        self._send(ConversationItemCreate(item=FunctionCallOutput(call_id=call_id, output=output)))
        self._go_on()
        return self._drain()

    def part(self, now: float) -> Past:
        """The session is gone, and nothing more is heard of it: what the next one goes on from."""
        self._now = max(self._now, now)
        asked = self._asked or self._replies.active is not None
        self._floor = Floor.OPEN
        self._rounds.part()
        commands, cut = self._commands, self._transcript.settle(self._now)
        return Past(
            self._transcript, self._rounds, self._timing, self.tokens, commands.changes, commands.unseen, asked, cut
        )

    def close(self, now: float) -> None:
        """The connection is gone: nothing more is heard."""
        self._now = max(self._now, now)
        self._floor = Floor.OPEN

    # ── the session ────────────────────────────────────────────────────────────────────────────────────

    def _configure(self, session: Session) -> None:
        self.session = session
        self._settings = in_force(session)
        if self._settings.detection is None:
            self._floor = Floor.OPEN  # nobody listens for the end of a turn any more
        self._transcript.hearing.speed = self._settings.speed
        self._uplink.format(self._settings.input_format.type)

    def _fail(self, error: Error) -> None:
        event_id = known(error.error.event_id, None)
        self._commands.refused(event_id)
        if event_id is None and self._floor is Floor.HANDED:
            self._floor = Floor.OPEN  # the answer that was owed has failed
        if event_id is not None and self._replies.refused(event_id, known(error.error.code, None)):
            self._rounds.asked()  # asking again would be refused again

    # ── the user's turn ────────────────────────────────────────────────────────────────────────────────

    def _hear_user(self, event: Input) -> None:
        match event:
            case InputAudioBufferSpeechStarted():
                self._floor = Floor.TAKEN
                over = self._transcript.hearing.interruptible(self._now)
                self._timing.speech_started(self._now, over=over)
                self._transcript.begin_user(event.item_id)
                if self._settings.interrupts_response:
                    self._hush(Truncation.NOW)
            case InputAudioBufferSpeechStopped():
                self._end_turn()
            case InputAudioBufferCleared():
                self._floor = Floor.OPEN
            case InputAudioBufferCommitted():
                # Without turn detection this is all that tells of the end of a turn.
                if self._settings.detection is None:
                    self._timing.speech_stopped(self._now)
                elif self._floor is Floor.TAKEN:
                    self._end_turn()

    def _end_turn(self) -> None:
        answers = self._settings.creates_response and self._replies.active is None
        self._floor = Floor.HANDED if answers else Floor.OPEN
        self._timing.speech_stopped(self._now)

    # ── everything else that the server tells ──────────────────────────────────────────────────────────

    def _receive_more(self, event: ServerEvent | UnknownEvent) -> None:
        if isinstance(event, Input):
            self._hear_user(event)
        elif isinstance(event, Playback):
            self._follow(event)
        elif isinstance(event, Making):
            self._make(event)
        elif isinstance(event, Filing):
            self._file(event)
        elif isinstance(event, AssistantWords):
            reply = self._replies.get(event.response_id)
            if reply is None or reply.kind is Kind.IN_BAND:
                self._transcript.assistant_words(event)
        elif isinstance(event, UserWords):
            self._transcript.user_words(event)
            if isinstance(event, ConversationItemInputAudioTranscriptionCompleted):
                self.tokens += transcription_tokens(event.usage)

    def _file(self, event: Filing) -> None:
        match event:
            case ConversationItemAdded() | ConversationItemCreated() | ConversationItemDone():
                self._commands.made(event.item)
                self._transcript.put(event, transcribes=self._settings.transcription is not None)
                if isinstance(event.item.id, str):
                    self._truncate_made(event.item.id)
                self._rounds.ended(event.item)
            case ConversationItemTruncated():
                self._transcript.truncated(event.item_id, event.audio_end_ms)
                self._transcript.recaption(event.item_id, self._now)
                # Servers that keep the words heard of a truncated item show them here.
                self._send(ConversationItemRetrieve(item_id=event.item_id))
            case ConversationItemRetrieved():
                self._transcript.retrieved(event.item)
                if isinstance(event.item.id, str):
                    self._transcript.recaption(event.item.id, self._now)
            case ConversationItemDeleted():
                self._transcript.remove(event.item_id)

    def _follow(self, event: Playback) -> None:
        """The server's player tells where it is."""
        hearing = self._transcript.hearing
        match event:
            case OutputAudioBufferStarted():
                hearing.started(event.response_id, self._now)
                self._timing.sounded(event.response_id, self._now)
            case OutputAudioBufferStopped():
                hearing.stopped(event.response_id, self._now)
            case OutputAudioBufferCleared():
                for item_id in hearing.cleared(event.response_id, self._now):
                    self._transcript.recaption(item_id, self._now)

    # ── the assistant's turn ───────────────────────────────────────────────────────────────────────────

    def _make(self, event: Making) -> None:
        match event:
            case ResponseCreated():
                if self._replies.begin(event.response) is Kind.IN_BAND:
                    self._floor = Floor.OPEN if self._floor is Floor.HANDED else self._floor
                    self._rounds.asked()
                    self._timing.response_created(known(event.response.id, ""))
            case ResponseDone():
                self._end_response(event.response)
            case ResponseOutputItemDone():
                self._call(event.item, event.response_id)
            case ResponseOutputAudioDelta():
                if self._sound is Sound.TEXT:
                    self._play_delta(event)
            case ResponseOutputAudioDone():
                self._finish_sound(event)

    def _end_response(self, response: Response) -> None:
        kind = self._replies.end(response)
        if kind is None:
            return
        id = known(response.id, "")
        self.tokens += response_tokens(response.usage)
        for item in known(response.output, []):
            self._call(item, id)
        if response.status in ("cancelled", "failed"):
            self._rounds.stop(id)
            for item_id in self._transcript.hearing.cancelled(id):
                self._transcript.recaption(item_id, self._now)
        else:
            self._transcript.hearing.generated(id, self._now)

    def _call(self, item: Item, response_id: str) -> None:
        """Have a function run, if the model has called one, and note what the server runs."""
        reply = self._replies.get(response_id)
        if isinstance(item, FunctionCall | McpCall) and (reply is None or reply.kind is Kind.IN_BAND):
            self._errands += self._rounds.call(item, response_id)

    def _go_on(self) -> None:
        """Ask for the answer that follows function calls, when nothing stands in its way."""
        free = isinstance(self._replies.request, Free) and self._replies.active is None
        if self._rounds.due and free and self._floor is Floor.OPEN:
            self._send(ResponseCreate())

    # ── sound that travels in events ───────────────────────────────────────────────────────────────────

    def _play_delta(self, event: ResponseOutputAudioDelta) -> None:
        reply = self._replies.get(event.response_id)
        if reply is not None and reply.fate is Fate.UNHEARD:
            heard_ms = self._transcript.hearing.dropped(event.item_id, event.response_id)
            if heard_ms is not None:
                self._cut(event.item_id, heard_ms, Truncation.WHEN_MADE)
            return
        named = (None if reply is None else reply.format_name) or self._settings.output_format.type
        self._play(event.item_id, event.response_id, self._deltas.push(event.item_id, event.delta, named))

    def _finish_sound(self, event: ResponseOutputAudioDone) -> None:
        rest = self._deltas.finish(event.item_id)
        reply = self._replies.get(event.response_id)
        if reply is None or reply.fate is not Fate.UNHEARD:
            self._play(event.item_id, event.response_id, rest)

    def _play(self, item_id: str, response_id: str, samples: Pcm) -> None:
        if not len(samples):
            return
        self._transcript.hearing.queue(item_id, response_id, len(samples))
        self._timing.sounded(response_id, self._now)
        self._errands.append(Play(samples))

    def _hush(self, truncation: Truncation) -> None:
        """Stop this side's player, and tell the server what was heard. Elsewhere the server does both."""
        if self._sound is not Sound.TEXT:
            return
        self._replies.mute()
        unheard = self._transcript.hearing.flush()
        if not unheard:
            return
        self._errands.append(Flush())
        self._timing.silenced(self._now)
        for item_id, heard_ms in unheard.items():
            self._cut(item_id, heard_ms, truncation)

    def _cut(self, item_id: str, heard_ms: int, truncation: Truncation) -> None:
        """No more than this will be heard of an item."""
        self._transcript.recaption(item_id, self._now)
        if truncation is Truncation.WHEN_MADE and self._transcript.in_progress(item_id):
            self._commands.owe(item_id, heard_ms)
        elif self._transcript.holds(item_id):
            self._truncate(item_id, heard_ms)

    def _truncate_made(self, item_id: str) -> None:
        if not self._transcript.in_progress(item_id):
            heard_ms = self._commands.pay(item_id)
            if heard_ms is not None:
                self._truncate(item_id, heard_ms)

    def _truncate(self, item_id: str, heard_ms: int) -> None:
        self._send(ConversationItemTruncate(item_id=item_id, content_index=0, audio_end_ms=heard_ms))

    # ── odds ───────────────────────────────────────────────────────────────────────────────────────────

    def _send(self, event: ClientEvent) -> None:
        event = self._commands.stamp(event)
        if isinstance(event, ResponseCreate) and known(event.response, ResponseConfig()).conversation != "none":
            self._replies.asked(known(event.event_id, ""))
        self._errands.append(Send(event))

    def _drain(self) -> list[Errand]:
        errands = [*self._errands, *map(Show, self._transcript.drain())]
        self._errands.clear()
        return errands


def in_force(session: Session) -> Settings:
    """A config as a server tells it; what a terse one leaves out is as the protocol has it by default."""
    if isinstance(session, RealtimeSession):
        return Settings(merge(realtime_defaults("", "", 0), session))
    return Settings(merge(transcription_defaults("", 0), session))
