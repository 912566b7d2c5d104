"""The import contracts of pyproject.toml hold, and each of them bites."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

from tests.architecture.source import ROOT

SINS: Final = {
    "errors.py": "import vivavoce.wire.event",  # Layers point one way
    "stray/__init__.py": "",  # … and every package has its layer
    "session/host.py": "import time",  # Pure layers
    "gateway/quota.py": "import vivavoce.store.memory",  # Applications meet ports
    "transport/memory.py": "import vivavoce.session.host",  # Ports carry
    "transport/websocket.py": "import vivavoce.transport.memory",  # Transports
    "engine/house.py": "import vivavoce.engine.silero",  # Engines
    "engine/espeak.py": "import vivavoce.engine.espeak_worker",  # Programs for child processes
    "store/interface.py": "import vivavoce.store.memory",  # Stores
    "wire/item.py": "import vivavoce.wire.event",  # No cycles
    "telemetry/log.py": "import wrtc",  # Foreign packages
}
"""Per file of the package, a line that must not be there."""


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Import-linter's judgement of `folder`/src by `folder`/pyproject.toml."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src"), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        check=False,
        timeout=50,
        text=True,
    )


def test_imports_point_where_the_picture_says() -> None:
    judged = lint(ROOT)
    assert judged.returncode == 0, judged.stdout + judged.stderr


def contracts() -> dict[str, dict[str, list[str]]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {contract["id"]: contract for contract in settings["tool"]["importlinter"]["contracts"]}


def test_the_policy_of_a_client_is_a_pure_layer_once_there_is_one() -> None:
    policy = ROOT / "src" / "vivavoce" / "client" / "policy.py"
    assert policy.exists() == ("vivavoce.client.policy" in contracts()["pure"]["source_modules"])


def test_every_engine_that_is_declared_has_its_contract() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {entry.partition(":")[0] for group in project["entry-points"].values() for entry in group.values()}
    independent = set(contracts()["engines"]["modules"])
    assert {module for module in declared if not independent & {module, module.rpartition(".")[0]}} == set()


def test_every_contract_sees_an_import_that_breaks_it(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, line in SINS.items():
        path = tmp_path / "src" / "vivavoce" / name
        if not path.exists() and name != "stray/__init__.py":
            path = path.with_suffix("") / "__init__.py"  # the module has become a package
            assert path.exists(), f"{name} has moved; move its sin too"
        path.parent.mkdir(exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    judged = lint(tmp_path)
    assert judged.returncode == 1, judged.stdout + judged.stderr
    assert [line for line in judged.stdout.splitlines() if line.endswith(" KEPT")] == []
    assert "stray" in judged.stdout
    for name, line in SINS.items():
        if line:
            # Long names in most reports, short ones in that of cycles.
            sin = rf"{Path(name).stem} -> \S*\b{line.split('.')[-1].removeprefix('import ')}\b"
            assert re.search(sin, judged.stdout), f"{name}: {line}\n{judged.stdout}"
