"""Keys, pressed in a terminal that the test holds the other end of."""

import asyncio
import os
import pty
import termios

from vivavoce.cli.keys import keys


async def test_a_key_is_told_at_once_and_the_terminal_is_put_back() -> None:
    hand, terminal = pty.openpty()
    try:
        before = termios.tcgetattr(terminal)
        pressed: asyncio.Queue[str] = asyncio.Queue()
        with keys(pressed.put_nowait, terminal) as readable:
            assert readable
            os.write(hand, b"mq")
            async with asyncio.timeout(10):
                assert [await pressed.get(), await pressed.get()] == ["m", "q"]
        assert termios.tcgetattr(terminal) == before
    finally:
        os.close(hand)
        os.close(terminal)


async def test_where_there_is_no_terminal_no_keys_are_read() -> None:
    read, write = os.pipe()
    try:
        with keys(lambda _: None, read) as readable:
            assert not readable
    finally:
        os.close(read)
        os.close(write)
