"""What the house thinker sees of a conversation: what was just said, what was said before, and what is asked of it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from msgspec import UNSET, UnsetType

from vivavoce.engine.interface import Prompt
from vivavoce.wire.item import (
    AssistantMessage,
    FunctionCall,
    FunctionCallOutput,
    InputAudio,
    InputImage,
    InputText,
    Item,
    OutputText,
    SystemMessage,
    UserMessage,
)

_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W\d_]+)?")
_NOISE: Final = re.compile(r"<[^<>]*>|\[[^\[\]]*\]|\+\+[^+]*\+\+")
"""What recognisers write for sounds that are no words: `<sil>`, `[NOISE]`, `++BREATH++`."""
_MOST_SAID: Final = 1000
_MOST_ORDERS: Final = 4000
"""Characters of one text, and of the instructions, that rules look at: about a minute of speech. Rules are patterns,
and patterns over a text without end would stop every other call of the process."""
_SHORT: Final[dict[str, str]] = {
    "what's": "what is",
    "whats": "what is",
    "who's": "who is",
    "how's": "how is",
    "where's": "where is",
    "when's": "when is",
    "it's": "it is",
    "that's": "that is",
    "i'm": "i am",
    "you're": "you are",
    "let's": "let us",
    "don't": "do not",
    "can't": "cannot",
    "i'd": "i would",
    "i'll": "i will",
}


class Cue(Enum):
    """Why an answer is asked for."""

    WORDS = "words"
    """The user said or wrote something."""
    PICTURE = "picture"
    """The user showed something and said nothing."""
    SILENCE = "silence"
    """The user's turn has no words in it."""
    OUTPUT = "output"
    """A function has returned."""
    CALL = "call"
    """A function was called and has not returned."""
    NOTHING = "nothing"
    """Nobody said anything new; the application just wants an answer."""


@dataclass(frozen=True)
class Outcome:
    """What a function returned. `name` is empty when its call is not known."""

    name: str
    output: str


@dataclass(frozen=True)
class Turn:
    """One moment of a conversation.

    `words` are those of `text` in lower case, with short forms written out. `asked` and `answered` hold the earlier
    texts of both sides, oldest first; `outcomes` what functions returned since anybody spoke.
    """

    cue: Cue
    text: str
    words: tuple[str, ...]
    asked: tuple[str, ...]
    answered: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    waiting_for: str
    instructions: str
    name: str
    now: datetime

    @property
    def plain(self) -> str:
        """The words with single blanks between."""
        return " ".join(self.words)

    @classmethod
    def of(cls, prompt: Prompt, name: str, now: datetime) -> "Turn":
        """The turn at the end of a prompt, for a thinker of that name."""
        items = [item for item in prompt.items if not isinstance(item, SystemMessage)]
        cue = _cue(items)
        asked = [_start(_said(item)) for item in items if isinstance(item, UserMessage)]
        text = asked.pop() if asked and cue is Cue.WORDS else ""
        orders = [prompt.instructions, *(_said(item) for item in prompt.items if isinstance(item, SystemMessage))]
        return cls(
            cue=cue,
            text=text,
            words=words_of(text),
            asked=tuple(filter(None, asked)),
            answered=tuple(filter(None, (_start(_said(item)) for item in items if isinstance(item, AssistantMessage)))),
            outcomes=_outcomes(items),
            waiting_for=items[-1].name if items and isinstance(items[-1], FunctionCall) else "",
            instructions="\n".join(filter(None, orders))[:_MOST_ORDERS],
            name=name,
            now=now,
        )


def words_of(text: str) -> tuple[str, ...]:
    """Words in lower case without punctuation, short forms written out."""
    lowered = text.lower().replace("’", "'")
    found = (match[0] for match in _WORD.finditer(lowered))
    return tuple(part for word in found for part in _SHORT.get(word, word).split())


def texts_of(prompt: Prompt) -> Iterable[str]:
    """Every text that a prompt makes a thinker read."""
    yield prompt.instructions
    for item in prompt.items:
        match item:
            case FunctionCall(name=name, arguments=arguments):
                yield f"{name} {arguments}"
            case FunctionCallOutput(output=output):
                yield output
            case _:
                yield _said(item)
    for tool in prompt.tools:
        yield f"{tool.name} {'' if tool.description is UNSET else tool.description}"


def _said(item: Item) -> str:
    match item:
        case SystemMessage(content=parts):
            texts = [part.text for part in parts]
        case UserMessage(content=parts):
            texts = [_heard(part) for part in parts]
        case AssistantMessage(content=parts):
            texts = [part.text if isinstance(part, OutputText) else _known(part.transcript) for part in parts]
        case _:
            texts = []
    return " ".join(" ".join(texts).split())


def _start(text: str) -> str:
    return text if len(text) <= _MOST_SAID else text[:_MOST_SAID].rsplit(" ", 1)[0]


def _heard(part: InputText | InputAudio | InputImage) -> str:
    match part:
        case InputText(text=text):
            return text
        case InputAudio(transcript=transcript):
            return _NOISE.sub(" ", _known(transcript))
        case InputImage():
            return ""


def _known(transcript: str | UnsetType | None) -> str:
    return transcript if isinstance(transcript, str) else ""


def _cue(items: Sequence[Item]) -> Cue:
    match list(items[-1:]):
        case [UserMessage(content=parts) as message]:
            if re.search(r"[^\s.?!,…-]", _start(_said(message))):
                return Cue.WORDS
            return Cue.PICTURE if any(isinstance(part, InputImage) for part in parts) else Cue.SILENCE
        case [FunctionCallOutput()]:
            return Cue.OUTPUT
        case [FunctionCall()]:
            return Cue.CALL
        case _:
            return Cue.NOTHING


def _outcomes(items: Sequence[Item]) -> tuple[Outcome, ...]:
    names = {item.call_id: item.name for item in items if isinstance(item, FunctionCall)}
    outcomes: list[Outcome] = []
    for item in reversed(items):
        match item:
            case FunctionCallOutput(call_id=call_id, output=output):
                outcomes.append(Outcome(names.get(call_id, ""), output))
            case FunctionCall():
                pass
            case _:
                break
    return tuple(reversed(outcomes))
