"""The prices that count for a call."""

from datetime import date
from math import inf, nan
from pathlib import Path

import pytest

from vivavoce.client.endpoint import OPENAI, endpoint
from vivavoce.client.tariff import price_list, read_prices, tariff
from vivavoce.errors import ConfigError
from vivavoce.session.price import Price
from vivavoce.wire.config import AudioConfig, AudioInput, RealtimeSession, Transcription

SESSION = RealtimeSession(model="gpt-realtime-2.1")


def test_every_price_has_a_day_and_a_source_and_no_model_has_two() -> None:
    rows = price_list().row
    assert all(date.fromisoformat(row.as_of) <= date(2026, 12, 31) and row.source for row in rows)
    names = [(row.host, model) for row in rows for model in row.models]
    assert len(names) == len(set(names))


def test_openais_prices_count_at_openai_alone() -> None:
    assert tariff(endpoint(OPENAI), SESSION, None, None)["gpt-realtime-2.1"].audio_out == 64.0
    assert tariff(endpoint("http://127.0.0.1:8765/v1"), SESSION, None, None) == {}


def test_the_callers_own_prices_come_first() -> None:
    own = {"gpt-realtime-2.1": Price(text_in=1.0), "mine": Price(text_in=2.0)}
    prices = tariff(endpoint(OPENAI), SESSION, 1.0, own)
    assert (prices["gpt-realtime-2.1"].text_in, prices["mine"].text_in) == (1.0, 2.0)
    assert "gpt-realtime-2" in prices


@pytest.mark.parametrize("text", [b"{", b"[mine]\ntext = 1", b"[mine]\ntext_in = 'much'", b"mine = 1", b"\xa4\xff"])
def test_what_is_no_list_of_prices_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "prices.toml"
    for _ in range(2):  # before there is a file, too
        with pytest.raises(ConfigError, match="prices.toml"):
            read_prices(str(path))
        path.write_bytes(text)


@pytest.mark.parametrize("usd", [-1.0, nan, inf])
def test_a_price_is_an_amount_of_money(usd: float) -> None:
    with pytest.raises(ConfigError, match="audio_out of 'mine'"):
        tariff(endpoint(OPENAI), SESSION, None, {"mine": Price(text_in=0.0, audio_out=usd)})


@pytest.mark.parametrize("budget", [0.0, -1.0, nan, inf])
def test_a_budget_is_an_amount_of_money(budget: float) -> None:
    with pytest.raises(ConfigError, match="more than 0"):
        tariff(endpoint(OPENAI), SESSION, budget, None)


def test_a_budget_that_cannot_be_kept_is_refused_before_the_call() -> None:
    place = endpoint("http://127.0.0.1:8765/v1")
    with pytest.raises(ConfigError, match=r"'gpt-realtime-2\.1' at 127\.0\.0\.1"):
        tariff(place, SESSION, 1.0, None)
    writes = RealtimeSession(
        model="m", audio=AudioConfig(input=AudioInput(transcription=Transcription(model="scribe")))
    )
    with pytest.raises(ConfigError, match="'scribe'"):
        tariff(place, writes, 1.0, {"m": Price()})
    assert tariff(place, writes, 1.0, {"m": Price(), "scribe": Price()})
