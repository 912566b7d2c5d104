"""The input half of a conversation: sound in, turns, user items and their transcripts out.

It does not know what answers; `Host` asks it what happened and decides.
"""

from collections.abc import Callable
from typing import Final, Literal

from vivavoce.audio.frame import RATE_HZ, Pcm, duration_ms, sample_count
from vivavoce.errors import RequestError
from vivavoce.session.buffer import InputBuffer
from vivavoce.session.conversation import Conversation
from vivavoce.session.effect import Job, Listen
from vivavoce.session.outbox import Outbox
from vivavoce.session.patience import Patience
from vivavoce.session.recording import Archive
from vivavoce.session.result import Failed, Judged
from vivavoce.session.scribe import Scribe, Utterance
from vivavoce.session.track import Track
from vivavoce.session.turn import INTERRUPTION_MS, ONSET_MS, Onset, Pause, Pausing, Speaking, Turn
from vivavoce.wire.config import SemanticVad, ServerVad, Transcription, TurnDetection
from vivavoce.wire.event import (
    ConversationItemAdded,
    ConversationItemDone,
    InputAudioBufferCleared,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    InputAudioBufferTimeoutTriggered,
)
from vivavoce.wire.item import InputAudio, UserMessage

SHORTEST_COMMIT_MS: Final = 100
KEPT_WHILE_QUIET_MS: Final = 10_000
"""Under turn detection silence is forgotten after so long; the prefix of the next turn comes out of it."""

PREFIX_PADDING_MS: Final = 300
SILENCE_MS: Final = 200


class Intake:
    """Buffer and turns of one call; `scribe` writes them down."""

    def __init__(
        self,
        out: Outbox,
        conversation: Conversation,
        archive: Archive,
        scribe: Scribe,
        turn_window: int = 0,
        echoes: Callable[[int, int], bool] = lambda start, end: False,
    ) -> None:
        """Nothing has been heard.

        Args:
            out: takes what is to be done.
            conversation: gets the user's items.
            archive: gets their sound.
            scribe: gets it too.
            turn_window: so many of the last samples a turn model wants; 0 when there is none.
            echoes: tells whether the sound from one position to another is only the assistant's own voice.
        """
        self._out = out
        self._conversation = conversation
        self._archive = archive
        self._echoes = echoes
        self.scribe = scribe
        self._buffer = InputBuffer()
        self._track = Track()
        self._turn = Turn()
        self._patience = Patience(out, turn_window)
        self._current: Utterance | None = None

    @property
    def speaking(self) -> bool:
        """Whether somebody speaks now, or has paused."""
        return isinstance(self._turn.floor, Speaking | Pausing)

    @property
    def position(self) -> int:
        """Samples of input since the session began."""
        return self._buffer.end

    def reserves(self, item_id: str) -> bool:
        """Whether the id belongs to what is being said or written down now, so that no other item may take it."""
        return self.scribe.transcribing(item_id) or (self._current is not None and self._current.item_id == item_id)

    def wait_s(self, detection: TurnDetection) -> float:
        """How much longer a silence would have to last to end the turn, were it to begin or go on now."""
        match self._turn.floor:
            case Speaking(voiced_until=at):
                return self._pause_ms(detection, at) / 1000
            case Pausing(voiced_until=at):
                return self._pause_ms(detection, at) / 1000 - (self._track.judged - at) / RATE_HZ
            case _:
                return 0.0

    def owns(self, job: Job) -> bool:
        """Whether a turn model's result under that job is meant for this half."""
        return self._patience.owns(job)

    def result(self, result: Judged | Failed) -> None:
        """A turn model's report."""
        self._patience.result(result)

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
        change = self._turn.heard(
            probability, window, detection, onset_ms, lambda voiced_until: self._pause_ms(detection, voiced_until)
        )
        match change:
            case Onset(at):
                self._start(at, detection, wish)
            case Pause(at):
                self._stop(at, now)
            case None if self._current is not None:
                self._feed(self._current, window.end)
                if isinstance(self._turn.floor, Pausing) and isinstance(detection, SemanticVad):
                    self._patience.look(self._turn.floor, window.end, self._buffer)
            case None:
                pass
        return change

    def _pause_ms(self, detection: TurnDetection, voiced_until: int) -> int:
        """Silence that ends the turn."""
        if isinstance(detection, SemanticVad):
            return self._patience.wait_ms(detection, self._current, voiced_until)
        return detection.silence_duration_ms if isinstance(detection.silence_duration_ms, int) else SILENCE_MS

    def write_along(self, wish: Transcription) -> None:
        """Nobody finds turns in this sound: write it all down as it comes, for the item that the client will commit."""
        self._feed(self._current or self._begin(wish), self._buffer.end)

    def rewish(self, wish: Transcription | None) -> None:
        """The client wants something else of the words of what is being said."""
        utterance = self._current
        if utterance is not None:
            fed = utterance.fed
            if self.scribe.restart(utterance, wish):
                self._feed(utterance, fed)

    def fall_silent(self, now: float) -> bool:
        """No more sound comes although somebody speaks: end the turn. False when nobody does."""
        if not self.speaking:
            return False
        self.stop_detecting()
        self._stop(self._buffer.end, now)
        return True

    def start_detecting(self) -> None:
        """Turn detection was switched on: what came before is just sound in the buffer."""
        self._abandon()

    def stop_detecting(self) -> None:
        """Turn detection was switched off: the client will commit what is being said, under the id it knows."""
        self._turn.reset()
        self._patience.forget()

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
        self.stop_detecting()
        return self._commit(self._current or self._begin(wish), self._buffer.end, now)

    def time_out(self, since: int, wish: Transcription | None, now: float) -> str:
        """Nobody has spoken for too long: make an item of the silence and return its id."""
        self.stop_detecting()
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

    def stop(self) -> None:
        """The call is over."""
        self.stop_detecting()
        self._abandon()
        self.scribe.stop()

    def clear(self) -> None:
        """Forget sound that is not committed."""
        self.stop_detecting()
        self._abandon()
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
        self._patience.forget()
        utterance = self._current
        if utterance is not None:
            self._out.send(InputAudioBufferSpeechStopped(audio_end_ms=duration_ms(at), item_id=utterance.item_id))
            self._commit(utterance, at, now)

    # ── utterances ─────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, wish: Transcription | None) -> Utterance:
        """A new utterance of what is in the buffer."""
        item_id = self._out.ids("item")
        self._current = self.scribe.open(item_id, wish, self._conversation, start=self._buffer.start)
        return self._current

    def _feed(self, utterance: Utterance, end: int) -> None:
        """Give the transcriber what the buffer has before a position, once."""
        samples = self._buffer.between(utterance.fed, end)
        utterance.fed = end
        self.scribe.give(utterance, samples)

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
        self.scribe.finish(utterance, now)
        return utterance.item_id

    def _abandon(self) -> None:
        """Forget what is being said; its sound stays."""
        if self._current is not None:
            self.scribe.cancel(self._current)
        self._current = None


def _prefix_ms(detection: TurnDetection) -> int:
    padding = detection.prefix_padding_ms if isinstance(detection, ServerVad) else PREFIX_PADDING_MS
    return padding if isinstance(padding, int) else PREFIX_PADDING_MS


def _kept_ms(detection: TurnDetection) -> int:
    """How much silence may still be needed: for a prefix, or for the item of an idle caller."""
    idle = detection.idle_timeout_ms if isinstance(detection, ServerVad) else None
    return max(KEPT_WHILE_QUIET_MS, _prefix_ms(detection), idle if isinstance(idle, int) else 0)
