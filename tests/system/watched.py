"""A server that knows for how long its event loop was away from its sockets: `python -m tests.system.watched`.

What is measured is the CPU time that the loop's thread spends between two looks at the sockets, not time on the wall:
on a machine with other work to do the latter says who else was running. So a measure is the work that every other call
has to wait for. Work that other threads do is not in it; they share the interpreter with the loop, and let go of it
often enough by themselves (see `answer.call.LONG`).
"""

import asyncio
import json
import selectors
import sys
import time
from itertools import repeat
from typing import Final

from tests.viva import engines, scripted_server
from vivavoce.cli.serve import spare_the_collector
from vivavoce.engine.fake import ScriptedSpeaker
from vivavoce.gateway.settings import Limits, Settings
from vivavoce.telemetry import log

AGAIN: Final = "again\n"
"""The line on standard input that asks for the worst since the last."""
TALK: Final = "word " * 3000
"""Ten minutes of it."""
SPEAKER: Final = ScriptedSpeaker(ms_per_character=0, ms_per_word=200)
OFTEN: Final = 2**31


class Watch(selectors.DefaultSelector):
    """Waits for sockets, and notes for how long nobody did."""

    def __init__(self) -> None:
        super().__init__()
        self.worst_s = 0.0
        self._left_at = time.thread_time()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Look at the sockets."""
        self.worst_s = max(self.worst_s, time.thread_time() - self._left_at)
        ready = super().select(timeout)
        self._left_at = time.thread_time()
        return ready


def say(what: object) -> None:
    """One line of JSON on standard output."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def serve(watch: Watch) -> None:
    """Serve until standard input ends."""
    over = asyncio.Event()

    def answer() -> None:
        if sys.stdin.readline() == AGAIN:
            say(watch.worst_s)
            watch.worst_s = 0.0
        else:
            over.set()

    script = engines(heard=repeat("fine"), thought=repeat(TALK), speaker=SPEAKER)
    settings = Settings(limits=Limits(calls_per_minute=OFTEN))
    async with scripted_server(script, gateway=settings) as viva:
        spare_the_collector()
        loop = asyncio.get_running_loop()
        loop.add_reader(sys.stdin, answer)
        say([viva.url, viva.key])
        await over.wait()
        loop.remove_reader(sys.stdin)


if __name__ == "__main__":
    log.configure(sys.stderr, level="warning")
    watch = Watch()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(watch)) as runner:
        runner.run(serve(watch))
