import asyncio
import json
import stat
import sys
from asyncio import TaskGroup
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from vivavoce.audio.frame import sample_count
from vivavoce.client.policy import GiveUp, History, Persistence
from vivavoce.client.secret import Credential, Kind
from vivavoce.client.state import Connected, Failed, State
from vivavoce.dump.tap import Tapped, Taps
from vivavoce.dump.writer import Dump
from vivavoce.errors import ConfigError, RefusedError, TransportError
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.interface import Inbound, Text, Transport
from vivavoce.transport.memory import MemoryTransport, join

KEY = "sk-canary-0123456789"


class Clock:
    """Stands still unless it is moved."""

    def __init__(self) -> None:
        self.at = 100.0

    def now(self) -> float:
        return self.at

    def wall(self) -> float:
        return 1_795_176_000.0 + self.at


def read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def leaks(path: Path) -> bool:
    return "canary" in path.read_text()


def kinds(path: Path) -> list[object]:
    return [record["kind"] for record in read(path)]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "call.jsonl"


@pytest.fixture
def dump(path: Path, clock: Clock) -> Dump:
    return Dump(path, clock, {"endpoint": "https://far.example/v1", "api_key": KEY})


class Offer:
    """Makes offers to one end of a pair in memory."""

    def __init__(self, near: Transport) -> None:
        self._near = near
        self.abandoned = 0

    async def offer(self) -> str:
        return "v=0\r\na=ice-pwd:canary\r\n"

    async def accept(self, answer: str) -> Transport:
        return self._near

    async def abandon(self) -> None:
        self.abandoned += 1


async def test_what_passes_over_a_connection_is_written_and_passes(path: Path, dump: Dump, clock: Clock) -> None:
    near, far = join()
    got: list[Inbound] = []
    told: list[Inbound] = []
    offer = Taps(dump, clock).offering(lambda _: Offer(near))(Credential(Secret(KEY), Kind.API_KEY))
    assert "canary" in await offer.offer()
    tapped = await offer.accept("v=0\r\na=ice-pwd:canary\r\n")
    arrived = asyncio.Event()

    def deliver(inbound: Inbound) -> None:
        told.append(inbound)
        if isinstance(inbound, Text):
            arrived.set()

    async with TaskGroup() as tasks:
        tasks.create_task(tapped.run(deliver))
        tasks.create_task(far.run(got.append))
        tapped.send(json.dumps({"type": "input_audio_buffer.append", "audio": "AAAA", "note": KEY}))
        tapped.play(np.full(sample_count(20), 8000, np.int16))
        far.send('{"type":"session.created"}')
        await tapped.link()
        await tapped.link()  # within the same second
        clock.at += 1.5
        await tapped.link()
        near.advance()
        assert tapped.played() == sample_count(20)
        assert tapped.flush() == sample_count(20)
        assert tapped.traits == near.traits
        await arrived.wait()
        await far.close(1000, f"because {KEY}")
    await tapped.close()
    await offer.abandon()
    written = read(path)
    assert kinds(path)[:3] == ["header", "offer", "answer"]
    assert sorted(map(str, kinds(path)[3:])) == ["gone", "in", "opened", "out", "stats", "stats"]
    assert all(record["leg"] == 1 for record in written[1:])
    assert next(record for record in written if record["kind"] == "in")["event"] == {"type": "session.created"}
    assert any(isinstance(inbound, Text) for inbound in got)
    assert not leaks(path)


class Socket(MemoryTransport):
    handshake: Mapping[str, str] = {"location": "x"}


async def test_a_websocket_keeps_its_handshake_and_its_headers_stay_secret(
    path: Path, dump: Dump, clock: Clock
) -> None:
    asked: list[Mapping[str, str]] = []

    async def dial(url: str, headers: Mapping[str, str]) -> Socket:
        asked.append(headers)
        return Socket(join()[0].traits.sound)

    taps = Taps(dump, clock)
    headers = {"Authorization": "Bearer canary words", "Viva-Resume": "canary-token"}
    socket = await taps.dial(dial)("wss://far.example/v1/realtime?model=m", headers)
    assert asked == [headers]
    assert socket.handshake == {"location": "x"}
    socket.send('{"type":"x","text":"canary words, canary-token"}')
    assert not leaks(path)


def test_states_and_decisions_are_written_and_told(path: Path, dump: Dump, clock: Clock) -> None:
    told: list[State] = []
    with Taps(dump, clock) as taps:
        failure = RefusedError(f"no, {KEY}", status=401)
        on_state = taps.on_state(told.append)
        on_state(Connected("rtc_1"))
        on_state(Failed(failure))
        taps.on_state(None)(Connected())
        step = taps.policy(Persistence()).decide(failure, History(since=98.0), 100.0, 0.5)
        assert step == GiveUp(failure)
    assert told == [Connected("rtc_1"), Failed(failure)]
    _, first, second, _, decision, end = read(path)
    assert (first["state"], second["state"]) == ("Connected", "Failed")
    assert decision["since_s"] == 2.0
    assert decision["failure"] == {
        "is": "RefusedError",
        "message": "no, ***",
        "fault": "provider",
        "next": {"is": "Never"},
        "status": 401,
        "code": None,
    }
    assert end["kind"] == "end"


def test_what_is_raised_is_written_without_foreign_words(path: Path, dump: Dump, clock: Clock) -> None:
    with pytest.raises(TransportError), Taps(dump, clock):
        raise TransportError(f"It is gone with {KEY}.")
    other = path.with_name("other.jsonl")
    with pytest.raises(LookupError), Taps(Dump(other, clock, {}), clock):
        raise LookupError("canary")
    assert kinds(path)[-2:] == ["error", "end"]
    assert "canary" not in path.read_text() + other.read_text()
    assert '"LookupError"' in other.read_text()


def test_being_told_to_stop_is_no_error(path: Path, dump: Dump, clock: Clock) -> None:
    with pytest.raises(asyncio.CancelledError), Taps(dump, clock):
        raise asyncio.CancelledError
    assert kinds(path) == ["header", "end"]


def test_every_line_is_there_at_once_and_for_its_owner_only(path: Path, dump: Dump) -> None:
    dump.write("stats", leg=1)
    assert kinds(path) == ["header", "stats"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not leaks(path)


def test_beyond_its_bound_only_events_are_left_out(path: Path, clock: Clock) -> None:
    dump = Dump(path, clock, {}, most=2000)
    for _ in range(100):
        dump.write("in", leg=1, event={"type": "x", "words": "w" * 50})
    dump.write("stats", leg=1)
    dump.end()
    dump.write("in", leg=1, event={})
    assert kinds(path)[-3:] == ["full", "stats", "end"]
    assert path.stat().st_size < 2300


def test_what_cannot_be_written_does_not_end_the_dump(path: Path, dump: Dump) -> None:
    dump.write("in", leg=1, event={"type": "\ud800"})
    dump.end()
    assert kinds(path)[1:] == ["unwritable", "end"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full, a disk that is full")
def test_a_full_disk_ends_the_dump_and_not_the_call(clock: Clock) -> None:
    dump = Dump("/dev/full", clock, {})
    dump.write("in", leg=1, event={})
    dump.end()


def test_a_file_that_cannot_be_made_is_told_before_the_call(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(ConfigError):
        Dump(tmp_path / "nowhere" / "call.jsonl", clock, {})


def test_it_is_a_transport(dump: Dump, clock: Clock) -> None:
    tapped: Transport = Tapped(join()[0], dump, clock, 1)
    assert tapped.played() == 0
