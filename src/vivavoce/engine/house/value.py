"""JSON of unknown shape, given a type."""

from typing import cast


def mapping(value: object) -> dict[str, object]:
    """An object, or an empty one for anything else."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def listing(value: object) -> list[object]:
    """An array, or an empty one for anything else."""
    return cast("list[object]", value) if isinstance(value, list) else []
