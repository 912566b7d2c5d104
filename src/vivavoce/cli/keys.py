"""Keys that are pressed while a call goes on, where there is a terminal to press them in."""

import asyncio
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

try:
    import termios
    import tty
except ImportError:  # Windows: there keys are not read
    termios = tty = None


@contextmanager
def keys(pressed: Callable[[str], None], file: int | None = None) -> Generator[bool]:
    """Call `pressed` with each key, without its echo and without waiting for Return. Inside a running event loop.

    Gives whether keys can be read at all. The terminal is put back as it was, also when the call breaks off.
    """
    file = _standard_input() if file is None else file
    if termios is None or tty is None or file is None or not os.isatty(file):
        yield False
        return
    loop = asyncio.get_running_loop()
    before = termios.tcgetattr(file)

    def read() -> None:
        data = os.read(file, 64)
        if not data:  # the terminal is gone
            loop.remove_reader(file)
        for key in data.decode(errors="ignore"):
            pressed(key)

    # Ctrl-C still interrupts: only lines and their echo are switched off.
    tty.setcbreak(file, termios.TCSADRAIN)
    loop.add_reader(file, read)
    try:
        yield True
    finally:
        loop.remove_reader(file)
        termios.tcsetattr(file, termios.TCSADRAIN, before)


def _standard_input() -> int | None:
    try:
        return None if sys.stdin is None else sys.stdin.fileno()
    except (OSError, ValueError):  # something else was put in its place
        return None
