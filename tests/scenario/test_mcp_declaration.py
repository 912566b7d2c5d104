"""MCP servers as clients declare them: choices, keys, and what cannot be."""

import json
from collections.abc import Mapping

import msgspec
import pytest

from tests.scenario.remote import (
    ALL,
    KEY,
    REFUSED,
    TOOLS,
    URL,
    ask,
    calling,
    connected,
    made,
    offered,
    server,
    update,
)
from vivavoce.session.effect import CallTool
from vivavoce.testing.cast import Remote
from vivavoce.testing.script import Script
from vivavoce.wire.config import RealtimeSession
from vivavoce.wire.event import (
    Error,
    SessionCreated,
    SessionUpdated,
)

# ── choosing ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("choice", "told", "names"),
    [
        ({"type": "mcp", "server_label": "weather", "name": "read"}, "function:read", ALL),
        ({"type": "mcp", "server_label": "weather"}, "required", ALL[1:]),
        ({"type": "function", "name": "look"}, "function:look", ALL),
        ("required", "required", ALL),
        ("none", "none", ALL),
    ],
)
@pytest.mark.parametrize("where", ["session", "response"])
def test_a_tool_choice_reaches_the_thinker(where: str, choice: object, told: str, names: list[str]) -> None:
    call = connected("Hello.")
    update(call, tools=[{"type": "function", "name": "look"}, server()])
    if where == "session":
        update(call, tool_choice=choice)
        ask(call)
    else:
        ask(call, tool_choice=choice)
    assert "error" not in call.types
    assert call.thoughts[-1].tool_choice == told
    assert offered(call) == names


@pytest.mark.parametrize(
    ("choice", "param"),
    [
        ({"type": "function", "name": "nobody"}, "tool_choice.name"),
        ({"type": "mcp", "server_label": "nobody"}, "tool_choice.server_label"),
        ({"type": "mcp", "server_label": "weather", "name": "nobody"}, "tool_choice.name"),
        ({"type": "function", "name": "get_weather"}, "tool_choice.name"),  # a server's tool is chosen as such
    ],
)
def test_a_choice_of_what_is_not_there_is_an_error(choice: object, param: str) -> None:
    call = connected()
    update(call, tool_choice=choice)
    assert (call.last(Error).error.code, call.last(Error).error.param) == ("invalid_value", f"session.{param}")
    ask(call, 0.0, tool_choice=choice)
    assert (call.last(Error).error.code, call.last(Error).error.param) == ("invalid_value", f"response.{param}")
    assert call.thoughts == []


def test_a_response_that_must_call_a_server_waits_for_its_tools() -> None:
    call = Script(replies=[calling("get_weather")], remote=Remote({URL: [TOOLS]}, ["sunny"]))
    update(call, tools=[server()], tool_choice={"type": "mcp", "server_label": "weather"}, output_modalities=["text"])
    ask(call)
    assert call.thoughts[-1].tool_choice == "required"
    assert made(call)[0].output == "sunny"


def test_a_choice_whose_tools_never_came_is_left_to_the_thinker() -> None:
    call = connected("Hello.", listings=[REFUSED])
    ask(call, tool_choice={"type": "mcp", "server_label": "weather", "name": "get_weather"})
    assert call.thoughts[-1].tool_choice == "auto"


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "how", [{"authorization": KEY}, {"headers": {"Authorization": f"Bearer {KEY}", "X-Org": "me"}}]
)
def test_keys_are_sent_to_the_server_and_shown_to_nobody(how: Mapping[str, object]) -> None:
    call = Script(replies=[calling("get_weather")], remote=Remote({f"{URL}?key={KEY}": [TOOLS]}, ["sunny"]))
    update(call, tools=[server(server_url=f"{URL}?key={KEY}", **how)], output_modalities=["text"])
    call.wait(1.0)
    ask(call)
    work = call.cast.called[0]
    assert isinstance(work, CallTool)
    assert dict(work.address.headers)["Authorization"] == f"Bearer {KEY}"
    assert work.address.url.endswith(KEY)
    assert KEY not in repr(work)
    assert KEY not in "".join(msgspec.json.encode(event).decode() for event in call.events)
    assert KEY not in msgspec.json.encode(call.host.introduction()).decode()
    shown = call.last(SessionUpdated).session
    assert isinstance(shown, RealtimeSession)
    assert isinstance(shown.tools, list)
    told = json.loads(msgspec.json.encode(shown.tools[0]))
    assert told["server_url"] == URL
    assert "authorization" not in told
    assert set(told.get("headers", {}).values()) <= {"<redacted>"}


