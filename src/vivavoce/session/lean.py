"""Events for a connection that cannot carry all that another party of the same call may say."""

from typing import Final

from msgspec.structs import replace

from vivavoce.wire.event import (
    ConversationItemAdded,
    ConversationItemDone,
    ConversationItemRetrieved,
    ResponseDone,
    ServerEvent,
)
from vivavoce.wire.item import InputImage, Item, McpCall, McpListTools, UserMessage

OUTPUT_CHARS: Final = 1_000
"""What is kept of the output of a tool."""


def lean(event: ServerEvent) -> ServerEvent:
    """The event without what makes it large: a data channel carries 256 KB at once, a socket many times that.

    Pictures are left out (an empty URL says that there is one), as are the schemas of an MCP server's tools; of what
    such tools have said, the beginning is kept.
    """
    match event:
        case ConversationItemAdded() | ConversationItemDone() | ConversationItemRetrieved():
            return replace(event, item=_light(event.item))
        case ResponseDone(response=response) if isinstance(response.output, list):
            return replace(event, response=replace(response, output=[_light(item) for item in response.output]))
        case _:
            return event


def _light(item: Item) -> Item:
    match item:
        case UserMessage():
            content = [replace(part, image_url="") if isinstance(part, InputImage) else part for part in item.content]
            return replace(item, content=content)
        case McpListTools():
            return replace(item, tools=[replace(tool, input_schema={}) for tool in item.tools])
        case McpCall(output=str(output)) if len(output) > OUTPUT_CHARS:
            left_out = len(output) - OUTPUT_CHARS
            return replace(item, output=f"{output[:OUTPUT_CHARS]}\n[{left_out} characters are left out here.]")
        case _:
            return item
