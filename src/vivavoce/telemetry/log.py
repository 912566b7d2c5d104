"""Structured records: a name for what happened, and fields.

Built on the standard library's logging, so a host program sees and routes our records like any other.
"""

import json
import logging
import re
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from types import TracebackType
from typing import TextIO

from vivavoce.errors import ConfigError, VivaError
from vivavoce.telemetry.private import Private
from vivavoce.telemetry.secret import STARS, Secret

Value = str | int | float | bool | None | Secret | Private[str]
"""What a field may hold. The last two are written as stars."""

_ROOT = "vivavoce"
_KEY = re.compile(r"\b(?:sk-|ek_|viva_(?:dev|resume)_)[A-Za-z0-9_-]{4,}")
"""API keys and client secrets by their looks: a provider's refusal, say, may quote the key that it refused."""
_FIELDS = "viva_fields"
_LONGEST = 500
"""Characters of one field; a peer must not be able to fill a disk with one request."""


class Style(Enum):
    """How records look."""

    JSON = "json"
    TEXT = "text"


class Log:
    """Writes records of one part of the program: `Log("gateway").info("call_started", call_id=…)`.

    The event is a fixed name that can be searched for, never a sentence with values in it.
    """

    def __init__(self, part: str) -> None:
        self._logger = logging.getLogger(f"{_ROOT}.{part}")

    def debug(self, event: str, **fields: Value) -> None:
        """Of use to whoever works on the program."""
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: Value) -> None:
        """Normal life."""
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Value) -> None:
        """Something that the operator may want to change."""
        self._write(logging.WARNING, event, fields)

    def failure(self, event: str, error: BaseException, **fields: Value) -> None:
        """Something broke that should not have. Writes the error's type and where it came from.

        The message is written only if the error is one of ours: a foreign one may quote what a person
        said or the key that was tried.
        """
        fields = dict(fields)
        fields["error"] = type(error).__qualname__
        if isinstance(error, VivaError):
            fields["message"] = error.message
        fields["where"] = _where(error.__traceback__)
        self._write(logging.ERROR, event, fields)

    def _write(self, level: int, event: str, fields: Mapping[str, Value]) -> None:
        if self._logger.isEnabledFor(level):
            clean = {
                name: _KEY.sub(STARS, value) if isinstance(value, str) else value for name, value in fields.items()
            }
            self._logger.log(level, event, extra={_FIELDS: clean})


def configure(stream: TextIO, *, level: str = "info", style: Style = Style.TEXT) -> None:
    """Send our records of `level` and up to `stream`, one per line; of other packages only warnings.

    Others are held to warnings whatever our level is, because what they write below that includes URLs
    and frames (uvicorn writes the query string of each WebSocket, websockets the text of each message).

    Raises:
        ConfigError: `level` is none of debug, info, warning, error.
    """
    wanted = logging.getLevelNamesMapping().get(level.upper())
    if wanted is None or level.lower() not in ("debug", "info", "warning", "error"):
        raise ConfigError(f"Unknown log level {level!r}; expected debug, info, warning or error.")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Formatter(style))
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each.formatter, _Formatter)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger(_ROOT).setLevel(wanted)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)


class _Formatter(logging.Formatter):
    """One line per record, whatever is in it."""

    def __init__(self, style: Style) -> None:
        super().__init__()
        self._json = style is Style.JSON

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = dict(_fields(record))
        if self._json:
            head = {
                "time": moment,
                "level": record.levelname.lower(),
                "part": record.name,
                "event": record.getMessage(),
            }
            return json.dumps(head | fields, ensure_ascii=False)
        tail = "".join(f" {name}={_quoted(value)}" for name, value in fields.items())
        return f"{moment} {record.levelname.lower():7} {record.name} {_quoted(record.getMessage())}{tail}"


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, str | int | float | bool | None]]:
    fields: Mapping[str, Value] = getattr(record, _FIELDS, {})
    for name, value in fields.items():
        match value:
            case Secret():
                yield name, str(value)
            case str():
                yield name, value if len(value) <= _LONGEST else value[:_LONGEST] + "…"
            case Private():
                yield name, f"{value}"
            case _:
                yield name, value
    # Records of other packages carry their error the standard way.
    if record.exc_info and record.exc_info[1] is not None:
        yield "error", type(record.exc_info[1]).__qualname__
        yield "where", _where(record.exc_info[2])


def _where(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)[-6:]
    return " > ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}:{frame.name}" for frame in frames)


def _quoted(value: str | int | float | bool | None) -> str:
    if isinstance(value, str) and value and all(letter.isprintable() and letter not in ' "=' for letter in value):
        return value
    return json.dumps(value, ensure_ascii=False)
