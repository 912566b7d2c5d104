"""Items, the things that a conversation consists of, and the parts of their content.

The three messages share `type: "message"` and differ by `role`; msgspec cannot tell structs apart by two keys, so
read JSON through `wire.codec` only (writing needs nothing special).
"""

from typing import Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType

from vivavoce.wire.struct import Tagged

ItemStatus: TypeAlias = Literal["in_progress", "completed", "incomplete"]

# ── content ─────────────────────────────────────────────────────────────────────────────────────────────


class InputText(Tagged, frozen=True, kw_only=True, tag="input_text"):
    """Words that the user or the system wrote."""

    text: str


class InputAudio(Tagged, frozen=True, kw_only=True, tag="input_audio"):
    """Sound of the user.

    `audio` is base64 in the session's input format; it travels only from the client and in
    `conversation.item.retrieved`. `transcript` is null until somebody has written it down.
    """

    audio: str | UnsetType = UNSET
    transcript: str | None | UnsetType = UNSET


class InputImage(Tagged, frozen=True, kw_only=True, tag="input_image"):
    """A picture as a data URI (PNG or JPEG). `detail` `auto` means `high`."""

    image_url: str
    detail: Literal["auto", "low", "high"] | UnsetType = UNSET


class OutputText(Tagged, frozen=True, kw_only=True, tag="output_text"):
    """Words that the assistant wrote."""

    text: str


class OutputAudio(Tagged, frozen=True, kw_only=True, tag="output_audio"):
    """Sound of the assistant and what it says. A truncated item has lost its transcript."""

    audio: str | UnsetType = UNSET
    transcript: str | None | UnsetType = UNSET


UserContent: TypeAlias = InputText | InputAudio | InputImage
AssistantContent: TypeAlias = OutputText | OutputAudio

# ── items ───────────────────────────────────────────────────────────────────────────────────────────────


class ItemBase(Tagged, frozen=True, kw_only=True):
    """What every item may carry. The server makes an `id` where the client gave none."""

    id: str | UnsetType = UNSET
    object: Literal["realtime.item"] | UnsetType = UNSET
    status: ItemStatus | UnsetType = UNSET


class SystemMessage(ItemBase, frozen=True, kw_only=True, tag="message"):
    """Instructions placed inside the conversation."""

    role: Literal["system"] = "system"
    content: list[InputText]


class UserMessage(ItemBase, frozen=True, kw_only=True, tag="message"):
    """What the user said, wrote or showed."""

    role: Literal["user"] = "user"
    content: list[UserContent]


class AssistantMessage(ItemBase, frozen=True, kw_only=True, tag="message"):
    """What the assistant said or wrote. A client may add text only."""

    role: Literal["assistant"] = "assistant"
    content: list[AssistantContent]


class FunctionCall(ItemBase, frozen=True, kw_only=True, tag="function_call"):
    """The model asks for a function. `arguments` is JSON text."""

    name: str
    arguments: str
    call_id: str | UnsetType = UNSET


class FunctionCallOutput(ItemBase, frozen=True, kw_only=True, tag="function_call_output"):
    """What the function named by `call_id` returned."""

    call_id: str
    output: str


class McpListedTool(Struct, frozen=True, kw_only=True):
    """One tool that an MCP server offers; `input_schema` is a JSON schema."""

    name: str
    input_schema: object
    description: str | None | UnsetType = UNSET
    annotations: object = UNSET


class McpListTools(ItemBase, frozen=True, kw_only=True, tag="mcp_list_tools"):
    """The tools of one MCP server."""

    server_label: str
    tools: list[McpListedTool]


class McpProtocolError(Tagged, frozen=True, kw_only=True, tag="protocol_error"):
    """The MCP server broke its protocol."""

    code: int
    message: str


class McpToolExecutionError(Tagged, frozen=True, kw_only=True, tag="tool_execution_error"):
    """The remote tool failed."""

    message: str


class McpHttpError(Tagged, frozen=True, kw_only=True, tag="http_error"):
    """The MCP server answered with an HTTP error status."""

    code: int
    message: str


McpError: TypeAlias = McpProtocolError | McpToolExecutionError | McpHttpError


class McpCall(ItemBase, frozen=True, kw_only=True, tag="mcp_call"):
    """A call of a remote tool, made by the server, and its end. `arguments` is JSON text."""

    server_label: str
    name: str
    arguments: str
    approval_request_id: str | None | UnsetType = UNSET
    output: str | None | UnsetType = UNSET
    error: McpError | None | UnsetType = UNSET


class McpApprovalRequest(ItemBase, frozen=True, kw_only=True, tag="mcp_approval_request"):
    """The server asks whether it may call a remote tool."""

    server_label: str
    name: str
    arguments: str


class McpApprovalResponse(ItemBase, frozen=True, kw_only=True, tag="mcp_approval_response"):
    """The client's answer to an approval request."""

    approval_request_id: str
    approve: bool
    reason: str | None | UnsetType = UNSET


class ItemReference(Tagged, frozen=True, kw_only=True, tag="item_reference"):
    """Stands for an item of the conversation; only inside `response.create`."""

    id: str


Message: TypeAlias = SystemMessage | UserMessage | AssistantMessage
Item: TypeAlias = (
    SystemMessage
    | UserMessage
    | AssistantMessage
    | FunctionCall
    | FunctionCallOutput
    | McpListTools
    | McpCall
    | McpApprovalRequest
    | McpApprovalResponse
)
InputItem: TypeAlias = Item | ItemReference
