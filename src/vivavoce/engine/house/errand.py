"""Decides which functions the user's words ask for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import UNSET

from vivavoce.engine.house.argument import Arguments
from vivavoce.engine.house.name import stem, words_of_name
from vivavoce.engine.house.turn import Turn, words_of
from vivavoce.engine.house.value import listing, mapping
from vivavoce.engine.interface import Prompt
from vivavoce.wire.config import FunctionTool

_EMPTY: Final = frozenset(
    [
        *["a", "about", "all", "an", "and", "any", "are", "as", "at", "be", "by", "can", "current", "currently", "do"],
        *["does", "for", "from", "have", "has", "how", "if", "in", "into", "is", "it", "its", "me", "my", "new", "now"],
        *["of", "off", "on", "one", "or", "our", "out", "please", "some", "that", "the", "their", "there", "these"],
        *["they", "this", "to", "up", "us", "was", "we", "what", "when", "where", "which", "who", "will", "with"],
        *["you", "your", "i", "get", "fetch", "give", "given", "make", "provide", "retrieve", "return", "returns"],
        *["run", "set", "show", "tell", "use", "used", "using", "user", "users", "call", "function", "tool", "api"],
        *["query", "value", "values", "name", "number", "string"],
    ]
)
"""Words that say nothing about what a function is for."""
_PARTLY: Final = 2
"""Words of a description or of parameters that make up for a name that was not said in full."""


@dataclass(frozen=True)
class Errand:
    """A function call: name and JSON text of its arguments."""

    name: str
    arguments: str


def errands(prompt: Prompt, turn: Turn) -> list[Errand]:
    """The calls that `tool_choice` demands or the user's words ask for, best first; often none."""
    match prompt.tool_choice.partition(":"):
        case ("none", _, _):
            chosen: list[FunctionTool] = []
        case ("function", _, name):
            chosen = [tool for tool in prompt.tools if tool.name == name]
        case ("required", _, _):
            chosen = _asked_for(prompt.tools, turn) or _nearest(prompt.tools, turn)
        case _:
            chosen = _asked_for(prompt.tools, turn)
    if not prompt.parallel_tool_calls:
        chosen = chosen[:1]
    return [Errand(tool.name, _arguments(tool, turn)) for tool in chosen]


def _asked_for(tools: Sequence[FunctionTool], turn: Turn) -> list[FunctionTool]:
    """Every tool whose name was said in full, or else the one that was said best in other words."""
    said = _stems(turn.words)
    full = [tool for tool in tools if (name := _name_stems(tool)) and name <= said]
    if full:
        return sorted(full, key=lambda tool: len(_name_stems(tool)), reverse=True)
    scored = [(score, tool) for tool in tools if (score := _score(tool, said)) > 0]
    return [max(scored, key=lambda pair: pair[0])[1]] if scored else []


def _nearest(tools: Sequence[FunctionTool], turn: Turn) -> list[FunctionTool]:
    """When one must be called and none was asked for: the one that shares most words, or the first."""
    said = _stems(turn.words)
    return [max(tools, key=lambda tool: len((_name_stems(tool) | _other_stems(tool)) & said))] if tools else []


def _score(tool: FunctionTool, said: frozenset[str]) -> int:
    """How well a tool was asked for in words that are not its whole name; 0 is not."""
    name, other = _name_stems(tool) & said, (_other_stems(tool) - _name_stems(tool)) & said
    if name and other:
        return 2 * len(name) + len(other)
    return len(other) if len(other) >= _PARTLY else 0


def _name_stems(tool: FunctionTool) -> frozenset[str]:
    words = words_of_name(tool.name).split()
    return _stems(word for word in words if word not in _EMPTY) or _stems(words)


def _other_stems(tool: FunctionTool) -> frozenset[str]:
    """Words of the description, of parameters' names and of their choices."""
    words: list[str] = [] if tool.description is UNSET else list(words_of(tool.description))
    parameters: dict[str, object] = {} if tool.parameters is UNSET else tool.parameters
    for name, schema in mapping(parameters.get("properties")).items():
        words += words_of_name(name).split()
        for choice in listing(mapping(schema).get("enum")):
            words += words_of(str(choice))
    return _stems(word for word in words if word not in _EMPTY)


def _stems(words: Iterable[str]) -> frozenset[str]:
    return frozenset(map(stem, words))


def _arguments(tool: FunctionTool, turn: Turn) -> str:
    schema: dict[str, object] = {} if tool.parameters is UNSET else tool.parameters
    own = {*words_of_name(tool.name).split(), *(() if tool.description is UNSET else words_of(tool.description))}
    filled = Arguments(turn.text, turn.now, frozenset(own)).fill(schema)
    return msgspec.json.encode(filled).decode()
