"""The page against `viva serve`: real microphone file, real engines, real WebRTC."""

import asyncio

import httpx2
import pytest

from tests.browser.conftest import RATE_HZ, Microphone
from tests.browser.visitor import visit
from tests.viva import Viva, spoken

pytestmark = [pytest.mark.realtime, pytest.mark.xdist_group("browser")]

LEAD_S = 1.5
"""The microphone begins to play when it is opened; who calls is connected a while later."""
PAUSE_S = 12.0
"""Who has not been understood asks again, as where a busy machine took longer to connect."""
UNDERSTOOD = "[...document.querySelectorAll('.user .text')].some(({ textContent }) => /time/i.test(textContent))"
SPEAKS = "vivavoce.call.activity === 'speaking' && vivavoce.call.levels.remote > 0.3"


async def test_a_spoken_question_is_written_down_and_answered_aloud(viva_server: Viva, microphone: Microphone):
    question = microphone(LEAD_S, await spoken("What time is it?", RATE_HZ), PAUSE_S)
    async with visit(f"{viva_server.url}/#key={viva_server.key}", microphone=question) as visitor:
        await visitor.call()
        await visitor.until(UNDERSTOOD, 40)
        await visitor.until(SPEAKS, 30)
        await visitor.until("document.querySelector('.assistant .text')?.textContent.length > 2")
        await visitor.until("vivavoce.call.figures.answerMs > 0")
        await visitor.until("vivavoce.call.activity === 'listening'", 30)
        assert visitor.complaints == []


async def test_who_speaks_into_an_answer_silences_it_and_reads_what_was_heard(viva_server: Viva) -> None:
    stop = await spoken("Stop, stop please.", RATE_HZ)
    async with visit(f"{viva_server.url}/#key={viva_server.key}", microphone="in hand") as visitor:
        page = visitor.page
        await visitor.call()
        await page.evaluate(
            """() => {
              window.told = [];
              window.loudMs = 0;
              setInterval(() => { if (vivavoce.call.levels.remote > 0.3) loudMs += 20; }, 20);
              vivavoce.call.addEventListener('event', ({ detail }) => {
                if (detail.type === 'response.output_audio_transcript.done') told.push(detail.transcript);
              });
            }"""
        )
        await page.fill("#words", "Count to one hundred.")
        await page.press("#words", "Enter")
        await visitor.until("loudMs > 800", 30)
        await visitor.say(stop)
        await visitor.until("vivavoce.call.captions.some(({ state }) => state === 'cut')", 30)
        await visitor.until("vivavoce.call.levels.remote < 0.02")
        await visitor.until("vivavoce.call.captions.some(({ state, text }) => state === 'cut' && text)")
        heard = await page.evaluate("vivavoce.call.captions.find(({ state }) => state === 'cut').text")
        told = (await page.evaluate("told"))[0]
        assert told.startswith(heard)
        assert len(heard) < len(told)
        assert "(interrupted)" in await page.locator(".assistant .text").first.inner_text()


async def test_hanging_up_ends_the_call_on_both_sides(viva_server: Viva, microphone: Microphone):
    async with visit(f"{viva_server.url}/#key={viva_server.key}", microphone=microphone(30.0)) as visitor:
        page = visitor.page
        await visitor.call()
        id = await page.evaluate("vivavoce.call.id")
        await page.click("#call")
        assert await page.evaluate("vivavoce.call.connection.connectionState") == "closed"
        assert await page.evaluate("vivavoce.call.microphone.getTracks().map((track) => track.readyState)") == ["ended"]
        async with asyncio.timeout(5), httpx2.AsyncClient() as client:
            where = f"{viva_server.url}/v1/realtime/calls/{id}/hangup"
            while (await client.post(where, headers={"Authorization": f"Bearer {viva_server.key}"})).status_code != 404:
                pass
