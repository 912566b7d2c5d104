"""What the documentation draws from the code and the manifest is drawn from them as they are now."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.architecture.source import ROOT


def pages(folder: Path) -> dict[Path, bytes]:
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in (".md", ".svg", ".json")
    }


def test_drawing_the_generated_pages_anew_changes_nothing(tmp_path: Path) -> None:
    copy = tmp_path / "docs"
    shutil.copytree(ROOT / "docs", copy)
    shutil.copytree(ROOT / "contract", tmp_path / "contract")
    scripts = sorted((copy / "generate").glob("*.py"))
    assert scripts
    for script in scripts:
        subprocess.run([sys.executable, script], check=True, timeout=30, cwd=tmp_path)
    stale = [
        f"{folder}/{path}"
        for folder in ("docs", "contract")
        for path, page in pages(ROOT / folder).items()
        if pages(tmp_path / folder)[path] != page
    ]
    assert stale == [], "run ./dev docs"
