"""Writes down what the user says: utterances on their way to text, and what the client is told of them.

Words are told as they become certain, which may be before the item that they belong to exists: they carry the id
that it will have. A transcript's end is told when the item is there.
"""

import dataclasses
from dataclasses import dataclass
from typing import Final, assert_never

from msgspec import UNSET
from msgspec.structs import replace

from vivavoce.audio.frame import Pcm
from vivavoce.session.conversation import Conversation
from vivavoce.session.effect import Cancel, Feed, Finish, Job, Transcribe
from vivavoce.session.outbox import Outbox
from vivavoce.session.result import Draft, Failed, Partial
from vivavoce.session.result import Final as FinalText
from vivavoce.session.usage import transcription_usage
from vivavoce.wire.config import LogProb, Transcription, TranscriptionLanguage
from vivavoce.wire.event import (
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemInputAudioTranscriptionFailed,
    TranscriptionError,
)
from vivavoce.wire.item import InputAudio, UserMessage

PATIENCE_S: Final = 20.0
"""A transcriber that gives nothing for so long after the sound ended is taken for dead."""
WHOLE_AT_ONCE: Final = "whisper-1"
"""The model that tells a transcript in one delta, when it is complete."""
TELLS_LANGUAGES: Final = "gpt-transcribe"
"""The model whose `completed` has `languages`, by the types of the openai package 3.51."""

Report = Partial | Draft | FinalText | Failed


@dataclass(slots=True)
class Utterance:
    """A user item's sound on its way to text."""

    item_id: str
    job: Job
    wish: Transcription | None
    home: Conversation
    content_index: int = 0
    start: int = 0
    """Where its sound begins in the session's input."""
    fed: int = 0
    """The position up to which the transcriber has it."""
    samples: int = 0
    text: str = ""
    """What is certain so far."""
    told: str = ""
    """What the client has of it."""
    draft: Draft | None = None
    """What it would be if it ended now; None where the transcriber does not say."""
    outcome: FinalText | Failed | None = None
    """The end, where it came before the item."""
    give_up_at: float | None = None
    """Set when the item is there: from then on the transcriber owes an answer."""


