"""Somebody who calls from another namespace and has the assistant talk on and on; tells what happens as lines of JSON.

    python -m tests.network.talker BASE_URL

`{"at": …, "state": "Connected", …}` when the state of the call changes, `{"at": …, "heard_after_s": …}` when something
is heard after a silence that is longer than a pause between words. Ends when its input does. The key is in the
environment.
"""

import asyncio
import json
import sys
from asyncio import TaskGroup
from typing import Final

import numpy as np

import vivavoce
from vivavoce.client.state import Connected, Failed, State
from vivavoce.clock import SystemClock

CLOCK: Final = SystemClock()
PAUSE_S: Final = 0.6
LOUD: Final = 300
COUNT: Final = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Count to one hundred."}]}


def say(**fields: object) -> None:
    """One line."""
    sys.stdout.write(json.dumps({"at": round(CLOCK.now(), 3), **fields}) + "\n")
    sys.stdout.flush()


async def listen(call: vivavoce.Call) -> None:
    """Tell after which silences something is heard."""
    last: float | None = None
    async for samples in call.audio():
        now = CLOCK.now()
        if np.abs(samples.astype(np.int32)).max(initial=0) > LOUD:
            if last is None or now - last > PAUSE_S:
                say(heard_after_s=None if last is None else round(now - last, 3))
            last = now


async def ask(call: vivavoce.Call) -> None:
    """Have it count, again whenever the call has come back by another session."""
    returns: list[object] = [None]

    def back(call: vivavoce.Call) -> bool:
        return isinstance(call.state, Connected) and call.state.restored not in returns

    while True:
        await call.conversation.item.create(item=COUNT)
        await call.response.create()
        await call.until(back)
        assert isinstance(call.state, Connected)
        returns.append(call.state.restored)


def tell(state: State) -> None:
    """What has become of the call."""
    match state:
        case Connected(restored=restored) if restored is not None:
            say(state="Connected", session=restored.session.value, complete=restored.complete, gap_s=restored.gap_s)
        case Failed(error):
            say(state="Failed", error=str(error))
        case _:
            say(state=type(state).__name__)


async def main(base_url: str) -> None:
    """Call, until the input ends."""
    try:
        async with vivavoce.connect(base_url=base_url, on_state=tell) as call, TaskGroup() as tasks:
            working = [tasks.create_task(listen(call)), tasks.create_task(ask(call))]
            await asyncio.to_thread(sys.stdin.read)
            for task in working:
                task.cancel()
    except* vivavoce.VivaError:
        pass  # the state has told


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
