"""Which tools a response may call, and what a thinker is told of them.

A thinker knows functions only. A tool of an MCP server is shown to it as a function too; the catalogue remembers
which it was. Calls that were made of such tools are shown as calls of functions and their outputs.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, assert_never, cast

from msgspec import UNSET, UnsetType

from vivavoce.session.declaration import Listing
from vivavoce.wire.config import FunctionChoice, FunctionTool, McpChoice, McpTool, McpToolFilter, Tool, ToolChoice
from vivavoce.wire.item import (
    FunctionCall,
    FunctionCallOutput,
    Item,
    McpApprovalRequest,
    McpApprovalResponse,
    McpCall,
    McpListedTool,
    McpListTools,
)

NAME_CHARS: Final = 64
"""The longest name of a function that model servers take."""

_UNFIT: Final = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class RemoteTool:
    """A tool of an MCP server. `asks` is whether the client has to approve each call of it."""

    server: McpTool
    name: str
    asks: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The functions that a thinker is offered, and which of them are tools of MCP servers."""

    functions: tuple[FunctionTool, ...] = ()
    remote: Mapping[str, RemoteTool] = field(default_factory=dict[str, RemoteTool])

    @classmethod
    def of(cls, tools: Iterable[Tool], listing: Listing) -> "Catalogue":
        """All functions, and the allowed tools of every server whose tools are known."""
        functions = [tool for tool in tools if isinstance(tool, FunctionTool)]
        servers = [tool for tool in tools if isinstance(tool, McpTool)]
        found = [(server, tool) for server in servers for tool in allowed(server, listing(server))]
        remote: dict[str, RemoteTool] = {}
        names = Counter([tool.name for tool in functions] + [_fit(tool.name) for _, tool in found])
        taken = {tool.name for tool in functions}
        for server, tool in found:
            name = _fit(tool.name)
            if names[name] > 1:
                name = _free(f"{server.server_label}__{tool.name}", taken)
            taken.add(name)
            functions.append(_function(name, server, tool))
            remote[name] = RemoteTool(server, tool.name, asks=_asks(server, tool))
        return cls(tuple(functions), remote)

    def name_of(self, server_label: str, tool: str) -> str:
        """What a thinker calls a tool of an MCP server, even if it is not offered any more."""
        for name, remote in self.remote.items():
            if (remote.server.server_label, remote.name) == (server_label, tool):
                return name
        return _fit(tool)

    def choose(self, choice: ToolChoice) -> tuple[tuple[FunctionTool, ...], str]:
        """What is offered under a tool choice, and that choice in a thinker's words.

        A choice of something that is not there, a server whose tools are not known for instance, is `auto`.
        """
        match choice:
            case FunctionChoice(name=name):
                there = any(tool.name == name for tool in self.functions)
                return self.functions, f"function:{name}" if there else "auto"
            case McpChoice(server_label=label):
                names = [name for name, remote in self.remote.items() if remote.server.server_label == label]
                if isinstance(choice.name, str):
                    names = [name for name in names if self.remote[name].name == choice.name]
                    return self.functions, f"function:{names[0]}" if names else "auto"
                chosen = tuple(tool for tool in self.functions if tool.name in names)
                return (chosen, "required") if chosen else (self.functions, "auto")
            case _:
                return self.functions, choice

    def read(self, items: Iterable[Item]) -> tuple[Item, ...]:
        """A conversation in a thinker's words: calls of MCP tools as calls of functions."""
        items = tuple(items)
        answers = {item.approval_request_id: item for item in items if isinstance(item, McpApprovalResponse)}
        return tuple(told for item in items for told in self._told(item, answers))

    def _told(self, item: Item, answers: Mapping[str, McpApprovalResponse]) -> Sequence[Item]:
        match item:
            case McpCall():
                outcome = _outcome(item)
                return () if outcome is None else self._call(item, outcome)
            case McpApprovalRequest():
                answer = answers.get(str(item.id))
                if answer is None:
                    return self._call(item, "The user has not said yet whether this may be done.")
                # What was approved is followed by the call itself.
                return () if answer.approve else self._call(item, _refusal(answer))
            case McpApprovalResponse() | McpListTools():
                return ()
            case _:
                return (item,)

    def _call(self, item: McpCall | McpApprovalRequest, outcome: str) -> Sequence[Item]:
        name = self.name_of(item.server_label, item.name)
        id = str(item.id)
        return (
            FunctionCall(id=id, status="completed", call_id=id, name=name, arguments=item.arguments),
            FunctionCallOutput(call_id=id, output=outcome),
        )


def allowed(server: McpTool, tools: Iterable[McpListedTool]) -> tuple[McpListedTool, ...]:
    """The tools that the client lets the model call."""
    wanted = server.allowed_tools
    match wanted:
        case None | UnsetType():
            return tuple(tools)
        case list():
            return tuple(tool for tool in tools if tool.name in wanted)
        case McpToolFilter():
            bare = wanted == McpToolFilter()
            return tuple(tool for tool in tools if bare or _matches(wanted, tool))
        case _:
            assert_never(wanted)


def _outcome(call: McpCall) -> str | None:
    if isinstance(call.output, str):
        return call.output
    error = call.error
    return None if error is None or isinstance(error, UnsetType) else f"The call failed: {error.message}"


def _refusal(answer: McpApprovalResponse) -> str:
    reason = f" The reason: {answer.reason}" if isinstance(answer.reason, str) and answer.reason else ""
    return f"The user did not allow this, so it was not done.{reason}"


def _asks(server: McpTool, tool: McpListedTool) -> bool:
    """Whether a call needs the client's approval; it does unless something said says that it does not."""
    rule = server.require_approval
    match rule:
        case None | UnsetType() | "always":
            return True
        case "never":
            return False
        case _:
            always, never = _filter(rule.always), _filter(rule.never)
            if always is not None and _matches(always, tool):
                return True
            if never is not None:
                return not _matches(never, tool)
            return always is None


def _filter(given: McpToolFilter | UnsetType) -> McpToolFilter | None:
    return None if isinstance(given, UnsetType) else given


def _matches(wanted: McpToolFilter, tool: McpListedTool) -> bool:
    """Whether a tool is what a filter says; a filter that says nothing is about no tool."""
    if wanted == McpToolFilter():
        return False
    if not isinstance(wanted.tool_names, UnsetType) and tool.name not in wanted.tool_names:
        return False
    return isinstance(wanted.read_only, UnsetType) or wanted.read_only == _is_read_only(tool)


def _is_read_only(tool: McpListedTool) -> bool:
    hints = tool.annotations
    return isinstance(hints, dict) and cast("dict[str, object]", hints).get("readOnlyHint") is True


def _function(name: str, server: McpTool, tool: McpListedTool) -> FunctionTool:
    words = [text for text in (tool.description, server.server_description) if isinstance(text, str) and text]
    schema = tool.input_schema
    return FunctionTool(
        name=name,
        description="\n".join(words) if words else UNSET,
        parameters=cast("dict[str, object]", schema) if isinstance(schema, dict) else UNSET,
    )


def _fit(name: str) -> str:
    """A name as model servers take it."""
    return _UNFIT.sub("_", name)[:NAME_CHARS] or "_"


def _free(name: str, taken: set[str]) -> str:
    """A fitting name that nobody else has."""
    base, number = _fit(name), 1
    while (found := base if number == 1 else f"{base[: NAME_CHARS - 4]}_{number}") in taken:
        number += 1
    return found
