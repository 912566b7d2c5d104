"""The life of one response: from `response.created` to its one `response.done`.

What the thinker says becomes items in the order in which it says them. A call waits until the words before it are
spoken, and what follows a call of an MCP tool waits for its outcome, so that items open and close one after another.
Whatever the ending, every part and item that was opened is closed.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final, Literal, assert_never

import msgspec
from msgspec.structs import replace

from vivavoce.session.context import Context
from vivavoce.session.conversation import Conversation, item_id
from vivavoce.session.effect import Cancel, Job, Think
from vivavoce.session.function_call import LocalCall
from vivavoce.session.message import Ending, Message, Voice
from vivavoce.session.moves import Moves
from vivavoce.session.outbox import Outbox
from vivavoce.session.output import OutputBuffer
from vivavoce.session.recording import Archive
from vivavoce.session.remote_call import CALL_PATIENCE_S, Question, RemoteCall, is_object
from vivavoce.session.result import (
    CallArguments,
    CallBegun,
    Ended,
    Failed,
    Result,
    Returned,
    Spoken,
    Thought,
    ToolFailed,
    Words,
)
from vivavoce.session.settings import Wish, known
from vivavoce.session.toolset import Catalogue, RemoteTool
from vivavoce.session.usage import response_usage
from vivavoce.wire.config import Response as ResponseObject
from vivavoce.wire.config import ResponseAudio, ResponseAudioOutput, StatusDetails, StatusError, Usage
from vivavoce.wire.event import (
    ConversationItemAdded,
    ConversationItemDone,
    ResponseCreated,
    ResponseDone,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
)
from vivavoce.wire.item import AssistantMessage, Item, OutputAudio

ENGINE_PATIENCE_S: Final = 30.0
"""An engine that gives nothing for so long is taken for dead."""

Status = Literal["completed", "cancelled", "incomplete", "failed"]


@dataclass(frozen=True, slots=True)
class Brief:
    """What a response was asked to be. `conversation_id` None keeps it out of the conversation."""

    id: str
    conversation_id: str | None
    wish: Wish
    voice: Voice
    context: Context | None
    """What it is to answer instead of the conversation."""
    metadata: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the user said is still being written down."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Nobody has said yet whether the caller may have another response."""


@dataclass(frozen=True, slots=True)
class Thinking:
    """The thinker works."""

    job: Job
    think: Think


@dataclass(frozen=True, slots=True)
class Speaking:
    """The thinker has finished; its words are still being spoken, or its last call runs."""

    think: Think


@dataclass(frozen=True, slots=True)
class Calling:
    """Nobody thinks: calls that the client has approved are carried out."""


@dataclass(frozen=True, slots=True)
class Done:
    """`response.done` has been sent."""

    status: Status


Stage = Waiting | Asking | Thinking | Speaking | Calling | Done

