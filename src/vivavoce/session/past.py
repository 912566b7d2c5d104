"""What one session of a conversation leaves to the next, which knows nothing of it: what was said, and what was asked.

A conversation is told again as it was heard, under the same ids. A client may add no sound of the past: what the user
said becomes text, and so does what the assistant said, as far as it reached the listener.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from msgspec import UNSET
from msgspec.structs import replace

from vivavoce.session.answers import Sound
from vivavoce.session.round import Rounds
from vivavoce.session.timing import Timing
from vivavoce.session.tokens import Tokens
from vivavoce.session.transcript import Transcript
from vivavoce.wire.config import Session
from vivavoce.wire.event import ConversationItemCreate, SessionUpdate
from vivavoce.wire.item import (
    AssistantMessage,
    FunctionCall,
    FunctionCallOutput,
    InputAudio,
    InputText,
    Item,
    McpListTools,
    OutputText,
    SystemMessage,
    UserContent,
    UserMessage,
)


@dataclass(frozen=True)
class Retold:
    """A conversation in a form that a server takes; `complete` unless something of it cannot be said in that form."""

    items: tuple[Item, ...]
    complete: bool


@dataclass
class Past:
    """The records of a session, which the next one goes on writing; of the first session they are empty.

    Attributes:
        changes: what was changed of the config, as far as the server has confirmed it.
        unseen: commands of which nothing shows that the server has read them, in order.
        asked: whether an answer was due that had not begun.
        cut: whether the end of the connection cut something off.
    """

    transcript: Transcript
    rounds: Rounds
    timing: Timing = field(default_factory=Timing)
    tokens: Tokens = Tokens()
    changes: Session | None = None
    unseen: Sequence[ConversationItemCreate | SessionUpdate] = ()
    asked: bool = False
    cut: bool = False

    def goes_on(self, sound: Sound) -> None:
        """Another session goes on from here, whose sound may travel in another way."""
        self.transcript.goes_on(sound)

    def retold(self, now: float) -> Retold:
        """The conversation so far, to be told to a server that does not know it."""
        told = retold(self.transcript.history(now))
        return Retold(told.items, told.complete and not self.cut)

    def unanswered(self, items: Sequence[Item]) -> bool:
        """Whether an answer must be asked for again, once these items and what was unseen are told."""
        if not self.asked or self.rounds.waiting:
            return False
        last = items[-1] if items else None
        return isinstance(last, UserMessage | FunctionCallOutput | SystemMessage) or any(
            isinstance(event, ConversationItemCreate) for event in self.unseen
        )


def retold(history: Iterable[Item]) -> Retold:
    """A history in the form in which a client may tell it."""
    items: list[Item] = []
    complete = True
    for item in history:
        told = _told(item)
        complete = complete and _whole(item)
        if told is not None:
            items.append(replace(told, status=UNSET, object=UNSET))
    return Retold(tuple(items), complete)


def _told(item: Item) -> Item | None:
    match item:
        case UserMessage():
            content = [told for part in item.content if (told := _said(part)) is not None]
            return replace(item, content=content) if content else None
        case AssistantMessage():
            words = [part.text if isinstance(part, OutputText) else part.transcript for part in item.content]
            heard = [OutputText(text=text) for text in words if isinstance(text, str) and text]
            return replace(item, content=[*heard]) if heard else None
        case FunctionCall():
            return None if _broken(item) else item
        case SystemMessage() | FunctionCallOutput():
            return item
        case _:
            return None  # what concerns tools of MCP servers is the server's own to write


def _said(part: UserContent) -> UserContent | None:
    if isinstance(part, InputAudio):
        return InputText(text=part.transcript) if isinstance(part.transcript, str) and part.transcript else None
    return part


def _whole(item: Item) -> bool:
    """Whether nothing of an item is lost when it is told again. Speech in which nobody found a word holds none."""
    match item:
        case UserMessage():
            return all(not isinstance(part, InputAudio) or isinstance(part.transcript, str) for part in item.content)
        case AssistantMessage():
            return item.status != "in_progress"
        case FunctionCall():
            return not _broken(item)
        case SystemMessage() | FunctionCallOutput() | McpListTools():
            return True
        case _:
            return False


def _broken(call: FunctionCall) -> bool:
    return call.status in ("in_progress", "incomplete") or not isinstance(call.call_id, str)
