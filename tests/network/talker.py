"""Somebody who calls from another namespace and has the assistant talk on and on; tells what happens as lines of JSON.

    python -m tests.network.talker BASE_URL [--secrets SECONDS] [--give-up SECONDS]

* `{"at": …, "state": "Connected", …}`: the state of the call has changed.
* `{"at": …, "heard_after_s": …}`: something is heard after a silence that is longer than a pause between words.
* `{"at": …, "heard_s": …, "silent_s": …}`, twice a second: for how long there has been no such silence, and how long
  nothing has been heard now.
* `{"at": …, "kept": …}`, when it reads the line `recall`: whether the server has everything that the user has said.

It ends when its input does. The key is in the environment; with `--secrets` it has each connection made under a client
secret that lives for so long.
"""

import argparse
import asyncio
import json
import os
import sys
import urllib.request
from asyncio import TaskGroup
from contextlib import suppress
from typing import Final

import numpy as np

import vivavoce
from tests.network.stage import PAUSE_S
from vivavoce.audio.frame import Pcm
from vivavoce.cli import network
from vivavoce.client.state import Connected, Failed, State
from vivavoce.clock import SystemClock
from vivavoce.wire.event import ConversationItemRetrieved
from vivavoce.wire.item import InputText, Item, UserMessage

CLOCK: Final = SystemClock()
LOUD: Final = 300
TICK_S: Final = 0.5
CODEWORD: Final = "marmalade"
ASKED: Final = "Count to one hundred."
ASKED_BRIEFLY: Final = "Count to ten."


def say(**fields: object) -> None:
    """One line."""
    sys.stdout.write(json.dumps({"at": round(CLOCK.now(), 3), **fields}) + "\n")
    sys.stdout.flush()


class Ear:
    """Tells after which silences something is heard."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._last = 0.0

    def hear(self, samples: Pcm) -> None:
        """Something, perhaps silence, has just been heard."""
        if np.abs(samples.astype(np.int32)).max(initial=0) > LOUD:
            self.sign()

    def sign(self) -> None:
        """The other side is there."""
        now = CLOCK.now()
        if self._since is None or now - self._last > PAUSE_S:
            say(heard_after_s=None if self._since is None else round(now - self._last, 3))
            self._since = now
        self._last = now

    def tell(self) -> None:
        """Tell how it is."""
        if self._since is not None:
            silent_s = CLOCK.now() - self._last
            heard_s = 0.0 if silent_s > PAUSE_S else self._last - self._since
            say(heard_s=round(heard_s, 3), silent_s=round(silent_s, 3))


class Memory:
    """What the server must not forget."""

    def __init__(self, call: vivavoce.Call) -> None:
        self._call = call
        self._said: set[str] = set()
        self._there: dict[str, str] = {}

    async def read(self) -> None:
        """Note what the server has told of items."""
        async for event in self._call:
            if isinstance(event, ConversationItemRetrieved) and event.item.id:
                self._there[event.item.id] = words(event.item)

    def note(self) -> None:
        """What the user has said so far belongs to the conversation.

        Not what the assistant has said: asked for that, a server sends its sound again, all of it.
        """
        self._said |= {item.id for item in self._call.history if item.id and isinstance(item, UserMessage)}

    async def recall(self) -> bool:
        """Whether the server has every item, and the codeword in one of them."""
        self._there.clear()
        for item_id in self._said:
            await self._call.conversation.item.retrieve(item_id=item_id)
        try:
            await self._call.until(lambda _: self._said <= self._there.keys(), timeout_s=8)
        except TimeoutError:
            say(forgotten=sorted(self._said - self._there.keys()), of=len(self._said))
            return False
        return any(CODEWORD in text for text in self._there.values())


def words(item: Item) -> str:
    """What the user wrote with it."""
    parts = item.content if isinstance(item, UserMessage) else []
    return " ".join(part.text for part in parts if isinstance(part, InputText))


async def listen(call: vivavoce.Call, ear: Ear) -> None:
    """Hear everything."""
    async for samples in call.audio():
        ear.hear(samples)


async def report(call: vivavoce.Call, ear: Ear) -> None:
    """Tell all the time how it is."""
    async for _ in call.stats(every_s=TICK_S):
        ear.tell()


async def ask(call: vivavoce.Call, memory: Memory, pause_s: float) -> None:
    """Have it count, again whenever it has stopped; with pauses, not for long."""
    await call.conversation.item.create(item=message(f"The codeword is {CODEWORD}."))
    while True:
        await call.until(lambda call: isinstance(call.state, Connected) and call.activity is vivavoce.Activity.IDLE)
        with suppress(TimeoutError):
            await call.until(lambda _: False, timeout_s=pause_s)
        await call.conversation.item.create(item=message(ASKED_BRIEFLY if pause_s else ASKED))
        await call.response.create()
        await call.until(lambda call: call.activity is not vivavoce.Activity.IDLE)
        memory.note()


def message(text: str) -> dict[str, object]:
    """Something that the user has written."""
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


async def obey(memory: Memory) -> None:
    """Do what the input says, until it ends."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        if line.strip() == "recall":
            memory.note()
            say(kept=await memory.recall())


def tell(state: State) -> None:
    """What has become of the call."""
    match state:
        case Connected(restored=restored) if restored is not None:
            say(state="Connected", session=restored.session.value, complete=restored.complete, gap_s=restored.gap_s)
        case Failed(error):
            say(state="Failed", error=str(error))
        case _:
            say(state=type(state).__name__)


def fetch(base_url: str, seconds: int) -> str:
    """A client secret that lives for so long, as somebody's backend would fetch it."""
    request = urllib.request.Request(
        f"{base_url}/realtime/client_secrets",
        json.dumps({"expires_after": {"anchor": "created_at", "seconds": seconds}}).encode(),
        {"Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5) as reply:
        value = json.load(reply)["value"]
    assert isinstance(value, str)
    return value


async def main(options: argparse.Namespace) -> None:
    """Call, until the input ends."""
    connecting = vivavoce.connect(
        base_url=options.base_url,
        client_secret=(lambda: fetch(options.base_url, options.secrets)) if options.secrets else None,
        policy=vivavoce.Persistence(total_s=options.give_up),
        transport=options.transport,
        ice_servers=network.ice_servers(options, {}),
        relay_only=options.relay_only,
        on_state=tell,
    )
    ear = Ear()
    try:
        async with connecting as call, TaskGroup() as tasks:
            memory = Memory(call)
            working = [
                tasks.create_task(work)
                for work in (listen(call, ear), report(call, ear), ask(call, memory, options.pause), memory.read())
            ]
            await obey(memory)
            for task in working:
                task.cancel()
    except* vivavoce.VivaError:
        pass  # the state has told


def options() -> argparse.ArgumentParser:
    """What it may be told."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("base_url")
    made.add_argument("--secrets", type=int, metavar="SECONDS", help="use client secrets that live for so long")
    made.add_argument("--give-up", type=float, default=300.0, metavar="SECONDS", help="try to come back for so long")
    made.add_argument("--pause", type=float, default=0.0, metavar="SECONDS", help="between two short answers")
    made.add_argument("--transport", default="auto", help="as `connect` takes it")
    network.configure(made)
    return made


if __name__ == "__main__":
    asyncio.run(main(options().parse_args()))
