"""The chat engine over real HTTP, against a server that misbehaves in every known way."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec
import pytest

from tests.conformance.engine.chat_server import Answer, Asked, ChatServer, Ending, chunk, refusal, sse, usage, words
from vivavoce.engine.chat import open_thinker
from vivavoce.engine.interface import Prompt, Thinker, Thinking, Thought, ToolArguments, ToolCall, Words
from vivavoce.errors import ConfigError, EngineError, Fault, Never, Retry
from vivavoce.testing.clock import ManualClock
from vivavoce.wire.config import FunctionTool
from vivavoce.wire.item import InputText, SystemMessage, UserMessage

HELLO = Prompt(model="gpt-realtime", instructions="", items=(UserMessage(content=[InputText(text="Hello")]),))
LAMP = FunctionTool(name="lamp", parameters={"type": "object", "properties": {"on": {"type": "boolean"}}})
FORCED = Prompt(
    model="", instructions="", items=HELLO.items, tools=(LAMP,), tool_choice="required", parallel_tool_calls=False
)

OLLAMA = tuple(
    sse(event)
    for event in (
        chunk({"role": "assistant", "content": "It", "reasoning": "Hm."}, system_fingerprint="fp_ollama"),
        chunk({"role": "assistant", "content": " is five."}, system_fingerprint="fp_ollama"),
        chunk({"role": "assistant", "content": ""}, finish="stop", system_fingerprint="fp_ollama"),
        usage(26, 8),
        "[DONE]",
    )
)
VLLM = tuple(
    sse(event)
    for event in (
        chunk({"role": "assistant", "content": "", "reasoning_content": None}, usage=None),
        chunk({"content": None, "reasoning_content": "Hm."}, usage=None),
        chunk({"content": "It"}, usage=None),
        chunk({"content": " is five."}, "stop", usage=None),
        usage(26, 8, prompt_tokens_details={"cached_tokens": 16}),
        "[DONE]",
    )
)
LLAMA_CPP = (
    b": ping\n\n",
    sse(chunk({"role": "assistant", "content": None})),
    sse(chunk({"content": "It"})),
    sse(chunk({"content": " is five."})),
    sse(chunk(finish="stop")),
    sse({**usage(26, 8), "timings": {"prompt_n": 26, "predicted_per_second": 90.1}}) + b"data: [DONE]",
)
LM_STUDIO = tuple(
    sse(event)
    for event in (
        chunk({"role": "assistant", "content": "It"}),
        chunk({"content": " is five."}),
        chunk({}, "stop"),
        usage(26, 8),
        "[DONE]",
    )
)
OPENAI = (
    sse(
        chunk({"role": "assistant", "content": "", "refusal": None}, usage=None, service_tier="default"),
        chunk({"content": "It"}, usage=None, obfuscation="aB3"),
        chunk({"content": " is five."}, usage=None, obfuscation="x"),
        end="\r\n\r\n",
    ),
    sse(chunk({}, "stop", usage=None), usage(26, 8, prompt_tokens_details={"cached_tokens": 0}), end="\r\n\r\n"),
    sse("[DONE]", end="\r\n\r\n"),
)


@asynccontextmanager
async def thinker_of(server: ChatServer, **options: str) -> AsyncGenerator[Thinker]:
    given = {"url": server.url, "model": "llama3.2", "first_s": "5", "stall_s": "5", **options}
    async with open_thinker(given, ManualClock()) as thinker:
        yield thinker


async def answer(
    *pieces: bytes, ending: Ending = Ending.WHOLE, prompt: Prompt = HELLO, **options: str
) -> list[Thinking]:
    async with ChatServer(Answer(pieces, ending=ending)) as server, thinker_of(server, **options) as thinker:
        return [step async for step in thinker.think(prompt)]


async def failure(*answers: Answer, prompt: Prompt = HELLO, **options: str) -> EngineError:
    async with ChatServer(*answers) as server, thinker_of(server, **options) as thinker:
        with pytest.raises(EngineError) as failed:
            _ = [step async for step in thinker.think(prompt)]
    return failed.value


def said(steps: list[Thinking]) -> str:
    return "".join(step.delta for step in steps if isinstance(step, Words))


# ── answers ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("pieces", "cached"),
    [(OLLAMA, None), (VLLM, 16), (LLAMA_CPP, None), (LM_STUDIO, None), (OPENAI, 0)],
    ids=["ollama", "vllm", "llama.cpp", "lm studio", "openai"],
)
async def test_each_servers_answer_is_heard(pieces: tuple[bytes, ...], cached: int | None) -> None:
    assert await answer(*pieces) == [
        Words("It"),
        Words(" is five."),
        Thought(input_tokens=26, cached_tokens=cached, output_tokens=8),
    ]


async def test_an_answer_in_single_bytes_is_the_same_answer() -> None:
    stream = b"".join(words("žluťoučký ", "你好 ", "😀"))
    assert said(await answer(*(stream[at : at + 1] for at in range(len(stream))))) == "žluťoučký 你好 😀"


async def test_a_server_that_never_says_done_is_done_when_it_ends() -> None:
    assert await answer(sse(chunk({"content": "Five"}), chunk(finish="stop"))) == [Words("Five"), Thought()]


async def test_a_server_that_stays_open_after_the_last_word_does_not_hold_the_answer_up() -> None:
    pieces = (sse(chunk({"content": "Five"}), chunk(finish="stop")),)
    assert await answer(*pieces, ending=Ending.STALL) == [Words("Five"), Thought()]


async def test_a_connection_that_breaks_after_the_last_word_breaks_nothing() -> None:
    pieces = (sse(chunk({"content": "Five"}), chunk(finish="stop")),)
    assert await answer(*pieces, ending=Ending.DROP) == [Words("Five"), Thought()]


async def test_a_server_that_does_not_stream_is_understood() -> None:
    whole = {"choices": [{"message": {"content": "Five."}, "finish_reason": "stop"}]}
    reply = Answer((json.dumps(whole).encode(),), headers={"content-type": "application/json; charset=utf-8"})
    async with ChatServer(reply) as server, thinker_of(server) as thinker:
        assert [step async for step in thinker.think(HELLO)] == [Words("Five."), Thought()]


async def test_calls_of_functions_come_in_pieces() -> None:
    first = {"index": 0, "id": "c1", "type": "function", "function": {"name": "lamp", "arguments": ""}}
    second = {"index": 0, "function": {"arguments": '{"on": true}'}}
    pieces = sse(chunk({"tool_calls": [first]}), chunk({"tool_calls": [second]}), chunk(finish="tool_calls"), "[DONE]")
    assert await answer(pieces) == [ToolCall(0, "lamp"), ToolArguments(0, '{"on": true}'), Thought()]


async def test_only_one_call_is_let_through_when_calls_may_not_be_parallel() -> None:
    calls = [{"index": n, "id": f"c{n}", "function": {"name": "lamp", "arguments": "{}"}} for n in range(2)]
    steps = await answer(sse(chunk({"tool_calls": calls}), chunk(finish="tool_calls"), "[DONE]"), prompt=FORCED)
    assert steps == [ToolCall(0, "lamp"), ToolArguments(0, "{}"), Thought()]


async def test_words_are_handed_on_as_soon_as_they_come() -> None:
    reply = Answer((sse(chunk({"content": "Five"})),), ending=Ending.STALL)
    async with ChatServer(reply) as server, thinker_of(server) as thinker, asyncio.timeout(5):
        steps = aiter(thinker.think(HELLO))
        assert await anext(steps) == Words("Five")
        assert not server.left.is_set()


# ── the request ─────────────────────────────────────────────────────────────────────────────────────────


async def test_the_key_and_the_conversation_reach_the_server() -> None:
    async with ChatServer(Answer(words("Hi"))) as server, thinker_of(server, key="sk-test") as thinker:
        _ = [step async for step in thinker.think(HELLO)]
    [asked] = server.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == "Bearer sk-test"
    assert asked.body["model"] == "llama3.2"
    assert asked.body["messages"] == [{"role": "user", "content": "Hello"}]


async def test_without_a_key_none_is_sent() -> None:
    async with ChatServer(Answer(words("Hi"))) as server, thinker_of(server) as thinker:
        _ = [step async for step in thinker.think(HELLO)]
    assert "authorization" not in server.asked[0].headers


async def test_one_answer_after_another_uses_the_same_connection() -> None:
    async with ChatServer(Answer(words("Hi"))) as server, thinker_of(server) as thinker:
        for _ in range(3):
            _ = [step async for step in thinker.think(HELLO)]
    assert len(server.asked) == 3
    assert server.connections == 1


async def test_a_connection_that_the_server_closed_between_two_turns_is_not_noticed() -> None:
    async with ChatServer(Answer(words("Hi")), Answer(ending=Ending.MUTE), Answer(words("Hi"))) as server:
        async with thinker_of(server) as thinker:
            for _ in range(2):
                assert said([step async for step in thinker.think(HELLO)]) == "Hi"
        assert len(server.asked) == 3


async def test_a_cold_model_is_warmed_before_the_first_call() -> None:
    async with ChatServer(Answer(words("Hi"))) as server, thinker_of(server, warmth="yes"):
        [asked] = server.asked
    assert asked.body["max_tokens"] == 1


async def test_a_server_that_cannot_be_warmed_is_known_at_once() -> None:
    async with ChatServer(refusal(404, "model 'llama3.2' not found")) as server:
        with pytest.raises(EngineError):
            async with thinker_of(server, warmth="yes"):
                pass


async def test_two_calls_at_once_do_not_mix() -> None:
    def echo(asked: Asked) -> Answer:
        messages = msgspec.convert(asked.body["messages"], list[dict[str, object]])
        return Answer(words(*str(messages[-1]["content"])))

    async def ask(thinker: Thinker, text: str) -> str:
        prompt = Prompt(model="", instructions="", items=(UserMessage(content=[InputText(text=text)]),))
        return said([step async for step in thinker.think(prompt)])

    async with ChatServer(script=echo) as server, thinker_of(server) as thinker:
        assert await asyncio.gather(*(ask(thinker, f"call {n}") for n in range(8))) == [f"call {n}" for n in range(8)]


# ── servers that refuse a part of the request ───────────────────────────────────────────────────────────


@pytest.mark.parametrize("field", ["tool_choice", "parallel_tool_calls", "stream_options"])
async def test_a_refused_field_is_left_out_and_stays_left_out(field: str) -> None:
    def picky(asked: Asked) -> Answer:
        if field in asked.body:
            return refusal(400, f"Unrecognized request argument supplied: {field}")
        return Answer(words("Hi"))

    async with ChatServer(script=picky) as server, thinker_of(server) as thinker:
        assert said([step async for step in thinker.think(FORCED)]) == "Hi"
        assert len(server.asked) == 2
        assert said([step async for step in thinker.think(FORCED)]) == "Hi"
        assert len(server.asked) == 3


async def test_several_refused_parts_are_left_out_one_by_one() -> None:
    def picky(asked: Asked) -> Answer:
        for field in ("temperature", "reasoning_effort", "stream_options", "tool_choice", "parallel_tool_calls"):
            if field in asked.body:
                return refusal(422, f"{field} is not supported")
        if "max_tokens" in asked.body:
            return refusal(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        messages = msgspec.convert(asked.body["messages"], list[dict[str, object]])
        if any(message["role"] == "system" for message in messages[1:]):
            return refusal(500, "System message must be at the beginning.")
        return Answer(words("Hi"))

    late = SystemMessage(content=[InputText(text="Be brief.")])
    prompt = Prompt(
        model="",
        instructions="Be kind.",
        items=(*HELLO.items, late),
        tools=(LAMP,),
        tool_choice="required",
        parallel_tool_calls=False,
        max_output_tokens=5,
    )
    async with ChatServer(script=picky) as server, thinker_of(server, effort="none", temperature="0") as thinker:
        assert said([step async for step in thinker.think(prompt)]) == "Hi"
        assert len(server.asked) == 8


async def test_a_server_that_refuses_whatever_is_left_out_is_not_asked_for_ever() -> None:
    async with ChatServer(refusal(400, "tool_choice stream_options parallel_tool_calls")) as server:
        async with thinker_of(server) as thinker:
            with pytest.raises(EngineError) as failed:
                _ = [step async for step in thinker.think(FORCED)]
        assert len(server.asked) == 4
    assert (failed.value.fault, failed.value.next) == (Fault.OURS, Never())


# ── failures ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("reply", "fault", "then"),
    [
        (refusal(401, "Incorrect API key provided"), Fault.CALLER, Never()),
        (refusal(404, "model 'x' not found"), Fault.CALLER, Never()),
        (refusal(429, "slow down", retry_after="7"), Fault.PROVIDER, Retry(7.0)),
        (refusal(429, "slow down", retry_after="Fri, 20 Nov 2026 12:00:30 GMT"), Fault.PROVIDER, Retry(30.0)),
        (refusal(503, "loading model"), Fault.PROVIDER, Retry(1.0)),
        (Answer((b"<html>" * 20_000,), 502, {"content-type": "text/html"}), Fault.PROVIDER, Retry(1.0)),
        (Answer((b"{",), 500, ending=Ending.DROP), Fault.PROVIDER, Retry(1.0)),
        (Answer((sse({"error": {"message": "oops", "code": 500}}),)), Fault.PROVIDER, Retry(1.0)),
        (Answer((b'error: {"code": 400, "message": "too long"}\n\n',)), Fault.OURS, Never()),
        (Answer((sse("{nonsense"),)), Fault.PROVIDER, Retry()),
        (Answer((b"data: " + b"x" * 1_100_000,)), Fault.PROVIDER, Never()),
        (Answer((sse(chunk({"content": "Fi"})),)), Fault.PROVIDER, Retry()),
        (Answer((sse(chunk({"content": "Fi"})),), ending=Ending.DROP), Fault.NETWORK, Retry()),
        (Answer((), ending=Ending.DROP), Fault.NETWORK, Retry()),
        (Answer(ending=Ending.MUTE), Fault.NETWORK, Retry()),
    ],
)
async def test_a_failure_says_whose_fault_it_is_and_what_to_do(
    reply: Answer, fault: Fault, then: Never | Retry
) -> None:
    failed = await failure(reply)
    assert (failed.fault, failed.next) == (fault, then)


async def test_words_before_a_break_are_not_lost() -> None:
    reply = Answer((sse(chunk({"content": "Fi"})),), ending=Ending.DROP)
    async with ChatServer(reply) as server, thinker_of(server) as thinker:
        steps = aiter(thinker.think(HELLO))
        assert await anext(steps) == Words("Fi")
        with pytest.raises(EngineError):
            await anext(steps)


async def test_no_server_at_all_is_worth_another_try() -> None:
    async with ChatServer(Answer(words("Hi"))) as server:
        url = server.url
    async with open_thinker({"url": url, "model": "m"}, ManualClock()) as thinker:
        with pytest.raises(EngineError) as failed:
            _ = [step async for step in thinker.think(HELLO)]
    assert (failed.value.fault, failed.value.next) == (Fault.NETWORK, Retry(1.0))


async def test_a_server_that_says_nothing_is_given_up() -> None:
    failed = await failure(Answer((), ending=Ending.STALL), first_s="0.1")
    assert (failed.fault, failed.next) == (Fault.PROVIDER, Retry())


async def test_comments_alone_are_nothing() -> None:
    failed = await failure(Answer((b": wait\n\n",) * 3, ending=Ending.STALL), first_s="0.1")
    assert (failed.fault, failed.next) == (Fault.PROVIDER, Retry())


async def test_a_server_that_falls_silent_is_given_up() -> None:
    failed = await failure(Answer((sse(chunk({"content": "Fi"})),), ending=Ending.STALL), stall_s="0.1")
    assert (failed.fault, failed.next) == (Fault.PROVIDER, Retry())


async def test_a_server_that_does_not_even_begin_is_given_up() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server, open_thinker({"url": url, "model": "m", "first_s": "0.1"}, ManualClock()) as thinker:
        with pytest.raises(EngineError) as failed:
            _ = [step async for step in thinker.think(HELLO)]
    assert (failed.value.fault, failed.value.next) == (Fault.PROVIDER, Retry())


async def test_too_many_calls_at_once_are_refused_and_not_queued_for_ever() -> None:
    reply = Answer((sse(chunk({"content": "Fi"})),), ending=Ending.STALL)
    async with ChatServer(reply) as server, thinker_of(server, calls="1", connect_s="0.1") as thinker:
        first = aiter(thinker.think(HELLO))
        assert await anext(first) == Words("Fi")
        with pytest.raises(EngineError) as failed:
            _ = [step async for step in thinker.think(HELLO)]
    assert (failed.value.fault, failed.value.next) == (Fault.OURS, Retry(1.0))


async def test_an_engine_that_was_not_entered_says_so() -> None:
    thinker = open_thinker({"url": "http://127.0.0.1:1/v1", "model": "m"}, ManualClock())
    with pytest.raises(EngineError) as failed:
        _ = [step async for step in thinker.think(HELLO)]
    assert failed.value.fault is Fault.OURS


def test_options_that_make_no_sense_are_refused_before_anything_starts() -> None:
    with pytest.raises(ConfigError):
        open_thinker({"url": "nonsense", "model": "m"}, ManualClock())


# ── cancelling ──────────────────────────────────────────────────────────────────────────────────────────


async def test_a_listener_who_stops_listening_stops_the_server() -> None:
    reply = Answer((sse(chunk({"content": "Fi"})),), ending=Ending.STALL)
    async with ChatServer(reply) as server, thinker_of(server) as thinker, asyncio.timeout(5):
        async for step in thinker.think(HELLO):
            assert step == Words("Fi")
            break
        await server.left.wait()


async def test_a_cancelled_task_stops_the_server() -> None:
    reply = Answer((sse(chunk({"content": "Fi"})),), ending=Ending.STALL)
    async with ChatServer(reply) as server, thinker_of(server) as thinker, asyncio.timeout(5):

        async def listen() -> None:
            async for _ in thinker.think(HELLO):
                pass

        async with asyncio.TaskGroup() as group:
            listening = group.create_task(listen())
            await server.stalled.wait()
            listening.cancel()
        await server.left.wait()
        assert listening.cancelled()


async def test_a_cancelled_wait_for_the_first_word_stops_the_server() -> None:
    async with ChatServer(Answer((), ending=Ending.STALL)) as server, thinker_of(server) as thinker:

        async def listen() -> None:
            async for _ in thinker.think(HELLO):
                pass

        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            listening = group.create_task(listen())
            await server.stalled.wait()
            listening.cancel()
        async with asyncio.timeout(5):
            await server.left.wait()
