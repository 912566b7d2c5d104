"""Turns the events of one streamed completion into steps of thinking.

Knows the shapes of `chat.completion.chunk` as the servers send them (and the whole `chat.completion` of one that does
not stream), and nothing of HTTP.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

import msgspec
from msgspec import Struct

from vivavoce.engine.chat.aloud import Aloud
from vivavoce.engine.chat.options import Opening
from vivavoce.engine.chat.refusal import failed
from vivavoce.engine.interface import Cut, Thinking, Thought, ToolArguments, ToolCall, Words
from vivavoce.errors import EngineError

_CUTS: Final[Mapping[str, Cut]] = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""`finish_reason` of an answer that is not whole."""


class _Part(Struct):
    type: str = "text"
    text: str | None = None


class _Function(Struct):
    name: str | None = None
    arguments: str | dict[str, object] | None = None


class _Call(Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(Struct):
    """Fields called `reasoning` or `reasoning_content` are not here on purpose: they are not to be said."""

    content: str | list[_Part] | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(Struct):
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None


class _Details(Struct):
    cached_tokens: int | None = None


class _Usage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None


class _Chunk(Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: object = None


class Stage(Enum):
    """How far an answer has come."""

    WAITING = "waiting"
    ANSWERING = "answering"
    FINISHED = "finished"
    """The model has said why it ended; only the count of tokens may follow."""
    DONE = "done"


class Reply:
    """Reads one answer. Feed it every event, then `end`.

    Args:
        opening: whether the answer begins inside a thought.
        most_calls: function calls to let through; None for any number.
    """

    def __init__(self, opening: Opening = Opening.SPEECH, most_calls: int | None = None) -> None:
        self.stage = Stage.WAITING
        self._aloud = Aloud(depth=1 if opening is Opening.THOUGHT else 0)
        self._calls = _Calls(most_calls)
        self._reason = ""
        self._usage = _Usage()

    def read(self, event: str) -> list[Thinking]:
        """The steps in one event's data.

        Raises:
            EngineError: the server reports a failure or speaks something else.
        """
        if event.strip() == "[DONE]":
            self.stage = Stage.DONE
            return []
        try:
            chunk = msgspec.json.decode(event, type=_Chunk, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise EngineError(f"the chat server sent something that is no completion: {error}") from error
        if chunk.error is not None:
            raise failed(chunk.error)
        if chunk.usage is not None:
            self._usage = chunk.usage
        if self.stage is Stage.WAITING:
            self.stage = Stage.ANSWERING
        return self._read_choice(chunk.choices[0]) if chunk.choices else []

    def end(self) -> list[Thinking]:
        """The last steps, when the stream has ended.

        Raises:
            EngineError: it ended in the middle of the answer, or the server says that it failed.
        """
        if self.stage in {Stage.WAITING, Stage.ANSWERING}:
            raise EngineError("the chat server closed the connection in the middle of an answer")
        if self._reason == "error":
            raise EngineError("the chat server says that the answer failed")
        details = self._usage.prompt_tokens_details
        thought = Thought(
            cut=_CUTS.get(self._reason),
            input_tokens=self._usage.prompt_tokens,
            cached_tokens=details.cached_tokens if details else None,
            output_tokens=self._usage.completion_tokens,
        )
        return [*_words(self._aloud.flush()), *self._calls.end(), thought]

    def _read_choice(self, choice: _Choice) -> list[Thinking]:
        steps: list[Thinking] = []
        if delta := choice.delta or choice.message:
            steps += _words(self._aloud.push(_text(delta.content) + (delta.refusal or "")))
            for call in delta.tool_calls or []:
                steps += self._calls.read(call)
        if choice.finish_reason:
            self._reason = choice.finish_reason
            if self.stage is not Stage.DONE:
                self.stage = Stage.FINISHED
            steps += _words(self._aloud.flush())
        return steps


def _words(text: str) -> list[Thinking]:
    return [Words(text)] if text else []


def _text(content: str | list[_Part] | None) -> str:
    if isinstance(content, list):
        return "".join(part.text or "" for part in content if part.type == "text")
    return content or ""


class _Open:
    """One function call in the making."""

    def __init__(self) -> None:
        self.id: str | None = None
        self.name = ""
        self.place: int | None = None
        """Its number among the calls of the answer, once it has a name."""
        self.early = ""
        """Arguments that came before the name."""
        self.sent = False


class _Calls:
    """Sorts the pieces of function calls.

    `index` tells them apart, except on servers that leave it out or always send 0 (Ollama:
    https://github.com/ollama/ollama/issues/15457), where another id or another name begins another call.
    """

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._calls: list[_Open] = []
        self._by_index: dict[int | None, _Open] = {}
        self._named = 0

    def read(self, piece: _Call) -> list[Thinking]:
        function = piece.function or _Function()
        call = self._by_index.get(piece.index)
        if call is None or _is_another(call, piece, function):
            call = self._by_index[piece.index] = _Open()
            self._calls.append(call)
        call.id = piece.id or call.id
        steps: list[Thinking] = []
        if function.name and call.place is None:
            call.name, call.place = function.name, self._named
            self._named += 1
            if self._wanted(call.place):
                steps.append(ToolCall(call.place, call.name))
        return steps + self._arguments(call, function.arguments)

    def end(self) -> list[Thinking]:
        """Empty arguments are no JSON; a function without any gets `{}`."""
        bare = [call.place for call in self._calls if call.place is not None and not call.sent]
        return [ToolArguments(place, "{}") for place in bare if self._wanted(place)]

    def _arguments(self, call: _Open, piece: str | dict[str, object] | None) -> list[Thinking]:
        call.early += msgspec.json.encode(piece).decode() if isinstance(piece, dict) else piece or ""
        if call.place is None or not call.early:
            return []
        text, call.early, call.sent = call.early, "", True
        return [ToolArguments(call.place, text)] if self._wanted(call.place) else []

    def _wanted(self, place: int) -> bool:
        return self._most is None or place < self._most


def _is_another(call: _Open, piece: _Call, function: _Function) -> bool:
    if piece.id and call.id:
        return piece.id != call.id
    if not function.name or call.place is None:
        return False
    return piece.index is None or function.name != call.name
