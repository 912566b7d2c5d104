"""A call in the laboratory, and what becomes of it when something happens to its network.

A row is a function of a `Stage`: it starts servers and a caller, lets something happen, and returns the `Outcome`.
Tests hold it to a bound; `./dev bench network` repeats it, and lets other clients play it. Both run the same rows.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from tests.network.lab import CALLER_NS, SERVER, SERVER_NS, Lab
from vivavoce.clock import SystemClock

KEY: Final = "sk-network-0123456789abcdef"
PORT: Final = 8765
ENVIRONMENT: Final = {**os.environ, "VIVA_API_KEYS": KEY, "OPENAI_API_KEY": KEY}
URL: Final = f"http://{SERVER}:{PORT}/v1"
FRONT_PORT: Final = 8080
FRONT_URL: Final = f"http://{SERVER}:{FRONT_PORT}/v1"

PAUSE_S: Final = 0.6
"""Silence between words is shorter; anything longer is a gap."""
SETTLED_S: Final = 2.0
"""Heard for so long without a gap, a call has come back."""
RETURN_S: Final = 60.0
"""Who has not come back by then does not."""
START_S: Final = 40.0

_CLOCK: Final = SystemClock()


@dataclass(frozen=True)
class Outcome:
    """What became of a call.

    Attributes:
        gap_s: for how many seconds nothing was heard, all silences together that were longer than a pause between
            words. Where the call has ended, until that was told; None where nothing was heard any more, nor told.
        ended: `same connection`, `same session`, `new session`, `failed` or `silent`.
        kept: whether the server still has everything that the user has said, a codeword among it; None if not asked.
        setup_s: from the first step of the call, long before the trouble, until it was connected.
        said: all that the caller said since the trouble began.
    """

    gap_s: float | None
    ended: str
    kept: bool | None
    setup_s: float
    said: tuple[dict[str, Any], ...]

    def __str__(self) -> str:
        silence = "nothing was heard again" if self.gap_s is None else f"{self.gap_s:.2f} s of silence"
        return f"{silence}, {self.ended}; set up in {self.setup_s:.2f} s"


class Talk:
    """A call that goes on in another process (`talker.py` says what it tells). `seen` is all that it has told."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._began = 0.0
        self.seen: list[dict[str, Any]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def until(self, within_s: float = START_S, **wanted: object) -> dict[str, Any]:
        """The next line that has these fields; `...` stands for any value."""
        until = _CLOCK.now() + within_s
        while (line := self._line(until)) is not None:
            if all(name in line and (line[name] == value or value is ...) for name, value in wanted.items()):
                return line
        raise AssertionError(f"the caller did not tell {wanted} within {within_s:.0f} s; it said {self.seen}")

    def begin(self) -> None:
        """Wait until the assistant has been heard for a while. What happens from now on is the trouble."""
        while self.until(heard_s=...)["heard_s"] < SETTLED_S:
            pass
        self._began = _CLOCK.now()

    def outcome(self, *, at_least_s: float = SETTLED_S, within_s: float = RETURN_S) -> Outcome:
        """What has become of the call, once it has come back, has ended, or is not expected any more.

        Args:
            at_least_s: for how long to listen in any case.
            within_s: how long to wait for it.
        """
        now = _CLOCK.now()
        course = _Course(self._began, now + at_least_s)
        while not course.over:
            line = self._line(now + within_s)
            if line is None:
                return Outcome(None, "silent", None, self._setup_s, self._since())
            course.take(line)
        kept = None if course.ended == "failed" else self._recall()
        return Outcome(course.gap_s, course.ended, kept, self._setup_s, self._since())

    def freeze(self) -> None:
        """The caller stands still, as on a computer whose lid is shut."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """The caller goes on."""
        self._process.send_signal(signal.SIGCONT)

    @property
    def _setup_s(self) -> float:
        connected: float = next(line["at"] for line in self.seen if line.get("state") == "Connected")
        begun: float = self.seen[0]["at"]
        return connected - begun

    def _since(self) -> tuple[dict[str, Any], ...]:
        return tuple(line for line in self.seen if line["at"] >= self._began and "heard_s" not in line)

    def _recall(self) -> bool | None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("recall\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return None
        answer = self.until(15, kept=...)["kept"]
        assert answer is None or isinstance(answer, bool)
        return answer

    def _read(self) -> None:
        assert self._process.stdout is not None
        for text in self._process.stdout:
            self._lines.put(text)
        self._lines.put(None)

    def _line(self, until: float) -> dict[str, Any] | None:
        """The next line; None if there is none until then, or the caller has ended."""
        try:
            text = self._lines.get(timeout=max(0.0, until - _CLOCK.now()))
        except queue.Empty:
            return None
        if text is None:
            return None
        line: dict[str, Any] = json.loads(text)
        self.seen.append(line)
        return line


class _Course:
    """What a caller's lines say of the trouble."""

    def __init__(self, began: float, not_before: float) -> None:
        self._began = began
        self._not_before = not_before
        self._heard = 0.0
        self.gap_s = 0.0
        self.ended = "same connection"
        self.over = False

    def take(self, line: Mapping[str, Any]) -> None:
        if line["at"] < self._began:
            return
        match line:
            case {"heard_after_s": float(silence), "at": at}:
                self.gap_s += silence
                self._heard = at
            case {"heard_s": heard, "silent_s": silent, "at": at}:
                self._heard = at - silent
                self.over = at >= self._not_before and heard >= SETTLED_S
            case {"state": "Connected", "session": session}:
                self.ended = session
            case {"state": "Failed" | "Closed", "at": at}:
                self.gap_s += at - self._heard
                self.ended, self.over = "failed", True
            case _:
                pass


@dataclass(frozen=True)
class Stage:
    """Where a row is played.

    Attributes:
        lab: the networks.
        caller: the module of the client that calls; it tells what `talker.py` tells.
    """

    lab: Lab
    caller: str = "tests.network.talker"

    @contextmanager
    def server(
        self, *options: str, host: str = SERVER, namespace: str = SERVER_NS
    ) -> "Generator[subprocess.Popen[str]]":
        """`viva serve` in its namespace, ready."""
        words = ("-m", "vivavoce.cli.main", "serve", "--host", host, "--port", str(PORT), "--ready-json", *options)
        with self.process(namespace, *words) as process:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["event"] == "ready"
            yield process

    @contextmanager
    def front(self) -> "Generator[Callable[..., None]]":
        """A door before the server, at `FRONT_URL`. What is yielded tells it answers (`front.py` says which)."""
        with self.process(SERVER_NS, "-m", "tests.network.front", SERVER, str(FRONT_PORT), str(PORT)) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"

            def tell(*answers: Mapping[str, object]) -> None:
                assert process.stdin is not None
                process.stdin.writelines(json.dumps(answer) + "\n" for answer in answers)
                process.stdin.flush()

            yield tell

    @contextmanager
    def call(self, *options: str, url: str = URL) -> Generator[Talk]:
        """A caller who hears the assistant talk. The options are those of `talker.py`."""
        with self.process(CALLER_NS, "-m", self.caller, url, *options) as process:
            talk = Talk(process)
            talk.begin()
            yield talk

    def refused(self, *options: str) -> Outcome:
        """What a caller is told whose call cannot be made; the gap is the time until then."""
        with self.process(CALLER_NS, "-m", self.caller, URL, *options) as process:
            talk = Talk(process)
            failed = talk.until(state="Failed")
        waited_s = failed["at"] - talk.seen[0]["at"]
        return Outcome(waited_s, "failed", None, waited_s, tuple(talk.seen))

    @contextmanager
    def process(self, namespace: str, *words: str) -> "Generator[subprocess.Popen[str]]":
        """A Python process in a namespace, killed in the end."""
        command = self.lab.command(namespace, sys.executable, *words)
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
        ) as process:
            try:
                yield process
            finally:
                process.kill()


Play = Callable[[Stage], Outcome]


@dataclass(frozen=True)
class Row:
    """Something that happens to calls.

    Attributes:
        name: how to ask for it.
        what: what happens, for the table.
        play: lets it happen.
        within_s: the longest gap that is good.
        endings: how it may end.
    """

    name: str
    what: str
    play: Play
    within_s: float
    endings: Sequence[str] = ("same connection", "same session", "new session")
