"""What tokens cost."""

import pytest
from msgspec import UNSET

from vivavoce.session.price import Price, PriceList, Row, response_cost, transcription_cost
from vivavoce.session.tokens import Tokens, response_tokens
from vivavoce.wire.config import (
    CachedTokenDetails,
    InputTokenDetails,
    TranscriptionDuration,
    TranscriptionTokenDetails,
    TranscriptionTokens,
    Usage,
)

PRICE = Price(
    text_in=4.0,
    text_cached=0.4,
    text_out=24.0,
    audio_in=32.0,
    audio_cached=0.5,
    audio_out=64.0,
    image_in=5.0,
    image_cached=0.6,
)
M = 1_000_000


@pytest.mark.parametrize(
    ("tokens", "usd"),
    [
        (Tokens(input_text=M), 4.0),
        (Tokens(input_audio=M), 32.0),
        (Tokens(input_image=M), 5.0),
        (Tokens(output_text=M), 24.0),
        (Tokens(output_audio=M), 64.0),
        (Tokens(input_text=M, input_cached=M // 4), 3.0 + 0.1),
        (Tokens(input_audio=M, input_cached=M // 2, cached_audio=M // 2), 16.0 + 0.25),
        (Tokens(input_image=M, input_cached=M // 2, cached_image=M // 2), 2.5 + 0.3),
    ],
)
def test_each_kind_of_token_has_its_own_price(tokens: Tokens, usd: float) -> None:
    assert response_cost(tokens, PRICE) == pytest.approx(usd)


def test_a_cost_is_unknown_where_one_of_its_prices_is() -> None:
    assert response_cost(Tokens(input_text=1), None) is None
    assert response_cost(Tokens(), None) == 0.0
    assert response_cost(Tokens(input_text=M, output_audio=1), Price(text_in=4.0)) is None
    assert response_cost(Tokens(input_text=M), Price(text_in=4.0)) == 4.0


def test_cached_input_is_cheaper_by_its_kind() -> None:
    details = CachedTokenDetails(text_tokens=10, audio_tokens=20, image_tokens=5)
    read = InputTokenDetails(
        text_tokens=50, audio_tokens=60, image_tokens=7, cached_tokens=35, cached_tokens_details=details
    )
    tokens = response_tokens(Usage(input_token_details=read))
    assert (tokens.input_cached, tokens.cached_audio, tokens.cached_image) == (35, 20, 5)
    expected = 40 * 4 + 10 * 0.4 + 40 * 32 + 20 * 0.5 + 2 * 5 + 5 * 0.6
    assert response_cost(tokens, PRICE) == pytest.approx(expected / M)


def test_cached_input_of_no_told_kind_makes_nothing_cheaper_than_it_may_be() -> None:
    read = InputTokenDetails(text_tokens=10, audio_tokens=60, image_tokens=7, cached_tokens=30)
    tokens = response_tokens(Usage(input_token_details=read))
    assert (tokens.cached_audio, tokens.cached_image) == (13, 7)
    dearest = response_cost(tokens, PRICE)
    for audio in range(31):
        for image in range(8):
            text = 30 - audio - image
            if 0 <= text <= 10:
                details = CachedTokenDetails(text_tokens=text, audio_tokens=audio, image_tokens=image)
                told = InputTokenDetails(
                    text_tokens=10, audio_tokens=60, image_tokens=7, cached_tokens=30, cached_tokens_details=details
                )
                cost = response_cost(response_tokens(Usage(input_token_details=told)), PRICE)
                assert cost is not None
                assert dearest is not None
                assert cost <= dearest + 1e-12


def test_a_transcript_costs_by_its_tokens_or_by_the_minute() -> None:
    usage = TranscriptionTokens(total_tokens=3 * M, input_tokens=2 * M, output_tokens=M)
    price = Price(audio_in=2.5, text_out=10.0)
    assert transcription_cost(usage, price) == pytest.approx(15.0)
    assert transcription_cost(TranscriptionDuration(seconds=90), Price(minute=0.006)) == pytest.approx(0.009)
    assert transcription_cost(TranscriptionDuration(seconds=90), price) is None
    assert transcription_cost(UNSET, price) is transcription_cost(usage, None) is None
    prompted = TranscriptionTokens(
        total_tokens=3, input_tokens=2, output_tokens=1, input_token_details=TranscriptionTokenDetails(text_tokens=1)
    )
    assert transcription_cost(prompted, price) is None


def test_a_price_is_that_of_one_host() -> None:
    row = Row(host="api.example", models=["a", "b"], as_of="2026-11-20", source="a page", price=PRICE)
    prices = PriceList(row=[row])
    assert prices.at("api.example") == {"a": PRICE, "b": PRICE}
    assert prices.at("127.0.0.1") == {}
