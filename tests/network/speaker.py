"""Somebody who talks for a minute and a half from another namespace, and tells each second how his sound travels.

    python -m tests.network.speaker BASE_URL

`{"sent_bps": …, "round_trip_ms": …}`, as lines of JSON; the first is `{"connected": true}`. The key is in the
environment. It ends when its input does.
"""

import asyncio
import json
import sys
from asyncio import TaskGroup
from typing import Final

import numpy as np

import vivavoce
from vivavoce.audio.frame import RATE_HZ, Pcm
from vivavoce.cli.mouth import Mouth

TALK_S: Final = 90


def say(**fields: object) -> None:
    """One line."""
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def talk() -> Pcm:
    """Noise in syllables."""
    time = np.arange(TALK_S * RATE_HZ) / RATE_HZ
    loudness = 3000 * (0.1 + np.abs(np.sin(10 * time)))
    return (np.random.default_rng(8).normal(0, 1, len(time)) * loudness).clip(-32_768, 32_767).astype(np.int16)


async def report(call: vivavoce.Call) -> None:
    """How it travels."""
    async for snapshot in call.stats():
        say(sent_bps=snapshot.sent_bps, round_trip_ms=snapshot.link.round_trip_ms)


async def main(base_url: str) -> None:
    """Talk until the input ends."""
    by_hand = {"audio": {"input": {"turn_detection": None}}}
    async with vivavoce.connect(base_url=base_url, transport="webrtc", session=by_hand) as call, TaskGroup() as tasks:
        say(connected=True)
        mouth = Mouth()
        mouth.say(talk())
        working = [tasks.create_task(mouth.speak(call)), tasks.create_task(report(call))]
        await asyncio.to_thread(sys.stdin.read)
        for task in working:
            task.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
