"""`vivavoce.connect` against our own server, over real connections; only the engines are scripted."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Literal, cast

import numpy as np
import pytest

import vivavoce
from tests.unit.client.server import PATIENCE_S, Server, answering, scripted
from vivavoce.audio.frame import Pcm, sample_count, silence
from vivavoce.client.endpoint import endpoint
from vivavoce.client.secret import Credential, Kind
from vivavoce.client.signalling import Signalling
from vivavoce.engine.fake import ScriptedDetector, ScriptedThinker, ScriptedTranscriber, Span
from vivavoce.engine.interface import Thought, ToolArguments, ToolCall, Words
from vivavoce.errors import ConfigError, RefusedError, TransportError
from vivavoce.session.caption import Caption, CaptionState
from vivavoce.session.peer import Activity
from vivavoce.telemetry.secret import Secret
from vivavoce.wire.config import RealtimeSession
from vivavoce.wire.item import AssistantMessage, Item, OutputAudio

pytestmark = pytest.mark.realtime

Transport = Literal["webrtc", "websocket"]
BOTH = pytest.mark.parametrize("transport", ["webrtc", "websocket"])
TRANSCRIBED = {"audio": {"input": {"transcription": {"model": "any"}}}}
LONG = " ".join(["one two three four five six seven eight nine ten"] * 5)


def said(history: Sequence[Item]) -> list[str]:
    """What the assistant said, as it was heard."""
    return [
        part.transcript
        for item in history
        if isinstance(item, AssistantMessage)
        for part in item.content
        if isinstance(part, OutputAudio) and isinstance(part.transcript, str)
    ]


def noise(ms: int) -> Pcm:
    return np.random.default_rng(7).integers(-8000, 8000, sample_count(ms)).astype(np.int16)


async def ask(call: vivavoce.Call, text: str) -> None:
    content = [{"type": "input_text", "text": text}]
    await call.conversation.item.create(item={"type": "message", "role": "user", "content": content})
    await call.response.create()


def has_ipv6() -> bool:
    """Whether somebody on this machine can listen on `::1`."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


async def babble(call: vivavoce.Call) -> None:
    """What a microphone does: give sound for ever, in real time. At first nobody is there."""
    loop = asyncio.get_running_loop()
    due = begun = loop.time()
    while True:
        await call.send_audio(noise(20) if due - begun > 2.4 else silence(sample_count(20)))
        due += 0.02
        at = loop.create_future()
        loop.call_at(due, lambda at=at: at.done() or at.set_result(None))
        await at


@BOTH
async def test_a_question_is_answered_aloud(transport: Transport) -> None:
    engines = scripted(thinker=ScriptedThinker(["Twelve times seven is eighty four."]))
    async with (
        answering(engines) as server,
        vivavoce.connect(base_url=server.base_url, api_key=server.key, transport=transport) as call,
        asyncio.timeout(PATIENCE_S),
    ):
        heard: list[Pcm] = []

        async def listen() -> None:
            async for samples in call.audio():
                heard.append(samples)

        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(listen())
            await ask(call, "What is twelve times seven?")
            await call.until(lambda call: call.activity is Activity.SPEAKING)
            await call.until(lambda call: call.activity is Activity.IDLE)
            listening.cancel()
        assert said(call.history) == ["Twelve times seven is eighty four."]
        loud = np.abs(np.concatenate(heard)) > 1000
        assert 1.2 < loud.sum() / 24_000 < 2.5  # 34 characters of 50 ms, a tone
        turn = call.timings.turns[-1]
        assert turn.answer_ms is not None
        assert 0 < turn.answer_ms < 5000
        assert call.tokens.output_audio > 0
        assert (await call.link()).path


