"""Calls through networks that fail: real packets, real engines, and the gap that a listener hears.

Run by `./dev test --network`, as root. Each prints its gap in seconds.
"""

import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Final

import pytest

from tests.network.lab import CALLER_NS, SERVER, SERVER_NS, Lab, laboratory, missing

pytestmark = [
    pytest.mark.network,
    pytest.mark.timeout(180),
    pytest.mark.skipif(missing() is not None, reason=f"no laboratory: {missing()}"),
]

KEY: Final = "sk-network-0123456789abcdef"
PORT: Final = 8765
ENVIRONMENT: Final = {**os.environ, "VIVA_API_KEYS": KEY, "OPENAI_API_KEY": KEY}


@dataclass
class Talk:
    """A call that goes on in another process. `seen` is all that it has said so far."""

    lines: IO[str]
    seen: list[dict[str, Any]]

    def until(self, **wanted: object) -> dict[str, Any]:
        """The next line that has these fields; `...` stands for any value."""
        for text in self.lines:
            line: dict[str, Any] = json.loads(text)
            self.seen.append(line)
            assert line.get("state") != "Failed", self.seen
            if all(name in line and (line[name] == value or value is ...) for name, value in wanted.items()):
                return line
        raise AssertionError(f"the caller has ended; it said {self.seen}")


@contextmanager
def server(lab: Lab) -> Generator["subprocess.Popen[str]"]:
    """`viva serve` in its namespace."""
    command = [
        sys.executable,
        "-m",
        "vivavoce.cli.main",
        "serve",
        "--host",
        SERVER,
        "--port",
        str(PORT),
        "--ready-json",
    ]
    with subprocess.Popen(
        lab.command(SERVER_NS, *command), stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        try:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["event"] == "ready"
            yield process
        finally:
            process.kill()


@contextmanager
def talking(lab: Lab) -> Generator[Talk]:
    """A caller who hears the assistant talk."""
    command = [sys.executable, "-m", "tests.network.talker", f"http://{SERVER}:{PORT}/v1"]
    with subprocess.Popen(
        lab.command(CALLER_NS, *command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        try:
            assert process.stdout is not None
            talk = Talk(process.stdout, [])
            talk.until(state="Connected")
            talk.until(heard_after_s=None)
            yield talk
        finally:
            process.kill()


@pytest.fixture
def lab() -> Generator[Lab]:
    with laboratory() as lab:
        yield lab


def report(capsys: pytest.CaptureFixture[str], what: str, gap_s: float) -> None:
    """For whoever writes the table."""
    with capsys.disabled():
        sys.stdout.write(f"\n{what}: {gap_s:.2f} s\n")


@pytest.mark.parametrize("seconds", [1.0, 2.0])
def test_a_blip_ends_nothing(lab: Lab, capsys: pytest.CaptureFixture[str], seconds: float) -> None:
    with server(lab), talking(lab) as talk:
        lab.cut(seconds)
        gap_s = talk.until(heard_after_s=...)["heard_after_s"]
        assert "Restoring" not in [line.get("state") for line in talk.seen]
    report(capsys, f"blip of {seconds:.0f} s", gap_s)


@pytest.mark.parametrize("seconds", [5.0, 25.0])
def test_an_outage_is_over_soon_after_the_network_is_back(
    lab: Lab, capsys: pytest.CaptureFixture[str], seconds: float
) -> None:
    with server(lab), talking(lab) as talk:
        lab.cut(seconds)
        gap_s = talk.until(heard_after_s=...)["heard_after_s"]
    report(capsys, f"outage of {seconds:.0f} s", gap_s)


@pytest.mark.parametrize("gap", [0.0, 1.0])
def test_another_network_takes_over(lab: Lab, capsys: pytest.CaptureFixture[str], gap: float) -> None:
    with server(lab), talking(lab) as talk:
        lab.switch("cell", gap)
        gap_s = talk.until(heard_after_s=...)["heard_after_s"]
    report(capsys, f"Wi-Fi to cellular, {gap:.0f} s between", gap_s)


def test_a_nat_that_forgets_is_not_noticed(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    with server(lab), talking(lab) as talk:
        lab.rebind()
        lab.cut(1.0)
        gap_s = talk.until(heard_after_s=...)["heard_after_s"]
        assert "Restoring" not in [line.get("state") for line in talk.seen]
    report(capsys, "NAT rebinding and a blip of 1 s", gap_s)


def test_a_server_that_is_killed_and_comes_back_has_the_conversation_told_again(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    with server(lab) as first, talking(lab) as talk:
        first.kill()
        first.wait()
        with server(lab):
            back = talk.until(state="Connected", session="new session")
            gap_s = talk.until(heard_after_s=...)["heard_after_s"]
        assert not back["complete"]  # the answer was cut
    report(capsys, "server killed and started again", gap_s)


def test_a_third_of_all_packets_may_be_lost(lab: Lab) -> None:
    lab.filter("meta l4proto udp numgen random mod 100 < 30 counter drop")
    with server(lab), talking(lab) as talk:
        lab.filter()
        assert "Restoring" not in [line.get("state") for line in talk.seen]