def test_keys_given_anew_are_used_without_listing_again() -> None:
    call = connected(calling("get_weather"), authorization="sk-first-0123456789")
    update(call, tools=[server(authorization=KEY)])
    ask(call)
    assert call.types.count("mcp_list_tools.in_progress") == 1
    assert dict(call.cast.called[0].address.headers) == {"Authorization": f"Bearer {KEY}"}


def test_the_opening_event_shows_no_keys() -> None:
    session = msgspec.convert({"type": "realtime", "tools": [server(authorization=KEY)]}, RealtimeSession)
    call = Script(session=session, remote=Remote({URL: [TOOLS]}))
    assert KEY not in msgspec.json.encode(call.last(SessionCreated)).decode()


# ── what cannot be ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("tools", "code", "param"),
    [
        ([{"type": "mcp", "server_label": "new"}], "missing_required_parameter", "tools[0].server_url"),
        ([server(), server()], "invalid_value", "tools[1].server_label"),
        ([server(server_label="")], "invalid_value", "tools[0].server_label"),
        ([server(connector_id="connector_gmail")], "invalid_value", "tools[0].connector_id"),
        ([server(tunnel_id="tunnel_" + "a" * 32)], "invalid_value", "tools[0].tunnel_id"),
        (
            [{"type": "mcp", "server_label": "m", "connector_id": "connector_gmail"}],
            "invalid_value",
            "tools[0].connector_id",
        ),
        (
            [{"type": "mcp", "server_label": "m", "tunnel_id": "tunnel_" + "a" * 32}],
            "invalid_value",
            "tools[0].tunnel_id",
        ),
        ([server(server_url="ftp://tools.example")], "invalid_value", "tools[0].server_url"),
        ([server(server_url="https://")], "invalid_value", "tools[0].server_url"),
        (
            [server(authorization="sk-one-0123456789", headers={"authorization": "Basic x"})],
            "invalid_value",
            "tools[0].authorization",
        ),
        ([server(headers={"X-A": "a\r\nX-B: b"})], "invalid_value", "tools[0].headers"),
        ([server(headers={"Host": "elsewhere"})], "invalid_value", "tools[0].headers"),
        ([server(authorization="a\nb")], "invalid_value", "tools[0].authorization"),
        ([server(allowed_callers=["programmatic"])], "invalid_value", "tools[0].allowed_callers"),
        ([server(server_label=f"s{number}") for number in range(33)], "invalid_value", "tools[32].server_label"),
    ],
)
def test_a_server_that_cannot_be_had_is_an_error_and_changes_nothing(
    tools: list[dict[str, object]], code: str, param: str
) -> None:
    call = Script()
    update(call, tools=tools, instructions="changed")
    error = call.last(Error).error
    assert (error.code, error.param) == (code, f"session.{param}")
    ask(call, 0.0, tools=tools)
    error = call.last(Error).error
    assert (error.code, error.param) == (code, f"response.{param}")
    assert call.types == ["session.created", "error"]


def test_what_only_helps_is_accepted() -> None:
    call = connected("Hello.", allowed_callers=["direct"], defer_loading=True, server_description="About the sky.")
    ask(call)
    assert call.thoughts[-1].tools[0].description == "Tells the weather.\nAbout the sky."
