import pickle

import pytest

from vivavoce.telemetry.private import Private


def test_a_private_value_shows_stars_however_it_is_printed() -> None:
    words = Private("my mother's name")
    shown = [str(words), repr(words), f"{words}", f"{words:>40}", repr([words])]
    assert all("mother" not in each and "***" in each for each in shown)


def test_a_private_value_can_be_revealed_and_compares_as_itself() -> None:
    assert Private("a").reveal() == "a"
    assert Private("a") == Private("a")
    assert Private("a") != Private("b")
    assert len({Private("a"), Private("a"), Private("b")}) == 2


def test_a_private_value_cannot_be_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Private("a"))
