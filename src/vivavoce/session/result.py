"""What engine work reports back to a `Host`, in the session's own words.

A transcription ends with `Final`, judging with `Judged`, thinking with `Thought`, speaking with `Ended`, a charge with
`Charged`; each may end with `Failed` instead. An MCP server's answer is `Listed`, `Returned` or `ToolFailed`. Nothing
comes after that.
"""

from dataclasses import dataclass
from typing import Literal

from vivavoce.audio.frame import Pcm
from vivavoce.wire.config import LogProb, RateLimit
from vivavoce.wire.item import McpError, McpListedTool


@dataclass(frozen=True, slots=True)
class Partial:
    """More of a transcript, and how sure the engine is of its tokens, where it tells."""

    delta: str
    logprobs: tuple[LogProb, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """The whole transcript of the first `samples` of the utterance as it looks now; its last words may change."""

    text: str
    samples: int


@dataclass(frozen=True, slots=True)
class Final:
    """The whole transcript, and where the engine tells them the languages heard (ISO 639-1) and how sure it is."""

    text: str
    languages: tuple[str, ...] = ()
    logprobs: tuple[LogProb, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """How likely it is that the speaker has finished, 0 to 1."""

    probability: float


@dataclass(frozen=True, slots=True)
class Words:
    """More of an answer."""

    delta: str


@dataclass(frozen=True, slots=True)
class CallBegun:
    """The answer calls a function; `index` tells the calls of one answer apart."""

    index: int
    name: str


@dataclass(frozen=True, slots=True)
class CallArguments:
    """More of that call's JSON arguments."""

    index: int
    delta: str


Cut = Literal["max_output_tokens", "content_filter"]
"""What ends an answer before it is whole."""


@dataclass(frozen=True, slots=True)
class Thought:
    """The answer is whole; tokens where the engine counted them."""

    cut: Cut | None = None
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """More sound of an utterance. Marks are (characters said, after so many samples of this utterance)."""

    samples: Pcm
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """The utterance is whole."""


@dataclass(frozen=True, slots=True)
class Charged:
    """A charge was counted: what is left of each limit, below zero when there was less than was charged."""

    limits: tuple[RateLimit, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """The engine raised, hung, died or refused. All of it is for the client's eyes."""

    message: str
    code: str | None = None
    type: str = "server_error"


@dataclass(frozen=True, slots=True)
class Listed:
    """All tools of an MCP server."""

    tools: tuple[McpListedTool, ...]


@dataclass(frozen=True, slots=True)
class Returned:
    """What a tool of an MCP server said."""

    output: str


@dataclass(frozen=True, slots=True)
class ToolFailed:
    """An MCP server could not be asked, refused, or its tool failed."""

    error: McpError


Result = (
    Partial
    | Draft
    | Final
    | Judged
    | Words
    | CallBegun
    | CallArguments
    | Thought
    | Spoken
    | Ended
    | Charged
    | Failed
    | Listed
    | Returned
    | ToolFailed
)
