"""`viva talk` as a user runs it, in a process of its own, against our server with scripted engines."""

import asyncio
import json
import os
import pty
import signal
import sys
import wave
from asyncio.subprocess import PIPE
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.unit.client.server import Server, answering, scripted, serving
from tests.unit.client.test_device import ScriptedCard
from vivavoce.answer.job import Engines
from vivavoce.audio.frame import Pcm, sample_count, to_bytes
from vivavoce.cli.exit_code import ExitCode
from vivavoce.cli.report import lines
from vivavoce.cli.terminal import Terminal
from vivavoce.cli.visit import Conduct, Place, Visit
from vivavoce.cli.wav import read_wav
from vivavoce.client.device import Loudspeaker, Microphone
from vivavoce.engine.fake import Hang, ScriptedDetector, ScriptedThinker, ScriptedTranscriber, Span
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.pacer import Pacer
from vivavoce.transport.webrtc.answerer import WebRtcAnswerer

pytestmark = pytest.mark.realtime

PATIENCE_S = 40.0
BOTH = pytest.mark.parametrize("transport", ["webrtc", "websocket"])
LONG = " ".join(["one two three four five six seven eight nine ten"] * 5)


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


async def talk(server: Server, *arguments: str, key: str | None = None) -> Ended:
    environment = {"PATH": "/usr/bin:/bin", "OPENAI_API_KEY": key or server.key, "OPENAI_BASE_URL": server.base_url}
    process = await start(*arguments, environment=environment)
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def start(*arguments: str, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "vivavoce.cli.main", "talk", *arguments)
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, env=dict(environment))


def engines(*answers: str, spans: list[Span] | None = None, heard: list[str] | None = None) -> Engines:
    return scripted(
        thinker=ScriptedThinker(answers),
        detector=ScriptedDetector(spans or []),
        transcriber=ScriptedTranscriber(heard or []),
    )


def speech(path: Path, seconds: float) -> str:
    sound = np.random.default_rng(7).integers(-8000, 8000, int(16_000 * seconds)).astype(np.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(to_bytes(sound))
    return str(path)


@BOTH
async def test_a_written_question_is_answered_shown_written_down_and_summed_up(transport: str, tmp_path: Path) -> None:
    out = tmp_path / "reply.wav"
    async with answering(engines("Eighty four.")) as server:
        ended = await talk(
            server, "--transport", transport, "--text", "12 times 7?", "--out", str(out), "--silent", "--json"
        )
    assert ended.code == ExitCode.DONE, ended.err
    summary = json.loads(ended.out)
    assert summary["history"] == [
        {"who": "you", "words": "12 times 7?", "cut": False},
        {"who": "agent", "words": "Eighty four.", "cut": False},
    ]
    assert summary["connect_ms"] > 0
    assert summary["turns"][0]["answer_ms"] > 0
    assert summary["tokens"]["total"] > 0
    assert summary["cost"]["usd"] is None
    said = ("connected in", "12 times 7?", "Eighty four.", "answer after", "tokens", "no price of this model is known")
    for words in said:
        assert words in ended.err
    sound = read_wav(str(out))
    assert 0.3 < (np.abs(sound) > 1000).sum() / 24_000 < 1.2  # 12 characters of 50 ms, a tone


@BOTH
async def test_how_good_the_connection_is_is_shown_while_the_call_goes_on(transport: str) -> None:
    async with answering(engines("one two three four five six seven eight nine ten")) as server:
        ended = await talk(server, "--transport", transport, "--text", "Count.", "--silent", "--stats")
    assert ended.code == ExitCode.DONE, ended.err
    shown = [line for line in ended.out.splitlines() if "you -" in line]
    assert shown, ended.out
    assert any("kbit/s" in line for line in shown)
    assert any("MOS 4" in line for line in shown) is (transport == "webrtc"), ended.out


async def test_a_budget_that_nobody_could_keep_is_refused() -> None:
    async with answering(engines()) as server:
        ended = await talk(server, "--text", "hi", "--silent", "--budget", "0.50")
    assert ended.code == ExitCode.USAGE
    assert "A budget needs prices, and none is known of" in ended.err
    assert ended.err.count("\n") == 1


async def test_a_call_whose_budget_is_spent_ends_politely(tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text('["gpt-realtime-2.1"]\ntext_in = 4.0\ntext_out = 24.0\naudio_in = 32.0\naudio_out = 64.0\n')
    async with answering(engines("Yes.", "No.")) as server:
        spending = ["--budget", "0.000001", "--prices", str(prices), "--transcription", "none"]
        ended = await talk(server, "--text", "One?", "--text", "Two?", "--silent", *spending)
    assert ended.code == ExitCode.DONE, ended.err
    assert "agent   Yes." in ended.out
    assert "The budget of 1e-06 USD is spent" in ended.out
    assert "No." not in ended.out


async def test_a_file_is_spoken_and_its_words_come_back(tmp_path: Path) -> None:
    question = speech(tmp_path / "question.wav", 1.0)
    # After 600 ms of lead-in, with room for what a connection takes to begin.
    spans = [Span(sample_count(700), sample_count(1500))]
    async with answering(engines("Hello.", spans=spans, heard=["Hello there."])) as server:
        ended = await talk(server, "--file", question, "--silent")
    assert ended.code == ExitCode.DONE, ended.err
    assert "you   Hello there." in ended.out
    assert "agent   Hello." in ended.out


async def test_nobody_who_answers_is_told_as_such() -> None:
    async with answering(scripted(thinker=ScriptedThinker([[Hang()]]))) as server:
        ended = await talk(server, "--text", "hi", "--silent", "--patience", "0.5")
    assert ended.code == ExitCode.UNANSWERED
    assert ended.err.count("\n") == 1


async def test_a_wrong_key_is_told_as_such() -> None:
    async with answering(engines()) as server:
        ended = await talk(server, "--text", "hi", "--silent", key="sk-wrong-0123456789")
    assert ended.code == ExitCode.REFUSED
    assert ended.err.count("\n") == 1
    assert "sk-" not in ended.err + ended.out


async def test_closed_udp_is_told_as_such() -> None:
    async with Pacer() as pacer:

        async def answer(request: Request) -> Response:
            """Agree to everything, and be nowhere."""
            body = (await request.body()).decode()
            offer = body[body.index("v=0") : body.index("\r\n--", body.index("v=0"))] + "\r\n"
            transport, sdp = await WebRtcAnswerer(pacer).answer(offer)
            await transport.close()
            return Response(sdp, 201, {"Location": "/v1/realtime/calls/rtc_1"}, "application/sdp")

        async with serving(Starlette(routes=[Route("/v1/realtime/calls", answer, methods=["POST"])])) as url:
            ended = await talk(Server(f"{url}/v1"), "--text", "hi", "--silent", "--connect-timeout", "3")
    assert ended.code == ExitCode.NO_WAY, ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.ENDED)])
