"""Calls of MCP tools that somebody has to allow, and which calls these are."""

import pytest

from tests.scenario.remote import (
    CALLED,
    TOOLS,
    URL,
    WEATHER,
    answer,
    ask,
    calling,
    connected,
    listing,
    made,
    offered,
    requests,
    server,
    update,
)
from vivavoce.session.result import CallBegun, Listed, Thought, Words
from vivavoce.testing.cast import Hang, Remote, Rest, Step
from vivavoce.testing.script import Script
from vivavoce.wire.event import (
    Error,
    ResponseCreated,
    ResponseDone,
)
from vivavoce.wire.item import (
    FunctionCall,
    FunctionCallOutput,
    McpListedTool,
    McpToolExecutionError,
)

# ── approvals ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_that_needs_approval_asks_and_ends_the_response() -> None:
    call = connected(calling("get_weather"), require_approval="always")
    before = len(call.types)
    ask(call)
    assert call.types[before:] == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    (request,) = requests(call)
    assert (request.server_label, request.name, request.arguments) == ("weather", "get_weather", '{"city":"Bern"}')
    assert call.cast.called == []


def test_approval_is_needed_where_nothing_was_said_about_it() -> None:
    call = connected(calling("get_weather"), require_approval=None)
    ask(call)
    assert len(requests(call)) == 1


def test_what_is_approved_is_carried_out_in_a_response_of_its_own() -> None:
    call = connected(calling("get_weather"), "Sunny.", require_approval="always")
    ask(call, metadata={"who": "me"})
    (request,) = requests(call)
    before = len(call.types)
    answer(call, str(request.id), approve=True)
    assert call.types[before:] == [
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
        *CALLED,
        "response.done",
    ]
    (done,) = made(call)
    assert (done.approval_request_id, done.output, done.arguments) == (request.id, "sunny", request.arguments)
    assert len(call.thoughts) == 1  # the answer is for the client to ask for
    ask(call)
    shown = call.thoughts[-1].items
    assert [type(item) for item in shown] == [FunctionCall, FunctionCallOutput]


def test_an_answer_asked_for_right_behind_an_approval_waits_for_the_call() -> None:
    call = connected(calling("get_weather"), "Sunny.", require_approval="always")
    ask(call)
    item = {"type": "mcp_approval_response", "approval_request_id": requests(call)[0].id, "approve": True}
    call.send({"type": "conversation.item.create", "item": item})
    call.send({"type": "response.create", "response": {"metadata": {"who": "me"}}})
    call.send({"type": "response.create"})
    assert call.last(Error).error.code == "conversation_already_has_active_response"
    call.wait(2.0)
    ended = [event.response for event in call.events if isinstance(event, ResponseDone)]
    assert [response.metadata for response in ended] == [None, None, {"who": "me"}]
    told = call.thoughts[-1].items[-1]
    assert isinstance(told, FunctionCallOutput)
    assert told.output == "sunny"


def test_a_user_who_speaks_into_an_approved_call_is_answered_once() -> None:
    call = connected(calling("get_weather"), "As you wish.", require_approval="always", outcomes=[Hang()])
    ask(call)
    item = {"type": "mcp_approval_response", "approval_request_id": requests(call)[0].id, "approve": True}
    call.send({"type": "conversation.item.create", "item": item})
    call.send({"type": "response.create"})
    call.speak(0.5)
    call.wait(2.0)
    ended = [event.response for event in call.events if isinstance(event, ResponseDone)]
    assert [response.status for response in ended] == ["completed", "cancelled", "completed"]
    assert len(call.thoughts) == 2


def test_what_is_refused_is_not_done_and_the_model_goes_on_knowing_it() -> None:
    call = connected(calling("get_weather"), "As you wish.", require_approval="always")
    ask(call)
    answer(call, str(requests(call)[0].id), approve=False, reason="too dear")
    assert made(call) == []
    assert call.cast.called == []
    assert [type for type in call.types if type in ("response.created", "response.done")] == [
        "response.created",
        "response.done",
    ] * 2
    told = call.thoughts[-1].items[-1]
    assert isinstance(told, FunctionCallOutput)
    assert "too dear" in told.output


def test_of_several_questions_the_approved_ones_are_carried_out_in_the_order_of_their_approval() -> None:
    call = connected(calling("get_weather", "read", "book"), require_approval="always", outcomes=["one", "two"])
    ask(call)
    first, second, third = (str(request.id) for request in requests(call))
    for id, approve in ((third, True), (first, True), (second, False)):
        item = {"type": "mcp_approval_response", "approval_request_id": id, "approve": approve}
        call.send({"type": "conversation.item.create", "item": item})
    call.wait(4.0)
    assert [item.approval_request_id for item in made(call)] == [third, first]
    assert len([event for event in call.events if isinstance(event, ResponseCreated)]) == 2
    assert len(call.thoughts) == 1  # something was done, so the client will ask


def test_an_approval_while_something_else_is_said_waits_until_it_is_over() -> None:
    slow: list[Step] = [Words("Well"), Rest(2.0), Words(" then."), Thought()]
    call = connected(calling("get_weather"), slow, require_approval="always")
    ask(call)
    ask(call, 0.5)
    answer(call, str(requests(call)[0].id), approve=True)
    call.wait(2.0)
    assert made(call)[0].output == "sunny"


