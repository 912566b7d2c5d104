"""The closed list of what a `Host` may ask of its driver.

Effects are carried out in order. Work that an engine does is a `Begin`; its results come back as inputs that
name the same job, so cancelling is forgetting a job. `Flush` is answered at once, before any other input,
with `Host.flushed`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from vivavoce.audio.frame import Pcm
from vivavoce.wire.config import Effort, FunctionTool, Transcription
from vivavoce.wire.event import ServerEvent
from vivavoce.wire.item import Item

Ids = Callable[[str], str]
"""Makes an identifier from a prefix: `ids("item")` gives `item_…`."""

Job = int
"""Names one piece of engine work inside a call."""


@dataclass(frozen=True, slots=True)
class Send:
    """One event for the client, and for everybody else who listens in."""

    event: ServerEvent


@dataclass(frozen=True, slots=True)
class Play:
    """Samples for the listener, after those before them. Only where sound travels beside text."""

    samples: Pcm


@dataclass(frozen=True, slots=True)
class Flush:
    """Stop playing now; tell `Host.flushed` how many samples have left in all."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Samples for the detector."""

    samples: Pcm


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Write down one utterance; its sound follows as `Feed`, its end as `Finish`."""

    wish: Transcription | None


@dataclass(frozen=True, slots=True)
class Judge:
    """Say how likely it is that whoever sounds like this has finished speaking."""

    samples: Pcm


@dataclass(frozen=True, slots=True)
class Think:
    """Answer this conversation."""

    model: str
    instructions: str
    items: tuple[Item, ...]
    tools: tuple[FunctionTool, ...]
    tool_choice: str
    parallel_tool_calls: bool
    max_output_tokens: int | None
    metadata: dict[str, str]
    effort: Effort | None = None
    sees: bool = True
    """Whether whoever answers can see the pictures in it."""


@dataclass(frozen=True, slots=True)
class Speak:
    """Say this text."""

    text: str
    voice: str
    speed: float


@dataclass(frozen=True, slots=True)
class Charge:
    """Count so much against what the caller may use in a minute."""

    responses: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Address:
    """Where an MCP server is, and what every request to it carries. Neither prints: both may hold keys."""

    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class ListTools:
    """Ask an MCP server for its tools."""

    address: Address


@dataclass(frozen=True, slots=True)
class CallTool:
    """Call a tool of an MCP server. `arguments` is the JSON text of an object."""

    address: Address
    name: str
    arguments: str


Work = Transcribe | Judge | Think | Speak | Charge | ListTools | CallTool


@dataclass(frozen=True, slots=True)
class Begin:
    """Start work whose results come back under its number."""

    job: Job
    work: Work


@dataclass(frozen=True, slots=True)
class Feed:
    """More sound for a transcription."""

    job: Job
    samples: Pcm


@dataclass(frozen=True, slots=True)
class Finish:
    """No more sound for a transcription."""

    job: Job


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop engine work; its results are not wanted any more."""

    job: Job


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the connection, with WebSocket's code and reason where there is a WebSocket."""

    code: int
    reason: str


Effect = Send | Play | Flush | Listen | Begin | Feed | Finish | Cancel | Hangup
