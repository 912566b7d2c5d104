import copy
import pickle

import pytest

from vivavoce.telemetry.secret import Secret


def test_a_secret_shows_stars_however_it_is_printed() -> None:
    secret = Secret("sk-very-secret")
    shown = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret:>40}",
        f"{secret!r}",
        repr({"k": [secret]}),
    ]
    assert all("very" not in each and "***" in each for each in shown)


def test_a_secret_can_be_revealed_where_it_is_needed() -> None:
    assert Secret("sk-1").reveal() == "sk-1"


def test_secrets_compare_by_their_words() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("ä") == Secret("ä")
    assert Secret("a") != "a"
    assert not Secret("")


def test_a_secret_can_be_neither_hashed_nor_pickled_nor_copied() -> None:
    with pytest.raises(TypeError):
        hash(Secret("a"))
    with pytest.raises(TypeError):
        pickle.dumps(Secret("a"))
    with pytest.raises(TypeError):
        copy.copy(Secret("a"))
