"""`./dev` explains itself, refuses what it does not know, and is what the build machine runs."""

import os
import subprocess
from pathlib import Path

from tests.architecture.source import ROOT


def dev(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "dev", *arguments],
        cwd=cwd,
        capture_output=True,
        check=False,
        timeout=30,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def test_without_a_verb_it_says_what_it_can_do_from_wherever_it_is_called(tmp_path: Path) -> None:
    shown = dev(cwd=tmp_path)
    assert shown.returncode == 0
    for verb in ("demo", "test", "check", "fix", "fuzz", "bench", "docs", "setup"):
        assert f"./dev {verb}" in shown.stdout


def test_an_unknown_verb_is_refused(tmp_path: Path) -> None:
    refused = dev("tset", cwd=tmp_path)
    assert refused.returncode == 1
    assert "no such verb: tset" in refused.stderr


def test_both_scripts_can_be_run_and_are_sound_shell() -> None:
    for script in (ROOT / "dev", ROOT / ".ci" / "run"):
        assert os.access(script, os.X_OK)
        subprocess.run(["bash", "-n", script], check=True, timeout=30)


def test_the_build_machine_runs_the_command_of_the_readme() -> None:
    assert "./dev test" in (ROOT / ".ci" / "run").read_text()
