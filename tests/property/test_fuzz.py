"""What strangers may send to those who read it, good and spoiled by chance. `./dev fuzz` tries more."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from fuzz.mutation import Mutator
from fuzz.run import main
from fuzz.target import Target
from fuzz.targets import ALL

SEED: Final = 20_260_328
PLANTED: Final = """
import pathlib, sys
from fuzz.run import fuzz
from fuzz.target import Target

def feed(data):
    if data.startswith(b"open sesame"):
        raise {error}("found")

fuzz(Target("planted", feed, lambda: [b"shut"], (KeyError,), (b"open ", b"sesame")), ["-runs=20000", "-seed=1"],
    pathlib.Path(sys.argv[1]))
"""


@pytest.mark.parametrize("target", ALL.values(), ids=ALL)
def test_spoiled_input_is_read_or_refused_and_nothing_else(target: Target) -> None:
    mutator, seeds = Mutator(SEED, target.words), target.seeds()
    for number in range(-len(seeds), target.smoke):
        data = seeds[number] if number < 0 else mutator.spoil(seeds, target.longest)
        try:
            target.take(data)
        except Exception as finding:
            raise AssertionError(f"{target.name} on {data[:2000]!r}") from finding


def plant(folder: Path, error: str) -> "subprocess.CompletedProcess[str]":
    script = PLANTED.format(error=error)
    return subprocess.run(
        [sys.executable, "-c", script, folder], capture_output=True, check=False, timeout=50, text=True
    )


@pytest.mark.skipif(
    sys.platform != "linux" or sys.version_info >= (3, 14), reason="there is no build of atheris for this platform"
)
def test_the_fuzzer_finds_what_is_planted_keeps_the_input_and_takes_what_is_legal(tmp_path: Path) -> None:
    found = plant(tmp_path, "ValueError")
    assert found.returncode != 0
    assert "ValueError: found" in found.stderr + found.stdout
    [crash] = (tmp_path / "planted").glob("crash-*")
    assert crash.read_bytes().startswith(b"open sesame")
    legal = plant(tmp_path / "legal", "KeyError")
    assert legal.returncode == 0, legal.stderr
    assert list((tmp_path / "legal" / "planted").glob("crash-*")) == []


def test_an_unknown_reader_is_refused_with_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no_such_reader", "10"]) == 2
    assert set(ALL) <= set(capsys.readouterr().err.split())
