"""What tokens cost."""

from collections.abc import Mapping
from typing import assert_never

from msgspec import Struct, UnsetType

from vivavoce.session.settings import known
from vivavoce.session.tokens import Tokens
from vivavoce.wire.config import (
    TranscriptionDuration,
    TranscriptionTokenDetails,
    TranscriptionTokens,
    TranscriptionUsage,
)

MILLION = 1_000_000


class Price(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one model costs, in US dollars per million tokens by kind, or per minute of sound. None: not known."""

    text_in: float | None = None
    text_cached: float | None = None
    text_out: float | None = None
    audio_in: float | None = None
    audio_cached: float | None = None
    audio_out: float | None = None
    image_in: float | None = None
    image_cached: float | None = None
    minute: float | None = None


class Row(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One price of one provider, as a page showed it on a day."""

    host: str
    models: list[str]
    as_of: str
    source: str
    price: Price


class PriceList(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All prices that are known."""

    row: list[Row]

    def at(self, host: str) -> Mapping[str, Price]:
        """The prices of one host, by model."""
        return {model: row.price for row in self.row if row.host == host for model in row.models}


def response_cost(tokens: Tokens, price: Price | None) -> float | None:
    """What a response cost in US dollars; None if a kind of token that it used has no known price."""
    if price is None:
        return 0.0 if tokens == Tokens() else None
    cached_text = tokens.input_cached - tokens.cached_audio - tokens.cached_image
    return _sum(
        (tokens.input_text - cached_text, price.text_in),
        (cached_text, price.text_cached),
        (tokens.input_audio - tokens.cached_audio, price.audio_in),
        (tokens.cached_audio, price.audio_cached),
        (tokens.input_image - tokens.cached_image, price.image_in),
        (tokens.cached_image, price.image_cached),
        (tokens.output_text, price.text_out),
        (tokens.output_audio, price.audio_out),
    )


def transcription_cost(usage: TranscriptionUsage | UnsetType, price: Price | None) -> float | None:
    """What writing down one thing that the user said cost in US dollars; None where no price or usage is known."""
    if price is None:
        return None
    match usage:
        case TranscriptionTokens():
            prompt = known(known(usage.input_token_details, TranscriptionTokenDetails()).text_tokens, 0)
            return _sum(
                (prompt, price.text_in),
                (usage.input_tokens - prompt, price.audio_in),
                (usage.output_tokens, price.text_out),
            )
        case TranscriptionDuration():
            return None if price.minute is None else usage.seconds / 60 * price.minute
        case UnsetType():
            return None
        case _:
            assert_never(usage)


def _sum(*parts: tuple[int, float | None]) -> float | None:
    total = 0.0
    for count, per_million in parts:
        if count and per_million is None:
            return None
        total += count * (per_million or 0.0) / MILLION
    return total
