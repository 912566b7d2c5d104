"""Tokens, by the rules that are public: 100 ms of user sound or 50 ms of assistant sound is one token.

Text is counted by the thinker where it can; else as one token for four characters, which is the usual estimate
for English.
"""

from collections.abc import Iterable
from math import ceil
from typing import Final, assert_never

import msgspec

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
    OutputAudio,
    OutputText,
    SystemMessage,
    UserMessage,
)

USER_MS_PER_TOKEN: Final = 100
ASSISTANT_MS_PER_TOKEN: Final = 50
CHARACTERS_PER_TOKEN: Final = 4
IMAGE_TOKENS: Final = 85


def text_tokens(text: str) -> int:
    """Estimated tokens of a text."""
    return ceil(len(text) / CHARACTERS_PER_TOKEN)


def user_audio_tokens(samples: int) -> int:
    """Tokens of so many samples of the user's sound."""
    return ceil(duration_ms(samples) / USER_MS_PER_TOKEN)


def assistant_audio_tokens(samples: int) -> int:
    """Tokens of so many samples of the assistant's sound."""
    return ceil(duration_ms(samples) / ASSISTANT_MS_PER_TOKEN)


def response_usage(prompt: Think | None, output: Iterable[Item], archive: Archive, thought: Thought) -> Usage:
    """What a response cost: all that the thinker was given, and all that came out.

    A response that never began to think was given nothing.
    """
    heard = 0
    read = 0
    if prompt is not None:
        read = text_tokens(prompt.instructions) + sum(map(_tool_tokens, prompt.tools))
        for item in prompt.items:
            text, audio = _item_tokens(item, archive)
            read, heard = read + text, heard + audio
    if thought.input_tokens is not None:
        read = max(0, thought.input_tokens)
    cached = min(thought.cached_tokens or 0, read)
    written, said = 0, 0
    for item in output:
        text, audio = _item_tokens(item, archive)
        written, said = written + text + _transcript_tokens(item), said + audio
    if thought.output_tokens is not None:
        written = thought.output_tokens
    return Usage(
        total_tokens=read + heard + written + said,
        input_tokens=read + heard,
        output_tokens=written + said,
        input_token_details=InputTokenDetails(
            text_tokens=read,
            audio_tokens=heard,
            image_tokens=0,
            cached_tokens=cached,
            cached_tokens_details=CachedTokenDetails(text_tokens=cached, audio_tokens=0, image_tokens=0),
        ),
        output_token_details=OutputTokenDetails(text_tokens=written, audio_tokens=said),
    )


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


def _item_tokens(item: Item, archive: Archive) -> tuple[int, int]:
    """Text tokens and audio tokens of an item; what was said counts as sound, not as its transcript."""
    recording = archive.get(item.id) if isinstance(item.id, str) else None
    length = recording.length if recording is not None else 0
    match item:
        case SystemMessage():
            return sum(text_tokens(part.text) for part in item.content), 0
        case UserMessage():
            return sum(map(_part_tokens, item.content)), user_audio_tokens(length)
        case AssistantMessage():
            return sum(map(_part_tokens, item.content)), assistant_audio_tokens(length)
        case FunctionCall():
            return text_tokens(item.name + item.arguments), 0
        case FunctionCallOutput():
            return text_tokens(item.output), 0
        case _:
            return text_tokens(msgspec.json.encode(item).decode()), 0


def _part_tokens(part: InputText | InputAudio | InputImage | OutputText | OutputAudio) -> int:
    match part:
        case InputText() | OutputText():
            return text_tokens(part.text)
        case InputImage():
            return IMAGE_TOKENS
        case InputAudio() | OutputAudio():
            return 0
        case _:
            assert_never(part)


def _transcript_tokens(item: Item) -> int:
    if not isinstance(item, AssistantMessage):
        return 0
    return sum(
        text_tokens(part.transcript)
        for part in item.content
        if isinstance(part, OutputAudio) and isinstance(part.transcript, str)
    )
