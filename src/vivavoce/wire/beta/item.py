"""Items of the beta: messages, function calls and their outputs, with `text` and `audio` where GA says `output_…`."""

from typing import Literal, TypeAlias

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from vivavoce.wire.item import (
    AssistantContent,
    AssistantMessage,
    FunctionCall,
    FunctionCallOutput,
    InputAudio,
    InputImage,
    InputItem,
    InputText,
    Item,
    ItemBase,
    ItemReference,
    McpApprovalRequest,
    McpApprovalResponse,
    McpCall,
    McpListTools,
    OutputAudio,
    OutputText,
    SystemMessage,
    UserMessage,
)
from vivavoce.wire.struct import Tagged


class BetaText(Tagged, frozen=True, kw_only=True, tag="text"):
    """Words that the assistant wrote."""

    text: str


class BetaAudio(Tagged, frozen=True, kw_only=True, tag="audio"):
    """Sound of the assistant and what it says."""

    audio: str | UnsetType = UNSET
    transcript: str | None | UnsetType = UNSET


BetaAssistantContent: TypeAlias = BetaText | BetaAudio


class BetaUserMessage(ItemBase, frozen=True, kw_only=True, tag="message"):
    """What the user said or wrote; there were no pictures yet."""

    role: Literal["user"] = "user"
    content: list[InputText | InputAudio]


class BetaAssistantMessage(ItemBase, frozen=True, kw_only=True, tag="message"):
    """What the assistant said or wrote."""

    role: Literal["assistant"] = "assistant"
    content: list[BetaAssistantContent]


BetaItem: TypeAlias = SystemMessage | BetaUserMessage | BetaAssistantMessage | FunctionCall | FunctionCallOutput
BetaInputItem: TypeAlias = BetaItem | ItemReference

# ── inward ──────────────────────────────────────────────────────────────────────────────────────────────


def ga_input(item: BetaInputItem) -> InputItem:
    """An element of `response.input` as GA has it."""
    return item if isinstance(item, ItemReference) else ga_item(item)


def ga_item(item: BetaItem) -> Item:
    """The item as GA has it."""
    match item:
        case BetaUserMessage():
            return UserMessage(id=item.id, object=item.object, status=item.status, content=[*item.content])
        case BetaAssistantMessage():
            content = [_ga_part(part) for part in item.content]
            return AssistantMessage(id=item.id, object=item.object, status=item.status, content=content)
        case _:
            return item


def _ga_part(part: BetaAssistantContent) -> AssistantContent:
    match part:
        case BetaText():
            return OutputText(text=part.text)
        case BetaAudio():
            return OutputAudio(audio=part.audio, transcript=part.transcript)


# ── outward ─────────────────────────────────────────────────────────────────────────────────────────────


def beta_item(item: Item) -> BetaItem | None:
    """The item as the beta shows it, without pictures; None for remote tools, of which it knew nothing."""
    match item:
        case McpListTools() | McpCall() | McpApprovalRequest() | McpApprovalResponse():
            return None
        case UserMessage():
            content = [part for part in item.content if not isinstance(part, InputImage)]
            return BetaUserMessage(id=item.id, object="realtime.item", status=item.status, content=content)
        case AssistantMessage():
            said = [_beta_part(part) for part in item.content]
            return BetaAssistantMessage(id=item.id, object="realtime.item", status=item.status, content=said)
        case _:
            return replace(item, object="realtime.item")


def _beta_part(part: AssistantContent) -> BetaAssistantContent:
    match part:
        case OutputText():
            return BetaText(text=part.text)
        case OutputAudio():
            return BetaAudio(audio=part.audio, transcript=part.transcript)
