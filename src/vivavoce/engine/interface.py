"""What engines promise to the driver of a call.

Each engine is an async context manager: entering loads it, leaving frees it. One engine serves all calls
of the process; a call gets a stream or an async iterator. Cancelling the iteration (closing the generator)
cancels the work. Engines raise `EngineError` and nothing else. All sound is int16 mono at `audio.RATE_HZ`.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol, Self

from vivavoce.audio.frame import Pcm
from vivavoce.errors import EngineError
from vivavoce.wire.config import Effort, FunctionTool, LogProb, Transcription
from vivavoce.wire.item import Item, McpError, McpListedTool

# ── who hears that somebody speaks ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class DetectorTraits:
    """`window` samples make one probability."""

    name: str
    window: int


Report = Callable[[float, int], None]
"""Called on the event loop with (probability 0–1, samples pushed up to the end of its window)."""


class Ear(Protocol):
    """One call's stream into a detector."""

    def push(self, samples: Pcm) -> None:
        """Give it more sound; any length. Never blocks."""
        ...

    def close(self) -> None:
        """No more reports after this. Idempotent."""
        ...


class Detector(Protocol):
    """Says how likely it is that somebody is speaking."""

    @property
    def traits(self) -> DetectorTraits:
        """What it can do."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def open(self, report: Report) -> Ear:
        """A new stream; `report` gets one probability per window."""
        ...


# ── who writes down what was said ───────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class TranscriberTraits:
    """`partials`: text comes while sound is still arriving. `languages`: empty means any."""

    name: str
    partials: bool
    languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Partial:
    """More text that will not change any more; append it to what came before."""

    delta: str
    logprobs: tuple[LogProb, ...] = ()
    """How sure the model was of each token of it; empty where the engine cannot tell."""


@dataclass(frozen=True)
class Draft:
    """The whole transcript of the first `samples` of the utterance as it looks now; its last words may still change.

    Nobody reads it out: it tells how finished the speaker seems. An engine that makes none is judged by its partials.
    """

    text: str
    samples: int


@dataclass(frozen=True)
class Final:
    """The whole transcript, last. Equals the partials joined, apart from surrounding blanks.

    `languages` are ISO 639-1 codes of what was heard; empty where the engine cannot tell.
    """

    text: str
    languages: tuple[str, ...] = ()
    logprobs: tuple[LogProb, ...] = ()


Transcribing = Partial | Draft | Final


class Transcriber(Protocol):
    """Turns sound into text."""

    @property
    def traits(self) -> TranscriberTraits:
        """What it can do."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def transcribe(self, sound: AsyncIterator[Pcm], wish: Transcription | None) -> AsyncIterator[Transcribing]:
        """Text for one utterance. The end of `sound` asks for the final. Silence yields `Final("")`.

        Raises:
            EngineError: the recogniser failed, or its queue is full.
        """
        ...


# ── who hears that somebody has finished ────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class TurnModelTraits:
    """`window`: it judges no more than so many of the last samples."""

    name: str
    window: int


class TurnModel(Protocol):
    """Tells from the sound of a voice whether its owner has finished speaking or is going on. Optional."""

    @property
    def traits(self) -> TurnModelTraits:
        """What it can do."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    async def judge(self, sound: Pcm) -> float:
        """The probability, 0 to 1, that this is the end of a turn. `sound` ends in a short silence.

        Raises:
            EngineError: the model failed, or its queue is full.
        """
        ...


# ── who thinks ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class ThinkerTraits:
    """`models`: names that it answers to. `sees`: takes images. `context_tokens`: 0 means unknown."""

    name: str
    models: tuple[str, ...] = ()
    sees: bool = False
    context_tokens: int = 0


@dataclass(frozen=True)
class Prompt:
    """All that a thinker is given: the conversation as heard, oldest first."""

    model: str
    instructions: str
    items: tuple[Item, ...]
    tools: tuple[FunctionTool, ...] = ()
    tool_choice: str = "auto"
    """`none`, `auto`, `required`, or `function:NAME`."""
    parallel_tool_calls: bool = True
    max_output_tokens: int | None = None
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    effort: Effort | None = None
    """How hard a model that reasons shall think; None leaves it to the engine."""


@dataclass(frozen=True)
class Words:
    """More of the answer's text."""

    delta: str


@dataclass(frozen=True)
class ToolCall:
    """A function call begins. `index` counts the calls of this answer from 0."""

    index: int
    name: str


@dataclass(frozen=True)
class ToolArguments:
    """More of a call's JSON arguments."""

    index: int
    delta: str


Cut = Literal["max_output_tokens", "content_filter"]
"""What ends an answer early, in the protocol's words: its limit, or a filter of the provider's."""


@dataclass(frozen=True)
class Thought:
    """The end of an answer: why it ended and what it cost, where the engine knows (else None)."""

    cut: Cut | None = None
    """What ended it before it was whole."""
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None


Thinking = Words | ToolCall | ToolArguments | Thought


class Thinker(Protocol):
    """Answers a conversation."""

    @property
    def traits(self) -> ThinkerTraits:
        """What it can do."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def think(self, prompt: Prompt) -> AsyncIterator[Thinking]:
        """The answer as it comes; exactly one `Thought`, last.

        Raises:
            EngineError: the model failed or refused.
        """
        ...


# ── who speaks ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class SpeakerTraits:
    """`voices`: names and ids of its own; it maps OpenAI's names to one of them. `marks`: words are timed."""

    name: str
    voices: tuple[str, ...]
    marks: bool


@dataclass(frozen=True)
class Mark:
    """Text up to character `text_end` has been said when `at_sample` samples of this utterance have been heard."""

    text_end: int
    at_sample: int


@dataclass(frozen=True)
class Speech:
    """A stretch of speech and the words that end in it (marks count from the start of the utterance)."""

    samples: Pcm
    marks: tuple[Mark, ...] = ()


class Speaker(Protocol):
    """Turns text into sound."""

    @property
    def traits(self) -> SpeakerTraits:
        """What it can do."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def speak(self, text: str, voice: str, speed: float) -> AsyncIterator[Speech]:
        """Sound for one sentence or clause, first piece as early as possible.

        Raises:
            EngineError: the synthesiser failed.
        """
        ...


# ── who carries out tools ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class ToolAddress:
    """Where an MCP server is, and what every request to it carries. Neither prints: both may hold keys."""

    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


class ToolError(EngineError):
    """A tool server refused or broke its protocol, or its tool failed. `error` is what the wire says of it."""

    def __init__(self, error: McpError) -> None:
        super().__init__(error.message)
        self.error = error


class ToolConnectionError(ToolError):
    """A tool server cannot be reached, or not any more: whoever asks again connects anew."""


class ToolConnection(Protocol):
    """One call's connection to one tool server. Requests may run side by side; cancelling one cancels its work."""

    async def tools(self) -> tuple[McpListedTool, ...]:
        """All its tools.

        Raises:
            ToolError: it does not tell them.
        """
        ...

    async def call(self, name: str, arguments: str) -> str:
        """What a tool says to the JSON text of an object.

        Raises:
            ToolError: the tool or the server failed.
        """
        ...


class ToolServers(Protocol):
    """Reaches MCP servers."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def connect(self, address: ToolAddress) -> AbstractAsyncContextManager[ToolConnection]:
        """A connection, closed when its context is left.

        Raises:
            ToolError: on entering: the server cannot be reached or is none.
        """
        ...
