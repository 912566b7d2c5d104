"""A call as somebody at the page has it, over real WebRTC with the other side scripted."""

from pathlib import Path

import pytest

from tests.browser.visitor import Event, Peer, Visitor, answered, visit

pytestmark = [pytest.mark.realtime, pytest.mark.xdist_group("browser")]

SESSION: Event = {
    "type": "session.created",
    "session": {"audio": {"input": {"transcription": {"model": "m"}, "turn_detection": {"type": "server_vad"}}}},
}
LONG = "And so on. " * 400
ANSWER = "One, two, three, four, five, six."


def spoken_turn(words: str) -> list[Event]:
    """What a server says of a turn of the user."""
    return [
        {"type": "input_audio_buffer.speech_started", "item_id": "item_u", "audio_start_ms": 0},
        {"type": "input_audio_buffer.speech_stopped", "item_id": "item_u", "audio_end_ms": 900},
        {"type": "input_audio_buffer.committed", "item_id": "item_u", "previous_item_id": None},
        {
            "type": "conversation.item.input_audio_transcription.completed",
            "item_id": "item_u",
            "content_index": 0,
            "transcript": words,
        },
    ]


def answer_begins() -> list[Event]:
    """What a server says when it begins to answer."""
    item: Event = {"id": "item_a", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    part = {"response_id": "resp_1", "item_id": "item_a", "output_index": 0, "content_index": 0}
    return [
        {"type": "response.created", "response": {"id": "resp_1", "conversation_id": "conv_1"}},
        {"type": "conversation.item.added", "previous_item_id": "item_u", "item": item},
        {"type": "output_audio_buffer.started", "response_id": "resp_1"},
        {"type": "response.output_audio_transcript.delta", "delta": ANSWER, **part},
    ]


async def connected(visitor: Visitor, peer: Peer | None = None) -> Peer:
    peer = peer or await answered(visitor)
    await visitor.call()
    await peer.until("peer.channel?.readyState === 'open'")
    await peer.say(SESSION)
    return peer


async def test_both_sides_are_heard_and_hanging_up_gives_everything_back(page_address: str, humming: Path) -> None:
    async with visit(page_address + "#key=k", microphone=humming) as visitor:
        page = visitor.page
        peer = await connected(visitor)
        assert await visitor.text("#state") == "Listening"
        await peer.until("peer.hears > 0.02")
        await visitor.until("vivavoce.call.levels.user > 0.2")
        await peer.sound(0.5)
        await visitor.until("vivavoce.call.levels.remote > 0.5")
        await visitor.until(
            "vivavoce.call.figures.roundTripMs !== null && vivavoce.call.figures.lossInPercent !== null"
        )
        assert await visitor.text("#path") == "direct, UDP"
        assert (await visitor.text("#round-trip")).endswith(" ms")
        assert (await visitor.text("#loss")).endswith(" %")
        settings = await page.evaluate("vivavoce.call.microphone.getAudioTracks()[0].getSettings()")
        assert {settings[name] for name in ("echoCancellation", "noiseSuppression", "autoGainControl")} == {True}

        await page.click("#call")
        assert await visitor.text("#state") == "Call ended"
        assert await page.evaluate("vivavoce.call.connection.connectionState") == "closed"
        assert await page.evaluate("vivavoce.call.microphone.getTracks().map((track) => track.readyState)") == ["ended"]
        assert await page.evaluate("document.getElementById('voice').srcObject") is None
        assert await page.evaluate("vivavoce.call.levels") == {"user": 0, "remote": 0}
        await peer.until("peer.channel.readyState === 'closed'")
        assert visitor.complaints == []


async def test_captions_follow_the_talk_and_end_at_the_words_heard(page_address: str) -> None:
    async with visit(page_address + "#key=k") as visitor:
        page = visitor.page
        peer = await connected(visitor)
        await peer.say(*spoken_turn("Count, please."))
        await visitor.until("document.getElementById('state').textContent === 'Thinking'")
        await peer.sound(0.4)
        await peer.say(*answer_begins())
        await visitor.until("document.getElementById('state').textContent === 'Speaking'")
        await visitor.until("vivavoce.call.figures.answerMs > 0")
        assert (await visitor.text("#answer")).endswith(" ms")
        await visitor.until(f"vivavoce.call.captions.some(({{ text }}) => text === '{ANSWER}')")
        assert (await page.locator("#captions .text").all_inner_texts()) == ["Count, please.", ANSWER]

        await peer.sound(0)
        await peer.received()
        await peer.say(
            {"type": "input_audio_buffer.speech_started", "item_id": "item_v", "audio_start_ms": 5000},
            {"type": "output_audio_buffer.cleared", "response_id": "resp_1"},
            {"type": "conversation.item.truncated", "item_id": "item_a", "content_index": 0, "audio_end_ms": 800},
        )
        await peer.until("peer.received.length > 0")
        (question,) = await peer.received()
        assert (question["type"], question["item_id"]) == ("conversation.item.retrieve", "item_a")
        assert await page.locator(".assistant .text").inner_text() == "(interrupted)"
        heard = {"type": "output_audio", "transcript": "One, two,"}
        item = {"id": "item_a", "type": "message", "role": "assistant", "status": "incomplete", "content": [heard]}
        await peer.say({"type": "conversation.item.retrieved", "item": item})
        await visitor.until("document.querySelector('.assistant .text').textContent === 'One, two, (interrupted)'")
        assert await visitor.text("#state") == "Hearing you"
        await visitor.until("vivavoce.call.levels.remote < 0.05")
        read_out = await page.locator("[aria-live=polite] p").all_text_contents()
        assert [" ".join(line.split()) for line in read_out] == [
            "You: Count, please.",
            "Voice: One, two, (interrupted)",
        ]
        assert visitor.complaints == []


async def test_who_is_muted_is_not_heard(page_address: str, humming: Path) -> None:
    async with visit(page_address + "#key=k", microphone=humming) as visitor:
        peer = await connected(visitor)
        await peer.until("peer.hears > 0.02")
        await visitor.page.click("#mute")
        assert await visitor.text("#state") == "You are muted"
        await peer.until("peer.hears < 0.0005")
        # Nothing but pressing the button again opens the microphone, certainly not a look at the settings.
        await visitor.page.click("#open-settings")
        await visitor.page.select_option("[name=patience]", "1000")
        await visitor.page.keyboard.press("Escape")
        await peer.until("peer.received.some(({ type }) => type === 'session.update')")
        (update,) = await peer.received()
        turns = {"type": "server_vad", "silence_duration_ms": 1000}
        assert update["session"] == {"type": "realtime", "audio": {"input": {"turn_detection": turns}}}
        assert await visitor.page.get_attribute("#mute", "aria-pressed") == "true"
        assert await peer.page.evaluate("peer.hears") < 0.0005
        await visitor.page.click("#mute")
        await peer.until("peer.hears > 0.02")


async def test_push_to_talk_by_the_space_bar_sends_sound_only_while_it_is_held(
    page_address: str, humming: Path
) -> None:
    async with visit(page_address + "#key=k", microphone=humming) as visitor:
        page = visitor.page
        await page.click("#open-settings")
        await page.check("[value=press]")
        await page.keyboard.press("Escape")
        await page.wait_for_selector("#settings", state="hidden")
        peer = await connected(visitor)
        (mint,) = peer.secrets
        assert mint["session"]["audio"]["input"]["turn_detection"] is None  # type: ignore[index]  # JSON
        assert await page.evaluate("[vivavoce.call.muted, document.activeElement.id]") == [True, "talk"]
        assert await peer.page.evaluate("peer.hears") < 0.0005
        assert await visitor.text("#state") == "Hold to talk"
        await page.keyboard.down(" ")
        await peer.until("peer.hears > 0.02")
        assert await visitor.text("#state") == "Listening"
        await page.keyboard.up(" ")
        await peer.until("peer.hears < 0.0005")
        await peer.until("peer.received.length === 2")
        assert [event["type"] for event in await peer.received()] == [
            "input_audio_buffer.clear",
            "input_audio_buffer.commit",
        ]
        await peer.say({"type": "input_audio_buffer.committed", "item_id": "item_u", "previous_item_id": None})
        await peer.until("peer.received.some(({ type }) => type === 'response.create')")
        assert await page.evaluate("vivavoce.call.state") == "connected"


async def test_a_long_answer_is_read_from_its_beginning_and_stands_in_ink_once_it_was_said(page_address: str) -> None:
    colour = "getComputedStyle(document.querySelector('.assistant .text')).color"
    row, view = (f"document.querySelector('{it}').getBoundingClientRect()" for it in ("#captions li", "#captions"))
    async with visit(page_address + "#key=k") as visitor:
        peer = await connected(visitor)
        *asked, first = answer_begins()
        await peer.say(*asked, {**first, "delta": LONG})
        await visitor.until("document.querySelector('#captions li') !== null")
        await visitor.until(f"{row}.height > 2 * {view}.height")
        assert await visitor.page.evaluate(f"{row}.top > {view}.top")
        ink = await visitor.page.evaluate("getComputedStyle(document.body).color")
        assert await visitor.page.evaluate(colour) != ink
        item = {"id": "item_a", "type": "message", "role": "assistant", "status": "completed"}
        words = {"type": "output_audio", "transcript": LONG}
        await peer.say(
            {"type": "conversation.item.done", "item": {**item, "content": [words]}},
            {"type": "response.done", "response": {"id": "resp_1", "status": "completed", "output": []}},
        )
        await visitor.until("vivavoce.call.captions[0].state === 'done'")
        assert await visitor.page.evaluate(colour) != ink
        await peer.say({"type": "output_audio_buffer.stopped", "response_id": "resp_1"})
        await visitor.until(f"{colour} === '{ink}'")
        # Who is at the newest words follows the next ones.
        later = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Go on."}]}
        await peer.say(
            {"type": "conversation.item.added", "item": {"id": "item_later", "status": "completed", **later}}
        )
        await visitor.until("document.querySelector('.user') !== null")
        await visitor.until("captions.scrollTop + captions.clientHeight > captions.scrollHeight - 2")


async def test_when_the_other_side_hangs_up_the_page_says_so_and_lets_go_of_the_microphone(page_address: str) -> None:
    async with visit(page_address + "#key=k") as visitor:
        peer = await connected(visitor)
        await peer.say({"type": "error", "error": {"code": "session_expired", "message": "Sixty minutes are over."}})
        await visitor.until("document.getElementById('notice').textContent === 'Sixty minutes are over.'")
        await peer.page.evaluate("peer.connection.close()")
        await visitor.until("document.body.dataset.state === 'ended'")
        assert await visitor.text("#state") == "The other side ended the call"
        assert await visitor.page.evaluate("vivavoce.call.microphone.getTracks()[0].readyState") == "ended"


async def test_an_answer_that_comes_after_hanging_up_does_not_disturb_the_next_call(page_address: str) -> None:
    async with visit(page_address + "#key=k") as visitor:
        page = visitor.page
        peer = await answered(visitor)
        peer.hold.clear()
        await page.click("#call")
        await visitor.until("vivavoce.call.state === 'negotiating' && vivavoce.call.connection?.localDescription")
        await page.evaluate("() => { window.first = vivavoce.call; }")
        await page.click("#call")
        await page.click("#call")
        peer.hold.set()
        await visitor.until("vivavoce.call.state === 'connected'")
        assert await page.evaluate("[first.state, first.connection.connectionState, first.failure]") == [
            "ended",
            "closed",
            None,
        ]
        assert await page.evaluate("first !== vivavoce.call")
        for _ in range(3):
            await page.click("#call")
            await visitor.call()
        live = "[first, vivavoce.call].flatMap((call) => call.microphone?.getTracks() ?? [])"
        assert await page.evaluate(f"{live}.filter((track) => track.readyState === 'live').length") == 1
        assert visitor.complaints == []


async def test_another_site_can_connect_with_a_secret_of_its_own_and_lend_its_functions(page_address: str) -> None:
    async with visit(page_address) as visitor:
        page = visitor.page
        peer = await answered(visitor)
        await page.evaluate(
            """() => {
              const run = ({ place }) => ({ weather: place === 'Bern' ? 'rain' : 'sun' });
              const tools = [{ name: 'look_up', parameters: { type: 'object' }, run }];
              window.mine = vivavoce.connect({
                fetchSecret: async () => 'ek_of_the_site', session: { instructions: 'Be brief.' }, tools,
                microphone: null,
              });
            }"""
        )
        await visitor.until("mine.state === 'connected'")
        assert peer.secrets == []
        await peer.until("peer.received.length > 0")
        (update,) = await peer.received()
        assert update["type"] == "session.update"
        assert update["session"] == {
            "type": "realtime",
            "instructions": "Be brief.",
            "audio": {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}},
            "tools": [{"type": "function", "name": "look_up", "parameters": {"type": "object"}}],
        }
        calls = [
            {"type": "function_call", "name": name, "call_id": name, "arguments": '{"place": "Bern"}'}
            for name in ("look_up", "no_such")
        ]
        await peer.say(
            {"type": "response.created", "response": {"id": "resp_1", "conversation_id": "conv_1"}},
            {"type": "response.done", "response": {"id": "resp_1", "status": "completed", "output": calls}},
        )
        await peer.until("peer.received.length >= 3")
        first, second, third = await peer.received()
        assert first["item"] == {"type": "function_call_output", "call_id": "look_up", "output": '{"weather":"rain"}'}
        assert "There is no tool called no_such" in str(second["item"])
        assert third["type"] == "response.create"
        await page.evaluate("mine.hangUp()")
        await peer.until("peer.channel.readyState === 'closed'")
