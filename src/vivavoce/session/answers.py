"""The output half of a conversation: responses, what is playing, and how much of it was heard.

Where sound travels beside text the server plays it and is the witness of what was heard; where it travels in events
the client is, and says so with `conversation.item.truncate`. The rules are the same.
"""

from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Final

import msgspec

from vivavoce.audio.format import Encoder
from vivavoce.audio.frame import RATE_HZ, duration_ms, sample_count
from vivavoce.errors import RequestError
from vivavoce.session.conversation import Conversation
from vivavoce.session.effect import Flush, Job, Think
from vivavoce.session.message import Voice
from vivavoce.session.moves import Moves
from vivavoce.session.outbox import Outbox
from vivavoce.session.playout import Playout
from vivavoce.session.recording import Archive
from vivavoce.session.response import Brief, Response, Waiting
from vivavoce.session.result import Failed, Result
from vivavoce.session.settings import Wish, voice_name
from vivavoce.wire.event import (
    ConversationItemTruncated,
    OutputAudioBufferCleared,
    OutputAudioBufferStarted,
    OutputAudioBufferStopped,
)
from vivavoce.wire.item import AssistantMessage, Item, OutputAudio

EPSILON_S: Final = 0.02
NEVER: Final = -inf


class Sound(Enum):
    """How sound travels, and so who knows what was heard."""

    MEDIA = "media"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Queued:
    """Some of a response's sound waits to be played."""


@dataclass(frozen=True, slots=True)
class Started:
    """It is the transport's turn to play it: `output_audio_buffer.started` has been sent."""


@dataclass(frozen=True, slots=True)
class Over:
    """Played out (`.stopped`) or dropped (`.cleared`)."""


Marker = Queued | Started | Over

MOVES: Final = Moves(
    "output audio buffer",
    Queued,
    {
        Queued: {"first in the queue": Started, "cleared": Over},
        Started: {"played out": Over, "cleared": Over},
        Over: {},
    },
)


