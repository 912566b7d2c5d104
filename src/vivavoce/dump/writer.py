"""Writes down what happens in a call: streaming, within a bound, so that a crash leaves all that came before it."""

import os
from collections.abc import Mapping
from contextlib import suppress
from os import PathLike
from typing import Final

import msgspec

from vivavoce.client.policy import History, Step
from vivavoce.client.state import State
from vivavoce.clock import Clock
from vivavoce.dump.record import header, plain
from vivavoce.dump.scrub import Scrub
from vivavoce.errors import ConfigError, VivaError
from vivavoce.telemetry.log import Log

MOST: Final = 64 * 2**20
"""Bytes after which events are left out; what is known of the call without them is written on."""
_BULK: Final = ("in", "out")

_log = Log("dump")


class Dump:
    """One file about one call; harmless once ended. Only its owner can read the file.

    A disk that is full, or gone, ends the writing and never the call.
    """

    def __init__(
        self, path: "str | PathLike[str]", clock: Clock, about: Mapping[str, object], *, most: int = MOST
    ) -> None:
        """Begin the file.

        Raises:
            ConfigError: it cannot be written.
        """
        self.scrub = Scrub()
        self._clock = clock
        self._began = clock.now()
        self._left = most
        self._full = False
        try:
            self._file: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise ConfigError(f"The dump {os.fspath(path)!r} cannot be written: {error.strerror}.") from error
        self._put(header(clock.wall(), {name: self.scrub.value(plain(value), name) for name, value in about.items()}))

    def write(self, kind: str, **fields: object) -> None:
        """One line. Its fields are written as they are: what may hold secrets is cleaned by who gives it."""
        bulky = kind in _BULK
        if bulky and self._full:
            return
        if bulky and self._left <= 0:
            self._full = True
            kind, fields = "full", {}
        self._put({"kind": kind, "t": round(self._clock.now() - self._began, 4), **fields})

    # ── what is told by a call ─────────────────────────────────────────────────────────────────────────

    def state(self, state: State) -> None:
        """The call is in this state now."""
        told = self.scrub.value(plain(state))
        self.write("state", **{"state": type(state).__name__, "holds": told})

    def decided(self, failure: VivaError, history: History, step: Step) -> None:
        """The policy has decided."""
        since = self._clock.now() - history.since
        told = {"failure": plain(failure), "step": plain(step), "steps": len(history.steps), "since_s": round(since, 3)}
        self.write("decision", **{name: self.scrub.value(value) for name, value in told.items()})

    def end(self, error: BaseException | None = None) -> None:
        """The call is over, by this error if there is one; whoever is told to stop makes none."""
        if isinstance(error, Exception):
            self.write("error", error=self.scrub.value(plain(error)))
        self.write("end")
        self._close()

    # ── the file ───────────────────────────────────────────────────────────────────────────────────────

    def _put(self, record: Mapping[str, object]) -> None:
        if self._file is None:
            return
        try:
            line = msgspec.json.encode(record) + b"\n"
        except (UnicodeEncodeError, TypeError, ValueError) as error:
            line = (
                msgspec.json.encode({"kind": "unwritable", "t": record.get("t"), "why": type(error).__name__}) + b"\n"
            )
        self._left -= len(line)
        try:
            # Straight to the system: of what has been written nothing is lost when this process dies.
            while line:
                line = line[os.write(self._file, line) :]
        except OSError as error:
            _log.failure("dump_broken", error)
            self._close()

    def _close(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)
            self._file = None
