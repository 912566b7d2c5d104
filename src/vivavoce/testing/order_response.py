"""One response by what a server's events say, and whether those events may come."""

from dataclasses import dataclass, field
from typing import Final

from msgspec import UnsetType

from vivavoce.testing.need import need
from vivavoce.testing.order_conversation import STATELESS, Ledger
from vivavoce.wire.config import ContentPart, Response, Usage
from vivavoce.wire.event import (
    ResponseContentPartAdded,
    ResponseContentPartDone,
    ResponseFunctionCallArgumentsDelta,
    ResponseFunctionCallArgumentsDone,
    ResponseMcpCallArgumentsDelta,
    ResponseMcpCallArgumentsDone,
    ResponseMcpCallCompleted,
    ResponseMcpCallFailed,
    ResponseMcpCallInProgress,
    ResponseOutputAudioDelta,
    ResponseOutputAudioDone,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputAudioTranscriptDone,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
    ResponseOutputTextDelta,
    ResponseOutputTextDone,
)
from vivavoce.wire.item import AssistantMessage, FunctionCall, Item, McpCall, OutputText

PartPiece = (
    ResponseOutputTextDelta
    | ResponseOutputTextDone
    | ResponseOutputAudioDelta
    | ResponseOutputAudioDone
    | ResponseOutputAudioTranscriptDelta
    | ResponseOutputAudioTranscriptDone
    | ResponseContentPartDone
)
CallPiece = ResponseFunctionCallArgumentsDelta | ResponseFunctionCallArgumentsDone
RemotePiece = ResponseMcpCallArgumentsDelta | ResponseMcpCallArgumentsDone
RemoteNews = ResponseMcpCallInProgress | ResponseMcpCallCompleted | ResponseMcpCallFailed
Piece = PartPiece | CallPiece | RemotePiece | ResponseContentPartAdded


TEXT_DONE: Final = "response.output_text.done"
AUDIO_DONE: Final = "response.output_audio.done"
TRANSCRIPT_DONE: Final = "response.output_audio_transcript.done"
CONTENT_PART_DONE: Final = "response.content_part.done"
IN_PROGRESS: Final = "response.mcp_call.in_progress"
COMPLETED: Final = "response.mcp_call.completed"


@dataclass(slots=True)
class Part:
    """A part of a message. `ended` are the types of the closing events that it has had."""

    type: str
    words: str = ""
    ended: set[str] = field(default_factory=set[str])


@dataclass(slots=True)
class Output:
    """An output item and its parts; `final` once it is done."""

    item: Item
    index: int
    parts: list[Part] = field(default_factory=list[Part])
    arguments: str = ""
    told: str | None = None
    """The whole arguments, once they have been sent."""
    news: list[str] = field(default_factory=list[str])
    """What was told of a call of an MCP tool after its arguments."""
    final: Item | None = None


