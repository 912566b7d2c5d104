"""The MCP servers that a session has named: what is known of their tools.

A listing runs beside the conversation. It is an item of it, and its tools can be called once it is done.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from vivavoce.session.conversation import Conversation
from vivavoce.session.declaration import address
from vivavoce.session.effect import Cancel, Job, ListTools
from vivavoce.session.outbox import Outbox
from vivavoce.session.result import Listed, Result, ToolFailed
from vivavoce.session.toolset import allowed
from vivavoce.wire.config import McpTool, Tool
from vivavoce.wire.event import (
    ConversationItemAdded,
    ConversationItemDone,
    Error,
    ErrorBody,
    McpListToolsCompleted,
    McpListToolsFailed,
    McpListToolsInProgress,
)
from vivavoce.wire.item import McpListedTool, McpListTools

LISTING_PATIENCE_S: Final = 20.0
"""A server that has not told its tools in so long is given up."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The server has been asked."""

    server: McpTool
    job: Job
    item_id: str
    since: float


@dataclass(frozen=True, slots=True)
class Known:
    """Its tools are known."""

    server: McpTool
    tools: tuple[McpListedTool, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """It could not be asked; naming it again asks again."""

    server: McpTool


State = Listing | Known | Unknown


class Servers:
    """MCP servers by their labels."""

    def __init__(self, out: Outbox, conversation: Conversation) -> None:
        self._out = out
        self._conversation = conversation
        self._states: dict[str, State] = {}

    @property
    def named(self) -> Mapping[str, McpTool]:
        """Every server so far, as it was declared last."""
        return {label: state.server for label, state in self._states.items()}

    def tools(self, server: McpTool) -> tuple[McpListedTool, ...]:
        """All tools of a server, none while they are not known."""
        state = self._states.get(server.server_label)
        if isinstance(state, Known) and state.server.server_url == server.server_url:
            return state.tools
        return ()

    def listing(self, label: str) -> bool:
        """Whether a server has been asked and has not said."""
        return isinstance(self._states.get(label), Listing)

    def declare(self, tools: Iterable[Tool], now: float) -> None:
        """Tools are in force from now on: ask those servers whose tools are not known."""
        for server in tools:
            if not isinstance(server, McpTool):
                continue
            state = self._states.get(server.server_label)
            moved = state is None or state.server.server_url != server.server_url
            match state:
                case Listing() | Known() if not moved:
                    self._states[server.server_label] = replace(state, server=server)
                case Listing():
                    self._out.add(Cancel(state.job))
                    self._fail(state, "It was declared anew before it had answered.", told=False)
                    self._ask(server, now)
                case _:
                    self._ask(server, now)

    # ── listing ────────────────────────────────────────────────────────────────────────────────────────

    def owns(self, job: Job) -> bool:
        """Whether a result of that job is a server's list."""
        return any(state.job == job for state in self._running)

    def result(self, job: Job, result: Result) -> None:
        """A server's answer, or why there is none."""
        for state in self._running:
            if state.job != job:
                continue
            match result:
                case Listed(tools):
                    self._know(state, tools)
                case ToolFailed(error):
                    self._fail(state, error.message)
                case _:
                    raise TypeError(f"a listing has no use for {result!r}")

    @property
    def deadline(self) -> float | None:
        """When a server that does not answer is given up."""
        return min((state.since + LISTING_PATIENCE_S for state in self._running), default=None)

    def tick(self, now: float) -> None:
        """Give up on servers that do not answer."""
        for state in self._running:
            if now >= state.since + LISTING_PATIENCE_S:
                self._out.add(Cancel(state.job))
                self._fail(state, f"It gave no answer for {LISTING_PATIENCE_S:.0f} s.")

    def stop(self) -> None:
        """The call is over."""
        for state in self._running:
            self._out.add(Cancel(state.job))
            self._states[state.server.server_label] = Unknown(state.server)

    @property
    def _running(self) -> list[Listing]:
        return [state for state in self._states.values() if isinstance(state, Listing)]

    def _ask(self, server: McpTool, now: float) -> None:
        id = self._out.ids("item")
        item = McpListTools(id=id, server_label=server.server_label, tools=[])
        previous = self._conversation.insert(item)
        self._out.send(ConversationItemAdded(previous_item_id=previous, item=item))
        self._out.send(McpListToolsInProgress(item_id=id))
        job = self._out.begin(ListTools(address(server)))
        self._states[server.server_label] = Listing(server, job, id, now)

    def _know(self, state: Listing, tools: tuple[McpListedTool, ...]) -> None:
        server = state.server
        self._states[server.server_label] = Known(server, tools)
        self._out.send(McpListToolsCompleted(item_id=state.item_id))
        self._finish(state, allowed(server, tools))

    def _fail(self, state: Listing, why: str, *, told: bool = True) -> None:
        label = state.server.server_label
        self._states[label] = Unknown(state.server)
        self._out.send(McpListToolsFailed(item_id=state.item_id))
        self._finish(state, ())
        if told:
            # The event above has no room for a reason.
            message = f"The tools of the MCP server {label!r} are not known: {why}"
            body = ErrorBody(type="external_connector_error", code="mcp_list_tools_failed", message=message, param=None)
            self._out.send(Error(error=body))

    def _finish(self, state: Listing, tools: tuple[McpListedTool, ...]) -> None:
        id = state.item_id
        if id not in self._conversation:
            return  # the client has deleted it meanwhile
        item = McpListTools(id=id, server_label=state.server.server_label, tools=list(tools))
        self._conversation.replace(item)
        self._out.send(ConversationItemDone(previous_item_id=self._conversation.previous(id), item=item))
