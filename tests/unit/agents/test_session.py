"""A whole session of the package, with its history and functions, over a call whose connection is lost."""

import asyncio
import json
from asyncio import TaskGroup
from collections.abc import Callable
from itertools import count
from typing import Any, cast

import pytest
from agents import FunctionTool
from agents.realtime import (
    RealtimeAgent,
    RealtimeHistoryAdded,
    RealtimeHistoryUpdated,
    RealtimeItem,
    RealtimeRunner,
    RealtimeSession,
)
from agents.tool_context import ToolContext

from tests.scenario.test_same_session import said
from tests.unit.agents.test_model import SETTINGS, Body, Stage, play
from tests.unit.client.far import FarEnd
from vivavoce.errors import RefusedError


class Script:
    """What the servers of one call say, each event under an id of its own."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def say(self, far: FarEnd, type: str, **fields: object) -> None:
        far.tell(json.dumps({"type": type, "event_id": f"event_{next(self._numbers)}", **fields}))

    def greet(self, far: FarEnd) -> None:
        self.say(far, "session.created", session={"type": "realtime", "object": "realtime.session"})

    def item(self, far: FarEnd, item: Body, kind: str = "added", **fields: object) -> None:
        self.say(
            far, f"conversation.item.{kind}", item={"object": "realtime.item", "status": "completed", **item}, **fields
        )

    def response(self, far: FarEnd, kind: str, id: str, *output: Body) -> None:
        status = "in_progress" if kind == "created" else "completed"
        self.say(
            far,
            f"response.{kind}",
            response={"id": id, "object": "realtime.response", "status": status, "output": output},
        )


USER: Body = {
    "type": "message",
    "id": "item_0",
    "role": "user",
    "content": [{"type": "input_audio", "transcript": "What is it?"}],
}
ANSWER: Body = {
    "type": "message",
    "id": "item_1",
    "role": "assistant",
    "content": [{"type": "output_audio", "transcript": "Let me look."}],
}
CALL: Body = {"type": "function_call", "id": "item_2", "call_id": "call_1", "name": "look", "arguments": "{}"}


class Looking:
    """A function of the agent that takes its time."""

    def __init__(self) -> None:
        self.runs = 0
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()

    async def run(self, _context: ToolContext[Any], _arguments: str) -> str:
        self.runs += 1
        self.begun.set()
        await self.may_end.wait()
        return "a fish"

    def tool(self) -> FunctionTool:
        schema: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
        return FunctionTool("look", "Looks.", schema, self.run)


def talked(script: Script, far: FarEnd) -> None:
    """The user has asked, and the assistant has said that it looks, and looks."""
    script.item(far, USER)
    script.response(far, "created", "resp_1")
    script.item(far, {**ANSWER, "content": [], "status": "in_progress"}, previous_item_id="item_0")
    place = {"response_id": "resp_1", "item_id": "item_1", "output_index": 0, "content_index": 0}
    script.say(far, "response.content_part.added", **place, part={"type": "audio", "transcript": ""})
    script.say(far, "response.output_audio_transcript.delta", **place, delta="Let me look.")
    script.say(far, "output_audio_buffer.started", response_id="resp_1")
    script.say(far, "response.output_audio_transcript.done", **place, transcript="Let me look.")
    script.say(
        far, "response.output_item.done", response_id="resp_1", output_index=0, item={**ANSWER, "status": "completed"}
    )
    script.item(far, ANSWER, "done", previous_item_id="item_0")
    script.item(far, CALL, previous_item_id="item_1")
    script.say(
        far, "response.output_item.done", response_id="resp_1", output_index=1, item={**CALL, "status": "completed"}
    )
    script.item(far, CALL, "done", previous_item_id="item_1")
    script.response(far, "done", "resp_1", ANSWER, CALL)


class Application:
    """What somebody who listens to a session knows of it."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self._history: list[RealtimeItem] = []
        self._news = asyncio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def listen(self, session: RealtimeSession) -> None:
        async for event in session:
            self.events.append(event.type)
            match event:
                case RealtimeHistoryUpdated(history=history):
                    self._history = [*history]
                case RealtimeHistoryAdded(item=item):
                    self._history.append(item)
                case _:
                    pass
            self._news.set()

    @property
    def history(self) -> list[tuple[str, list[str | None]]]:
        """Ids and words of the messages."""
        return [
            (item.item_id, [getattr(part, "transcript", None) or getattr(part, "text", None) for part in item.content])
            for item in self._history
            if item.type == "message"
        ]


async def greeted(script: Script, stage: Stage, number: int) -> FarEnd:
    far = await stage.exchange.next(number, greets=False)
    script.greet(far)
    return far


@pytest.mark.parametrize(("kept", "heard"), [(True, True), (False, True), (False, False)])
def test_a_session_keeps_what_was_heard_and_runs_each_function_once_over_a_lost_connection(
    kept: bool, heard: bool
) -> None:
    async def act(stage: Stage) -> None:
        stage.exchange.keeps_s = 60
        script, looking = Script(), Looking()
        agent = RealtimeAgent[Any]("Fisher", tools=[looking.tool()])
        session = await RealtimeRunner(agent, model=stage.model).run(model_config=SETTINGS)
        app = Application()
        async with TaskGroup() as tasks:
            greeting = tasks.create_task(greeted(script, stage, 1))
            async with session:
                listening = tasks.create_task(app.listen(session))
                far = await greeting
                talked(script, far)
                await looking.begun.wait()
                await stage.listener.until(lambda: "turn_ended" in stage.listener.kinds())
                before = app.history
                assert before == [("item_0", ["What is it?"]), ("item_1", ["Let me look."])]
                if not kept:
                    if heard:
                        script.say(far, "output_audio_buffer.stopped", response_id="resp_1")
                    stage.exchange.refusals.append(RefusedError("Gone.", status=404))
                far.transport.vanish()
                if kept:
                    second = await stage.exchange.next(2, greets=False)
                    script.say(second, "output_audio_buffer.stopped", response_id="resp_1")
                else:
                    second = await greeted(script, stage, 2)
                    for _ in range(3 if heard else 2):
                        script.item(second, cast("Body", (await said(second))["item"]))
                await stage.listener.until(lambda: stage.listener.statuses()[-2:] == ["connecting", "connected"])
                looking.may_end.set()
                output = cast("Body", (await said(second))["item"])
                assert (output["call_id"], output["output"]) == ("call_1", "a fish")
                assert (await said(second))["type"] == "response.create"
                script.item(second, {**output, "id": "item_3"}, previous_item_id="item_2")
                script.response(second, "created", "resp_2")
                last: Body = {**ANSWER, "id": "item_4", "content": [{"type": "output_audio", "transcript": "A fish."}]}
                script.item(second, last, previous_item_id="item_3")
                script.item(second, last, "done", previous_item_id="item_3")
                script.response(second, "done", "resp_2", last)
                await app.until(lambda: app.events.count("agent_end") == 2)
                words = ["Let me look." if heard else None]
                assert app.history == [before[0], ("item_1", words), ("item_4", ["A fish."])]
                assert looking.runs == 1
                assert (app.events.count("tool_start"), app.events.count("tool_end")) == (1, 1)
                assert "error" not in app.events
                assert ("audio_interrupted" in app.events) is not heard
            listening.cancel()

    play(act)
