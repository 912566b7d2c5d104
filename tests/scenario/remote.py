"""A weather server that speaks MCP, and what is said of it in a call."""

from collections.abc import Sequence

from vivavoce.session.result import CallArguments, CallBegun, Listed, Thought, ToolFailed
from vivavoce.testing.cast import Hang, Remote, Step
from vivavoce.testing.script import Script
from vivavoce.wire.event import (
    ConversationItemDone,
    ResponseOutputItemDone,
)
from vivavoce.wire.item import (
    McpApprovalRequest,
    McpCall,
    McpHttpError,
    McpListedTool,
    McpListTools,
)

URL = "https://tools.example/mcp"
KEY = "sk-mcp-0123456789abcdef"
SCHEMA: dict[str, object] = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = McpListedTool(name="get_weather", input_schema=SCHEMA, description="Tells the weather.")
BOOK = McpListedTool(name="book", input_schema={"type": "object"}, description="", annotations={"readOnlyHint": False})
READ = McpListedTool(name="read", input_schema={"type": "object"}, description="", annotations={"readOnlyHint": True})
TOOLS = Listed((WEATHER, BOOK, READ))
REFUSED = ToolFailed(McpHttpError(code=503, message="the server answered 503"))

LISTED = [
    "conversation.item.added",
    "mcp_list_tools.in_progress",
    "mcp_list_tools.completed",
    "conversation.item.done",
]
ALL = ["look", "get_weather", "book", "read"]
"""What a thinker is offered of a function and a server."""
CALLED = [
    "response.output_item.added",
    "conversation.item.added",
    "response.mcp_call_arguments.delta",
    "response.mcp_call_arguments.done",
    "response.mcp_call.in_progress",
    "response.mcp_call.completed",
    "response.output_item.done",
    "conversation.item.done",
]


def server(**more: object) -> dict[str, object]:
    return {"type": "mcp", "server_label": "weather", "server_url": URL, "require_approval": "never", **more}


def calling(*names: str, arguments: str = '{"city":"Bern"}') -> list[Step]:
    """The thinker calls these functions, one after another, and has nothing else to say."""
    steps: list[Step] = []
    for index, name in enumerate(names):
        steps += [CallBegun(index, name), CallArguments(index, arguments)]
    return [*steps, Thought()]


def connected(
    *replies: Sequence[Step] | str,
    listings: Sequence[Listed | ToolFailed | Hang] = (TOOLS,),
    outcomes: Sequence[str | ToolFailed | Hang] = ("sunny",),
    **more: object,
) -> Script:
    """A call that has named the server in writing, and is told its tools unless `listings` says otherwise."""
    call = Script(replies=replies, remote=Remote({URL: listings}, outcomes))
    update(call, tools=[server(**more)], output_modalities=["text"])
    call.wait(1.0)
    return call


def update(call: Script, **settings: object) -> None:
    call.send({"type": "session.update", "session": {"type": "realtime", **settings}})


def ask(call: Script, seconds: float = 2.0, **response: object) -> None:
    call.send({"type": "response.create", "response": response})
    call.wait(seconds)


def answer(call: Script, request_id: str | None, approve: bool, **more: object) -> None:
    item = {"type": "mcp_approval_response", "approval_request_id": request_id, "approve": approve, **more}
    call.send({"type": "conversation.item.create", "item": item})
    call.wait(2.0)


def made(call: Script) -> list[McpCall]:
    return [e.item for e in call.events if isinstance(e, ResponseOutputItemDone) and isinstance(e.item, McpCall)]


def requests(call: Script) -> list[McpApprovalRequest]:
    items = [event.item for event in call.events if isinstance(event, ResponseOutputItemDone)]
    return [item for item in items if isinstance(item, McpApprovalRequest)]


def offered(call: Script) -> list[str]:
    return [tool.name for tool in call.thoughts[-1].tools]


def listing(call: Script) -> McpListTools:
    items = [event.item for event in call.events if isinstance(event, ConversationItemDone)]
    return [item for item in items if isinstance(item, McpListTools)][-1]
