"""Conversations written in few words for tests of the house thinker."""

from vivavoce.engine.interface import Prompt
from vivavoce.wire.config import FunctionTool
from vivavoce.wire.item import (
    AssistantMessage,
    FunctionCall,
    FunctionCallOutput,
    InputAudio,
    InputText,
    Item,
    OutputAudio,
    UserMessage,
)


def user(text: str) -> UserMessage:
    return UserMessage(content=[InputAudio(transcript=text)])


def wrote(text: str) -> UserMessage:
    return UserMessage(content=[InputText(text=text)])


def house(text: str) -> AssistantMessage:
    return AssistantMessage(content=[OutputAudio(transcript=text)])


def call(name: str, arguments: str = "{}", call_id: str = "c1") -> FunctionCall:
    return FunctionCall(name=name, arguments=arguments, call_id=call_id)


def output(text: str, call_id: str = "c1") -> FunctionCallOutput:
    return FunctionCallOutput(call_id=call_id, output=text)


def asked(
    *items: Item,
    instructions: str = "",
    tools: tuple[FunctionTool, ...] = (),
    choice: str = "auto",
    parallel: bool = True,
    most: int | None = None,
) -> Prompt:
    return Prompt(
        model="house",
        instructions=instructions,
        items=items,
        tools=tools,
        tool_choice=choice,
        parallel_tool_calls=parallel,
        max_output_tokens=most,
    )
