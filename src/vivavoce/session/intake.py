"""The input half of a conversation: sound in, turns, user items and their transcripts out.

It does not know what answers; `Host` asks it what happened and decides.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, assert_never

from msgspec.structs import replace

from vivavoce.audio.frame import Pcm, duration_ms, sample_count
from vivavoce.errors import RequestError
from vivavoce.session.buffer import InputBuffer
from vivavoce.session.conversation import Conversation
from vivavoce.session.effect import Cancel, Feed, Finish, Job, Listen, Transcribe
from vivavoce.session.outbox import Outbox
from vivavoce.session.recording import Archive
from vivavoce.session.result import Failed, Partial
from vivavoce.session.result import Final as FinalText
from vivavoce.session.track import Track
from vivavoce.session.turn import INTERRUPTION_MS, ONSET_MS, Onset, Pause, Speaking, Turn
from vivavoce.session.usage import transcription_usage
from vivavoce.wire.config import ServerVad, Transcription, TurnDetection
from vivavoce.wire.event import (
    ConversationItemAdded,
    ConversationItemDone,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemInputAudioTranscriptionFailed,
    InputAudioBufferCleared,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    InputAudioBufferTimeoutTriggered,
    TranscriptionError,
)
from vivavoce.wire.item import InputAudio, UserMessage

SHORTEST_COMMIT_MS: Final = 100
KEPT_WHILE_QUIET_MS: Final = 10_000
"""Under turn detection silence is forgotten after so long; the prefix of the next turn comes out of it."""

PREFIX_PADDING_MS: Final = 300
TRANSCRIBER_PATIENCE_S: Final = 20.0
"""A transcriber that gives nothing for so long after the sound ended is taken for dead."""


@dataclass(slots=True)
class Utterance:
    """A user item's sound on its way to text. `fed` is the position up to which the transcriber has it."""

    item_id: str
    job: Job
    wish: Transcription | None
    home: Conversation
    content_index: int = 0
    fed: int = 0
    samples: int = 0
    text: str = ""
    held: list[Partial | FinalText | Failed] = field(default_factory=list[Partial | FinalText | Failed])
    """Reports that came before the item did."""
    give_up_at: float | None = None
    """Set with the commit: from then on the transcriber owes an answer."""


