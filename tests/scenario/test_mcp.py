"""Tools of MCP servers, which the server itself lists and calls."""

import json

import msgspec
import pytest

from tests.scenario.remote import (
    BOOK,
    CALLED,
    LISTED,
    READ,
    REFUSED,
    SCHEMA,
    TOOLS,
    URL,
    WEATHER,
    ask,
    calling,
    connected,
    listing,
    made,
    offered,
    server,
    update,
)
from vivavoce.session.remote_call import CALL_PATIENCE_S, OUTPUT_BYTES
from vivavoce.session.result import CallArguments, CallBegun, Listed, Thought, ToolFailed, Words
from vivavoce.session.servers import LISTING_PATIENCE_S
from vivavoce.testing.cast import Hang, Remote, Step
from vivavoce.testing.script import Script
from vivavoce.wire.config import RealtimeSession
from vivavoce.wire.event import (
    ConversationItemAdded,
    Error,
    ResponseDone,
    ResponseMcpCallArgumentsDelta,
    ResponseOutputItemDone,
    SessionUpdated,
)
from vivavoce.wire.item import (
    FunctionCall,
    FunctionCallOutput,
    McpCall,
    McpHttpError,
    McpListTools,
    McpProtocolError,
    McpToolExecutionError,
)

# ── listing ─────────────────────────────────────────────────────────────────────────────────────────────


def test_naming_a_server_lists_its_tools_beside_the_conversation() -> None:
    call = connected()
    assert call.types == ["session.created", "session.updated", *LISTED]
    added = call.last(ConversationItemAdded).item
    assert isinstance(added, McpListTools)
    assert (added.server_label, added.tools) == ("weather", [])
    assert listing(call) == McpListTools(id=added.id, server_label="weather", tools=[WEATHER, BOOK, READ])


def test_a_server_in_the_opening_config_is_listed_as_soon_as_the_caller_is_there() -> None:
    session = msgspec.convert({"type": "realtime", "tools": [server()]}, RealtimeSession)
    call = Script(session=session, remote=Remote({URL: [TOOLS]}))
    call.wait(1.0)
    assert call.types == ["session.created", *LISTED]


def test_tools_are_offered_once_they_are_known_and_not_before() -> None:
    call = Script(replies=["Hello.", "Hello again."], remote=Remote({URL: [TOOLS]}))
    update(call, tools=[server()], output_modalities=["text"])
    ask(call, 1.0)
    assert offered(call) == []
    assert call.last(ResponseDone).response.status == "completed"
    ask(call, 1.0)
    assert offered(call) == ["get_weather", "book", "read"]
    assert call.thoughts[-1].tools[0].parameters == SCHEMA


def test_a_label_once_loaded_can_be_named_alone_without_being_listed_again() -> None:
    call = connected("Hello.")
    update(call, tools=[])
    update(call, tools=[{"type": "mcp", "server_label": "weather"}])
    call.wait(1.0)
    assert call.types.count("mcp_list_tools.in_progress") == 1
    shown = call.last(SessionUpdated).session
    assert isinstance(shown, RealtimeSession)
    assert isinstance(shown.tools, list)
    assert json.loads(msgspec.json.encode(shown.tools[0])) == server()
    ask(call)
    assert offered(call) == ["get_weather", "book", "read"]


def test_a_changed_address_lists_again() -> None:
    other = "https://other.example/mcp"
    call = Script(replies=["Hello."], remote=Remote({URL: [TOOLS], other: [Listed((READ,))]}))
    update(call, tools=[server()])
    call.wait(1.0)
    update(call, tools=[server(server_url=other)], output_modalities=["text"])
    call.wait(1.0)
    assert call.types.count("mcp_list_tools.completed") == 2
    ask(call)
    assert offered(call) == ["read"]


def test_a_server_declared_anew_while_it_is_asked_ends_the_first_listing() -> None:
    other = "https://other.example/mcp"
    call = Script(remote=Remote({URL: [Hang()], other: [TOOLS]}))
    update(call, tools=[server()])
    update(call, tools=[server(server_url=other)])
    call.wait(LISTING_PATIENCE_S + 1)
    assert call.types.count("mcp_list_tools.failed") == 1
    assert call.types.count("mcp_list_tools.completed") == 1
    assert "error" not in call.types


@pytest.mark.parametrize("told", [REFUSED, Hang()])
def test_a_server_that_cannot_be_listed_costs_its_tools_and_nothing_else(told: ToolFailed | Hang) -> None:
    call = connected("Hello.", listings=[told, TOOLS])
    call.wait(LISTING_PATIENCE_S)
    assert call.types[2:] == [
        "conversation.item.added",
        "mcp_list_tools.in_progress",
        "mcp_list_tools.failed",
        "conversation.item.done",
        "error",
    ]
    error = call.last(Error).error
    assert (error.code, error.type) == ("mcp_list_tools_failed", "external_connector_error")
    assert listing(call).tools == []
    ask(call)
    assert offered(call) == []
    assert call.last(ResponseDone).response.status == "completed"
    update(call, tools=[server()])  # naming it again asks again
    call.wait(1.0)
    assert listing(call).tools == [WEATHER, BOOK, READ]


