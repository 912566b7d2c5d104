"""The public names are a promise: what is added or taken away shows as a line in `public_names.txt`."""

import importlib
import inspect
from pathlib import Path
from typing import Final

import pytest

FROZEN: Final = Path(__file__).with_name("public_names.txt")
DOORS: Final = ("vivavoce", "vivavoce.testing")
"""Modules that others may import from."""


def frozen(door: str) -> list[str]:
    lines = [line for line in FROZEN.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return sorted(name for name in lines if name.rpartition(".")[0] == door)


@pytest.mark.parametrize("door", DOORS)
def test_public_names_change_only_on_purpose(door: str) -> None:
    module = importlib.import_module(door)
    names = sorted(f"{door}.{name}" for name in getattr(module, "__all__", ()))
    assert names == frozen(door), f"if this is meant, write it down in {FROZEN.name}"


@pytest.mark.parametrize("door", DOORS)
def test_every_public_name_is_there_and_says_what_it_is(door: str) -> None:
    module = importlib.import_module(door)
    silent = [
        name
        for name in getattr(module, "__all__", ())
        if (inspect.isclass(value := getattr(module, name)) or inspect.isfunction(value)) and not value.__doc__
    ]
    assert silent == []


@pytest.mark.parametrize("door", DOORS)
def test_nothing_public_is_left_unlisted(door: str) -> None:
    module = importlib.import_module(door)
    loose = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and (inspect.isclass(value) or inspect.isfunction(value))
        and name not in getattr(module, "__all__", ())
    ]
    assert loose == []