class Intake:
    """Buffer, turn detector and transcriptions of one call."""

    def __init__(
        self,
        out: Outbox,
        conversation: Conversation,
        archive: Archive,
        echoes: Callable[[int, int], bool] = lambda start, end: False,
    ) -> None:
        """Nothing has been heard.

        Args:
            out: takes what is to be done.
            conversation: gets the items.
            archive: keeps their sound.
            echoes: tells whether the sound from one position to another is only the assistant's own voice.
        """
        self._out = out
        self._conversation = conversation
        self._archive = archive
        self._echoes = echoes
        self._buffer = InputBuffer()
        self._track = Track()
        self._turn = Turn()
        self._current: Utterance | None = None
        self._pending: dict[Job, Utterance] = {}
        self._failures: dict[str, Failed] = {}

    @property
    def speaking(self) -> bool:
        """Whether somebody speaks now."""
        return isinstance(self._turn.floor, Speaking)

    @property
    def position(self) -> int:
        """Samples of input since the session began."""
        return self._buffer.end

    def transcribing(self, item_id: str) -> bool:
        """Whether an item's words are still on their way."""
        return any(utterance.item_id == item_id for utterance in self._pending.values())

    def reserves(self, item_id: str) -> bool:
        """Whether the id belongs to what is being said or written down now, so that no other item may take it."""
        return self.transcribing(item_id) or (self._current is not None and self._current.item_id == item_id)

    def failure(self, item_id: str) -> Failed | None:
        """Why an item has no words, if its transcription failed."""
        return self._failures.get(item_id)

    @property
    def deadline(self) -> float | None:
        """When a transcriber that stays silent is given up."""
        if not self._pending:
            return None
        return min((u.give_up_at for u in self._pending.values() if u.give_up_at is not None), default=None)

    def owns(self, job: Job) -> bool:
        """Whether a result of that job is meant for this half."""
        return job in self._pending

    # ── sound ──────────────────────────────────────────────────────────────────────────────────────────

    def hear(self, samples: Pcm, detection: TurnDetection | None) -> None:
        """More sound from the user."""
        self._buffer.append(samples)
        if detection is None:
            self._track.skip(len(samples))
            return
        self._track.listen(len(samples))
        self._out.add(Listen(samples))
        if self._current is None:
            # What the detector has not heard yet may be speech, however much of it there is.
            self._buffer.trim(self._track.judged - sample_count(_kept_ms(detection)))

    def speech(
        self,
        probability: float,
        heard: int,
        detection: TurnDetection,
        wish: Transcription | None,
        floor: Literal["free", "assistant"],
        now: float,
    ) -> Onset | Pause | None:
        """The detector's word on one window; `heard` counts the samples it was given. Sends what follows from it."""
        window = self._track.judge(heard)
        if window is None:
            return None
        if self._echoes(window.start, window.end):
            probability = 0.0
        onset_ms = INTERRUPTION_MS if floor == "assistant" else ONSET_MS
        change = self._turn.heard(probability, window, detection, onset_ms)
        match change:
            case Onset(at):
                self._start(at, detection, wish)
            case Pause(at):
                self._stop(at, now)
            case None if self._current is not None:
                self._feed(self._current, window.end)
            case None:
                pass
        return change

    def fall_silent(self, now: float) -> bool:
        """No more sound comes although somebody speaks: end the turn. False when nobody does."""
        if not self.speaking:
            return False
        self._turn.reset()
        self._stop(self._buffer.end, now)
        return True

    def stop_detecting(self) -> None:
        """Turn detection was switched off: an unfinished turn goes back to being just sound in the buffer."""
        self._turn.reset()
        if self._current is not None:
            self._abandon(self._current)

    def commit(self, wish: Transcription | None, now: float) -> str:
        """Make an item of the buffer and return its id.

        Raises:
            RequestError: less than 100 ms of sound (`input_audio_buffer_commit_empty`).
        """
        if len(self._buffer) < sample_count(SHORTEST_COMMIT_MS):
            kept = len(self._buffer) / sample_count(1)
            raise RequestError(
                f"Error committing input audio buffer: buffer too small. Expected at least {SHORTEST_COMMIT_MS}ms of "
                f"audio, but buffer only has {kept:.2f}ms of audio.",
                code="input_audio_buffer_commit_empty",
            )
        self._turn.reset()
        return self._commit(self._current or self._begin(wish), self._buffer.end, now)

    def time_out(self, since: int, wish: Transcription | None, now: float) -> str:
        """Nobody has spoken for too long: make an item of the silence and return its id."""
        self._turn.reset()
        self._buffer.trim(since)
        utterance = self._begin(wish)
        self._out.send(
            InputAudioBufferTimeoutTriggered(
                audio_start_ms=duration_ms(self._buffer.start),
                audio_end_ms=duration_ms(self._buffer.end),
                item_id=utterance.item_id,
            )
        )
        return self._commit(utterance, self._buffer.end, now)

    def adopt(
        self,
        item_id: str,
        content_index: int,
        samples: Pcm,
        wish: Transcription | None,
        home: Conversation,
        now: float,
    ) -> None:
        """Have one part of an item written down that the client made itself; `home` is where the item is."""
        utterance = self._open(item_id, wish, home)
        utterance.content_index = content_index
        utterance.give_up_at = now + TRANSCRIBER_PATIENCE_S
        self._give(utterance, samples)
        self._out.add(Finish(utterance.job))

    def forget(self, item_id: str) -> None:
        """The item is gone: nobody needs its words any more."""
        self._failures.pop(item_id, None)
        for utterance in [u for u in self._pending.values() if u.item_id == item_id]:
            self._cancel(utterance)

    def stop(self) -> None:
        """The call is over."""
        self.stop_detecting()
        for utterance in list(self._pending.values()):
            self._cancel(utterance)

    def clear(self) -> None:
        """Forget sound that is not committed."""
        self.stop_detecting()
        self._track.forget(self._buffer.end)
        self._buffer.clear()
        self._out.send(InputAudioBufferCleared())

    def _start(self, at: int, detection: TurnDetection, wish: Transcription | None) -> None:
        self._buffer.trim(at - sample_count(_prefix_ms(detection)))
        utterance = self._begin(wish)
        self._out.send(
            InputAudioBufferSpeechStarted(audio_start_ms=duration_ms(self._buffer.start), item_id=utterance.item_id)
        )
        self._feed(utterance, self._track.judged)

    def _stop(self, at: int, now: float) -> None:
        utterance = self._current
        if utterance is not None:
            self._out.send(InputAudioBufferSpeechStopped(audio_end_ms=duration_ms(at), item_id=utterance.item_id))
            self._commit(utterance, at, now)

    # ── utterances ─────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, wish: Transcription | None) -> Utterance:
        """A new utterance of what is in the buffer."""
        self._current = self._open(self._out.ids("item"), wish, self._conversation)
        self._current.fed = self._buffer.start
        return self._current

    def _open(self, item_id: str, wish: Transcription | None, home: Conversation) -> Utterance:
        utterance = Utterance(item_id, self._out.begin(Transcribe(wish)), wish, home)
        self._pending[utterance.job] = utterance
        return utterance

    def _feed(self, utterance: Utterance, end: int) -> None:
        """Give the transcriber what the buffer has before a position, once."""
        samples = self._buffer.between(utterance.fed, end)
        utterance.fed = end
        self._give(utterance, samples)

    def _give(self, utterance: Utterance, samples: Pcm) -> None:
        utterance.samples += len(samples)
        if len(samples) and utterance.job in self._pending:
            self._out.add(Feed(utterance.job, samples))

    def _commit(self, utterance: Utterance, end: int, now: float) -> str:
        """Make an item of the buffer up to a position. What follows belongs to the next turn."""
        self._feed(utterance, end)
        self._track.forget(end)
        self._current = None
        self._archive.add(utterance.item_id, self._buffer.take(end))
        item = UserMessage(id=utterance.item_id, status="completed", content=[InputAudio(transcript=None)])
        previous = self._conversation.insert(item)
        self._out.send(InputAudioBufferCommitted(item_id=utterance.item_id, previous_item_id=previous))
        self._out.send(ConversationItemAdded(item=item, previous_item_id=previous))
        self._out.send(ConversationItemDone(item=item, previous_item_id=previous))
        utterance.give_up_at = now + TRANSCRIBER_PATIENCE_S
        if utterance.job in self._pending:
            self._out.add(Finish(utterance.job))
        for report in utterance.held:
            self._report(utterance, report)
        utterance.held.clear()
        return utterance.item_id

    def _abandon(self, utterance: Utterance) -> None:
        self._current = None
        self._cancel(utterance)

    def _cancel(self, utterance: Utterance) -> None:
        if self._pending.pop(utterance.job, None) is not None:
            self._out.add(Cancel(utterance.job))

    # ── transcripts ────────────────────────────────────────────────────────────────────────────────────

    def result(self, job: Job, result: Partial | FinalText | Failed) -> None:
        """A transcriber's report. Nothing is sent of an item before the item itself."""
        utterance = self._pending[job]
        if not isinstance(result, Partial):
            del self._pending[job]
        if utterance.give_up_at is None:
            utterance.held.append(result)
        else:
            self._report(utterance, result)

    def tick(self, now: float) -> None:
        """Give up on transcribers that hang."""
        for utterance in list(self._pending.values()):
            if utterance.give_up_at is not None and now >= utterance.give_up_at:
                self._out.add(Cancel(utterance.job))
                message = f"The transcriber gave no sign for {TRANSCRIBER_PATIENCE_S:.0f} s."
                self.result(utterance.job, Failed(message, code="engine_timeout"))

    def _report(self, utterance: Utterance, result: Partial | FinalText | Failed) -> None:
        match result:
            case Partial(delta):
                self._add_delta(utterance, delta)
            case FinalText(text):
                self._complete(utterance, text.strip())
            case Failed():
                self._fail(utterance, result)
            case _:
                assert_never(result)

    def _add_delta(self, utterance: Utterance, delta: str) -> None:
        utterance.text += delta
        if utterance.wish is not None and delta:
            self._out.send(
                ConversationItemInputAudioTranscriptionDelta(
                    item_id=utterance.item_id, content_index=utterance.content_index, delta=delta
                )
            )

    def _complete(self, utterance: Utterance, text: str) -> None:
        item = utterance.home.get(utterance.item_id)
        if isinstance(item, UserMessage):
            utterance.home.replace(written(item, utterance.content_index, text))
        if utterance.wish is None:
            return
        if not utterance.text.strip():
            self._add_delta(utterance, text)
        self._out.send(
            ConversationItemInputAudioTranscriptionCompleted(
                item_id=utterance.item_id,
                content_index=utterance.content_index,
                transcript=text,
                usage=transcription_usage(utterance.wish, utterance.samples, text),
            )
        )

    def _fail(self, utterance: Utterance, failure: Failed) -> None:
        self._failures[utterance.item_id] = failure
        if utterance.wish is not None:
            error = TranscriptionError(type="transcription_error", code=failure.code, message=failure.message)
            self._out.send(
                ConversationItemInputAudioTranscriptionFailed(
                    item_id=utterance.item_id, content_index=utterance.content_index, error=error
                )
            )


def written(item: UserMessage, content_index: int, text: str) -> UserMessage:
    """The item with the words of one of its parts."""
    content = [
        replace(part, transcript=text) if place == content_index and isinstance(part, InputAudio) else part
        for place, part in enumerate(item.content)
    ]
    return replace(item, content=content)


def _prefix_ms(detection: TurnDetection) -> int:
    padding = detection.prefix_padding_ms if isinstance(detection, ServerVad) else PREFIX_PADDING_MS
    return padding if isinstance(padding, int) else PREFIX_PADDING_MS


def _kept_ms(detection: TurnDetection) -> int:
    """How much silence may still be needed: for a prefix, or for the item of an idle caller."""
    idle = detection.idle_timeout_ms if isinstance(detection, ServerVad) else None
    return max(KEPT_WHILE_QUIET_MS, _prefix_ms(detection), idle if isinstance(idle, int) else 0)