class Making:
    """A response from its beginning to its end."""

    def __init__(self, response: Response) -> None:
        """It was created.

        Raises:
            AssertionError: not as something that has just begun.
        """
        need(response.status == "in_progress", "a new response is in progress")
        need(not response.output, "a new response has no output")
        need(response.usage is None, "a new response has cost nothing")
        self.items: dict[str, Output] = {}
        self.in_band = response.conversation_id is not None
        self.over = False
        self.played_out = False
        self._metadata = response.metadata

    @property
    def spoken(self) -> bool:
        """Whether any of it is sound."""
        return any(part.type == "audio" for output in self.items.values() for part in output.parts)

    def add(self, event: ResponseOutputItemAdded) -> None:
        """Another output item."""
        item = event.item
        if not isinstance(item.id, str):
            raise AssertionError("the item has no id")
        need(item.id not in self.items, "the item was added before")
        need(event.output_index == len(self.items), f"the next place is {len(self.items)}")
        need(item.status == "in_progress" or isinstance(item, STATELESS), "a new item is in progress")
        if isinstance(item, McpCall):
            need(not item.arguments and not item.output and not item.error, "a new call has no arguments and no end")
        if isinstance(item, AssistantMessage):
            need(not item.content, "a new message is empty")
        if isinstance(item, FunctionCall):
            need(item.name and isinstance(item.call_id, str), "a call has its name and call_id from the start")
            need(not item.arguments, "a new call has no arguments")
        self.items[item.id] = Output(item, event.output_index)

    def take(self, event: Piece) -> None:
        """Something of one of its items."""
        output = self._output(event.item_id, event.output_index)
        if isinstance(event, ResponseContentPartAdded):
            need(isinstance(output.item, AssistantMessage), "only messages have parts")
            need(event.content_index == len(output.parts), f"the next part is {len(output.parts)}")
            output.parts.append(Part(event.part.type, _words(event.part)))
        elif isinstance(event, CallPiece):
            self._take_call(output, event)
        elif isinstance(event, RemotePiece):
            need(isinstance(output.item, McpCall), "the item is no call of an MCP tool")
            self._take_arguments(output, event)
        else:
            need(0 <= event.content_index < len(output.parts), "the part was not added")
            self._take_part(output.parts[event.content_index], event)

    def hear(self, event: RemoteNews) -> None:
        """News of a call of an MCP tool."""
        output = self._output(event.item_id, event.output_index)
        need(isinstance(output.item, McpCall), "the item is no call of an MCP tool")
        need(output.told is not None, "its arguments are still open")
        need(len(output.news) < 2 and output.news[-1:] != [event.type], "its end was told before")
        if isinstance(event, ResponseMcpCallInProgress):
            need(not output.news, "its end was told before")
        elif isinstance(event, ResponseMcpCallCompleted):
            need(output.news == [IN_PROGRESS], "it was never in progress")
        output.news.append(event.type)

    def close(self, event: ResponseOutputItemDone) -> None:
        """An output item is done."""
        output = self._output(str(event.item.id), event.output_index)
        ended = event.item.status in ("completed", "incomplete") or isinstance(event.item, STATELESS)
        need(ended, "what is done is completed or incomplete")
        need(type(event.item) is type(output.item), "it was another kind of item")
        for part in output.parts:
            need(CONTENT_PART_DONE in part.ended, "a part of it is still open")
        if isinstance(event.item, FunctionCall | McpCall):
            need(output.told is not None, "its arguments are still open")
            need(event.item.arguments == output.told, "its arguments were told otherwise")
        if isinstance(event.item, McpCall):
            need(output.news and output.news[-1] != IN_PROGRESS, "its end was not told")
            went_well = output.news[-1] == COMPLETED
            need(went_well == isinstance(event.item.output, str), "its output was told otherwise")
            need(went_well != bool(event.item.error), "its failure was told otherwise")
        if isinstance(event.item, AssistantMessage):
            words = [part.text if isinstance(part, OutputText) else part.transcript for part in event.item.content]
            need(words == [part.words for part in output.parts], "its words were told otherwise")
        output.final = event.item

    def end(self, response: Response, ledger: Ledger) -> None:
        """The response is done."""
        need(response.status not in ("in_progress", UnsetType), "what is done is not in progress")
        unfinished = [id for id, output in self.items.items() if output.final is None]
        need(not unfinished, f"{unfinished} are still open")
        need(isinstance(response.output, list), "it has no list of its output")
        finals = [output.final for output in self.items.values()]
        need(response.output == finals, "its output is not what was told of its items")
        need((response.conversation_id is not None) == self.in_band, "it has changed sides")
        need(response.metadata == self._metadata, "its metadata have changed")
        details = response.status_details
        if details:
            need(details.type == response.status, "its status_details are of another status")
        if self.in_band:
            missing = [id for id in self.items if not ledger.has_known(id)]
            need(not missing, f"{missing} have not entered the conversation")
        if isinstance(response.usage, Usage):
            _check_sums(response.usage)
        self.over = True

    def _output(self, item_id: str, index: int) -> Output:
        need(item_id in self.items, f"the response has no item {item_id}")
        output = self.items[item_id]
        need(output.final is None, f"the item {item_id} is done")
        need(output.index == index, f"the item {item_id} stands at {output.index}")
        return output

    def _take_part(self, part: Part, event: PartPiece) -> None:
        need(CONTENT_PART_DONE not in part.ended, "the part is done")
        kind = "text" if isinstance(event, ResponseOutputTextDelta | ResponseOutputTextDone) else "audio"
        need(isinstance(event, ResponseContentPartDone) or part.type == kind, f"the part is {part.type}")
        match event:
            case ResponseOutputTextDelta():
                need(TEXT_DONE not in part.ended, "the text is done")
                part.words += event.delta
            case ResponseOutputAudioTranscriptDelta():
                need(TRANSCRIPT_DONE not in part.ended, "the transcript is done")
                part.words += event.delta
            case ResponseOutputAudioDelta():
                need(AUDIO_DONE not in part.ended, "the sound is done")
            case _:
                self._end_part(part, event)

    def _end_part(
        self,
        part: Part,
        event: ResponseOutputTextDone
        | ResponseOutputAudioTranscriptDone
        | ResponseOutputAudioDone
        | ResponseContentPartDone,
    ) -> None:
        need(event.type not in part.ended, "it came before")
        match event:
            case ResponseOutputTextDone(text=words) | ResponseOutputAudioTranscriptDone(transcript=words):
                need(words == part.words, f"the deltas said {part.words!r}")
            case ResponseContentPartDone():
                owed = ({AUDIO_DONE, TRANSCRIPT_DONE} if part.type == "audio" else {TEXT_DONE}) - part.ended
                need(not owed, f"{sorted(owed)} are owed first")
                need(_words(event.part) == part.words, f"the deltas said {part.words!r}")
            case ResponseOutputAudioDone():
                pass
        part.ended.add(event.type)

    def _take_call(self, output: Output, event: CallPiece) -> None:
        if not isinstance(output.item, FunctionCall):
            raise AssertionError("the item is no call")
        need(event.call_id == output.item.call_id, "the call has another call_id")
        self._take_arguments(output, event)

    def _take_arguments(self, output: Output, event: CallPiece | RemotePiece) -> None:
        need(output.told is None, "the arguments are done")
        if isinstance(event, ResponseFunctionCallArgumentsDelta | ResponseMcpCallArgumentsDelta):
            output.arguments += event.delta
            return
        same = event.arguments == output.arguments or not output.arguments
        need(same, f"the deltas said {output.arguments!r}")
        output.told = event.arguments


def _words(part: ContentPart) -> str:
    words = part.text if part.type == "text" else part.transcript
    return "" if isinstance(words, UnsetType) else words


def _check_sums(usage: Usage) -> None:
    read, made = usage.input_token_details, usage.output_token_details
    sums = [(usage.total_tokens, [usage.input_tokens, usage.output_tokens])]
    if not isinstance(read, UnsetType):
        sums.append((usage.input_tokens, [read.text_tokens, read.audio_tokens, read.image_tokens]))
        cached = 0 if isinstance(read.cached_tokens, UnsetType) else read.cached_tokens
        need(isinstance(usage.input_tokens, UnsetType) or cached <= usage.input_tokens, "more was cached than read")
    if not isinstance(made, UnsetType):
        sums.append((usage.output_tokens, [made.text_tokens, made.audio_tokens]))
    for total, terms in sums:
        counts = [count for count in terms if not isinstance(count, UnsetType)]
        need(all(count >= 0 for count in counts), "a count of tokens is negative")
        need(isinstance(total, UnsetType) or total == sum(counts), f"{total} tokens are not the sum of {counts}")
