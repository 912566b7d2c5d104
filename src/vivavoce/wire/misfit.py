"""Where and how a JSON value fails to be what a type asks for."""

from collections.abc import Iterable
from typing import Final, TypeAlias

SHOWN_CHARS: Final = 60

PATH_CHARS: Final = 512
"""Where a path is cut, since a client may send a key of any length and the answer should not be as long."""

Path: TypeAlias = str
"""Dotted keys and bracketed indices from the root, `session.tools[0].name`; empty for the root itself."""


class Misfit(Exception):
    """One value that does not fit. `code` is what the protocol's `error` calls it, `path` its `param`."""

    def __init__(self, code: str, path: Path, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.path = path[:PATH_CHARS]
        self.message = message


def unknown(path: Path, known: Iterable[str]) -> Misfit:
    """A key that the type lacks."""
    return Misfit(
        "unknown_parameter",
        path,
        f"Unknown parameter {named(path)}. Known here: {', '.join(known)}. Remove or rename it.",
    )


def missing(path: Path) -> Misfit:
    """A key that must be there."""
    return Misfit("missing_required_parameter", path, f"Missing parameter {named(path)}: it is required here.")


def wrong_type(path: Path, expected: str, value: object) -> Misfit:
    """Another kind of JSON value than the type asks for."""
    return Misfit("invalid_type", path, f"{named(path)} is {kind(value)}, expected {expected}.")


def wrong_value(path: Path, seen: str, expected: str) -> Misfit:
    """The right kind of JSON value, yet not an allowed one."""
    return Misfit("invalid_value", path, f"{named(path)} is {seen}, expected {expected}.")


def named(path: Path) -> str:
    """A path as the subject of a sentence."""
    return repr(path[:PATH_CHARS]) if path else "The message"


def shown(value: object) -> str:
    """A value for a message, cut to a length that a log can bear."""
    cut = value[: SHOWN_CHARS + 1] if isinstance(value, str) else value
    text = repr(cut)
    return text if len(text) <= SHOWN_CHARS else text[:SHOWN_CHARS] + "…"


def kind(value: object) -> str:
    """What JSON calls a value."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def child(path: Path, key: str) -> Path:
    """The path of a key inside the object at `path`."""
    return f"{path}.{key}" if path else key
