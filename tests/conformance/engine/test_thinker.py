"""What every thinker keeps: the rules of the house, a model behind a chat server, and a script."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from enum import Enum
from itertools import repeat

import msgspec
import pytest

from tests.conformance.engine.chat_server import Answer, Asked, ChatServer, chunk, sse, usage, words
from vivavoce.engine.chat import open_thinker as open_chat
from vivavoce.engine.fake import ScriptedThinker, ThinkStep, thinking
from vivavoce.engine.house import open_thinker as open_house
from vivavoce.engine.interface import Prompt, Thinker, Thinking, Thought, ToolArguments, ToolCall, Words
from vivavoce.testing.clock import ManualClock
from vivavoce.wire.config import FunctionTool
from vivavoce.wire.item import (
    AssistantMessage,
    FunctionCall,
    FunctionCallOutput,
    InputAudio,
    InputImage,
    InputText,
    OutputAudio,
    SystemMessage,
    UserMessage,
)


class Scene(Enum):
    """What an answer is to be made of."""

    SPEECH = "speech"
    CALL = "call"
    CUT = "cut"


LONG = "One, two, three, four, five. Six, seven, eight, nine, ten."
CALLED = '{"city": "Paris"}'


# ── the thinkers ────────────────────────────────────────────────────────────────────────────────────────

Open = Callable[[Scene], AbstractAsyncContextManager[Thinker]]


@asynccontextmanager
async def house(scene: Scene) -> AsyncGenerator[Thinker]:
    async with open_house({}, ManualClock()) as thinker:
        yield thinker


class Named(msgspec.Struct):
    name: str


class Offered(msgspec.Struct):
    function: Named


def model(asked: Asked) -> Answer:
    """A model in a few lines: it calls what it must call, and otherwise counts as far as it may."""
    said = LONG.split(" ")
    if asked.body.get("tool_choice"):
        tool = msgspec.convert(asked.body["tools"], list[Offered])[0]
        first = {"index": 0, "id": "c1", "type": "function", "function": {"name": tool.function.name}}
        rest = {"index": 0, "function": {"arguments": CALLED}}
        events = chunk({"tool_calls": [first]}), chunk({"tool_calls": [rest]}), chunk(finish="tool_calls")
        return Answer((sse(*events, usage(9, 9), "[DONE]"),))
    limit = asked.body.get("max_tokens", len(said))
    assert isinstance(limit, int)
    if limit >= len(said):
        return Answer(words(*(f"{word} " for word in said)))
    deltas = [chunk({"content": f"{word} "}) for word in said[:limit]]
    return Answer((sse(*deltas, chunk(finish="length"), usage(9, limit), "[DONE]"),))


@asynccontextmanager
async def chat(scene: Scene) -> AsyncGenerator[Thinker]:
    async with (
        ChatServer(script=model) as server,
        open_chat({"url": server.url, "model": "m", "first_s": "5"}, ManualClock()) as thinker,
    ):
        yield thinker


@asynccontextmanager
async def script(scene: Scene) -> AsyncGenerator[Thinker]:
    scenes: dict[Scene, tuple[ThinkStep, ...]] = {
        Scene.SPEECH: thinking(LONG),
        Scene.CALL: (ToolCall(0, "get_weather"), ToolArguments(0, CALLED), Thought()),
        Scene.CUT: (Words("One, "), Words("two, "), Thought(cut="max_output_tokens", output_tokens=2)),
    }
    async with ScriptedThinker(repeat(scenes[scene])) as thinker:
        yield thinker


@pytest.fixture(params=[house, chat, script], ids=["house", "chat", "script"])
def opened(request: pytest.FixtureRequest) -> Open:
    return request.param


# ── what is asked ───────────────────────────────────────────────────────────────────────────────────────

COUNT = Prompt(
    model="any", instructions="Be kind.", items=(UserMessage(content=[InputAudio(transcript="count to ten")]),)
)
WEATHER = FunctionTool(
    name="get_weather",
    description="The weather in a city",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
OTHER = FunctionTool(name="ring_bell")


@dataclass
class Heard:
    """An answer put together."""

    text: str
    names: list[str]
    arguments: list[str]
    thought: Thought


def put_together(steps: list[Thinking]) -> Heard:
    """Checks the order that is promised to drivers, and joins the pieces."""
    heard = Heard("", [], [], Thought())
    for at, step in enumerate(steps):
        match step:
            case Words(delta):
                assert delta
                heard.text += delta
            case ToolCall(index, name):
                assert index == len(heard.names)
                heard.names.append(name)
                heard.arguments.append("")
            case ToolArguments(index, delta):
                assert index < len(heard.names)
                heard.arguments[index] += delta
            case Thought():
                assert at == len(steps) - 1
                heard.thought = step
    assert isinstance(steps[-1], Thought)
    return heard


async def ask(thinker: Thinker, prompt: Prompt) -> Heard:
    async with asyncio.timeout(10):
        return put_together([step async for step in thinker.think(prompt)])


# ── what is kept ────────────────────────────────────────────────────────────────────────────────────────


async def test_an_answer_is_words_and_one_end(opened: Open) -> None:
    async with opened(Scene.SPEECH) as thinker:
        assert thinker.traits.name
        heard = await ask(thinker, COUNT)
    assert " ".join(heard.text.split()) == LONG
    assert heard.names == []
    assert heard.thought.cut is None
    assert heard.thought.output_tokens is None or heard.thought.output_tokens > 0


async def test_a_function_that_must_be_called_is_called(opened: Open) -> None:
    weather = UserMessage(content=[InputText(text="What is the weather in Paris?")])
    for choice in ("required", "function:get_weather"):
        prompt = replace(COUNT, items=(weather,), tools=(WEATHER, OTHER), tool_choice=choice)
        async with opened(Scene.CALL) as thinker:
            heard = await ask(thinker, prompt)
        assert heard.names == ["get_weather"]
        assert [json.loads(text) for text in heard.arguments] == [{"city": "Paris"}]


async def test_what_a_function_returned_is_spoken_about(opened: Open) -> None:
    call = FunctionCall(name="get_weather", call_id="c1", arguments=CALLED)
    output = FunctionCallOutput(call_id="c1", output='{"temperature": 21}')
    async with opened(Scene.SPEECH) as thinker:
        heard = await ask(thinker, replace(COUNT, items=(*COUNT.items, call, output), tools=(WEATHER,)))
    assert heard.text
    assert heard.names == []


async def test_a_limit_cuts_the_answer_short(opened: Open) -> None:
    async with opened(Scene.CUT) as thinker:
        heard = await ask(thinker, replace(COUNT, max_output_tokens=2))
    assert heard.text.split() == LONG.split()[:2]
    assert heard.thought.cut == "max_output_tokens"


@pytest.mark.parametrize(
    "items",
    [
        (),
        (UserMessage(content=[]),),
        (UserMessage(content=[InputAudio()]),),
        (UserMessage(content=[InputAudio(transcript="")]),),
        (UserMessage(content=[InputImage(image_url="data:image/png;base64,AAAA", detail="low")]),),
        (SystemMessage(content=[InputText(text="Be brief.")]),),
        (*COUNT.items, AssistantMessage(content=[OutputAudio(transcript="One, two")])),
        (*COUNT.items, AssistantMessage(content=[OutputAudio()])),
        (*COUNT.items, FunctionCall(name="get_weather", arguments='{"city": "Pa')),
        (FunctionCallOutput(call_id="deleted", output="21"),),
    ],
)
async def test_every_conversation_gets_an_answer(opened: Open, items: tuple[UserMessage, ...]) -> None:
    async with opened(Scene.SPEECH) as thinker:
        heard = await ask(thinker, replace(COUNT, items=items))
    assert heard.text.strip()


async def test_a_listener_may_leave_and_come_back(opened: Open) -> None:
    async with opened(Scene.SPEECH) as thinker, asyncio.timeout(10):
        for _ in range(3):
            async for step in thinker.think(COUNT):
                assert isinstance(step, Words)
                break
        assert (await ask(thinker, COUNT)).text.strip()


async def test_a_cancelled_answer_ends_at_once(opened: Open) -> None:
    async with opened(Scene.SPEECH) as thinker, asyncio.timeout(10):
        begun = asyncio.Event()

        async def listen() -> None:
            async for _ in thinker.think(COUNT):
                begun.set()
                await asyncio.Event().wait()

        async with asyncio.TaskGroup() as group:
            listening = group.create_task(listen())
            await begun.wait()
            listening.cancel()
        assert listening.cancelled()
        assert (await ask(thinker, COUNT)).text.strip()


async def test_calls_do_not_hear_each_other(opened: Open) -> None:
    async with opened(Scene.SPEECH) as thinker:
        asks: list[Awaitable[Heard]] = [ask(thinker, COUNT) for _ in range(8)]
        heard = await asyncio.gather(*asks)
    assert {" ".join(one.text.split()) for one in heard} == {LONG}
