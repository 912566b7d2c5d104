"""The agents SDK as it is published, in Node over a WebSocket, with its default settings; only URL and key are ours."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

import numpy as np
import pytest

from tests.mcp_server import mcp_server
from tests.system.agents import Application, Record, Refused, in_node
from tests.system.sdk import sdk
from tests.viva import MovableClock, Viva, engines, scripted_server, spoken
from vivavoce.audio.frame import sample_count, silence
from vivavoce.engine.fake import Hang, ScriptedSpeaker, Span, hearing
from vivavoce.engine.interface import Thought, ToolArguments, ToolCall, Words
from vivavoce.engine.mcp.reach import Reach
from vivavoce.engine.mcp.servers import McpServers
from vivavoce.gateway.settings import SecretUse
from vivavoce.gateway.settings import Settings as GatewaySettings

SPEECH: Final = Span(sample_count(500), sample_count(1500))
AGAIN: Final = Span(sample_count(10_500), sample_count(11_500))
"""Speech in the second ten seconds."""
TEN_SECONDS: Final = silence(sample_count(10_000))
WEATHER: Final = [ToolCall(0, "get_weather"), ToolArguments(0, '{"city": "Bern"}'), Thought()]


def address(viva: Viva) -> str:
    return f"{viva.url.replace('http', 'ws')}/v1/realtime?model=gpt-realtime-2.1"


@asynccontextmanager
async def connected(viva: Viva, *servers: Record) -> AsyncGenerator[Application]:
    """The application in a session, which it ends itself."""
    async with in_node(*servers) as application:
        await application.act("connect", key=viva.key, url=address(viva))
        yield application
        await application.act("close")
        assert [told["status"] for told in application.all("connection")] == ["connecting", "connected", "disconnected"]
        assert application.all("error") == []
    await viva.until_calls(0)


async def test_a_spoken_question_is_answered_with_the_help_of_a_tool() -> None:
    speaker = ScriptedSpeaker()
    script = engines(
        heard=[hearing("how is the weather in bern", word_ms=150)],
        thought=[WEATHER, "It is sunny in Bern."],
        spans=[SPEECH],
        speaker=speaker,
    )
    async with scripted_server(script) as viva, connected(viva) as application:
        await application.say(TEN_SECONDS)
        await application.until(lambda: application.words("assistant") == ["It is sunny in Bern."])
        await application.event("response.done")
        await application.event("response.done")
        # The SDK tells of the end of an answer after the event that says so.
        await application.until(lambda: application.all("answer")[-1]["words"] == "It is sunny in Bern.")
        # Its own settings, one update for all of them and one for tracing, are in force.
        (_, updated) = [event["session"] for event in application.events if event["type"] == "session.updated"]
        assert updated["instructions"] == "Be brief."
        assert updated["tracing"] == "auto"
        assert updated["audio"]["input"]["turn_detection"]["type"] == "semantic_vad"
        assert updated["audio"]["input"]["transcription"]["model"] == "gpt-4o-mini-transcribe"
        assert [tool["name"] for tool in updated["tools"]] == ["get_weather"]
        # The conversation as the SDK shows it to its user.
        assert [item["type"] for item in application.history] == ["message", "function_call", "message"]
        assert application.words("user") == ["how is the weather in bern"]
        assert application.history[1]["output"] == "sunny in Bern"
        assert application.all("tool") == [{"kind": "tool", "name": "get_weather", "result": "sunny in Bern"}]
        heard = sum(told["bytes"] for told in application.all("audio"))
        assert heard == 2 * speaker.samples("It is sunny in Bern.")


@pytest.mark.xdist_group("viva_server")
async def test_real_speech_is_answered_served_by_a_tool_and_interrupts(viva_server: Viva) -> None:
    question, stop = await spoken("What time is it?"), await spoken("Stop, stop please.")
    pause = silence(sample_count(4000))
    async with connected(viva_server) as application:
        await application.say(np.concatenate((pause[:12_000], question, pause)))
        await application.event("response.done")
        assert "time" in (application.words("user")[0] or "")
        assert application.words("assistant")[0]
        assert sum(told["bytes"] for told in application.all("audio")) > 2 * sample_count(500)
        await application.act("ask", words="What is the weather in Bern?")
        await application.until(lambda: application.all("tool"))
        assert application.all("tool") == [{"kind": "tool", "name": "get_weather", "result": "sunny in Bern"}]
        await application.until(lambda: "sunny" in (application.words("assistant")[-1] or "").lower())
        await application.act("ask", words="Count to one hundred.")
        sounds = len(application.all("audio"))
        await application.until(lambda: len(application.all("audio")) > sounds)
        await application.say(np.concatenate((stop, pause)))
        await application.until(lambda: application.all("interrupted"))
        await application.event("conversation.item.truncated")
        await application.event("conversation.item.input_audio_transcription.completed")


async def test_a_tool_of_an_mcp_server_is_called_and_its_answer_is_given_once() -> None:
    called = [ToolCall(0, "tell_header"), ToolArguments(0, '{"name": "x-org"}'), Thought()]
    failed = [ToolCall(0, "ask_fate"), ToolArguments(0, "{}"), Thought()]
    script = engines(thought=[called, "There it is.", failed, "It failed."])
    script = replace(script, tool_servers=McpServers(Reach.ALL))
    with mcp_server() as (url, _):
        server = {"serverLabel": "weather", "serverUrl": url, "headers": {"X-Org": "frogs"}}
        async with scripted_server(script) as viva, connected(viva, server) as application:
            await application.until(lambda: application.all("tools"))
            assert "tell_header" in application.all("tools")[-1]["names"]
            for question, answer in (("Who am I?", "There it is."), ("And fate?", "It failed.")):
                await application.act("ask", words=question)
                await application.until(lambda answer=answer: application.words("assistant")[-1:] == [answer])
                for _ in range(2):  # one for the call, which ends by itself, and one that the SDK asks for
                    await application.event("response.done")
            calls = [item for item in application.history if item["type"] == "mcp_call"]
            assert [item["output"] for item in calls] == ["frogs", None]
            assert sum(event["type"] == "response.created" for event in application.events) == 4


async def test_a_call_that_has_to_be_allowed_is_made_only_if_it_is() -> None:
    asked = [ToolCall(0, "book_table"), ToolArguments(0, '{"people": 2}'), Thought()]
    script = engines(thought=[asked, "Done.", asked, "As you wish."])
    script = replace(script, tool_servers=McpServers(Reach.ALL))
    with mcp_server() as (url, _):
        always = {"toolNames": ["book_table"]}
        server = {"serverLabel": "weather", "serverUrl": url, "requireApproval": {"always": always}}
        async with scripted_server(script) as viva, connected(viva, server) as application:
            await application.until(lambda: application.all("tools"))
            for act, answer in (("approve", "Done."), ("reject", "As you wish.")):
                before = len(application.all("question"))
                await application.act("ask", words="Book a table for two.")
                await application.until(lambda before=before: len(application.all("question")) > before)
                await application.act(act)
                await application.until(lambda answer=answer: application.words("assistant")[-1:] == [answer])
            calls = [item for item in application.history if item["type"] == "mcp_call"]
            assert len(calls) == 1
            assert '"number": 7' in calls[0]["output"]


async def test_who_speaks_into_an_answer_interrupts_it() -> None:
    script = engines(
        heard=["count for me", "that is enough"],
        thought=[[Words("One, two, three. Four, "), Hang()], "All right."],
        spans=[SPEECH, AGAIN],
    )
    async with scripted_server(script) as viva, connected(viva) as application:
        await application.say(TEN_SECONDS)
        await application.until(lambda: application.all("audio"))
        await application.say(TEN_SECONDS)
        done = (await application.event("response.done"))["response"]
        assert (done["status"], done["status_details"]["reason"]) == ("cancelled", "turn_detected")
        assert application.all("interrupted")
        # The SDK says how much its user can have heard, and takes back what it shows.
        cut = await application.event("conversation.item.truncated")
        assert cut["item_id"] == done["output"][0]["id"]
        await application.until(lambda: application.words("assistant")[-1:] == ["All right."])
        assert application.words("user") == ["count for me", "that is enough"]


async def test_a_button_interrupts_an_answer() -> None:
    script = engines(thought=[[Words("One, two, three. Four, "), Hang()], "All right."])
    async with scripted_server(script) as viva, connected(viva) as application:
        await application.act("ask", words="Count to a thousand.")
        await application.until(lambda: application.all("audio"))
        await application.act("interrupt")
        done = (await application.event("response.done"))["response"]
        assert (done["status"], done["status_details"]["reason"]) == ("cancelled", "client_cancelled")
        await application.event("conversation.item.truncated")
        assert application.all("interrupted")
        await application.act("ask", words="Stop.")
        await application.until(lambda: application.words("assistant")[-1:] == ["All right."])


async def test_a_key_that_nobody_knows_is_refused() -> None:
    async with scripted_server(engines()) as viva:
        await refused(viva, "sk-nobody-knows-this-one")


async def test_a_client_secret_serves_again_and_again_until_it_expires() -> None:
    clock = MovableClock()
    async with scripted_server(engines(thought=["Yes.", "Still."]), clock=clock) as viva, sdk(viva) as client:
        secret = await client.realtime.client_secrets.create(expires_after={"anchor": "created_at", "seconds": 60})
        await served(viva, secret.value, "Yes.")
        await served(viva, secret.value, "Still.")
        clock.advance(61)
        await refused(viva, secret.value)


async def test_a_client_secret_for_one_use_serves_once() -> None:
    gateway = GatewaySettings(secret_use=SecretUse.ONCE)
    async with scripted_server(engines(thought=["Yes."]), gateway=gateway) as viva, sdk(viva) as client:
        secret = await client.realtime.client_secrets.create()
        await served(viva, secret.value, "Yes.")
        await refused(viva, secret.value)


async def served(viva: Viva, key: str, answer: str) -> None:
    """With that key there is an answer."""
    async with in_node() as application:
        await application.act("connect", key=key, url=address(viva))
        await application.act("ask", words="Are you there?")
        await application.until(lambda: application.words("assistant") == [answer])
        await application.act("close")


async def refused(viva: Viva, key: str) -> None:
    """With that key there is no session, and the SDK says as much as Node's WebSockets let it know."""
    async with in_node() as application:
        with pytest.raises(Refused) as shown:
            await application.act("connect", key=key, url=address(viva))
        assert str(shown.value) == "Unexpected server response: 401"
        assert application.all("error") == [{"kind": "error", "error": "Unexpected server response: 401"}]
        assert application.events == []
