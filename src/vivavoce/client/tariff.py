"""The prices that count for a call."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from math import isfinite
from pathlib import Path

import msgspec

from vivavoce.client.endpoint import Endpoint
from vivavoce.errors import ConfigError
from vivavoce.session.ledger import billed_models
from vivavoce.session.price import Price, PriceList
from vivavoce.wire.config import Session


@cache
def price_list() -> PriceList:
    """All prices that come with this package; each with a date and a source."""
    text = files("vivavoce.client").joinpath("prices.toml").read_bytes()
    return msgspec.toml.decode(text, type=PriceList)


def read_prices(path: str) -> dict[str, Price]:
    """Prices of one's own: a TOML file with a table for each model, its keys those of `Price`.

    Raises:
        ConfigError: it cannot be read, or says something else.
    """
    try:
        return msgspec.toml.decode(Path(path).read_bytes(), type=dict[str, Price])
    except OSError as error:
        raise ConfigError(f"The prices {path} cannot be read: {error.strerror}.") from error
    except (UnicodeError, msgspec.MsgspecError) as error:
        names = ", ".join(field.name for field in msgspec.structs.fields(Price))
        raise ConfigError(
            f'The prices {path} are not as expected: {error}. Write a table for each model, ["MODEL"], with US dollars '
            f"per million tokens, or per minute, of: {names}."
        ) from None


def tariff(
    place: Endpoint, session: Session, budget: float | None, own: Mapping[str, Price] | None
) -> Mapping[str, Price]:
    """The prices of the server that is called, by model: the caller's own before those known here.

    Raises:
        ConfigError: a price or a budget that is no amount of money, or a budget that cannot be kept because no price
            is known.
    """
    for model, price in (own or {}).items():
        for kind, usd in msgspec.structs.asdict(price).items():
            if usd is not None and not (isfinite(usd) and usd >= 0):
                raise ConfigError(f"The price {kind} of {model!r} is {usd}; it must be 0 US dollars or more.")
    prices = {**price_list().at(place.base.hostname or ""), **(own or {})}
    if budget is None:
        return prices
    if not (isfinite(budget) and budget > 0):
        raise ConfigError(f"The budget is {budget}; it must be more than 0 US dollars.")
    for model in billed_models(session):
        if model not in prices:
            raise ConfigError(
                f"A budget needs prices, and none is known of {model!r} at {place.base.hostname}. "
                f'Tell it: prices={{{model!r}: Price(…)}}, or `viva talk --prices FILE` with a table ["{model}"].'
            )
    return prices
