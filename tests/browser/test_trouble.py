"""What somebody sees when a call cannot be made: always a sentence on the page, and a way on."""

from http.server import ThreadingHTTPServer

import pytest

from tests.browser.visitor import GRANTED, PRETENDED, answered, visit

pytestmark = [pytest.mark.realtime, pytest.mark.xdist_group("browser")]

CAUSED = "status of 401"
"""The console's own note of the refusal that a test provokes."""


async def test_without_a_key_the_page_asks_for_one_and_shows_the_servers_words_about_a_wrong_one(
    page_address: str,
) -> None:
    async with visit(page_address) as visitor:
        page = visitor.page
        assert await page.is_visible("#key")
        await page.fill("#key", "not a key")
        await page.press("#key", "Enter")
        await visitor.until("document.body.dataset.state === 'failed'")
        assert "Incorrect API key provided: nobody here knows it." in await visitor.text("[role=alert]")
        assert await page.evaluate("document.activeElement.id") == "key"
        assert await visitor.text("#call") == "Call again"
        assert await page.evaluate("vivavoce.call.failure.kind") == "key refused"
        assert await page.evaluate("vivavoce.call.microphone.getTracks().every((t) => t.readyState === 'ended')")
        assert [text for text in visitor.complaints if CAUSED not in text] == []


async def test_a_key_that_was_typed_is_used_whichever_button_is_pressed(page_address: str) -> None:
    async with visit(page_address) as visitor:
        await visitor.page.fill("#key", "typed")
        async with visitor.page.expect_request("**/client_secrets") as minting:
            await visitor.page.click("#call")
        assert (await (await minting.value).all_headers())["authorization"] == "Bearer typed"


async def test_a_key_in_the_address_is_used_and_at_once_out_of_sight(page_address: str) -> None:
    async with visit(page_address + "#key=from-the-address") as visitor:
        page = visitor.page
        assert page.url == page_address
        assert not await page.is_visible("#key")
        async with page.expect_request("**/client_secrets") as minting:
            await page.click("#call")
        assert (await (await minting.value).all_headers())["authorization"] == "Bearer from-the-address"
        await page.reload()
        assert not await page.is_visible("#key")


async def test_a_key_is_sent_to_no_other_server_than_the_one_it_was_given_for(page_address: str) -> None:
    async with visit(page_address) as visitor:
        page = visitor.page
        await page.fill("#key", "typed")
        await page.goto(page_address + "#key=from-the-address")
        await page.wait_for_selector("#key", state="hidden")
        await page.click("#open-settings")
        await page.click("#server summary")
        await page.fill("[name=url]", "http://127.0.0.1:9")
        await page.keyboard.press("Escape")
        await page.wait_for_selector("#key", state="visible")
        async with page.expect_request("http://127.0.0.1:9/v1/realtime/client_secrets") as minting:
            await page.click("#call")
        sent = str(await (await minting.value).all_headers())
        assert "from-the-address" not in sent
        assert "typed" not in sent


async def test_without_a_microphone_one_can_still_call_and_type(page_address: str) -> None:
    async with visit(page_address + "#key=k", flags=[GRANTED]) as visitor:
        peer = await answered(visitor)
        await visitor.page.click("#call")
        await visitor.until("document.body.dataset.state === 'failed'")
        assert "No microphone was found." in await visitor.text("[role=alert]")
        await visitor.page.click("#no-microphone")
        await visitor.until("vivavoce.call.state === 'connected'")
        assert not await visitor.page.is_visible("#mute")
        assert await visitor.text("#state") == "Ready for your words"
        await visitor.page.fill("#words", "Good evening")
        await visitor.page.press("#words", "Enter")
        await peer.until("peer.received.length >= 2")
        first, second = await peer.received()
        assert first["item"] == {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "Good evening"}],
        }
        assert second["type"] == "response.create"
        assert visitor.complaints == []


async def test_who_says_no_to_the_microphone_is_told_how_to_change_that(page_address: str) -> None:
    async with visit(page_address + "#key=k", flags=[PRETENDED]) as visitor:
        await visitor.page.click("#call")
        await visitor.until("document.body.dataset.state === 'failed'")
        assert "This page may not use the microphone." in await visitor.text("[role=alert]")
        assert await visitor.page.is_visible("#no-microphone")


async def test_a_server_that_is_gone_is_named(page_address: str, page_server: ThreadingHTTPServer) -> None:
    async with visit(page_address + "#key=k") as visitor:
        page_server.shutdown()
        page_server.server_close()
        await visitor.page.click("#call")
        await visitor.until("document.body.dataset.state === 'failed'")
        assert f"No answer from {page_address.rstrip('/')}." in await visitor.text("[role=alert]")


async def test_an_address_that_is_none_is_refused_with_an_example(page_address: str) -> None:
    async with visit(page_address + "#key=k") as visitor:
        kind, message = await visitor.page.evaluate(
            """async () => {
              const call = vivavoce.connect({ url: 'example', key: 'k', microphone: null });
              await new Promise((done) => call.addEventListener('state', () => call.state === 'failed' && done()));
              return [call.failure.kind, call.failure.message];
            }"""
        )
        assert kind == "refused"
        assert "https://example.org" in message
