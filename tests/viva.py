"""The server as its callers find it: a process of its own with its real engines, or one in here that a test scripts."""

import asyncio
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator, Iterable, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import httpx2
import numpy as np
import pytest

from tests.surface import Surface
from vivavoce.answer.job import Engines
from vivavoce.assembly import MODELS, EngineNames, ServerSettings, open_engines
from vivavoce.audio.frame import RATE_HZ, Pcm
from vivavoce.audio.resampler import Resampler
from vivavoce.cli.serve import listen, server_config
from vivavoce.clock import Clock, SystemClock
from vivavoce.engine.fake import (
    HearStep,
    ScriptedDetector,
    ScriptedSpeaker,
    ScriptedThinker,
    ScriptedTranscriber,
    Span,
    ThinkStep,
)
from vivavoce.gateway.identity import open_keyring
from vivavoce.gateway.settings import Settings as GatewaySettings
from vivavoce.transport.webrtc.settings import HostCandidates, OfferedCandidates, WebRtcSettings

START_S: Final = 40.0
"""Loading the embedded engines takes two seconds on a machine that does nothing else."""
END_S: Final = 15.0
SECRET: Final = re.compile(r"\b(?:sk-|ek_|viva_(?:dev|resume)_)[A-Za-z0-9_-]{4,}")


@dataclass(frozen=True)
class Viva:
    """A server that runs: where, with which key, and in which process."""

    url: str
    key: str
    pid: int

    @property
    def bearer(self) -> dict[str, str]:
        """The header that lets its owner in."""
        return {"Authorization": f"Bearer {self.key}"}

    @property
    def threads(self) -> int:
        """How many it has now."""
        return len(os.listdir(f"/proc/{self.pid}/task"))

    @property
    def files(self) -> int:
        """How many file descriptors it holds now."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def children(self, module: str) -> list[int]:
        """Its child processes that run a module of that name."""
        found: list[int] = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue  # ended while we looked
                if parent == self.pid and any(word.decode().startswith(module) for word in words):
                    found.append(int(entry.name))
        return found

    async def calls(self, http: httpx2.AsyncClient) -> object:
        """How many calls it says it has."""
        return (await http.get(f"{self.url}/healthz")).json()["calls"]

    async def until_calls(self, number: int, within_s: float = 15.0) -> None:
        """Wait until it has that many calls."""
        async with asyncio.timeout(within_s), httpx2.AsyncClient() as http:
            while await self.calls(http) != number:
                pass


# ── a process of its own ────────────────────────────────────────────────────────────────────────────────


@contextmanager
def serving(*options: str) -> Generator[Viva]:
    """`viva serve` with these options on a free port of loopback, until the context ends.

    It writes down everything it can (`--log-level debug`). At its end that is held to have no key in it, no traceback
    and nothing that was said with `spoken`.
    """
    command = [sys.executable, "-m", "vivavoce.cli.main", "serve", "--port", "0", "--ready-json"]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [*command, "--log-level", "debug", *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said
        )
        try:
            viva = _ready(process, said)
            yield viva
        finally:
            code = _end(process)
        words = _written(said)
        assert viva.key not in words, "the server wrote its key down"
        assert SECRET.search(words) is None, "the server wrote a key or a secret down"
        assert "Traceback" not in words, words
        overheard = [text for text in _spoken if text.lower().rstrip(".?") in words.lower()]
        assert overheard == [], "the server wrote down what people said"
        # uvicorn ends its process by the signal that it was asked to end with, once everything is closed.
        assert code in (0, -signal.SIGTERM), f"the server ended with code {code}: {words}"


def _ready(process: "subprocess.Popen[bytes]", said: IO[bytes]) -> Viva:
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], START_S)
    line = process.stdout.readline() if readable else b""
    assert line, f"the server was not ready within {START_S} s: {_written(said)}"
    ready = json.loads(line)
    assert ready["event"] == "ready"
    return Viva(ready["url"], ready["key"], process.pid)


def _end(process: "subprocess.Popen[bytes]") -> int:
    process.terminate()
    try:
        return process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(END_S)
        raise AssertionError(f"the server did not end within {END_S} s of being told to") from None
    finally:
        if process.stdout is not None:
            process.stdout.close()


def _written(said: IO[bytes]) -> str:
    said.seek(0)
    return said.read().decode(errors="replace")


@pytest.fixture(scope="session")
def viva_server() -> Generator[Viva]:
    """`viva serve` as anybody starts it, with the embedded engines."""
    with serving() as viva:
        yield viva


# ── in this process, scripted ───────────────────────────────────────────────────────────────────────────


class MovableClock:
    """The machine's clock, which a test can put forward: what waits for minutes is then due."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._ahead = 0.0

    def now(self) -> float:
        """Monotonic seconds."""
        return self._clock.now() + self._ahead

    def wall(self) -> float:
        """Unix seconds."""
        return self._clock.wall() + self._ahead

    def advance(self, seconds: float) -> None:
        """Put it forward. Whoever waits notices with the next thing that happens."""
        self._ahead += seconds


def engines(
    *,
    heard: Iterable[str | Sequence[HearStep]] = (),
    thought: Iterable[str | Sequence[ThinkStep]] = (),
    spans: Sequence[Span] = (),
    speaker: ScriptedSpeaker | None = None,
) -> Engines:
    """Engines that hear, think and say what a test wants.

    Args:
        heard: what the transcriber makes of each utterance.
        thought: each answer.
        spans: the samples of each call's input that are speech.
        speaker: one that does more than say every word.
    """
    return Engines(
        ScriptedDetector(spans), ScriptedTranscriber(heard), ScriptedThinker(thought), speaker or ScriptedSpeaker()
    )


@asynccontextmanager
async def scripted_server(
    script: Engines,
    *,
    clock: Clock | None = None,
    gateway: GatewaySettings | None = None,
    webrtc: WebRtcSettings | None = None,
    lifetime_s: float = 3600.0,
    port: int = 0,
) -> AsyncGenerator[Viva]:
    """A server like that of `viva serve`, at a real socket, whose engines do what a test wants.

    It makes its own key unless `gateway` has one, and takes any free port unless told.
    """
    settings = ServerSettings(
        gateway or GatewaySettings(),
        webrtc or WebRtcSettings(offered_candidates=OfferedCandidates.ALL, host_candidates=HostCandidates.LOOPBACK),
        models=MODELS,
        lifetime_s=lifetime_s,
    )
    keyring = open_keyring(settings.gateway)
    key = keyring.development or settings.gateway.api_keys[0]
    listener = listen("127.0.0.1", port)
    server = Surface(server_config(settings, keyring, script, clock))
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve(sockets=[listener]))
        try:
            await server.settled.wait()
            assert server.started, "the server did not start; its log says why"
            yield Viva(f"http://127.0.0.1:{listener.getsockname()[1]}", key.reveal(), os.getpid())
        finally:
            server.end()
            await serving


# ── speech ──────────────────────────────────────────────────────────────────────────────────────────────

_spoken: Final[dict[str, Pcm]] = {}


async def spoken(text: str, rate_hz: int = RATE_HZ) -> Pcm:
    """Somebody who says that: the embedded speaker, in the voice that recognisers understand best."""
    if text not in _spoken:
        clock = SystemClock()
        async with open_engines(EngineNames(), clock).speaker as speaker:
            pieces = [piece.samples async for piece in speaker.speak(text, "en-us+klatt4", 1.0)]
        _spoken[text] = np.concatenate(pieces)
    resampler = Resampler(RATE_HZ, rate_hz)
    return np.concatenate((resampler.push(_spoken[text]), resampler.flush()))
