"""What the page does when the network breaks: it goes on with the same session, or says that the call is lost."""

from pathlib import Path

import pytest

from tests.browser.test_call import SESSION, answer_begins, connected, spoken_turn
from tests.browser.visitor import Event, Peer, Visitor, answered, visit

pytestmark = [pytest.mark.realtime, pytest.mark.xdist_group("browser")]

FALTERS = "The connection falters, holding on…"
FOLLOW = """() => {
  window.shown = [];
  vivavoce.call.addEventListener('state', () => shown.push(document.getElementById('state').textContent));
}"""
"""What is shown for a moment would be missed by who only looks now and then."""
PART = {"response_id": "resp_1", "item_id": "item_a", "output_index": 0, "content_index": 0}


def numbered(first: int, *events: Event) -> list[Event]:
    """The same under the ids by which they are known to have been read."""
    return [{"event_id": f"event_{first + place}"} | event for place, event in enumerate(events)]


def words(delta: str) -> Event:
    return {"type": "response.output_audio_transcript.delta", "delta": delta, **PART}


async def kept(visitor: Visitor) -> Peer:
    """A call whose session outlives its connection."""
    peer = await answered(visitor)
    peer.keeps = True
    await connected(visitor, peer)
    return peer


async def test_a_call_goes_on_where_it_was_when_the_network_comes_back(page_address: str, humming: Path) -> None:
    async with visit(page_address + "#key=k", microphone=humming) as visitor:
        page = visitor.page
        peer = await kept(visitor)
        await peer.say(*numbered(1, SESSION, *spoken_turn("Count, please."), *answer_begins()))
        await visitor.until("document.getElementById('state').textContent === 'Speaking'")
        await page.evaluate("vivavoce.call.send({ type: 'response.cancel', event_id: 'read' })")
        await peer.until("peer.received.some(({ event_id }) => event_id === 'read')")

        await page.evaluate(FOLLOW)
        peer.read = "read"
        peer.refusals = [401]  # the secret has expired meanwhile
        await peer.vanish()
        await page.evaluate("vivavoce.call.send({ type: 'output_audio_buffer.clear', event_id: 'unread' })")
        await visitor.until(f"shown.includes('{FALTERS}') && vivavoce.call.state === 'connected'")
        await peer.until("peer.channel?.readyState === 'open' && peer.received.length > 0")
        assert [event["event_id"] for event in await peer.received()] == ["unread"]
        assert len(peer.secrets) == 2
        assert [peer.returns[-1][name] for name in ("viva-resume", "last-event-id")] == ["token_1", "event_9"]
        assert int(peer.returns[-1]["viva-silent-ms"]) >= 900

        await peer.sound(0.5)
        await peer.say(*numbered(10, words(" Seven.")))
        await visitor.until("vivavoce.call.levels.remote > 0.5")
        await visitor.until("vivavoce.call.figures.roundTripMs !== null")
        await peer.until("peer.hears > 0.02")
        assert (await page.locator("#captions .text").all_inner_texts())[1].endswith("six. Seven.")

        await page.evaluate("shown.splice(0)")
        await peer.vanish()
        await visitor.until(f"shown.includes('{FALTERS}') && vivavoce.call.state === 'connected'")
        assert [peer.returns[-1][name] for name in ("viva-resume", "last-event-id")] == ["token_2", "event_10"]

        # The server may still close the one before, or think that it has to: that is no hang-up.
        await peer.page.evaluate("peer.channel.close()")
        await visitor.until("vivavoce.call.state === 'disrupted'")
        await visitor.until("vivavoce.call.state === 'connected'")
        assert peer.returns[-1]["viva-resume"] == "token_3"
        assert [text for text in visitor.complaints if "status of 401" not in text] == []


async def test_a_session_that_is_gone_is_said_to_be_lost_and_everything_is_given_back(page_address: str) -> None:
    async with visit(page_address + "#key=k") as visitor:
        peer = await kept(visitor)
        peer.refusals = [404]
        await peer.vanish()
        await visitor.until("vivavoce.call.state === 'failed'")
        assert await visitor.text("#state") == "Call lost"
        assert "The connection was lost." in await visitor.text("[role=alert]")
        assert await visitor.page.evaluate(
            "vivavoce.call.microphone.getTracks().every((t) => t.readyState === 'ended')"
        )
        assert await visitor.page.evaluate("vivavoce.call.connection.connectionState") == "closed"
        assert len(peer.returns) == 1
