"""What is written down of a call: one JSON object a line, its kind under `kind`, its time in seconds under `t`.

The first line is the header. The kinds after it, with what they hold beside these two:

| kind | holds |
|---|---|
| `state` | `state`: its name; its fields |
| `decision` | what the policy made of a `failure`: the `step`, and how many `steps` were taken `since` the loss |
| `offer`, `answer` | `sdp`, by `leg`: the number of the connection |
| `opened`, `gone` | a connection of that `leg` number is there; it has ended, `by` whom and with which `code` |
| `in`, `out` | an `event` of the server, of the client, by `leg` |
| `stats` | a reading of a connection once a second, by `leg` |
| `error` | what was raised |
| `full` | from here on events are left out |
| `end` | the call was left in good order |
"""

import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from typing import Final, cast

from vivavoce.errors import RefusedError, VivaError
from vivavoce.telemetry.secret import STARS, Secret

FORMAT: Final = "vivavoce dump"
VERSION: Final = 1
_PACKAGES: Final = ("vivavoce", "wrtc", "websockets", "httpx2", "msgspec", "numpy", "sounddevice")


def header(at: float, about: Mapping[str, object]) -> dict[str, object]:
    """The first line: what wrote it, on what, and when (Unix seconds)."""
    return {
        "kind": "header",
        "t": 0.0,
        "format": FORMAT,
        "version": VERSION,
        "at": at,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name)) is not None},
        **about,
    }


def plain(value: object) -> object:
    """A value of ours as JSON: of an object its class as `is` and its fields."""
    match value:
        case Secret():
            return STARS
        case Enum():
            return value.value
        case VivaError():
            return failure(value)
        case BaseException():
            return {"is": type(value).__name__}  # a foreign message may quote anything
        case str() | int() | float() | bool() | None:
            return value
        case Mapping():
            return {str(name): plain(inner) for name, inner in cast("Mapping[object, object]", value).items()}
        case list() | tuple():
            return [plain(inner) for inner in cast("Sequence[object]", value)]
        case _ if is_dataclass(value):
            return {"is": type(value).__name__, **{f.name: plain(getattr(value, f.name)) for f in fields(value)}}
        case _:
            return {"is": type(value).__name__}


def failure(error: VivaError) -> dict[str, object]:
    """An error, by everything that a reader can act on."""
    told: dict[str, object] = {
        "is": type(error).__name__,
        "message": error.message,
        "fault": error.fault.value,
        "next": plain(error.next),
    }
    if isinstance(error, RefusedError):
        told |= {"status": error.status, "code": error.code}
    return told


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
