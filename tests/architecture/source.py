"""The repository's own Python files, parsed once."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final, TypeVar

Node = TypeVar("Node", bound=ast.AST)

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Source:
    """One file: where it is (relative to the root), what it says, and its syntax tree."""

    path: Path
    text: str
    tree: ast.Module

    @cached_property
    def _by_kind(self) -> dict[type[ast.AST], list[ast.AST]]:
        kinds: dict[type[ast.AST], list[ast.AST]] = {}
        for node in ast.walk(self.tree):
            kinds.setdefault(type(node), []).append(node)
        return kinds

    def every(self, *kinds: type[Node]) -> list[Node]:
        """All nodes of these kinds, outer ones first within a kind."""
        return [node for kind in kinds for node in self._by_kind.get(kind, []) if isinstance(node, kind)]

    def at(self, node: ast.AST) -> str:
        """`path:line` of something in this file."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"

    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        """Every call whose callee is a name or a dotted name."""
        for node in self.every(ast.Call):
            if name := dotted(node.func):
                yield name, node


def dotted(node: ast.AST) -> str:
    """`a.b.c` for such an expression; empty for any other. `self.x().sleep` gives `.sleep`."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attribute):
            return f"{dotted(value)}.{attribute}"
        case _:
            return ""


def committed() -> list[Path]:
    """Every file that git tracks, or would track, relative to the root; every file where there is no git."""
    if not (ROOT / ".git").exists():
        made = {".venv", ".cache", "node_modules", "__pycache__", ".pytest_cache", ".hypothesis", ".ruff_cache"}
        files = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        return sorted(path for path in files if not made & set(path.parts))
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=30,
    )
    names = sorted({name for name in listed.stdout.decode().split("\0") if name})
    return [Path(name) for name in names if (ROOT / name).is_file()]


@cache
def python_files(folder: str) -> list[Source]:
    """All Python files under a folder of the repository."""
    found: list[Source] = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found.append(Source(path.relative_to(ROOT), text, ast.parse(text)))
    return found
