"""Tools as a client declares them: what is accepted, what it means, and what of it may be shown again.

The rules for MCP servers are those of the published types and of OpenAI's guide to Realtime with tools.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeVar

from msgspec import UNSET, UnsetType
from msgspec.structs import fields, replace

from vivavoce.errors import RequestError
from vivavoce.session.effect import Address
from vivavoce.wire.config import (
    FunctionChoice,
    FunctionTool,
    McpChoice,
    McpTool,
    RealtimeSession,
    ResponseConfig,
    Session,
    Tool,
    ToolChoice,
)
from vivavoce.wire.item import McpListedTool

MOST_SERVERS: Final = 32
"""MCP servers that one session may name."""
REDACTED: Final = "<redacted>"

_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<user>[^/?#@]*@)?(?P<host>[^/?#@\s]+)(?P<path>/[^?#\s]*)?[^\s]*", re.I
)
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")
_OURS: Final = frozenset({"connection", "content-length", "host", "te", "trailer", "transfer-encoding", "upgrade"})
"""Headers that belong to the connection, not to the request."""

_ELSEWHERE: Final = {
    "connector_id": "Connectors run in OpenAI's own cloud and cannot be reached from this server",
    "tunnel_id": "Tunnels end in OpenAI's own cloud and cannot be reached from this server",
}


Listing = Callable[[McpTool], tuple[McpListedTool, ...]]
"""The tools of a server, none while they are not known."""

ToolUser = TypeVar("ToolUser", RealtimeSession, ResponseConfig)


class ToolServing(Enum):
    """Whether this server can call MCP servers."""

    NONE = "none"
    MCP = "mcp"


def no_tools(_: McpTool) -> tuple[McpListedTool, ...]:
    """What is known of the tools of MCP servers before any was asked."""
    return ()


@dataclass(frozen=True, slots=True)
class ToolBook:
    """What a session knows of MCP servers: those that were named so far, their tools, and whether any can be called."""

    serving: ToolServing
    named: Mapping[str, McpTool] = field(default_factory=dict[str, McpTool])
    listing: Listing = no_tools

    def complete(self, wanted: ToolUser, session: RealtimeSession, param: str) -> ToolUser:
        """A session's update or a response's config with its tools as they will be in force.

        Raises:
            RequestError: tools that cannot be had, or a choice of one that is not there.
        """
        if not isinstance(wanted.tools, UnsetType):
            tools = declared(wanted.tools, f"{param}.tools", self.named, self.serving)
            wanted = replace(wanted, tools=tools)
        in_force = session.tools if isinstance(wanted.tools, UnsetType) else wanted.tools
        tools = [] if isinstance(in_force, UnsetType) else in_force
        check_choice(wanted.tool_choice, tools, self.listing, f"{param}.tool_choice")
        return wanted


def declared(
    tools: Sequence[Tool], param: str, loaded: Mapping[str, McpTool], serving: ToolServing = ToolServing.MCP
) -> list[Tool]:
    """A client's tools, each with all that is known of it: a server that was named before may be named by its label.

    Raises:
        RequestError: a tool that cannot be had here, or that contradicts itself.
    """
    whole: list[Tool] = []
    labels: set[str] = set()
    for place, tool in enumerate(tools):
        at = f"{param}[{place}]"
        if isinstance(tool, FunctionTool):
            whole.append(tool)
            continue
        if serving is ToolServing.NONE:
            raise RequestError(
                "MCP tools cannot be called by this server as it is installed: install vivavoce[mcp] where it runs, or "
                "declare function tools and run them in the client.",
                code="invalid_value",
                param=f"{at}.type",
            )
        if tool.server_label in labels or not tool.server_label:
            raise RequestError(
                f"The label {tool.server_label!r} must tell one MCP server from the others: give each its own.",
                code="invalid_value",
                param=f"{at}.server_label",
            )
        labels.add(tool.server_label)
        if len(labels | loaded.keys()) > MOST_SERVERS:
            raise RequestError(
                f"More than {MOST_SERVERS} MCP servers have been named in this session.",
                code="invalid_value",
                param=f"{at}.server_label",
            )
        whole.append(_complete(tool, at, loaded))
    return whole


def address(server: McpTool) -> Address:
    """How to reach a server that was declared."""
    headers = dict(server.headers) if isinstance(server.headers, dict) else {}
    if isinstance(server.authorization, str):
        headers["Authorization"] = f"Bearer {server.authorization}"
    return Address(str(server.server_url), tuple(headers.items()))


def check_choice(choice: ToolChoice | UnsetType, tools: Iterable[Tool], listing: Listing, param: str) -> None:
    """Whether what a tool choice names is there. Tools of a server whose listing is not done are not asked for yet.

    Raises:
        RequestError: no such function, server or tool (`invalid_value`).
    """
    match choice:
        case FunctionChoice(name=name):
            if not any(isinstance(tool, FunctionTool) and tool.name == name for tool in tools):
                raise _invalid(f"There is no function {name!r} among the tools.", f"{param}.name")
        case McpChoice(server_label=label, name=name):
            servers = [tool for tool in tools if isinstance(tool, McpTool) and tool.server_label == label]
            if not servers:
                raise _invalid(f"There is no MCP server {label!r} among the tools.", f"{param}.server_label")
            listed = listing(servers[0])
            if isinstance(name, str) and listed and all(tool.name != name for tool in listed):
                raise _invalid(f"The MCP server {label!r} has no tool {name!r}.", f"{param}.name")
        case _:
            pass


def shown(session: Session) -> Session:
    """A config as anybody in the call may see it: what opens an MCP server stays with whoever declared it."""
    if not isinstance(session, RealtimeSession) or isinstance(session.tools, UnsetType):
        return session
    return replace(session, tools=[_shown(tool) if isinstance(tool, McpTool) else tool for tool in session.tools])


def _shown(server: McpTool) -> McpTool:
    headers = dict.fromkeys(server.headers, REDACTED) if isinstance(server.headers, dict) else server.headers
    url, parts = server.server_url, _URL.fullmatch(str(server.server_url))
    if parts is not None:
        url = f"{parts['scheme']}://{parts['host']}{parts['path'] or ''}"
    return replace(server, authorization=UNSET, headers=headers, server_url=url)


def _complete(tool: McpTool, at: str, loaded: Mapping[str, McpTool]) -> McpTool:
    ways = [way for way in ("server_url", "connector_id", "tunnel_id") if getattr(tool, way) is not UNSET]
    if len(ways) > 1:
        raise _invalid(f"An MCP server is reached in one way, not by {ways[0]} and {ways[1]} both.", f"{at}.{ways[1]}")
    if ways and (why := _ELSEWHERE.get(ways[0])):
        raise _invalid(f"{why}: give the URL of an MCP server as server_url.", f"{at}.{ways[0]}")
    if not ways:
        known = loaded.get(tool.server_label)
        if known is None:
            raise RequestError(
                f"Nothing is known of an MCP server {tool.server_label!r} yet: give its server_url.",
                code="missing_required_parameter",
                param=f"{at}.server_url",
            )
        given = {field.name: getattr(tool, field.name) for field in fields(tool)}
        tool = replace(known, **{name: value for name, value in given.items() if value is not UNSET})
    _check(tool, at)
    return tool


def _check(server: McpTool, at: str) -> None:
    if not _URL.fullmatch(str(server.server_url)):
        raise _invalid("The URL of an MCP server looks like https://example.com/mcp.", f"{at}.server_url")
    headers = server.headers if isinstance(server.headers, dict) else {}
    for name, value in headers.items():
        if name.lower() in _OURS or not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise _invalid(f"The header {name[:64]!r} cannot be sent to an MCP server.", f"{at}.headers")
    if isinstance(server.authorization, str):
        if any(name.lower() == "authorization" for name in headers):
            raise _invalid(
                "Both authorization and an Authorization header are given: leave one of them out.",
                f"{at}.authorization",
            )
        if not _HEADER_VALUE.fullmatch(server.authorization):
            raise _invalid("The authorization has characters that no header can carry.", f"{at}.authorization")
    if isinstance(server.allowed_callers, list) and "direct" not in server.allowed_callers:
        raise _invalid(
            "Tools are called by the model directly; there is no program here that could call them: leave "
            "allowed_callers out, or have 'direct' in it.",
            f"{at}.allowed_callers",
        )


def _invalid(message: str, param: str) -> RequestError:
    return RequestError(message, code="invalid_value", param=param)
