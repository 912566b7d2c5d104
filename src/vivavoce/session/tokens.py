"""What a call has cost, summed by kind."""

from dataclasses import dataclass, fields
from typing import assert_never

from msgspec import UnsetType

from vivavoce.session.settings import known
from vivavoce.wire.config import (
    CachedTokenDetails,
    InputTokenDetails,
    OutputTokenDetails,
    TranscriptionDuration,
    TranscriptionTokens,
    TranscriptionUsage,
    Usage,
)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Sums over all responses. Cached input is part of the input; transcription, billed apart, is not.

    `cached_audio` and `cached_image` are the parts of `input_cached` that are not text.
    """

    input_text: int = 0
    input_audio: int = 0
    input_image: int = 0
    input_cached: int = 0
    output_text: int = 0
    output_audio: int = 0
    transcription: int = 0
    transcription_s: float = 0.0
    cached_audio: int = 0
    cached_image: int = 0

    @property
    def total(self) -> int:
        """Tokens of all responses, both directions."""
        return self.input_text + self.input_audio + self.input_image + self.output_text + self.output_audio

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(**{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)})


def response_tokens(usage: Usage | None | UnsetType) -> Tokens:
    """The tokens of one response. What a server does not divide by kind counts as text."""
    if not isinstance(usage, Usage):
        return Tokens()
    read = known(usage.input_token_details, InputTokenDetails())
    made = known(usage.output_token_details, OutputTokenDetails())
    audio_in, image_in = known(read.audio_tokens, 0), known(read.image_tokens, 0)
    audio_out = known(made.audio_tokens, 0)
    text_in = known(read.text_tokens, max(0, known(usage.input_tokens, 0) - audio_in - image_in))
    cached = min(known(read.cached_tokens, 0), text_in + audio_in + image_in)
    cached_audio, cached_image = _cached(read, cached, text_in, audio_in, image_in)
    return Tokens(
        input_text=text_in,
        input_audio=audio_in,
        input_image=image_in,
        input_cached=cached,
        output_text=known(made.text_tokens, max(0, known(usage.output_tokens, 0) - audio_out)),
        output_audio=audio_out,
        cached_audio=cached_audio,
        cached_image=cached_image,
    )


def _cached(read: InputTokenDetails, cached: int, text: int, audio: int, image: int) -> tuple[int, int]:
    """How much of the cached input was sound, and how much pictures.

    Of a server that does not say, as much as can be is taken for text, which saves the least: a cost made of it is
    never too low.
    """
    details = known(read.cached_tokens_details, CachedTokenDetails())
    of_audio = min(known(details.audio_tokens, 0), audio, cached)
    of_image = min(known(details.image_tokens, 0), image, cached - of_audio)
    beyond = max(0, cached - of_audio - of_image - text)
    more_image = min(beyond, image - of_image)
    return of_audio + beyond - more_image, of_image + more_image


def transcription_tokens(usage: TranscriptionUsage | UnsetType) -> Tokens:
    """The price of writing down one thing that the user said."""
    match usage:
        case TranscriptionTokens():
            return Tokens(transcription=usage.total_tokens)
        case TranscriptionDuration():
            return Tokens(transcription_s=usage.seconds)
        case UnsetType():
            return Tokens()
        case _:
            assert_never(usage)