MOVES: Final = Moves(
    "response",
    Waiting,
    {
        Waiting: {"words known": Thinking, "approved": Calling, "stopped": Done, "limits asked": Asking},
        Asking: {"allowed": Waiting, "stopped": Done},
        Thinking: {"thought out": Speaking, "finished": Done, "stopped": Done},
        Speaking: {"finished": Done, "stopped": Done},
        Calling: {"finished": Done, "stopped": Done},
        Done: {},
    },
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that the client is to allow or to refuse."""

    brief: Brief
    tool: RemoteTool
    arguments: str


@dataclass(frozen=True, slots=True)
class Approved:
    """A call that the client has allowed."""

    request_id: str
    tool: RemoteTool
    arguments: str


Step = Words | CallBegun | CallArguments | Thought | Approved
"""What a thinker says, in its order, and what a client has allowed."""


class Response:
    """One response. `stage` says how far it is."""

    def __init__(
        self, brief: Brief, out: Outbox, conversation: Conversation, archive: Archive, output: OutputBuffer
    ) -> None:
        self.brief = brief
        self.stage: Stage = Waiting()
        self.item_ids: list[str] = []
        self.tokens = 0
        """What it cost in all, once it is done."""
        self._out = out
        self._conversation = conversation
        self._archive = archive
        self._buffer = output
        self._open: Message | LocalCall | RemoteCall | Question | None = None
        self._catalogue = Catalogue()
        self._calls = 0
        self.questions: dict[str, Asked] = {}
        """What the client was asked, by the ids of the requests."""
        self._output: list[Item] = []
        self._steps: deque[Step] = deque()
        self._last_sign: float | None = None
        out.send(ResponseCreated(response=self._object("in_progress", None, None)))

    @property
    def finished(self) -> bool:
        """Whether `response.done` has been sent."""
        return isinstance(self.stage, Done)

    @property
    def deadline(self) -> float | None:
        """When an engine or a tool that stays silent is given up."""
        if self._last_sign is None:
            return None
        runs = isinstance(self._open, RemoteCall) and self._open.busy
        return self._last_sign + (CALL_PATIENCE_S if runs else ENGINE_PATIENCE_S)

    def ask(self) -> None:
        """It may not think before `allow`."""
        self.stage = MOVES.take(self.stage, "limits asked", Asking())

    def allow(self) -> None:
        """The caller may have it. Of no interest when it has been stopped meanwhile."""
        if isinstance(self.stage, Asking):
            self.stage = MOVES.take(self.stage, "allowed", Waiting())

    def think(self, think: Think, now: float, catalogue: Catalogue | None = None) -> None:
        """Everything that it needs is known: start thinking. The catalogue says which functions are MCP tools."""
        if isinstance(self.stage, Waiting):
            self._last_sign = now
            self._catalogue = catalogue or self._catalogue
            self.stage = MOVES.take(self.stage, "words known", Thinking(self._out.begin(think), think))

    def carry_out(self, approved: Approved, now: float) -> None:
        """Run a call that the client has approved, after those before it."""
        if isinstance(self.stage, Waiting):
            self.stage = MOVES.take(self.stage, "approved", Calling())
        if self._steps and isinstance(self._steps[-1], Thought):
            self._steps.pop()
        self._steps += (approved, Thought())
        self._last_sign = now
        self._advance()

    def owns(self, job: Job) -> bool:
        """Whether a result of that job is meant for this response."""
        thinks = isinstance(self.stage, Thinking) and self.stage.job == job
        if thinks and not (self._steps and isinstance(self._steps[-1], Thought)):
            return True
        return isinstance(self._open, Message | RemoteCall) and self._open.owns(job)

    def result(self, result: Result, now: float) -> None:
        """A report from an engine job that this response owns."""
        self._last_sign = now
        match result:
            case Words() | CallBegun() | CallArguments() | Thought():
                self._steps.append(result)
            case Spoken() | Ended():
                if isinstance(self._open, Message):
                    self._open.heard(result)
            case Returned() | ToolFailed():
                if isinstance(self._open, RemoteCall):
                    self._open.result(result)
            case Failed():
                self.fail(result)
            case _:
                raise TypeError(f"a response has no use for {result!r}")
        self._advance()

    def cancel(self, reason: Literal["turn_detected", "client_cancelled"]) -> None:
        """Stop; what was said so far stays, marked incomplete."""
        self._stop("cancelled", StatusDetails(type="cancelled", reason=reason))

    def fail(self, failure: Failed) -> None:
        """An engine gave up."""
        error = StatusError(type=failure.type, code=failure.code, message=failure.message)
        self._stop("failed", StatusDetails(type="failed", error=error))

    def tick(self, now: float) -> None:
        """Give up on engines and tools that hang."""
        if self.deadline is None or now < self.deadline:
            return
        if isinstance(self._open, RemoteCall) and self._open.busy:
            self._open.give_up()
            self._last_sign = now
            self._advance()
        else:
            self.fail(Failed(f"An engine gave no sign for {ENGINE_PATIENCE_S:.0f} s.", code="engine_timeout"))

    # ── from steps to items ────────────────────────────────────────────────────────────────────────────

    def _advance(self) -> None:
        while self._steps and not self.finished:
            step = self._steps[0]
            # Models like to put blank lines before a call; they are no message.
            blank = isinstance(step, Words) and not step.delta.strip() and not isinstance(self._open, Message)
            if not blank and not self._ready(step):
                return
            self._steps.popleft()
            if not blank:
                self._take(step)

    def _ready(self, step: Step) -> bool:
        """Whether the step can be taken; closes what is open if the step begins something else."""
        match self._open:
            case None:
                return True
            case Message():
                if isinstance(step, Words | CallArguments):
                    return True
                self._open.finish()
                if self._open.busy:
                    return self._wait(step)
            case LocalCall() | RemoteCall() | Question():
                if isinstance(step, CallArguments):
                    return True
                if not self._is_whole(self._open):
                    return False
            case _:
                assert_never(self._open)
        cut = isinstance(step, Thought) and step.cut is not None
        if isinstance(self._open, RemoteCall) and not cut and self._runs(self._open):
            return self._wait(step)
        self._close("incomplete" if cut else "completed")
        return True

    def _runs(self, call: RemoteCall) -> bool:
        """Whether a call whose arguments are whole has no outcome yet; it is made if it was not."""
        if not call.over and not call.busy:
            call.run()
        return call.busy

    def _wait(self, step: Step) -> Literal[False]:
        """What is open is not over; the thinker may be, though."""
        if isinstance(self.stage, Thinking) and isinstance(step, Thought):
            self.stage = MOVES.take(self.stage, "thought out", Speaking(self.stage.think))
        return False

    def _is_whole(self, call: LocalCall | RemoteCall | Question) -> bool:
        """Whether a call has all its arguments: calls may be written side by side, so more may follow."""
        for delta in self._pull(call.index):
            call.add(delta)
        return any(isinstance(later, Thought) for later in self._steps) or _is_json(call.arguments)

    def _take(self, step: Step) -> None:
        match step:
            case Words(delta):
                self._message().add(delta)
            case CallBegun(index, name):
                self._begin_call(index, name)
            case CallArguments(index, delta):
                if isinstance(self._open, LocalCall | RemoteCall | Question) and self._open.index == index:
                    self._open.add(delta)
            case Approved(request_id, tool, arguments):
                self._begin_remote(0, tool, request_id).add(arguments)
            case Thought():
                self._end(step)
            case _:
                assert_never(step)

    def _pull(self, index: int) -> list[str]:
        """Arguments of the open call that stand behind other steps, taken out of their row."""
        mine: list[CallArguments] = []
        for step in self._steps:
            if isinstance(step, CallBegun) and step.index == index:
                break  # another call under the same number
            if isinstance(step, CallArguments) and step.index == index:
                mine.append(step)
        for step in mine:
            self._steps.remove(step)
        return [step.delta for step in mine]

    def _end(self, thought: Thought) -> None:
        if thought.cut is not None:
            self._finish("incomplete", StatusDetails(type="incomplete", reason=thought.cut), thought)
        else:
            self._finish("completed", StatusDetails(type="completed"), thought)

    def _message(self) -> Message:
        if isinstance(self._open, Message):
            return self._open
        id, index = self._out.ids("item"), len(self._output)
        voice = self.brief.voice if self.brief.wish.modality == "audio" else None
        self._announce(AssistantMessage(id=id, status="in_progress", content=[]), index)
        self._open = Message(
            self._out,
            self._archive,
            self._buffer,
            response_id=self.brief.id,
            conversation_id=self.brief.conversation_id,
            item_id=id,
            output_index=index,
            voice=voice,
        )
        return self._open

    def _begin_call(self, index: int, name: str) -> None:
        self._calls += 1
        if self._calls > 1 and not self.brief.wish.parallel_tool_calls:
            return  # one at a time was asked for: the thinker may make the next one when it has seen the outcome
        remote, place = self._catalogue.remote.get(name), len(self._output)
        if remote is None:
            self._open = LocalCall(self._out, name, index=index, response_id=self.brief.id, output_index=place)
            self._announce(self._open.item, place)
        elif remote.asks:
            self._open = Question(index, remote)
        else:
            self._begin_remote(index, remote, None)

    def _begin_remote(self, index: int, tool: RemoteTool, request_id: str | None) -> RemoteCall:
        call = RemoteCall(
            self._out,
            tool,
            index=index,
            response_id=self.brief.id,
            output_index=len(self._output),
            approval_request_id=request_id,
        )
        self._open = call
        self._announce(call.item, call.output_index)
        return call

    def _ask(self, question: Question) -> None:
        """Ask the client to approve a call, if it could be made at all."""
        if is_object(question.arguments or "{}"):
            item = question.item(self._out.ids("item"))
            self.questions[item_id(item)] = Asked(self.brief, question.tool, item.arguments)
            self._announce(item, len(self._output))
            self._settle(item, item)
            return
        call = self._begin_remote(question.index, question.tool, None)
        call.add(question.arguments)
        call.run()
        self._close("completed")

    # ── opening and closing ────────────────────────────────────────────────────────────────────────────

    def _announce(self, item: Item, output_index: int) -> None:
        self._out.send(ResponseOutputItemAdded(response_id=self.brief.id, output_index=output_index, item=item))
        self.item_ids.append(item_id(item))
        if self.brief.conversation_id is not None:
            previous = self._conversation.insert(item)
            self._out.send(ConversationItemAdded(previous_item_id=previous, item=item))

    def _close(self, ending: Ending) -> None:
        closed, self._open = self._open, None
        match closed:
            case None:
                pass
            case Question():
                if ending == "completed":
                    self._ask(closed)
            case RemoteCall():
                item = closed.close()
                self._settle(item, item)
            case Message() | LocalCall():
                item = closed.close(ending)
                self._settle(item, item if ending == "completed" else self._voiced(item))
            case _:
                assert_never(closed)

    def _settle(self, item: Item, kept: Item) -> None:
        """An item is done; `kept` is what the conversation remembers of it."""
        self._out.send(ResponseOutputItemDone(response_id=self.brief.id, output_index=len(self._output), item=item))
        self._output.append(item)
        id = item_id(item)
        if self.brief.conversation_id is not None and id in self._conversation:
            self._conversation.replace(kept)
            self._out.send(ConversationItemDone(previous_item_id=self._conversation.previous(id), item=kept))

    def _voiced(self, item: Item) -> Item:
        """The item as the conversation may remember it: words that were never put into sound were never heard."""
        if not isinstance(item, AssistantMessage) or not isinstance(item.content[0], OutputAudio):
            return item
        recording = self._archive.of(item_id(item))
        recording.text = recording.heard_text(recording.length)
        return replace(item, content=[OutputAudio(transcript=recording.text)])

    def _stop(self, status: Status, details: StatusDetails) -> None:
        if self.finished:
            return
        if isinstance(self.stage, Thinking):
            self._out.add(Cancel(self.stage.job))
        self._steps.clear()
        self._close("incomplete")
        self._finish(status, details, Thought())

    def _finish(self, status: Status, details: StatusDetails, thought: Thought) -> None:
        think = self.stage.think if isinstance(self.stage, Thinking | Speaking) else None
        usage = response_usage(think, self._output, self._archive, thought)
        self.tokens = known(usage.total_tokens, 0)
        self.stage = MOVES.take(
            self.stage, "stopped" if status in ("cancelled", "failed") else "finished", Done(status)
        )
        self._last_sign = None
        self._out.send(ResponseDone(response=self._object(status, details, usage)))

    def _object(
        self, status: Status | Literal["in_progress"], details: StatusDetails | None, usage: Usage | None
    ) -> ResponseObject:
        brief = self.brief
        return ResponseObject(
            object="realtime.response",
            id=brief.id,
            status=status,
            status_details=details,
            output=list(self._output),
            conversation_id=brief.conversation_id,
            output_modalities=[brief.wish.modality],
            max_output_tokens=brief.wish.max_output_tokens,
            audio=ResponseAudio(output=ResponseAudioOutput(format=brief.wish.format, voice=brief.wish.voice)),
            usage=usage,
            metadata=brief.metadata,
        )


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return False
    return True