class Answers:
    """All responses of one call."""

    def __init__(self, out: Outbox, conversation: Conversation, archive: Archive, sound: Sound) -> None:
        self._out = out
        self._conversation = conversation
        self._archive = archive
        self._sound = sound
        self._playout = Playout()
        self._running: dict[str, Response] = {}
        self._markers: dict[str, Marker] = {}
        self._heard_until = NEVER
        self.voice_used = False

    # ── asking ─────────────────────────────────────────────────────────────────────────────────────────

    @property
    def active(self) -> Response | None:
        """The running response of the default conversation."""
        return next((r for r in self._running.values() if r.brief.conversation_id is not None), None)

    @property
    def waiting(self) -> list[Response]:
        """Responses that have not begun to think."""
        return [response for response in self._running.values() if isinstance(response.stage, Waiting)]

    def audible(self, now: float) -> bool:
        """Whether the listener hears the assistant, as far as is known here."""
        if self._sound is Sound.MEDIA:
            return self._playout.current is not None
        return now < self._heard_until

    def quiet_since(self, now: float) -> float | None:
        """Since when nothing has been running or playing; None while something is, or before the first answer."""
        if self._running or self._markers or self.audible(now) or self._heard_until == NEVER:
            return None
        return self._heard_until

    def owns(self, job: Job) -> bool:
        """Whether a result of that job is meant for one of the responses."""
        return any(response.owns(job) for response in self._running.values())

    def deadline(self, now: float) -> float | None:
        """When an engine is given up, or one response's sound ends and the next one's begins."""
        times = [response.deadline for response in self._running.values() if response.deadline is not None]
        current = self._playout.current
        if current is not None and len(self._markers) > 1:
            times.append(now + (current.end - self._playout.total) / RATE_HZ + EPSILON_S)
        return min(times, default=None)

    # ── running ────────────────────────────────────────────────────────────────────────────────────────

    def create(
        self,
        wish: Wish,
        *,
        conversation_id: str | None,
        context: tuple[Item, ...] | None,
        metadata: dict[str, str] | None,
    ) -> Response:
        """A new response, which waits for `think`. No conversation id keeps it out of the conversation.

        Raises:
            RequestError: the default conversation has one already (`conversation_already_has_active_response`).
        """
        active = self.active
        if active is not None and conversation_id is not None:
            raise RequestError(
                f"Conversation already has an active response in progress: {active.brief.id}. Wait until the response "
                "is finished before creating a new one.",
                code="conversation_already_has_active_response",
            )
        encoder = Encoder(wish.format.type) if self._sound is Sound.TEXT else None
        brief = Brief(
            id=self._out.ids("resp"),
            conversation_id=conversation_id,
            wish=wish,
            voice=Voice(voice_name(wish.voice), wish.speed, encoder),
            context=context,
            metadata=metadata,
        )
        response = Response(brief, self._out, self._conversation, self._archive, self._playout)
        self._running[brief.id] = response
        return response

    def think(self, response: Response, think: Think, now: float) -> None:
        """Everything that a waiting response needs is known."""
        response.think(think, now)

    def fail(self, response: Response, failure: Failed, now: float) -> None:
        """What a waiting response needs will never be known."""
        response.fail(failure)
        self._retire(now)

    def begin_silence(self, now: float) -> None:
        """Count silence from now on."""
        self._heard_until = now

    def result(self, job: Job, result: Result, now: float) -> None:
        """An engine's report; of no interest when the response has been stopped meanwhile."""
        for response in [r for r in self._running.values() if r.owns(job)]:
            before = self._lengths(response)
            response.result(result, now)
            self._note_sound(response, before, now)
        self._retire(now)

    def tick(self, now: float) -> None:
        """Give up on engines that hang."""
        for response in list(self._running.values()):
            response.tick(now)
        self._retire(now)

    def cancel(self, response_id: str | None, now: float) -> None:
        """The client wants a response stopped: that one, or the default conversation's.

        Raises:
            RequestError: no such response is running (`response_cancel_not_active`).
        """
        response = self.active if response_id is None else self._running.get(response_id)
        if response is None:
            raise RequestError("Cancellation failed: no active response found.", code="response_cancel_not_active")
        response.cancel("client_cancelled")
        self._retire(now)

    def interrupt(self, now: float) -> None:
        """The user speaks: stop what is being said in the default conversation."""
        if self.active is not None:
            self.active.cancel("turn_detected")
        self._retire(now)
        self._flush()

    def stop(self, now: float) -> None:
        """The call is over."""
        for response in list(self._running.values()):
            response.cancel("client_cancelled")
        self._retire(now)

    def _lengths(self, response: Response) -> int:
        return sum(recording.length for id in response.item_ids if (recording := self._archive.get(id)))

    def _note_sound(self, response: Response, before: int, now: float) -> None:
        """Remember that a response has sound, and until when a client that paces itself is busy with it."""
        added = self._lengths(response) - before
        if added <= 0:
            return
        self.voice_used = True
        if self._sound is Sound.MEDIA:
            self._markers.setdefault(response.brief.id, Queued())
            self._report_markers(now)
        else:
            self._heard_until = max(self._heard_until, now) + added / RATE_HZ

    def _retire(self, now: float) -> None:
        done = [id for id, response in self._running.items() if response.finished]
        for id in done:
            del self._running[id]
            self._heard_until = max(self._heard_until, now)
        if done:
            self._report_markers(now)

    # ── what was heard ─────────────────────────────────────────────────────────────────────────────────

    def played(self, total: int, now: float) -> None:
        """The transport has played so many samples in all."""
        self._playout.played(total)
        self._report_markers(now)

    def clear(self, now: float) -> None:
        """The client wants silence. Words still being made would never be heard, so making them stops first."""
        if self.active is not None:
            self.active.cancel("client_cancelled")
            self._retire(now)
        self._flush()

    def _flush(self) -> None:
        """Stop playing; `flushed` finishes the work."""
        if self._markers:
            self._out.add(Flush())

    def flushed(self, total: int, now: float) -> None:
        """The transport has dropped its queue, having played so many samples in all."""
        self._playout.played(total)
        self._report_markers(now)
        unheard = dict.fromkeys(stretch.item_id for stretch in self._playout.cut(total))
        heard = {item_id: self._playout.heard(item_id) for item_id in unheard}
        for response_id, marker in self._markers.items():
            MOVES.take(marker, "cleared", Over())
            if isinstance(marker, Started):
                self._out.send(OutputAudioBufferCleared(response_id=response_id))
            self._playout.forget(response_id)
        for item_id, samples in heard.items():
            self._truncate(item_id, samples)
        self._markers.clear()
        self._heard_until = now

    def truncate(self, item_id: str, content_index: int, audio_end_ms: int) -> None:
        """The client says how much of an item was heard.

        Raises:
            RequestError: no such item, not an assistant's sound, still being made, or longer than it is.
        """
        item = self._conversation.get(item_id)
        if item is None:
            raise RequestError(
                f"Item with item_id '{item_id}' not found: nothing to truncate.",
                code="item_truncate_invalid_item_id",
                param="item_id",
            )
        if not isinstance(item, AssistantMessage) or not isinstance(item.content[0], OutputAudio):
            raise RequestError(
                "Only audio content of assistant messages can be truncated.", code="invalid_value", param="item_id"
            )
        if content_index != 0:
            raise RequestError(
                f"There is no content part {content_index}: an assistant message has one, number 0.",
                code="invalid_value",
                param="content_index",
            )
        if item.status == "in_progress":
            raise RequestError(
                f"Item '{item_id}' is still being generated: cancel the response first.",
                code="invalid_value",
                param="item_id",
            )
        length = duration_ms(self._archive.of(item_id).length)
        if not 0 <= audio_end_ms <= length:
            raise RequestError(
                f"audio_end_ms must lie between 0 and the {length}ms that the audio lasts, got {audio_end_ms}.",
                code="invalid_value",
                param="audio_end_ms",
            )
        self._truncate(item_id, sample_count(audio_end_ms))
        current = self._playout.current
        if current is not None and current.item_id == item_id:
            self._flush()

    def _truncate(self, item_id: str, samples: int) -> None:
        item = self._conversation.get(item_id)
        if not isinstance(item, AssistantMessage):
            return
        self._archive.cut(item_id, samples)
        heard = self._archive.of(item_id).text
        self._conversation.replace(msgspec.structs.replace(item, content=[OutputAudio(transcript=heard)]))
        self._out.send(ConversationItemTruncated(item_id=item_id, content_index=0, audio_end_ms=duration_ms(samples)))

    def _report_markers(self, now: float) -> None:
        """Send `output_audio_buffer.started` and `.stopped` as the listener gets there."""
        for response_id, marker in list(self._markers.items()):
            if isinstance(marker, Queued) and self._playout.started(response_id):
                marker = self._markers[response_id] = MOVES.take(marker, "first in the queue", Started())
                self._out.send(OutputAudioBufferStarted(response_id=response_id))
            ended = response_id not in self._running and self._playout.finished(response_id)
            if isinstance(marker, Started) and ended:
                MOVES.take(marker, "played out", Over())
                del self._markers[response_id]
                self._playout.forget(response_id)
                self._heard_until = max(self._heard_until, now)
                self._out.send(OutputAudioBufferStopped(response_id=response_id))
