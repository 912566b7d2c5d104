"""The output half of a conversation: responses, what is playing, and how much of it was heard.

Where sound travels beside text the server plays it and is the witness of what was heard; where it travels in events
the client is, and says so with `conversation.item.truncate`. The rules are the same.
"""

from collections.abc import Callable
from dataclasses import replace as with_changes
from enum import Enum
from math import inf
from typing import Final

from msgspec.structs import replace

from vivavoce.audio.format import Encoder
from vivavoce.audio.frame import RATE_HZ, duration_ms, sample_count
from vivavoce.errors import RequestError
from vivavoce.session.context import Context
from vivavoce.session.conversation import Conversation
from vivavoce.session.effect import Job, Think
from vivavoce.session.message import Voice
from vivavoce.session.meter import Meter
from vivavoce.session.outbox import Outbox
from vivavoce.session.output import OutputBuffer, Reel
from vivavoce.session.recording import Archive
from vivavoce.session.response import Approved, Asked, Brief, Calling, Response, Waiting
from vivavoce.session.result import Charged, Failed, Result
from vivavoce.session.settings import Wish, voice_name
from vivavoce.session.toolset import Catalogue
from vivavoce.wire.event import ConversationItemTruncated
from vivavoce.wire.item import AssistantMessage, OutputAudio

NEVER: Final = -inf


class Sound(Enum):
    """How sound travels, and so who knows what was heard."""

    MEDIA = "media"
    TEXT = "text"


