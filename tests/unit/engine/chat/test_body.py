"""How a conversation is written for a chat server."""

from dataclasses import replace

import msgspec
import pytest

from vivavoce.engine.chat.body import Json, body
from vivavoce.engine.chat.options import ChatOptions, Sight
from vivavoce.engine.chat.refusal import Quirk
from vivavoce.engine.interface import Prompt
from vivavoce.wire.config import FunctionTool
from vivavoce.wire.item import (
    AssistantMessage,
    FunctionCall,
    FunctionCallOutput,
    InputAudio,
    InputImage,
    InputText,
    Item,
    McpListTools,
    OutputAudio,
    OutputText,
    SystemMessage,
    UserMessage,
)

OPTIONS = ChatOptions(url="http://127.0.0.1:11434/v1/chat/completions", model="llama3.2")
OPENAI = ChatOptions(url="https://api.openai.com/v1/chat/completions", model="gpt-5")
WEATHER = FunctionTool(name="get_weather", description="The weather", parameters={"type": "object"})
LAMP = FunctionTool(name="lamp")
PICTURE = "data:image/png;base64,AAAA"


def objects(value: object) -> list[Json]:
    return msgspec.convert(value, list[Json])


def user(text: str) -> UserMessage:
    return UserMessage(content=[InputText(text=text)])


def spoken(transcript: str | None) -> UserMessage:
    return UserMessage(content=[InputAudio(transcript=transcript)])


def assistant(text: str) -> AssistantMessage:
    return AssistantMessage(content=[OutputAudio(transcript=text)])


def call(call_id: str, name: str = "get_weather", arguments: str = '{"city": "Rome"}') -> FunctionCall:
    return FunctionCall(call_id=call_id, name=name, arguments=arguments)


def messages(*items: Item, instructions: str = "", quirks: frozenset[Quirk] = frozenset()) -> list[Json]:
    return objects(body(Prompt(model="", instructions=instructions, items=items), OPTIONS, quirks)["messages"])


def with_tools(choice: str, *quirks: Quirk, parallel: bool = True) -> Json:
    prompt = Prompt(
        model="",
        instructions="",
        items=(user("hi"),),
        tools=(WEATHER, LAMP),
        tool_choice=choice,
        parallel_tool_calls=parallel,
    )
    return body(prompt, OPTIONS, set(quirks))


def test_a_conversation_is_written_oldest_first_by_what_was_heard() -> None:
    assert messages(
        spoken("what is the capital of france"),
        assistant("Paris."),
        SystemMessage(content=[InputText(text="Be brief.")]),
        AssistantMessage(content=[OutputText(text="Anything else?")]),
        user("And of Italy?"),
        instructions="You are kind.",
    ) == [
        {"role": "system", "content": "You are kind."},
        {"role": "user", "content": "what is the capital of france"},
        {"role": "assistant", "content": "Paris."},
        {"role": "system", "content": "Be brief."},
        {"role": "assistant", "content": "Anything else?"},
        {"role": "user", "content": "And of Italy?"},
    ]


def test_the_request_streams_and_counts_tokens() -> None:
    written = body(Prompt(model="other", instructions="", items=(user("hi"),)), OPTIONS, set())
    assert written == {
        "model": "llama3.2",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_sound_without_a_transcript_is_named_so() -> None:
    assert messages(spoken(None)) == [{"role": "user", "content": "[inaudible]"}]
    assert messages(spoken("")) == [{"role": "user", "content": "[inaudible]"}]
    assert messages(UserMessage(content=[InputAudio()])) == [{"role": "user", "content": "[inaudible]"}]


def test_images_travel_as_parts_beside_the_words() -> None:
    item = UserMessage(content=[InputText(text="What is this?"), InputImage(image_url=PICTURE, detail="low")])
    assert messages(item) == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}},
            ],
        }
    ]
    bare = UserMessage(content=[InputImage(image_url=PICTURE)])
    assert messages(bare) == [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PICTURE}}]}]


def test_a_model_that_cannot_see_is_told_that_there_was_an_image() -> None:
    blind = ChatOptions(url=OPTIONS.url, model="m", sight=Sight.NO)
    item = UserMessage(content=[InputText(text="What is this?"), InputImage(image_url=PICTURE)])
    written = body(Prompt(model="", instructions="", items=(item,)), blind, set())
    assert written["messages"] == [{"role": "user", "content": "What is this?\n[an image that cannot be shown]"}]


def test_words_and_calls_of_one_answer_are_one_message_followed_by_all_results() -> None:
    assert messages(
        user("weather in Rome and Oslo"),
        assistant("Let me see."),
        call("c1"),
        call("c2", arguments='{"city": "Oslo"}'),
        FunctionCallOutput(call_id="c1", output="21"),
        FunctionCallOutput(call_id="c2", output="3"),
    ) == [
        {"role": "user", "content": "weather in Rome and Oslo"},
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Rome"}'}},
                {"id": "c2", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "21"},
        {"role": "tool", "tool_call_id": "c2", "content": "3"},
    ]


def test_two_rounds_of_calls_are_two_messages() -> None:
    written = messages(
        user("hi"),
        call("c1"),
        FunctionCallOutput(call_id="c1", output="1"),
        call("c2"),
        FunctionCallOutput(call_id="c2", output="2"),
    )
    roles = [message["role"] for message in written]
    assert roles == ["user", "assistant", "tool", "assistant", "tool"]


def test_a_call_without_a_result_gets_one_that_says_so() -> None:
    written = messages(user("weather?"), call("c1"), user("Never mind."))
    assert written == [
        {"role": "user", "content": "weather?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Rome"}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "(no result yet)"},
        {"role": "user", "content": "Never mind."},
    ]


