"""Tokens, by the rules that are public: 100 ms of user sound or 50 ms of assistant sound is one token.

Text is counted by the thinker where it can; else as one token for four characters, which is the usual estimate
for English.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import Final, Literal, assert_never

import msgspec
from msgspec import UnsetType

from vivavoce.audio.frame import duration_ms
from vivavoce.session.effect import Think
from vivavoce.session.recording import Archive
from vivavoce.session.result import Thought
from vivavoce.wire.config import (
    CachedTokenDetails,
    FunctionTool,
    InputTokenDetails,
    OutputTokenDetails,
    Transcription,
    TranscriptionDuration,
    TranscriptionTokenDetails,
    TranscriptionTokens,
    TranscriptionUsage,
    Usage,
)
from vivavoce.wire.item import (
    AssistantMessage,
    FunctionCall,
    FunctionCallOutput,
    InputAudio,
    InputImage,
    InputText,
    Item,
    McpApprovalRequest,
    McpCall,
    OutputAudio,
    OutputText,
    SystemMessage,
    UserMessage,
)

USER_MS_PER_TOKEN: Final = 100
ASSISTANT_MS_PER_TOKEN: Final = 50
CHARACTERS_PER_TOKEN: Final = 4
IMAGE_TOKENS: Final[dict[Literal["low", "auto", "high"], int]] = {"low": 85, "auto": 765, "high": 765}
"""By `detail`, as OpenAI counts a picture of 1024 pixels square; how large one is, nobody here looks."""
MESSAGE_TOKENS: Final = 4
"""What a model reads around each message, roughly."""


def text_tokens(text: str) -> int:
    """Estimated tokens of a text."""
    return ceil(len(text) / CHARACTERS_PER_TOKEN)


def user_audio_tokens(samples: int) -> int:
    """Tokens of so many samples of the user's sound."""
    return ceil(duration_ms(samples) / USER_MS_PER_TOKEN)


def assistant_audio_tokens(samples: int) -> int:
    """Tokens of so many samples of the assistant's sound."""
    return ceil(duration_ms(samples) / ASSISTANT_MS_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Count:
    """Tokens by kind."""

    text: int = 0
    audio: int = 0
    image: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.text + other.text, self.audio + other.audio, self.image + other.image)

    @property
    def total(self) -> int:
        """Tokens of all kinds."""
        return self.text + self.audio + self.image


def response_usage(prompt: Think | None, output: Iterable[Item], archive: Archive, thought: Thought) -> Usage:
    """What a response cost: all that the thinker was given, and all that came out.

    A response that never began to think was given nothing and made nothing: not the calls either that it carried out
    after their approval. Of a call of an MCP tool the thinker made name and arguments, not the outcome. Sound is
    counted by its length; of words and pictures the thinker's own count is taken where it has one.
    """
    read, made = Count(), Count()
    if prompt is not None:
        read = Count(instruction_tokens(prompt))
        read = sum((item_tokens(item, archive, sees=prompt.sees) for item in prompt.items), read)
        made = sum((_made_tokens(item, archive) for item in output), made)
    if thought.input_tokens is not None:
        counted = max(0, thought.input_tokens)
        image = min(read.image, counted)
        read = Count(counted - image, read.audio, image)
    if thought.output_tokens is not None:
        made = Count(max(0, thought.output_tokens), made.audio)
    cached = min(max(0, thought.cached_tokens or 0), read.text)
    return Usage(
        total_tokens=read.total + made.total,
        input_tokens=read.total,
        output_tokens=made.total,
        input_token_details=InputTokenDetails(
            text_tokens=read.text,
            audio_tokens=read.audio,
            image_tokens=read.image,
            cached_tokens=cached,
            cached_tokens_details=CachedTokenDetails(text_tokens=cached, audio_tokens=0, image_tokens=0),
        ),
        output_token_details=OutputTokenDetails(text_tokens=made.text, audio_tokens=made.audio),
    )


def instruction_tokens(prompt: Think) -> int:
    """Tokens of all that comes before the conversation."""
    return text_tokens(prompt.instructions) + sum(map(_tool_tokens, prompt.tools))


def reading_tokens(item: Item, *, sees: bool) -> int:
    """Tokens of an item for a thinker that reads: what was said counts as its transcript."""
    count = item_tokens(item, Archive(), sees=sees)
    return MESSAGE_TOKENS + count.text + count.image + _transcript_tokens(item)


def _tool_tokens(tool: FunctionTool) -> int:
    return text_tokens(msgspec.json.encode(tool).decode())


def transcription_usage(wish: Transcription, samples: int, text: str) -> TranscriptionUsage:
    """What writing down so many samples cost: tokens for the `gpt-4o` family, else whole seconds."""
    if isinstance(wish.model, str) and wish.model.startswith("gpt-4o"):
        heard, written = user_audio_tokens(samples), text_tokens(text)
        return TranscriptionTokens(
            total_tokens=heard + written,
            input_tokens=heard,
            output_tokens=written,
            input_token_details=TranscriptionTokenDetails(text_tokens=0, audio_tokens=heard),
        )
    return TranscriptionDuration(seconds=ceil(duration_ms(samples) / 1000))


def item_tokens(item: Item, archive: Archive, *, sees: bool = True) -> Count:
    """Tokens of an item; what was said counts as sound, not as its transcript, and a picture only where it is seen."""
    recording = archive.get(item.id) if isinstance(item.id, str) else None
    length = recording.length if recording is not None else 0
    match item:
        case SystemMessage():
            return Count(sum(text_tokens(part.text) for part in item.content))
        case UserMessage():
            parts = [part for part in item.content if sees or not isinstance(part, InputImage)]
            return sum(map(_part_tokens, parts), Count(audio=user_audio_tokens(length)))
        case AssistantMessage():
            return sum(map(_part_tokens, item.content), Count(audio=assistant_audio_tokens(length)))
        case FunctionCall() | McpApprovalRequest():
            return Count(text_tokens(item.name + item.arguments))
        case FunctionCallOutput():
            return Count(text_tokens(item.output))
        case _:
            return Count(text_tokens(msgspec.json.encode(item).decode()))


def _made_tokens(item: Item, archive: Archive) -> Count:
    """Tokens of an item that the thinker has made."""
    if isinstance(item, McpCall):
        return Count(text_tokens(item.name + item.arguments))
    return item_tokens(item, archive) + Count(_transcript_tokens(item))


def _part_tokens(part: InputText | InputAudio | InputImage | OutputText | OutputAudio) -> Count:
    match part:
        case InputText() | OutputText():
            return Count(text_tokens(part.text))
        case InputImage():
            return Count(image=IMAGE_TOKENS["auto" if isinstance(part.detail, UnsetType) else part.detail])
        case InputAudio() | OutputAudio():
            return Count()
        case _:
            assert_never(part)


def _transcript_tokens(item: Item) -> int:
    if not isinstance(item, UserMessage | AssistantMessage):
        return 0
    return sum(
        text_tokens(part.transcript)
        for part in item.content
        if isinstance(part, InputAudio | OutputAudio) and isinstance(part.transcript, str)
    )
