"""A page written from nothing but OpenAI's guide, in a real browser, from another origin than the server's."""

import json
from collections.abc import Iterator

import httpx2
import pytest

from tests import beta
from tests.browser.conftest import RATE_HZ, Microphone
from tests.browser.visitor import Visitor, visit
from tests.strict import Reader
from tests.system.site import Site, hosted
from tests.viva import Viva, serving, spoken

pytestmark = pytest.mark.realtime

LEAD_S = 2.5
"""The microphone begins to play when it is opened; whoever calls from a busy machine is connected a while later."""

COUNT = [
    {
        "type": "conversation.item.create",
        "item": {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "Count to one hundred."}],
        },
    },
    {"type": "response.create"},
]

WEATHER = [
    {
        "type": "conversation.item.create",
        "item": {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "What is the weather in Bern?"}],
        },
    },
    {"type": "response.create"},
]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with hosted() as site, serving("--origin", site.origin) as viva:
        site.base_url, site.key = f"{viva.url}/v1", viva.key
        yield site
        assert site.refused == []


async def started(visitor: Visitor) -> None:
    """Press the button and wait until events can travel."""
    await visitor.page.click("#start")
    await visitor.until("page.state !== 'new'")
    assert await visitor.page.evaluate("[page.state, page.error, page.status]") == ["open", None, 201]


async def judge(visitor: Visitor) -> None:
    """Hold everything that the page has been told to the package's types and the protocol's order."""
    reader = Reader()
    for text in await visitor.page.evaluate("page.log"):
        reader.read(text)


async def test_a_page_with_a_client_secret_talks_interrupts_and_hangs_up(site: Site) -> None:
    stop = await spoken("Stop, stop please.", RATE_HZ)
    async with visit(site.guide(), microphone="in hand") as visitor:
        await started(visitor)
        # The id of the call, for a sideband: a browser sees it only where the server exposes the header.
        location = await visitor.page.evaluate("page.location")
        assert location.startswith("/v1/realtime/calls/rtc_")
        # A long answer, whatever the recogniser makes of a busy machine's sound.
        await visitor.page.evaluate("(events) => events.forEach((event) => page.send(event))", COUNT)
        await visitor.until("page.loudMs > 800", 30)
        await visitor.say(stop)
        await visitor.until("page.events('output_audio_buffer.cleared').length === 1", 30)
        await visitor.until("page.loudness < 0.005")
        await visitor.until("page.events('conversation.item.input_audio_transcription.completed').length === 1", 30)
        (heard,) = await visitor.page.evaluate("page.events('conversation.item.input_audio_transcription.completed')")
        assert heard["transcript"]
        await read_back(visitor)
        await judge(visitor)
        await visitor.page.click("#stop")
        assert visitor.complaints == []
    viva = Viva(site.base_url.removesuffix("/v1"), site.key, 0)
    await viva.until_calls(0)
    async with httpx2.AsyncClient() as http:
        assert (await http.post(f"{viva.url}{location}/hangup", headers=viva.bearer)).status_code == 404


async def read_back(visitor: Visitor) -> None:
    """Of the answer that was interrupted the server remembers the beginning, and no more."""
    (cut,) = await visitor.page.evaluate("page.events('conversation.item.truncated')")
    assert 0 < cut["audio_end_ms"] < 20_000
    asked = {"type": "conversation.item.retrieve", "item_id": cut["item_id"]}
    await visitor.page.evaluate("(event) => page.send(event)", asked)
    await visitor.until("page.events('conversation.item.retrieved').length === 1")
    (kept,) = await visitor.page.evaluate("page.events('conversation.item.retrieved')")
    whole = (await visitor.page.evaluate("page.events('response.output_audio_transcript.done')"))[0]["transcript"]
    words = kept["item"]["content"][0]["transcript"]
    assert whole.startswith(words)
    assert 0 < len(words) < len(whole)


async def test_a_page_with_a_server_between_talks(site: Site, microphone: Microphone) -> None:
    question = await spoken("What time is it?", RATE_HZ)
    async with visit(site.guide(unified="1"), microphone=microphone(LEAD_S, question, 30.0)) as visitor:
        await visitor.page.click("#start")
        await visitor.until("page.events('session.created').length === 1")
        (created,) = await visitor.page.evaluate("page.events('session.created')")
        assert created["session"]["instructions"] == "Be brief."
        assert created["session"]["audio"]["output"]["voice"] == "marin"
        await visitor.until("page.events('response.done').length === 1", 30)
        (heard,) = await visitor.page.evaluate("page.events('conversation.item.input_audio_transcription.completed')")
        assert "time" in heard["transcript"]
        await visitor.until("page.loudMs > 500", 20)
        await visitor.until("page.events('output_audio_buffer.stopped').length === 1", 20)
        await judge(visitor)
        assert visitor.complaints == []


async def test_a_page_after_the_guide_of_2025_talks_calls_a_function_interrupts_and_hangs_up(site: Site) -> None:
    question, stop = await spoken("What time is it?", RATE_HZ), await spoken("Stop, stop please.", RATE_HZ)
    async with visit(site.guide(older="1"), microphone="in hand") as visitor:
        await started(visitor)
        (created,) = await visitor.page.evaluate("page.events('session.created')")
        assert created["session"]["voice"] == "verse"
        assert created["session"]["input_audio_transcription"]["model"] == "whisper-1"
        await visitor.say(question)
        await visitor.until("page.events('output_audio_buffer.stopped').length === 1", 30)
        (heard,) = await visitor.page.evaluate("page.events('conversation.item.input_audio_transcription.completed')")
        assert "time" in heard["transcript"]
        assert await visitor.page.evaluate("page.events('response.audio_transcript.done').length") == 1
        await visitor.page.evaluate("(events) => events.forEach((event) => page.send(event))", WEATHER)
        await visitor.until("page.events('response.function_call_arguments.done').length === 1", 30)
        (wanted,) = await visitor.page.evaluate("page.events('response.function_call_arguments.done')")
        assert json.loads(wanted["arguments"])["city"] == "Bern"
        result = {"type": "function_call_output", "call_id": wanted["call_id"], "output": "sunny"}
        await visitor.page.evaluate("(item) => page.send({ type: 'conversation.item.create', item })", result)
        await visitor.page.evaluate("(events) => events.forEach((event) => page.send(event))", COUNT)
        await visitor.until("page.loudMs > 2500", 30)
        await visitor.say(stop)
        await visitor.until("page.events('output_audio_buffer.cleared').length === 1", 30)
        await visitor.until("page.loudness < 0.005")
        for text in await visitor.page.evaluate("page.log"):
            beta.parse(text)
        await visitor.page.click("#stop")
        assert visitor.complaints == []
    await Viva(site.base_url.removesuffix("/v1"), site.key, 0).until_calls(0)


@pytest.mark.parametrize("option", ["guide", "older"])
async def test_a_page_whose_secret_is_wrong_is_told_so(site: Site, option: str) -> None:
    async with visit(site.guide(**{option: "1", "secret": "ek_none0123456789abcdef"})) as visitor:
        await visitor.page.click("#start")
        await visitor.until("page.state === 'failed'")
        assert await visitor.page.evaluate("page.status") == 401


async def test_a_page_of_a_stranger_may_not_call(site: Site) -> None:
    with hosted() as stranger:
        stranger.base_url, stranger.key = site.base_url, site.key
        async with visit(stranger.guide()) as visitor:
            await visitor.page.click("#start")
            await visitor.until("page.state === 'failed'")
            assert await visitor.page.evaluate("page.error") == "TypeError: Failed to fetch"
            assert any("CORS" in complaint for complaint in visitor.complaints)
