"""A page written from nothing but OpenAI's guide, in a real browser, from another origin than the server's."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from tests import beta
from tests.browser.conftest import RATE_HZ
from tests.browser.visitor import Visitor, visit
from tests.strict import Reader
from tests.system.site import OLDER_SESSION, SESSION, Site, hosted
from tests.viva import MovableClock, Viva, engines, scripted_server, serving, spoken
from vivavoce.audio.frame import Pcm
from vivavoce.gateway.settings import SecretUse
from vivavoce.gateway.settings import Settings as GatewaySettings

pytestmark = [pytest.mark.realtime, pytest.mark.xdist_group("browser")]

PATIENCE = 3
"""So often does one ask."""
ASK = {"type": "response.create"}


def typed(words: str) -> dict[str, object]:
    """A written message."""
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}
    return {"type": "conversation.item.create", "item": item}


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


@dataclass(frozen=True)
class Flow:
    """One of the three ways that OpenAI's guides have taught: the page's option, and what its dialect calls things."""

    option: str
    transcript: str = "response.output_audio_transcript.done"
    judge: Callable[[str], object] = field(default_factory=lambda: Reader().read)
    """Holds an event to its types, and to the protocol's order where that is known."""


FLOWS = {
    "secret": lambda: Flow("guide"),
    "unified": lambda: Flow("unified"),
    "of 2025": lambda: Flow("older", "response.audio_transcript.done", beta.parse),
}


async def send(visitor: Visitor, *events: object) -> None:
    """Have the page send events."""
    await visitor.page.evaluate("(events) => events.forEach((event) => page.send(event))", events)


async def told(visitor: Visitor, type: str, within_s: float = 30) -> dict[str, Any]:
    """The first event of a type; waits until it is there."""
    await visitor.until(f"page.events('{type}').length >= 1", within_s)
    return (await visitor.page.evaluate(f"page.events('{type}')"))[0]


@pytest.mark.parametrize("name", FLOWS)
async def test_a_page_after_the_guide_talks_calls_a_function_interrupts_and_hangs_up(site: Site, name: str) -> None:
    flow = FLOWS[name]()
    question, stop = await spoken("What time is it?", RATE_HZ), await spoken("Stop, stop please.", RATE_HZ)
    async with visit(site.guide(**{flow.option: "1"}), microphone="in hand") as visitor:
        await started(visitor)
        location = await visitor.page.evaluate("page.location")
        await ask_the_time(visitor, question)
        assert (await told(visitor, flow.transcript))["transcript"]
        assert await visitor.page.evaluate("page.loudMs") > 300
        await send(visitor, typed("What is the weather in Bern?"), ASK)
        wanted = await told(visitor, "response.function_call_arguments.done")
        assert json.loads(wanted["arguments"])["city"] == "Bern"
        output = {"type": "function_call_output", "call_id": wanted["call_id"], "output": "sunny"}
        # A long answer, whatever the recogniser makes of a busy machine's sound.
        await send(visitor, {"type": "conversation.item.create", "item": output}, typed("Count to one hundred."), ASK)
        spoken_ms = await visitor.page.evaluate("page.loudMs")
        await visitor.until(f"page.loudMs > {spoken_ms + 800}", 30)
        await visitor.say(stop)
        await told(visitor, "output_audio_buffer.cleared")
        await visitor.until("page.loudness < 0.005")
        await read_back(visitor, flow)
        for text in await visitor.page.evaluate("page.log"):
            flow.judge(text)
        await visitor.page.click("#stop")
        assert visitor.complaints == []
    viva = Viva(site.base_url.removesuffix("/v1"), site.key, 0)
    await viva.until_calls(0)
    if location is not None:  # where the page itself places the call, it is told the id, for a sideband
        async with httpx2.AsyncClient() as http:
            assert (await http.post(f"{viva.url}{location}/hangup", headers=viva.bearer)).status_code == 404
    assert (location is None) == (name == "unified")


async def ask_the_time(visitor: Visitor, question: Pcm) -> None:
    """Aloud, until it was understood and answered: a busy machine tears sound, and then people ask again."""
    for times in range(1, PATIENCE + 1):
        await visitor.say(question)
        for type in ("conversation.item.input_audio_transcription.completed", "output_audio_buffer.stopped"):
            await visitor.until(f"page.events('{type}').length >= {times}", 30)
        heard = "page.events('conversation.item.input_audio_transcription.completed').at(-1).transcript"
        if "time" in await visitor.page.evaluate(heard):
            return
    raise AssertionError(f"not understood {PATIENCE} times")


