"""A caller to whom a server says a text, and who says it back; he writes down all that he hears.

    python -m bench.stand.guest URL TEXT_FILE HEARD_FILE red|fec

Files hold int16 samples at 24 kHz. Says `ready` when the call stands, begins when it reads a line, and says in the end
as JSON which share of what it heard had to be made up.
"""

import asyncio
import json
import sys
from asyncio import TaskGroup
from pathlib import Path

import numpy as np

import vivavoce
from vivavoce.audio.frame import RATE_HZ, Pcm, sample_count, to_bytes
from vivavoce.transport.webrtc.opus import Opus

AFTER_S = 2.0
"""What is under way when all is said still arrives."""


async def listen(call: vivavoce.Call, path: Path) -> None:
    """Write down what is heard."""
    with path.open("wb") as file:
        async for samples in call.audio():
            file.write(to_bytes(samples))


async def speak(call: vivavoce.Call, said: Pcm) -> None:
    """Say it as a microphone does, at its own pace."""
    loop, piece = asyncio.get_running_loop(), sample_count(20)
    began = loop.time()
    for start in range(0, len(said), piece):
        await asyncio.sleep(began + start / RATE_HZ - loop.time())
        await call.send_audio(said[start : start + piece])


async def main(url: str, text: Path, heard: Path, opus: Opus) -> None:
    """Both say all of it; not at once, since a server takes what sounds like itself for an echo.

    The caller's microphone stays open meanwhile, as it does in every call.
    """
    said = np.fromfile(text, np.int16)
    quiet = np.zeros(len(said) + round(AFTER_S * RATE_HZ), np.int16)
    async with vivavoce.connect(base_url=url, transport="webrtc", opus=opus) as call, TaskGroup() as tasks:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        listening = tasks.create_task(listen(call, heard))
        await call.response.create()
        await speak(call, np.concatenate((quiet, said)))
        await asyncio.sleep(AFTER_S)
        print(json.dumps({"concealed": (await call.link()).concealed_ratio}), flush=True)
        listening.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), Opus(redundancy=sys.argv[4] == "red")))
