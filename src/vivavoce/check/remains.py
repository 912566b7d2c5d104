"""What this process holds: tasks, threads and open files, so that one can see what a call has left behind."""

import asyncio
import os
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Remains:
    """Counts. Threads and files are None where this system does not tell them."""

    tasks: int
    threads: int | None
    files: int | None

    def left_since(self, before: "Remains") -> dict[str, int]:
        """How many more there are than before, by kind."""
        then, now = asdict(before), asdict(self)
        return {kind: now[kind] - then[kind] for kind in now if (now[kind] or 0) > (then[kind] or 0)}


def look() -> Remains:
    """What there is now. Threads of the event loop's own pool stay for what comes, and are not counted."""
    pool = sum(thread.name.startswith("asyncio_") for thread in threading.enumerate())
    threads = files = None
    with suppress(OSError):
        threads = len(os.listdir("/proc/self/task")) - pool
        files = len(os.listdir("/proc/self/fd"))
    return Remains(len(asyncio.all_tasks()), threads, files)
