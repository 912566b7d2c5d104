"""A call that breaks, is written down, and is explained from what was written."""

import asyncio
from pathlib import Path

import vivavoce
from tests.system.test_coming_back import Wire, ask
from tests.viva import engines, scripted_server
from vivavoce.dump.reader import read
from vivavoce.dump.story import story

CANARY = "canary-0123456789"


async def test_a_dump_tells_what_happened_and_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    tool: dict[str, object] = {
        "type": "mcp",
        "server_label": "far",
        "server_url": f"https://someone:{CANARY}@far.example/mcp",
        "authorization": CANARY,
        "headers": {"X-Far": CANARY},
    }
    script = engines(thought=["It is a fish."])
    async with scripted_server(script) as viva, Wire(viva.url).laid() as wire, asyncio.timeout(30):
        connecting = vivavoce.connect(
            base_url=f"http://127.0.0.1:{wire.port}/v1", api_key=viva.key, transport="websocket", dump=path
        )
        async with connecting as call:
            await ask(call, "What is it?")
            await call.until(lambda call: len(call.history) == 2 and call.activity is vivavoce.Activity.IDLE)
            await call.session.update(session={"type": "realtime", "tools": [tool]})
            wire.cut()
            await call.until(lambda call: isinstance(call.state, vivavoce.Restoring))
            await call.until(lambda call: isinstance(call.state, vivavoce.Connected))
            await call.conversation.item.delete(item_id="item_none")
            async for event in call:
                if event.type == "error" and "item_none" in str(event):
                    break
    written = path.read_text()
    assert viva.key not in written
    assert CANARY not in written
    assert "It is a fish." in written
    assert "<sound: " in written
    reading = read(path)
    assert reading.faults == ()
    told = story(reading)
    names = [state.what for state in told.states]
    assert names[:4] == ["Negotiating", "Connecting", "Connected", "Restoring"]
    assert names[-2:] == ["Connected", "Closed"]
    (gap,) = told.gaps
    assert gap.end is not None
    assert gap.moments
    (answer,) = told.answers
    assert (answer.how, answer.status, answer.words) == ("asked for", "completed", "It is a fish.")
    assert answer.wait_ms is not None
    assert any("item.delete" in one.what for one in told.refused)
    assert told.figures