class Answers:
    """All responses of one call."""

    def __init__(
        self, out: Outbox, conversation: Conversation, archive: Archive, sound: Sound, meter: Meter | None = None
    ) -> None:
        self._out = out
        self._meter = meter or Meter(out, counted=False)
        self._conversation = conversation
        self._archive = archive
        self._sound = sound
        self._output = OutputBuffer(out)
        self._running: dict[str, Response] = {}
        self._cuts: dict[str, int] = {}
        """Samples at which the client wants items to end, until the flush has told how much was heard."""
        self._owed: dict[str, int] = {}
        """Samples at which items end that are still being made, by the word of a client that plays."""
        self._heard_until = self._asked_at = NEVER
        self.voice_used = False
        self._questions: dict[str, Asked] = {}

    # ── asking ─────────────────────────────────────────────────────────────────────────────────────────

    @property
    def active(self) -> Response | None:
        """The running response of the default conversation."""
        return next((r for r in self._running.values() if r.brief.conversation_id is not None), None)

    @property
    def carrying_out(self) -> bool:
        """Whether the conversation's response does nothing but make calls that were approved."""
        return self.active is not None and isinstance(self.active.stage, Calling)

    @property
    def questions(self) -> dict[str, Asked]:
        """Calls that clients were asked to approve, by the ids of the requests."""
        return self._questions | {id: asked for r in self._running.values() for id, asked in r.questions.items()}

    @property
    def waiting(self) -> list[Response]:
        """Responses that have not begun to think."""
        return [response for response in self._running.values() if isinstance(response.stage, Waiting)]

    def audible(self, now: float) -> bool:
        """Whether the listener hears the assistant, as far as is known here."""
        if self._sound is Sound.MEDIA:
            return self._output.sounding
        return now < self._heard_until

    @property
    def busy_until(self) -> float:
        """Until when a client that plays by itself is busy with what it was sent, if it is not told to stop."""
        return self._heard_until

    @property
    def quiet_since(self) -> float | None:
        """From when on nothing is running or heard; None while that is not known, or when no answer came last."""
        if self._running or self._output.busy or self._heard_until <= self._asked_at:
            return None
        return self._heard_until

    def makes(self, item_id: str) -> bool:
        """Whether a running response is making, or has made, an item of that id."""
        return any(item_id in response.item_ids for response in self._running.values())

    def owns(self, job: Job) -> bool:
        """Whether a result of that job is meant for one of the responses."""
        return self._meter.owns(job) or any(response.owns(job) for response in self._running.values())

    @property
    def deadline(self) -> float | None:
        """When an engine is given up."""
        if not self._running:
            return None
        return min((r.deadline for r in self._running.values() if r.deadline is not None), default=None)

    def check_free(self) -> None:
        """Whether the default conversation may get a response now.

        Raises:
            RequestError: it has one already (`conversation_already_has_active_response`).
        """
        if self.active is not None:
            raise RequestError(
                f"Conversation already has an active response in progress: {self.active.brief.id}. Wait until the "
                "response is finished before creating a new one.",
                code="conversation_already_has_active_response",
            )

    # ── running ────────────────────────────────────────────────────────────────────────────────────────

    def create(
        self,
        wish: Wish,
        *,
        conversation_id: str | None,
        context: Context | None,
        metadata: dict[str, str] | None,
    ) -> Response:
        """A new response, which waits for `think`. No conversation id keeps it out of the conversation."""
        encoder = Encoder(wish.format.type) if self._sound is Sound.TEXT else None
        brief = Brief(
            id=self._out.ids("resp"),
            conversation_id=conversation_id,
            wish=wish,
            voice=Voice(voice_name(wish.voice), wish.speed, encoder),
            context=context,
            metadata=metadata,
        )
        response = self._begin(brief)
        if self._meter.counted:
            response.ask()
            self._meter.ask(brief.id)
        return response

    def think(self, response: Response, think: Think, now: float, catalogue: Catalogue | None = None) -> None:
        """Everything that a waiting response needs is known."""
        response.think(think, now, catalogue)

    def carry_out(self, asker: Brief, approved: Approved, now: float) -> bool:
        """Run an approved call in a further response like the one that asked; False while another is in its way."""
        home = asker.conversation_id
        found = [r for r in self._running.values() if isinstance(r.stage, Calling) and r.brief.conversation_id == home]
        if not found and home is not None and self.active is not None:
            return False
        response = found[0] if found else self._begin(with_changes(asker, id=self._out.ids("resp")))
        response.carry_out(approved, now)
        self._retire(now)
        return True

    def _begin(self, brief: Brief) -> Response:
        response = Response(brief, self._out, self._conversation, self._archive, self._output)
        self._running[brief.id] = response
        return response

    def fail(self, response: Response, failure: Failed, now: float) -> None:
        """What a waiting response needs will never be known."""
        response.fail(failure)
        self._retire(now)

    def ask(self, now: float) -> None:
        """The user's turn has come, by speech or by silence: the next silence begins after the next answer."""
        self._asked_at = now

    def result(self, job: Job, result: Result, now: float) -> None:
        """A report on work; of no interest when the response has been stopped meanwhile."""
        if isinstance(result, Charged | Failed) and self._meter.owns(job):
            self._charged(job, result)
        for response in [r for r in self._running.values() if r.owns(job)]:
            before = self._lengths(response)
            response.result(result, now)
            self._note_sound(self._lengths(response) - before, now)
        self._retire(now)

    def _charged(self, job: Job, result: Charged | Failed) -> None:
        """The word on a charge: a response may begin, or may not."""
        verdict = self._meter.result(job, result)
        response = None if verdict is None else self._running.get(verdict[0])
        if verdict is None or response is None:
            return
        if verdict[1] is None:
            response.allow()
        else:
            response.fail(verdict[1])

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
        """The user speaks: stop what is being said in the default conversation. What is out of band goes on."""
        if self.active is not None:
            self.active.cancel("turn_detected")
        self._retire(now)
        self._hush(lambda reel: reel.conversation_id is not None, now)

    def clear(self, now: float) -> None:
        """The client wants silence. Words still being made would never be heard, so making them stops first."""
        if self.active is not None:
            self.active.cancel("client_cancelled")
        self._retire(now)
        self._hush(lambda _: True, now)

    def stop(self, now: float) -> None:
        """The call is over."""
        for response in list(self._running.values()):
            response.cancel("client_cancelled")
        self._retire(now)
        self._hush(lambda _: True, now)

    def _lengths(self, response: Response) -> int:
        return sum(recording.length for id in response.item_ids if (recording := self._archive.get(id)))

    def _note_sound(self, added: int, now: float) -> None:
        """A response has more sound: remember until when a client that paces itself is busy with it."""
        if added > 0:
            self.voice_used = True
            if self._sound is Sound.TEXT:
                self._heard_until = max(self._heard_until, now) + added / RATE_HZ

    def _retire(self, now: float) -> None:
        for id, response in list(self._running.items()):
            if not response.finished:
                continue
            del self._running[id]
            self._meter.pay(response.tokens)
            self._questions |= response.questions
            self._heard_until = max(self._heard_until, now)
            context = response.brief.context
            for made in response.item_ids if context is None else (*response.item_ids, *context.ids):
                if made not in self._conversation:
                    self._archive.remove(made)
        self._output.settle(self._running)
        for id in [id for id in self._owed if self._made(id)]:
            self._truncate(id, self._owed.pop(id))

    # ── what was heard ─────────────────────────────────────────────────────────────────────────────────

    def played(self, total: int, now: float) -> None:
        """The transport has played so many samples in all."""
        if self._output.busy:
            self._heard_until = now
        self._output.played(total, self._running)

    def flushed(self, total: int, now: float) -> None:
        """The transport has dropped its queue, having played so many samples in all."""
        self._heard_until = now
        heard = self._output.flushed(total, self._running)
        cuts, self._cuts = self._cuts, {}
        for id, samples in heard.items():
            self._truncate(id, min(samples, cuts.pop(id, samples)))
        for id, samples in cuts.items():
            self._truncate(id, samples)

    def _hush(self, unwanted: Callable[[Reel], bool], now: float) -> None:
        """Drop sound that the listener has not heard; `flushed` finishes the work."""
        if self._sound is Sound.TEXT:
            self._heard_until = min(self._heard_until, now)  # a client that plays is expected to stop by itself
            return
        for id in self._output.drop(unwanted):
            self._cuts.pop(id, None)
            self._truncate(id, 0)

    def truncate(self, item_id: str, content_index: int, audio_end_ms: int, now: float) -> None:
        """The client says how much of an item was heard.

        Where the client plays, an item that is still being made is truncated once it is made, whether it then is
        stopped or not: clients tell of what was heard first, and cancel afterwards. Where the server plays, it stops.

        Raises:
            RequestError: no such item, no assistant's sound, or longer than that is.
        """
        self._check_truncation(item_id, content_index, audio_end_ms)
        samples = sample_count(audio_end_ms)
        if self._sound is Sound.TEXT:
            self._heard_until = min(self._heard_until, now)
        if not self._made(item_id):
            if self._sound is Sound.TEXT:
                self._owed[item_id] = samples
                return
            maker = next(response for response in self._running.values() if item_id in response.item_ids)
            maker.cancel("client_cancelled")
            self._retire(now)
        unheard_of = self._output.owner(item_id)
        if unheard_of is None:
            self._truncate(item_id, samples)
            return
        # The rest of it shall not be heard either, nor what the same response has put behind it.
        self._cuts[item_id] = samples
        if unheard_of in self._running:
            self._running[unheard_of].cancel("client_cancelled")
            self._retire(now)
        self._hush(lambda reel: reel.response_id == unheard_of, now)

    def _made(self, item_id: str) -> bool:
        item = self._conversation.get(item_id)
        return item is None or item.status != "in_progress"

    def _check_truncation(self, item_id: str, content_index: int, audio_end_ms: int) -> None:
        """Whether an item can be truncated there.

        Raises:
            RequestError: it cannot.
        """
        item = self._conversation.get(item_id)
        if item is None:
            raise RequestError(
                f"Item with item_id '{item_id}' not found: nothing to truncate.",
                code="item_truncate_invalid_item_id",
                param="item_id",
            )
        recording = self._archive.get(item_id)
        if not isinstance(item, AssistantMessage) or recording is None:
            raise RequestError(
                "Only audio content of assistant messages can be truncated.", code="invalid_value", param="item_id"
            )
        if content_index != 0:
            raise RequestError(
                f"There is no content part {content_index}: an assistant message has one, number 0.",
                code="invalid_value",
                param="content_index",
            )
        length = duration_ms(recording.length)
        if not 0 <= audio_end_ms <= length:
            raise RequestError(
                f"audio_end_ms must lie between 0 and the {length}ms that the audio lasts, got {audio_end_ms}.",
                code="invalid_value",
                param="audio_end_ms",
            )

    def _truncate(self, item_id: str, samples: int) -> None:
        item, recording = self._conversation.get(item_id), self._archive.get(item_id)
        if not isinstance(item, AssistantMessage) or recording is None:
            return
        self._archive.cut(item_id, samples)
        self._conversation.replace(replace(item, content=[OutputAudio(transcript=recording.text)]))
        self._out.send(ConversationItemTruncated(item_id=item_id, content_index=0, audio_end_ms=duration_ms(samples)))
