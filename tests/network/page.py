"""Somebody who calls by the page, in a browser; tells what `talker.py` tells.

    python -m tests.network.page BASE_URL

Of an address without TLS browsers give no microphone, so the user types. The key is in the environment.
"""

import asyncio
import os
import sys
from asyncio import TaskGroup
from typing import Final

from playwright.async_api import Page

from tests.browser.visitor import Visitor, visit
from tests.network.talker import ASKED, CODEWORD, TICK_S, Ear, say
from vivavoce.clock import SystemClock

LOOK_MS: Final = 20
AUDIBLE: Final = 0.1
"""Of the page's meter."""
RECALL_MS: Final = 8000

FOLLOW: Final = """() => {
  window.there = {};
  const call = vivavoce.call;
  call.addEventListener('event', ({ detail: { type, item } }) => {
    if (type === 'conversation.item.retrieved') there[item.id] = item.content.map(({ text }) => text).join(' ');
  });
  window.first = call.connection;
}"""
LOOK: Final = """async () => {
  await new Promise((resolve) => setTimeout(resolve, %d));
  const { state, levels, activity, connection } = vivavoce.call;
  return { state, activity, level: levels.remote, session: connection === first ? 'same connection' : 'same session' };
}"""
RECALL: Final = """async (codeword) => {
  there = {};
  const said = vivavoce.call.captions.filter(({ role }) => role === 'user').map(({ id }) => id);
  for (const item_id of said) vivavoce.call.send({ type: 'conversation.item.retrieve', item_id });
  const end = performance.now() + %d;
  while (said.some((id) => !(id in there))) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return Object.values(there).some((words) => words.includes(codeword));
}"""


async def watch(page: Page, ear: Ear) -> None:
    """Tell all the time what is heard and what the page shows; have it count again whenever it has stopped."""
    shown, clock = "", SystemClock()
    told = clock.now()
    while True:
        seen = await page.evaluate(LOOK % LOOK_MS)
        if seen["level"] > AUDIBLE:
            ear.sign()
        if seen["state"] != shown:
            shown = seen["state"]
            kept = {"session": seen["session"]} if shown == "connected" else {}
            say(state={"failed": "Failed", "ended": "Closed"}.get(shown, shown.capitalize()), **kept)
        if clock.now() - told > TICK_S:
            told = clock.now()
            ear.tell()
        if shown == "connected" and seen["activity"] == "listening":
            await page.evaluate("(words) => vivavoce.call.say(words)", ASKED)


async def call(visitor: Visitor) -> None:
    """Call without a microphone."""
    await visitor.page.click("#call")
    await visitor.until("document.body.dataset.state === 'failed'")
    say(state="Calling")
    await visitor.page.click("#no-microphone")
    await visitor.until("vivavoce.call.state === 'connected'", within_s=40)
    await visitor.page.evaluate(FOLLOW)
    await visitor.page.evaluate("(words) => vivavoce.call.say(words)", f"The codeword is {CODEWORD}.")
    await visitor.until("vivavoce.call.captions.length > 0")


async def main(base_url: str) -> None:
    """Call, until the input ends."""
    address = f"{base_url.removesuffix('v1')}#key={os.environ['OPENAI_API_KEY']}"
    async with visit(address) as visitor, TaskGroup() as tasks:
        await call(visitor)
        watching = tasks.create_task(watch(visitor.page, Ear()))
        while line := await asyncio.to_thread(sys.stdin.readline):
            if line.strip() == "recall":
                say(kept=await visitor.page.evaluate(RECALL % RECALL_MS, CODEWORD))
        watching.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
