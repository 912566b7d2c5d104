"""What a call has cost."""

from msgspec import UNSET

from vivavoce.session.tokens import Tokens, response_tokens, transcription_tokens
from vivavoce.wire.config import (
    InputTokenDetails,
    OutputTokenDetails,
    TranscriptionDuration,
    TranscriptionTokens,
    Usage,
)


def test_tokens_are_summed_by_kind() -> None:
    usage = Usage(
        input_token_details=InputTokenDetails(text_tokens=1, audio_tokens=2, image_tokens=3, cached_tokens=2),
        output_token_details=OutputTokenDetails(text_tokens=4, audio_tokens=5),
    )
    twice = response_tokens(usage) + response_tokens(usage)
    assert twice == Tokens(2, 4, 6, 4, 8, 10, cached_image=2)
    assert twice.total == 30


def test_what_a_server_does_not_divide_counts_as_text() -> None:
    assert response_tokens(Usage(input_tokens=7, output_tokens=3)) == Tokens(input_text=7, output_text=3)
    usage = Usage(input_tokens=7, input_token_details=InputTokenDetails(audio_tokens=4))
    assert response_tokens(usage) == Tokens(input_text=3, input_audio=4)
    assert response_tokens(None) == response_tokens(UNSET) == Tokens()


def test_transcription_is_billed_apart() -> None:
    tokens = transcription_tokens(TranscriptionTokens(total_tokens=9, input_tokens=5, output_tokens=4))
    tokens += transcription_tokens(TranscriptionDuration(seconds=1.5)) + transcription_tokens(UNSET)
    assert (tokens.transcription, tokens.transcription_s, tokens.total) == (9, 1.5, 0)