async def test_being_stopped_ends_the_call_in_good_order(sent: signal.Signals, code: ExitCode) -> None:
    async with answering(engines(LONG)) as server:
        environment = {"PATH": "/usr/bin:/bin", "OPENAI_API_KEY": server.key, "OPENAI_BASE_URL": server.base_url}
        process = await start("--text", "count", "--silent", environment=environment)
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            async for line in process.stdout:
                if b"agent" in line:
                    break
            process.send_signal(sent)
            out, err = await process.communicate()
    assert process.returncode == code
    assert b"history" in out
    assert err == b""


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Generator[int]:
    """The hand's end of a terminal that this process reads."""
    hand, terminal = pty.openpty()
    with os.fdopen(terminal) as file:
        monkeypatch.setattr(sys, "stdin", file)
        yield hand
    os.close(hand)


async def test_a_microphone_and_a_loudspeaker_hold_a_conversation(
    keyboard: int, capsys: pytest.CaptureFixture[str]
) -> None:
    card = ScriptedCard()
    spans = [Span(sample_count(300), sample_count(900))]
    chunk = np.full(480, 3000, np.int16)
    async with answering(engines("Good morning.", spans=spans, heard=["Hello."])) as server:
        player = Loudspeaker(card)
        async with Microphone(card, loudspeaker=player) as microphone:
            visit = Visit(
                Terminal(sys.stdout, {}),
                Place(server.base_url, Secret(server.key), None, "webrtc", {}),
                Conduct(microphone=microphone, player=player, turns=1),
            )
            heard: list[Pcm] = []

            async def work() -> None:
                """What a sound card does: give and take 20 ms, for ever."""
                loop = asyncio.get_running_loop()
                due = loop.time()
                while True:
                    for stream in card.opened:
                        if stream is card.opened[0]:
                            stream.give(chunk)
                        else:
                            heard.append(stream.take())
                    due += 0.02
                    beat = loop.create_future()
                    loop.call_at(due, beat.set_result, None)
                    await beat

            async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
                working = tasks.create_task(work())
                os.write(keyboard, b"mxm")
                await visit.make()
                working.cancel()
    assert visit.call is not None
    assert not visit.call.muted
    shown = capsys.readouterr().out
    assert shown.index("○ muted") < shown.index("● the microphone is on again") < shown.index("Good morning.")
    assert [line.words for line in lines(visit.call)] == ["", "Good morning."]
    assert (np.abs(np.concatenate(heard)) > 1000).sum() > sample_count(300)
    assert all(stream.calls[-1] == "close" for stream in card.opened)


async def test_a_call_that_breaks_off_is_told_as_lost() -> None:
    async with answering(engines(LONG)) as server:
        environment = {"PATH": "/usr/bin:/bin", "OPENAI_API_KEY": server.key, "OPENAI_BASE_URL": server.base_url}
        options = ("--transport", "websocket", "--text", "count", "--silent", "--return-within", "2")
        process = await start(*options, environment=environment)
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            async for line in process.stdout:
                if b"agent" in line:
                    break
    # The server has gone, and does not come back.
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    assert process.returncode == ExitCode.LOST
    assert b"the connection is lost" in out
    assert b"history" in out
    assert err.count(b"\n") == 1
