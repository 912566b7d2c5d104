"""The agents SDK as it is published, in Chromium over WebRTC, with its default settings; only URL and key are ours."""

import httpx2
import numpy as np
import pytest

from tests.browser.conftest import RATE_HZ
from tests.system.agents import Application, Refused, in_browser
from tests.system.sdk import sdk
from tests.system.site import hosted
from tests.viva import MovableClock, Viva, engines, scripted_server, serving, spoken
from vivavoce.gateway.settings import SecretUse
from vivavoce.gateway.settings import Settings as GatewaySettings

pytestmark = [pytest.mark.realtime, pytest.mark.xdist_group("browser")]


def calls(viva: Viva) -> str:
    return f"{viva.url}/v1/realtime/calls"


async def test_somebody_asks_aloud_has_a_tool_used_interrupts_and_hangs_up() -> None:
    question = await spoken("What time is it?", RATE_HZ)
    # Not at once: the SDK goes on showing all of an answer of which the server says that nothing was heard.
    stop = np.concatenate((np.zeros(2 * RATE_HZ, np.int16), await spoken("Stop, stop please.", RATE_HZ)))
    with hosted() as site, serving("--origin", site.origin) as viva:
        async with sdk(viva) as client:
            secret = await client.realtime.client_secrets.create()
        async with in_browser(site.page("agents")) as (application, visitor):
            await application.act("connect", key=secret.value, url=calls(viva))
            await configured(application)
            # A question and its answer.
            for _ in range(3):  # a busy machine tears sound, and then people ask again
                await visitor.say(question)
                await application.event("output_audio_buffer.stopped")
                if "time" in (application.words("user")[-1] or ""):
                    break
            assert "time" in (application.words("user")[-1] or "")
            assert application.words("assistant")[0]
            # A tool.
            await application.act("ask", words="What is the weather in Bern?")
            await application.event("output_audio_buffer.stopped")
            assert application.all("tool") == [{"kind": "tool", "name": "get_weather", "result": "sunny in Bern"}]
            assert "sunny" in (application.words("assistant")[-1] or "").lower()
            # Interrupted by voice: the server, which plays, knows how much was heard, and so then does the SDK.
            await application.act("ask", words="Count to one hundred.")
            await application.event("output_audio_buffer.started")
            await visitor.say(stop)
            await application.event("output_audio_buffer.cleared")
            await remembered_in_part(application)
            await application.event("conversation.item.input_audio_transcription.completed")
            # Interrupted by a button, while the answer is still being made: then there is something to cancel.
            await application.act("ask", words="Count to one thousand.")
            await application.event("output_audio_buffer.started")
            await application.act("interrupt")
            await application.event("output_audio_buffer.cleared")
            await application.event("conversation.item.truncated")
            await application.act("close")
            assert statuses(application) == ["connecting", "connected", "disconnected"]
            assert application.all("error") == []
            assert visitor.complaints == []
        await viva.until_calls(0)


def statuses(application: Application) -> list[str]:
    return [told["status"] for told in application.all("connection")]


async def configured(application: Application) -> None:
    """The SDK's own settings, one update for all of them and one for tracing, are in force."""
    await application.event("session.updated")
    session = (await application.event("session.updated"))["session"]
    assert session["instructions"] == "Be brief."
    assert session["tracing"] == "auto"
    assert session["audio"]["input"]["turn_detection"]["type"] == "semantic_vad"
    assert session["audio"]["input"]["transcription"]["model"] == "gpt-4o-mini-transcribe"


async def remembered_in_part(application: Application) -> None:
    """Of the answer that was interrupted the SDK shows the beginning, and no more."""
    cut = await application.event("conversation.item.truncated")
    (whole,) = [
        event["transcript"]
        for event in application.events
        if event["type"] == "response.output_audio_transcript.done" and event["item_id"] == cut["item_id"]
    ]

    def kept() -> str:
        (item,) = [item for item in application.history if item["itemId"] == cut["item_id"]]
        return item["content"][0]["transcript"]

    await application.until(lambda: len(kept()) < len(whole))
    assert whole.startswith(kept())


async def test_a_client_secret_lets_its_page_in_until_it_expires() -> None:
    clock = MovableClock()
    script = engines(thought=["Yes."] * 3)
    with hosted() as site:
        gateway = GatewaySettings(origins=(site.origin,))
        page = site.page("agents")
        async with scripted_server(script, clock=clock, gateway=gateway) as viva, sdk(viva) as client:
            secret = await client.realtime.client_secrets.create(expires_after={"anchor": "created_at", "seconds": 60})
            await served(page, secret.value, calls(viva))
            await served(page, secret.value, calls(viva))
            # Over a WebSocket, too, where a browser can send its key only as the name of a protocol.
            socket = f"{viva.url.replace('http', 'ws')}/v1/realtime?model=gpt-realtime-2.1"
            await served(site.page("agents", transport="websocket"), secret.value, socket)
            clock.advance(61)
            await refused(page, secret.value, calls(viva))
            await refused(page, "ek_nobody_knows_this_one", calls(viva))


async def test_a_client_secret_lets_its_page_in_once_where_the_operator_wants_that() -> None:
    with hosted() as site:
        gateway = GatewaySettings(origins=(site.origin,), secret_use=SecretUse.ONCE)
        async with scripted_server(engines(thought=["Yes."]), gateway=gateway) as viva, sdk(viva) as client:
            secret = await client.realtime.client_secrets.create()
            await served(site.page("agents"), secret.value, calls(viva))
            await refused(site.page("agents"), secret.value, calls(viva))


async def served(page: str, key: str, url: str) -> None:
    """With that key there is an answer."""
    async with in_browser(page) as (application, visitor):
        await application.act("connect", key=key, url=url)
        await application.act("ask", words="Are you there?")
        await application.event("response.done")
        assert application.words("assistant") == ["Yes."]
        await application.act("close")
        assert visitor.complaints == []


async def refused(page: str, key: str, url: str) -> None:
    """With that key there is no call, and the SDK shows its user why, in the server's words."""
    async with httpx2.AsyncClient() as http:
        why = (await http.post(url, headers={"Authorization": f"Bearer {key}"})).json()["error"]["message"]
    async with in_browser(page) as (application, _):
        with pytest.raises(Refused) as shown:
            await application.act("connect", key=key, url=url)
        words = f"Realtime call request failed with status 401: {why}"
        assert words in str(shown.value)
        assert application.all("error") == [{"kind": "error", "error": words}]
        assert statuses(application) == ["connecting", "disconnected"]