def test_a_question_that_the_user_has_not_answered_is_known_to_the_model() -> None:
    call = connected(calling("get_weather"), "Shall I?", require_approval="always")
    ask(call)
    ask(call)
    assert [type(item) for item in call.thoughts[-1].items] == [FunctionCall, FunctionCallOutput]


@pytest.mark.parametrize("times", [0, 1])
def test_answering_what_was_not_asked_or_answered_before_is_an_error(times: int) -> None:
    call = connected(calling("get_weather"), "As you wish.", require_approval="always")
    ask(call)
    id = str(requests(call)[0].id)
    for _ in range(times):
        answer(call, id, approve=False)
    assert "error" not in call.types
    before = len(call.host.items)
    answer(call, id if times else "item_unknown", approve=True)
    error = call.last(Error).error
    assert (error.code, error.param) == ("invalid_value", "item.approval_request_id")
    assert len(call.host.items) == before


def test_arguments_that_are_no_object_are_not_asked_about() -> None:
    call = connected(calling("get_weather", arguments="nonsense"), require_approval="always")
    ask(call)
    assert requests(call) == []
    assert isinstance(made(call)[0].error, McpToolExecutionError)


def test_a_question_that_was_not_finished_is_not_asked() -> None:
    call = connected([CallBegun(0, "get_weather"), Hang()], require_approval="always")
    ask(call)
    call.send({"type": "response.cancel"})
    assert requests(call) == []
    assert call.last(ResponseDone).response.output == []


def test_an_approved_call_can_be_stopped() -> None:
    call = connected(calling("get_weather"), require_approval="always", outcomes=[Hang()])
    ask(call)
    answer(call, str(requests(call)[0].id), approve=True)
    call.send({"type": "response.cancel"})
    assert call.last(ResponseDone).response.status == "cancelled"
    assert not call.cast.busy


def test_an_approved_call_out_of_band_stays_there() -> None:
    call = connected(calling("get_weather"), require_approval="always")
    ask(call, conversation="none")
    before = len(call.host.items)
    answer(call, str(requests(call)[0].id), approve=True)
    assert made(call)[0].output == "sunny"
    assert call.last(ResponseDone).response.conversation_id is None
    assert len(call.host.items) == before + 1  # the client's own answer


# ── which tools, and which need approval ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("allowed", "names"),
    [
        (["read"], ["read"]),
        ({"tool_names": ["read", "book"]}, ["book", "read"]),
        ({"read_only": True}, ["read"]),
        ({"read_only": False, "tool_names": ["book", "read"]}, ["book"]),
        ({}, ["get_weather", "book", "read"]),
        ([], []),
        (None, ["get_weather", "book", "read"]),
    ],
)
def test_only_allowed_tools_are_listed_and_offered(allowed: object, names: list[str]) -> None:
    call = connected("Hello.", allowed_tools=allowed)
    assert [tool.name for tool in listing(call).tools] == names
    ask(call)
    assert offered(call) == names


@pytest.mark.parametrize(
    ("rule", "asking"),
    [
        ("always", ["get_weather", "book", "read"]),
        ("never", []),
        ({"never": {"tool_names": ["get_weather"]}}, ["book", "read"]),
        ({"never": {"read_only": True}}, ["get_weather", "book"]),
        ({"always": {"tool_names": ["book"]}}, ["book"]),
        ({"always": {"tool_names": ["read"]}, "never": {"read_only": True}}, ["get_weather", "book", "read"]),
        ({"never": {}}, ["get_weather", "book", "read"]),
    ],
)
def test_approval_is_asked_for_as_the_rule_says(rule: object, asking: list[str]) -> None:
    call = connected(calling("get_weather", "book", "read"), require_approval=rule, outcomes=["done"] * 3)
    ask(call, 5.0)
    assert [request.name for request in requests(call)] == asking


def test_tools_of_one_name_are_told_apart() -> None:
    other = "https://other.example/mcp"
    replies = [calling("maps__get_weather", "weather__get_weather", "get_weather")]
    call = Script(replies=replies, remote=Remote({URL: [TOOLS], other: [Listed((WEATHER,))]}, ["here", "there"]))
    function = {"type": "function", "name": "get_weather"}
    maps = {"type": "mcp", "server_label": "maps", "server_url": other, "require_approval": "never"}
    update(call, tools=[function, server(), maps], output_modalities=["text"])
    call.wait(1.0)
    ask(call, 4.0)
    assert offered(call) == ["get_weather", "weather__get_weather", "book", "read", "maps__get_weather"]
    assert [(item.server_label, item.name) for item in made(call)] == [
        ("maps", "get_weather"),
        ("weather", "get_weather"),
    ]
    assert [work.address.url for work in call.cast.called] == [other, URL]


def test_names_that_no_model_server_takes_are_made_to_fit() -> None:
    odd = McpListedTool(name="files.read/all", input_schema={}, description=None)
    call = connected(calling("files_read_all"), listings=[Listed((odd,))])
    ask(call)
    assert made(call)[0].name == "files.read/all"
    assert [work.name for work in call.cast.called] == ["files.read/all"]