def test_a_late_result_is_told_where_it_came() -> None:
    written = messages(user("weather?"), call("c1"), user("Well?"), FunctionCallOutput(call_id="c1", output="21"))
    assert written[-1] == {"role": "system", "content": "Result of get_weather: 21"}


def test_a_result_whose_call_was_deleted_is_still_told() -> None:
    written = messages(user("weather?"), FunctionCallOutput(call_id="gone", output="21"))
    assert written[-1] == {"role": "system", "content": "Result of a function: 21"}


@pytest.mark.parametrize("broken", ["", '{"city": "Ro', "[1]", "null"])
def test_arguments_that_were_cut_short_do_not_spoil_the_request(broken: str) -> None:
    written = messages(user("x"), FunctionCall(name="f", arguments=broken))
    assert written[1]["tool_calls"] == [
        {"id": "call_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    ]


def test_items_with_no_words_are_left_out() -> None:
    assert messages(
        AssistantMessage(content=[OutputAudio(transcript=None)]),
        SystemMessage(content=[InputText(text=" ")]),
        McpListTools(server_label="s", tools=[]),
        UserMessage(content=[]),
        user("hi"),
    ) == [{"role": "user", "content": "hi"}]


def test_an_answer_to_nobody_gets_a_listener() -> None:
    assert messages(instructions="Greet the caller.") == [
        {"role": "system", "content": "Greet the caller."},
        {"role": "user", "content": "(The user is listening and has not said anything yet.)"},
    ]


def test_a_second_answer_in_a_row_does_not_continue_the_first() -> None:
    written = messages(user("hi"), assistant("Hello."))
    assert written[-1] == {"role": "user", "content": "(The user says nothing more.)"}


def test_a_server_that_wants_system_messages_first_gets_them_first() -> None:
    assert messages(
        user("hi"),
        SystemMessage(content=[InputText(text="Be brief.")]),
        user("well?"),
        instructions="You are kind.",
        quirks=frozenset({Quirk.LATE_SYSTEM}),
    ) == [
        {"role": "system", "content": "You are kind.\n\nBe brief."},
        {"role": "user", "content": "hi"},
        {"role": "user", "content": "well?"},
    ]
    assert messages(user("hi"), quirks=frozenset({Quirk.LATE_SYSTEM})) == [{"role": "user", "content": "hi"}]


def test_tools_are_offered_with_their_schemas() -> None:
    written = with_tools("auto")
    assert written["tools"] == [
        {
            "type": "function",
            "function": {"name": "get_weather", "description": "The weather", "parameters": {"type": "object"}},
        },
        {"type": "function", "function": {"name": "lamp", "parameters": {"type": "object", "properties": {}}}},
    ]
    assert not {"tool_choice", "parallel_tool_calls"} & set(written)


def test_no_tools_may_be_called_when_none_are_wanted() -> None:
    assert "tools" not in with_tools("none")


def test_a_required_call_is_asked_for_in_the_field_and_in_words() -> None:
    written = with_tools("required", parallel=False)
    assert written["tool_choice"] == "required"
    assert written["parallel_tool_calls"] is False
    assert written["messages"] == [
        {"role": "system", "content": "Answer by calling one of the functions."},
        {"role": "user", "content": "hi"},
    ]


def test_a_named_call_offers_nothing_else() -> None:
    written = with_tools("function:lamp")
    assert written["tool_choice"] == {"type": "function", "function": {"name": "lamp"}}
    assert len(objects(written["tools"])) == 1
    assert written["messages"] == [
        {"role": "system", "content": "Answer by calling the function lamp."},
        {"role": "user", "content": "hi"},
    ]


def test_what_a_server_refuses_is_left_out() -> None:
    written = with_tools("required", Quirk.TOOL_CHOICE, Quirk.PARALLEL, Quirk.USAGE, parallel=False)
    assert set(written) == {"model", "messages", "stream", "tools"}


def test_a_clients_effort_is_sent_unless_the_operator_has_one() -> None:
    prompt = Prompt(model="m", instructions="", items=(), effort="high")
    assert body(prompt, OPTIONS, set())["reasoning_effort"] == "high"
    assert body(prompt, replace(OPTIONS, effort="none"), set())["reasoning_effort"] == "none"


def test_effort_and_temperature_are_sent_where_they_are_taken() -> None:
    options = ChatOptions(url=OPTIONS.url, model="m", effort="none", temperature=0.5)
    prompt = Prompt(model="", instructions="", items=(user("hi"),))
    written = body(prompt, options, set())
    assert (written["reasoning_effort"], written["temperature"]) == ("none", 0.5)
    assert not {"reasoning_effort", "temperature"} & set(body(prompt, options, {Quirk.EFFORT, Quirk.TEMPERATURE}))


@pytest.mark.parametrize(
    ("options", "quirks", "name"),
    [
        (OPTIONS, set[Quirk](), "max_tokens"),
        (OPTIONS, {Quirk.TOKEN_LIMIT}, "max_completion_tokens"),
        (OPENAI, set[Quirk](), "max_completion_tokens"),
        (OPENAI, {Quirk.TOKEN_LIMIT}, "max_tokens"),
    ],
)
def test_the_limit_has_the_name_that_the_server_knows(options: ChatOptions, quirks: set[Quirk], name: str) -> None:
    prompt = Prompt(model="", instructions="", items=(user("hi"),), max_output_tokens=9)
    written = body(prompt, options, quirks)
    assert {key: value for key, value in written.items() if key.startswith("max_")} == {name: 9}
