"""Where the library comes from, and that it never comes into our own process."""

import os
import subprocess
import sys

import pytest

from vivavoce.engine.espeak_worker import SYSTEM_LIBRARY

_ASK = """
import sys
{before}
from vivavoce.engine.espeak_worker import load
try:
    load()
except RuntimeError as error:
    print(error)
else:
    mapped = open('/proc/self/maps').read()
    print({library!r} in mapped, 'espeakng_loader' in mapped)
"""


def ask(before: str) -> str:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    script = _ASK.format(before=before, library=SYSTEM_LIBRARY)
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=env, check=True, timeout=30
    ).stdout


def test_without_the_extra_the_systems_library_serves() -> None:
    answer = ask("sys.modules['espeakng_loader'] = None")
    if "apt-get" in answer:
        pytest.skip("this machine has no libespeak-ng.so.1")
    assert answer.split() == ["True", "False"]


def test_without_any_library_the_error_says_what_to_install() -> None:
    hide = "\n".join(
        (
            "sys.modules['espeakng_loader'] = None",
            "import ctypes",
            "class CDLL:",
            "    def __init__(self, name): raise OSError('no such file')",
            "ctypes.CDLL = CDLL",
        )
    )
    answer = ask(hide)
    assert "vivavoce[espeak]" in answer
    assert "libespeak-ng1" in answer


def test_the_gpl_library_is_never_mapped_into_our_own_process() -> None:
    script = (
        "import asyncio\n"
        "from vivavoce.engine.espeak import Espeak\n"
        "async def main():\n"
        "    async with Espeak() as speaker:\n"
        "        async for _ in speaker.speak('Hello.', 'alloy', 1.0): pass\n"
        "        print('espeak' in open('/proc/self/maps').read())\n"
        "        print('espeak' in open(f'/proc/{speaker.pids[0]}/maps').read())\n"
        "asyncio.run(main())\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=env, check=True, timeout=30
    )
    assert done.stdout.split() == ["False", "True"]