class Scribe:
    """All transcriptions of one call."""

    def __init__(self, out: Outbox) -> None:
        self._out = out
        self._pending: dict[Job, Utterance] = {}
        self._failures: dict[str, Failed] = {}

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────

    def transcribing(self, item_id: str) -> bool:
        """Whether an item's words are still on their way."""
        return any(utterance.item_id == item_id for utterance in self._pending.values())

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
        """Whether a result of that job is meant for a transcription."""
        return job in self._pending

    # ── work ───────────────────────────────────────────────────────────────────────────────────────────

    def open(self, item_id: str, wish: Transcription | None, home: Conversation, start: int = 0) -> Utterance:
        """Begin to write down what `item_id` will say, from position `start` of the input on."""
        utterance = Utterance(item_id, self._out.begin(Transcribe(wish)), wish, home, start=start, fed=start)
        self._pending[utterance.job] = utterance
        return utterance

    def restart(self, utterance: Utterance, wish: Transcription | None) -> bool:
        """The client wants something else of the words: begin again, unless some have been told. False when so."""
        if utterance.told or utterance.wish == wish:
            return False
        self.cancel(utterance)
        utterance.job, utterance.wish = self._out.begin(Transcribe(wish)), wish
        utterance.fed, utterance.samples, utterance.text = utterance.start, 0, ""
        utterance.draft = utterance.outcome = None
        self._pending[utterance.job] = utterance
        return True

    def give(self, utterance: Utterance, samples: Pcm) -> None:
        """More of its sound."""
        utterance.samples += len(samples)
        if len(samples) and utterance.job in self._pending:
            self._out.add(Feed(utterance.job, samples))

    def finish(self, utterance: Utterance, now: float) -> None:
        """Its sound is whole and its item is there."""
        utterance.give_up_at = now + PATIENCE_S
        if utterance.job in self._pending:
            self._out.add(Finish(utterance.job))
        if utterance.outcome is not None:
            self._report(utterance, utterance.outcome)

    def adopt(
        self,
        item_id: str,
        content_index: int,
        samples: Pcm,
        wish: Transcription | None,
        home: Conversation,
        now: float,
    ) -> None:
        """Write down one part of an item that the client made itself; `home` is where the item is."""
        utterance = self.open(item_id, wish, home)
        utterance.content_index = content_index
        self.give(utterance, samples)
        self.finish(utterance, now)

    def cancel(self, utterance: Utterance) -> None:
        """Nobody needs its words any more."""
        if self._pending.pop(utterance.job, None) is not None:
            self._out.add(Cancel(utterance.job))

    def forget(self, item_id: str) -> None:
        """The item is gone, and with it the need of its words."""
        self._failures.pop(item_id, None)
        for utterance in [u for u in self._pending.values() if u.item_id == item_id]:
            self.cancel(utterance)

    def stop(self) -> None:
        """The call is over."""
        for utterance in list(self._pending.values()):
            self.cancel(utterance)

    # ── words ──────────────────────────────────────────────────────────────────────────────────────────

    def result(self, job: Job, result: Report, *, logprobs: bool = False) -> None:
        """A transcriber's report; `logprobs` is whether the client wants to know how sure it is."""
        utterance = self._pending[job]
        if isinstance(result, Partial | FinalText) and not logprobs:
            result = dataclasses.replace(result, logprobs=())
        if isinstance(result, FinalText | Failed):
            del self._pending[job]
            if utterance.give_up_at is None:
                utterance.outcome = result
                return
        self._report(utterance, result)

    def tick(self, now: float) -> None:
        """Give up on transcribers that hang."""
        for utterance in list(self._pending.values()):
            if utterance.give_up_at is not None and now >= utterance.give_up_at:
                self._out.add(Cancel(utterance.job))
                message = f"The transcriber gave no sign for {PATIENCE_S:.0f} s."
                self.result(utterance.job, Failed(message, code="engine_timeout"))

    def _report(self, utterance: Utterance, result: Report) -> None:
        match result:
            case Partial(delta, logprobs):
                utterance.text += delta
                if utterance.wish is not None and utterance.wish.model != WHOLE_AT_ONCE:
                    self._tell(utterance, delta, logprobs)
            case Draft():
                utterance.draft = result
            case FinalText():
                self._complete(utterance, result)
            case Failed():
                self._fail(utterance, result)
            case _:
                assert_never(result)

    def _tell(self, utterance: Utterance, delta: str, logprobs: tuple[LogProb, ...]) -> None:
        if not delta:
            return
        utterance.told += delta
        self._out.send(
            ConversationItemInputAudioTranscriptionDelta(
                item_id=utterance.item_id,
                content_index=utterance.content_index,
                delta=delta,
                logprobs=list(logprobs) or UNSET,
            )
        )

    def _complete(self, utterance: Utterance, final: FinalText) -> None:
        text = final.text.strip()
        item = utterance.home.get(utterance.item_id)
        if isinstance(item, UserMessage):
            utterance.home.replace(written(item, utterance.content_index, text))
        if utterance.wish is None:
            return
        if not utterance.told.strip():
            self._tell(utterance, text, final.logprobs)
        languages = [TranscriptionLanguage(code=code) for code in final.languages]
        self._out.send(
            ConversationItemInputAudioTranscriptionCompleted(
                item_id=utterance.item_id,
                content_index=utterance.content_index,
                transcript=text,
                logprobs=list(final.logprobs) or UNSET,
                languages=languages if utterance.wish.model == TELLS_LANGUAGES else UNSET,
                usage=transcription_usage(utterance.wish, utterance.samples, text),
            )
        )

    def _fail(self, utterance: Utterance, failure: Failed) -> None:
        self._failures[utterance.item_id] = failure
        if utterance.wish is not None:
            # Absent and never null: the schema of the agents SDK refuses null.
            code = UNSET if failure.code is None else failure.code
            error = TranscriptionError(type="transcription_error", code=code, message=failure.message)
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