async def read_back(visitor: Visitor, flow: Flow) -> None:
    """Of the answer that was interrupted the server remembers the beginning, and no more."""
    cut = await told(visitor, "conversation.item.truncated")
    assert 0 < cut["audio_end_ms"] < 20_000
    await send(visitor, {"type": "conversation.item.retrieve", "item_id": cut["item_id"]})
    kept = await told(visitor, "conversation.item.retrieved")
    said = await visitor.page.evaluate(f"page.events('{flow.transcript}')")
    (whole,) = [event["transcript"] for event in said if event["item_id"] == cut["item_id"]]
    words = kept["item"]["content"][0]["transcript"]
    assert whole.startswith(words)
    assert 0 < len(words) < len(whole)


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────


TAKEN = (201, None, "")
"""What a page sees whose key is good: the status, and neither a code nor words of a refusal."""


async def answer(visitor: Visitor, address: str) -> tuple[int, str | None, str]:
    """What a page sees that calls and hangs up: the status, and the code and the words of a refusal."""
    await visitor.page.goto(address)
    await visitor.page.click("#start")
    await visitor.until("['open', 'failed'].includes(page.state)")
    await visitor.page.click("#stop", force=True)
    status, refusal = await visitor.page.evaluate("[page.status, page.refusal]")
    return (status, refusal["code"], refusal["message"]) if refusal else (status, None, "")


@pytest.mark.parametrize("option", ["guide", "older"])
async def test_a_page_whose_secret_is_wrong_is_told_so(site: Site, option: str) -> None:
    async with visit("about:blank") as visitor:
        address = site.guide(**{option: "1", "secret": "ek_none0123456789abcdef"})
        assert (await answer(visitor, address))[:2] == (401, "invalid_api_key")


async def test_a_page_whose_own_server_has_a_wrong_key_is_told_so(site: Site) -> None:
    with hosted() as mistaken:
        mistaken.base_url, mistaken.key = site.base_url, "sk-none0123456789abcdef"
        async with visit("about:blank") as visitor:
            assert (await answer(visitor, mistaken.guide(unified="1")))[:2] == (401, "invalid_api_key")


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("use", SecretUse)
async def test_a_page_uses_its_secret_again_as_long_as_it_may(name: str, use: SecretUse) -> None:
    clock, option = MovableClock(), FLOWS[name]().option
    with hosted() as site:
        gateway = GatewaySettings(secret_use=use, origins=(site.origin,))
        async with scripted_server(engines(), clock=clock, gateway=gateway) as viva, visit("about:blank") as visitor:
            site.base_url, site.key = f"{viva.url}/v1", viva.key
            secret, untried = await a_secret(viva, option), await a_secret(viva, option)

            async def calls_with(key: str) -> tuple[int, str | None, str]:
                if option == "unified":
                    site.key = key  # of a server that was given a secret in place of a key
                return await answer(visitor, site.guide(**{option: "1", "secret": key}))

            assert await calls_with(secret) == TAKEN
            again = await calls_with(secret)
            if use is SecretUse.REUSABLE:
                assert again == TAKEN
            else:
                assert again[:2] == (401, "invalid_api_key")
                assert "used up" in again[2]
            clock.advance(61)
            status, code, words = await calls_with(untried)
            assert (status, code) == (401, "invalid_api_key")
            assert "expired" in words


async def a_secret(viva: Viva, option: str) -> str:
    """A client secret that lives one minute, made as the flow has it."""
    async with httpx2.AsyncClient(headers=viva.bearer, base_url=f"{viva.url}/v1/realtime") as http:
        if option == "older":
            return (await http.post("/sessions", json=OLDER_SESSION)).json()["client_secret"]["value"]
        wanted = {"expires_after": {"anchor": "created_at", "seconds": 60}, "session": SESSION}
        return (await http.post("/client_secrets", json=wanted)).json()["value"]


async def test_a_page_of_a_stranger_may_not_call(site: Site) -> None:
    with hosted() as stranger:
        stranger.base_url, stranger.key = site.base_url, site.key
        async with visit(stranger.guide()) as visitor:
            await visitor.page.click("#start")
            await visitor.until("page.state === 'failed'")
            assert await visitor.page.evaluate("page.error") == "TypeError: Failed to fetch"
            assert any("CORS" in complaint for complaint in visitor.complaints)