def test_a_listing_that_was_deleted_meanwhile_is_not_done() -> None:
    call = Script(remote=Remote({URL: [TOOLS]}))
    update(call, tools=[server()])
    call.send({"type": "conversation.item.delete", "item_id": call.last(ConversationItemAdded).item.id})
    call.wait(1.0)
    assert "conversation.item.done" not in call.types
    assert call.types[-1] == "mcp_list_tools.completed"


def test_a_server_of_one_response_is_listed_for_it_and_waited_for() -> None:
    call = Script(replies=[calling("get_weather")], remote=Remote({URL: [TOOLS]}, ["sunny"]))
    ask(call, tools=[server()], output_modalities=["text"])
    assert call.types == ["session.created", *LISTED[:2], "response.created", *LISTED[2:], *CALLED, "response.done"]
    assert made(call)[0].output == "sunny"


def test_a_response_whose_server_says_nothing_goes_on_without_it() -> None:
    call = Script(replies=["Hello."], remote=Remote({URL: [Hang()]}))
    ask(call, LISTING_PATIENCE_S + 1, tools=[server()], output_modalities=["text"])
    assert call.last(ResponseDone).response.status == "completed"


def test_nothing_is_asked_any_more_when_the_caller_is_gone() -> None:
    call = Script(remote=Remote({URL: [Hang()]}))
    update(call, tools=[server()])
    assert call.cast.busy
    call.close()
    assert not call.cast.busy


# ── calling ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_server_makes_the_call_and_leaves_the_answer_to_be_asked_for() -> None:
    call = connected(calling("get_weather"), "It is sunny.")
    before = len(call.types)
    ask(call)
    assert call.types[before:] == ["response.created", *CALLED, "response.done"]
    (done,) = made(call)
    assert (done.server_label, done.name, done.arguments) == ("weather", "get_weather", '{"city":"Bern"}')
    assert (done.output, done.error, done.approval_request_id) == ("sunny", None, None)
    assert call.last(ResponseDone).response.output == [done]
    (work,) = call.cast.called
    assert (work.address.url, work.name, work.arguments) == (URL, "get_weather", '{"city":"Bern"}')
    call.wait(5.0)
    assert len(call.thoughts) == 1
    ask(call)
    asked = call.thoughts[-1].items
    assert [type(item) for item in asked] == [FunctionCall, FunctionCallOutput]
    assert isinstance(asked[0], FunctionCall)
    assert isinstance(asked[1], FunctionCallOutput)
    assert (asked[0].name, asked[1].output, asked[0].call_id) == ("get_weather", "sunny", asked[1].call_id)


def test_every_delta_of_arguments_bears_a_string_that_hides_its_length() -> None:
    call = connected(calling("get_weather"))
    ask(call)
    deltas = [event for event in call.events if isinstance(event, ResponseMcpCallArgumentsDelta)]
    assert deltas
    assert all(isinstance(delta.obfuscation, str) for delta in deltas)


def test_words_come_before_the_call_and_several_calls_one_after_another() -> None:
    steps = [Words("Let me look."), *calling("get_weather", "read")]
    call = connected(steps, outcomes=["sunny", "a page"])
    ask(call, 4.0)
    response = call.last(ResponseDone).response
    assert isinstance(response.output, list)
    assert [item.output for item in response.output if isinstance(item, McpCall)] == ["sunny", "a page"]
    assert len(response.output) == 3


def test_functions_of_the_client_and_tools_of_a_server_keep_their_places_in_one_response() -> None:
    function = {"type": "function", "name": "look"}
    call = connected(calling("look", "get_weather", "look"))
    update(call, tools=[function, server()])
    ask(call, 4.0)
    ended = [event for event in call.events if isinstance(event, ResponseOutputItemDone)]
    assert [(event.output_index, type(event.item)) for event in ended] == [
        (0, FunctionCall),
        (1, McpCall),
        (2, FunctionCall),
    ]


def test_one_call_is_made_where_calls_side_by_side_are_not_wanted() -> None:
    call = connected(calling("get_weather", "read"))
    ask(call, parallel_tool_calls=False)
    assert [item.name for item in made(call)] == ["get_weather"]


