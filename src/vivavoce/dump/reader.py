"""Reads a dump as far as it goes, whatever has become of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from os import PathLike, fspath
from typing import Final, TypeAlias, cast

import msgspec

from vivavoce.dump.record import FORMAT, VERSION
from vivavoce.errors import ConfigError

LONGEST_LINE: Final = 4 * 2**20
"""Bytes of a line; the rest of a longer one, which we have not written, counts as another."""
NAMED: Final = 5
"""Lines that cannot be read and are named; more are counted."""

Record: TypeAlias = Mapping[str, object]


@dataclass(frozen=True)
class Reading:
    """What a file holds. `faults` says in sentences what of it could not be read."""

    about: Record
    records: tuple[Record, ...]
    faults: tuple[str, ...]


def read(path: "str | PathLike[str]") -> Reading:
    """All of a dump that can be read.

    Raises:
        ConfigError: there is no such file, or it is no dump.
    """
    name = fspath(path)
    try:
        with open(path, "rb") as file:
            lines = list(iter(partial(file.readline, LONGEST_LINE), b""))
    except OSError as error:
        raise ConfigError(f"The dump {name!r} cannot be read: {error.strerror}.") from error
    about = _record(lines[0]) if lines else None
    if about is None or about.get("format") != FORMAT:
        raise ConfigError(
            f"{name!r} is no dump: its first line does not say {FORMAT!r}. Make one: viva talk --dump FILE"
        )
    records: list[Record] = []
    bad: list[int] = []
    for number, line in enumerate(lines[1:], start=2):
        record = _record(line)
        if record is None:
            bad.append(number)
        else:
            records.append(record)
    return Reading(about, tuple(records), tuple(_faults(about, lines, records, bad)))


def _record(line: bytes) -> Record | None:
    try:
        record: object = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    if not isinstance(record, dict):
        return None
    fields = cast("dict[str, object]", record)
    timed = isinstance(fields.get("t"), int | float) and isinstance(fields.get("kind"), str)
    return fields if timed else None


def _faults(about: Record, lines: list[bytes], records: list[Record], bad: list[int]) -> Iterator[str]:
    version = about.get("version")
    if version != VERSION:
        yield f"It is of version {version}, and {VERSION} is the one known here: some of it may be missing below."
    cut = bool(bad) and bad[-1] == len(lines) and not lines[-1].endswith(b"\n")
    whole = bad[:-1] if cut else bad
    if whole:
        more = f" and {len(whole) - NAMED} more" if len(whole) > NAMED else ""
        yield f"Lines that cannot be read were left out: {', '.join(map(str, whole[:NAMED]))}{more}."
    if cut:
        yield "It is cut off in the middle of its last line."
    if not any(record["kind"] == "end" for record in records):
        yield "It has no end: the program was killed or crashed, or the call goes on."
    if any(record["kind"] == "full" for record in records):
        yield "It is full: of the later part the events are missing."