@BOTH
async def test_a_caller_who_interrupts_has_not_heard_the_rest(transport: Transport) -> None:
    # Somebody speaks from the third second of what is sent, for a second.
    detector = ScriptedDetector([Span(sample_count(2500), sample_count(3500))])
    engines = scripted(
        thinker=ScriptedThinker([LONG, "All right."]),
        detector=detector,
        transcriber=ScriptedTranscriber(["Stop please."]),
    )
    captions: dict[str, Caption] = {}

    async def read(call: vivavoce.Call) -> None:
        async for caption in call.captions():
            captions[caption.item_id] = caption

    async with (
        answering(engines) as server,
        vivavoce.connect(
            base_url=server.base_url, api_key=server.key, transport=transport, session=TRANSCRIBED
        ) as call,
        asyncio.timeout(PATIENCE_S),
        asyncio.TaskGroup() as tasks,
    ):
        reading, speaking = tasks.create_task(read(call)), tasks.create_task(babble(call))
        await ask(call, "Count.")
        await call.until(lambda call: len(said(call.history)) == 2 and call.activity is Activity.IDLE)
        # The server's word on what was heard may still be on its way.
        await call.until(lambda call: bool(said(call.history)[0]))
        first, second = said(call.history)
        reading.cancel()
        speaking.cancel()
    assert second == "All right."
    assert LONG.startswith(first)
    assert "one two" in first
    assert len(first) < len(LONG) * 0.6
    turn = call.timings.turns[-1]
    assert turn.barge_in_ms is not None
    assert "Stop please." in [caption.text for caption in captions.values()]
    assert [caption.state for caption in captions.values() if caption.text == first] == [CaptionState.CUT]


@BOTH
async def test_a_python_function_answers_the_model(transport: Transport) -> None:
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    thinker = ScriptedThinker(
        [[ToolCall(0, "add"), ToolArguments(0, '{"a":1,"b":2}'), Thought()], [Words("It is three."), Thought()]]
    )
    async with (
        answering(scripted(thinker=thinker)) as server,
        vivavoce.connect(base_url=server.base_url, api_key=server.key, transport=transport, tools=[add]) as call,
        asyncio.timeout(PATIENCE_S),
    ):
        await ask(call, "What is one and two?")
        await call.until(lambda call: said(call.history) == ["It is three."] and call.activity is Activity.IDLE)
        assert [item.type for item in call.history] == ["message", "function_call", "function_call_output", "message"]


async def test_a_client_secret_opens_a_call_and_our_config_goes_on_top() -> None:
    async with answering(scripted(thinker=ScriptedThinker([]))) as server:
        fetched: list[str] = []

        async def fetch() -> str:
            fetched.append(await mint(server))
            return fetched[-1]

        connecting = vivavoce.connect(
            base_url=server.base_url, client_secret=fetch, session={"instructions": "Be brief."}
        )
        async with connecting as call:
            assert call.config is not None
            assert getattr(call.config, "instructions", None) == "Be brief."
        assert len(fetched) == 1


async def mint(server: Server) -> str:
    """What an application's backend does."""
    key = Credential(Secret(server.key), Kind.API_KEY)
    made = await Signalling(endpoint(server.base_url), 5.0).mint(key, RealtimeSession(model="gpt-realtime"))
    return made.secret.reveal()


@BOTH
@pytest.mark.parametrize(("key", "status"), [("sk-wrong-0123456789", 401), ("ek_wrong0123456789", 401)])
async def test_a_wrong_key_is_refused_with_its_status(transport: Transport, key: str, status: int) -> None:
    async with answering(scripted(thinker=ScriptedThinker([]))) as server:
        with pytest.raises(RefusedError) as refused:
            async with vivavoce.connect(base_url=server.base_url, api_key=key, transport=transport):
                pass
    assert refused.value.status == status
    assert key not in refused.value.message


@BOTH
@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
async def test_a_server_is_called_by_an_address_of_ipv6(transport: Transport) -> None:
    async with (
        answering(scripted(thinker=ScriptedThinker(["Hello."])), "::1") as server,
        vivavoce.connect(base_url=server.base_url, api_key=server.key, transport=transport) as call,
        asyncio.timeout(PATIENCE_S),
    ):
        assert "[::1]" in server.base_url
        await ask(call, "Hi.")
        await call.until(lambda call: said(call.history) == ["Hello."])


@BOTH
async def test_no_server_is_told_as_unreachable(transport: Transport) -> None:
    async with answering(scripted(thinker=ScriptedThinker([]))) as server:
        pass
    with pytest.raises(TransportError):
        async with vivavoce.connect(base_url=server.base_url, api_key=server.key, transport=transport):
            pass


async def test_a_session_that_cannot_be_is_refused_before_anybody_is_called() -> None:
    with pytest.raises(ConfigError):
        async with vivavoce.connect(api_key="sk-0123456789", session={"colour": "red"}):
            pass
    with pytest.raises(ConfigError):
        async with vivavoce.connect(api_key="sk-0123456789", transport=cast("Transport", "pigeon")):
            pass
    with pytest.raises(ConfigError):
        async with vivavoce.connect():
            pass
    with pytest.raises(ConfigError):
        async with vivavoce.connect(base_url="https://r.openai.azure.com", api_key="0123456789"):
            pass