@pytest.mark.parametrize(
    "error",
    [
        McpHttpError(code=500, message="it broke"),
        McpProtocolError(code=-32602, message="no such tool"),
        McpToolExecutionError(message="no such city"),
    ],
)
def test_a_call_that_fails_says_so_and_the_model_knows(
    error: McpHttpError | McpProtocolError | McpToolExecutionError,
) -> None:
    call = connected(calling("get_weather"), "Sorry.", outcomes=[ToolFailed(error)])
    ask(call)
    failed = [type if type != "response.mcp_call.completed" else "response.mcp_call.failed" for type in CALLED]
    assert call.types[-len(failed) - 1 :] == [*failed, "response.done"]
    assert (made(call)[0].output, made(call)[0].error) == (None, error)
    assert call.last(ResponseDone).response.status == "completed"
    ask(call)
    told = call.thoughts[-1].items[-1]
    assert isinstance(told, FunctionCallOutput)
    assert error.message in told.output


def test_a_tool_that_never_answers_is_given_up_and_the_response_goes_on() -> None:
    call = connected([*calling("get_weather")[:-1], Words("No luck."), Thought()], outcomes=[Hang()])
    ask(call, CALL_PATIENCE_S - 2)
    assert call.types[-1] == "response.mcp_call.in_progress"
    call.wait(4.0)
    assert isinstance(made(call)[0].error, McpToolExecutionError)
    assert call.last(ResponseDone).response.status == "completed"
    assert not call.cast.busy


def test_arguments_that_are_no_object_are_not_sent() -> None:
    call = connected(calling("get_weather", arguments="[1"))
    ask(call)
    assert isinstance(made(call)[0].error, McpToolExecutionError)
    assert "response.mcp_call.in_progress" not in call.types
    assert call.cast.called == []


def test_a_call_without_arguments_sends_an_empty_object() -> None:
    call = connected([CallBegun(0, "get_weather"), Thought()])
    ask(call)
    assert [work.arguments for work in call.cast.called] == ["{}"]
    assert made(call)[0].arguments == "{}"


def test_a_huge_output_is_cut_and_says_so() -> None:
    call = connected(calling("get_weather"), outcomes=["ä" * OUTPUT_BYTES])
    ask(call)
    output = made(call)[0].output
    assert isinstance(output, str)
    assert len(output.encode()) < OUTPUT_BYTES + 200
    assert f"{OUTPUT_BYTES} bytes" in output


def test_calls_that_an_answer_cut_short_left_half_written_are_not_made() -> None:
    call = connected([CallBegun(0, "get_weather"), CallArguments(0, '{"ci'), Thought(cut="max_output_tokens")])
    ask(call)
    assert call.cast.called == []
    assert made(call)[0].error is not None
    assert call.last(ResponseDone).response.status == "incomplete"


def test_calls_written_side_by_side_are_made_in_order() -> None:
    steps: list[Step] = [
        CallBegun(0, "get_weather"),
        CallBegun(1, "read"),
        CallArguments(0, '{"a"'),
        CallArguments(1, '{"b"'),
        CallArguments(0, ":1}"),
        CallArguments(1, ":2}"),
        Thought(),
    ]
    call = connected(steps, outcomes=["one", "two"])
    ask(call, 4.0)
    assert [(item.name, item.arguments, item.output) for item in made(call)] == [
        ("get_weather", '{"a":1}', "one"),
        ("read", '{"b":2}', "two"),
    ]


# ── interruption ────────────────────────────────────────────────────────────────────────────────────────


def test_a_user_who_speaks_stops_a_running_call_and_nothing_is_left_of_it() -> None:
    call = Script(
        transcripts=["never mind"],
        replies=[calling("get_weather"), "All right."],
        remote=Remote({URL: [TOOLS]}, [Hang()]),
    )
    update(call, tools=[server()])
    call.wait(1.0)
    ask(call, 1.0)
    assert call.types[-1] == "response.mcp_call.in_progress"
    call.speak(1.0)
    call.wait(3.0)
    stopped, answered = [event.response for event in call.events if isinstance(event, ResponseDone)]
    assert (stopped.status, answered.status) == ("cancelled", "completed")
    assert isinstance(made(call)[0].error, McpToolExecutionError)
    assert not call.cast.busy


def test_a_cancelled_call_is_failed_before_the_response_is_done() -> None:
    call = connected(calling("get_weather"), outcomes=[Hang()])
    ask(call, 0.3)
    call.send({"type": "response.cancel"})
    assert call.types[-5:] == [
        "response.mcp_call.in_progress",
        "response.mcp_call.failed",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]


def test_a_call_out_of_band_leaves_no_trace_in_the_conversation() -> None:
    call = connected(calling("get_weather"))
    before = len(call.host.items)
    ask(call, conversation="none", metadata={"who": "me"})
    assert made(call)[0].output == "sunny"
    assert len(call.host.items) == before


def test_what_is_still_running_is_not_shown_to_other_thinkers() -> None:
    call = connected(calling("get_weather"), "Beside it.", outcomes=[Hang()])
    ask(call, 0.5)
    ask(call, 0.5, conversation="none")
    assert call.thoughts[-1].items == ()
