"""Reads the manifest of requirements and finds what is wrong with it; its README says what is right."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal

import msgspec

Sure = Literal["types", "documented", "captured", "inferred", "unknown"]

SENTENCE_LETTERS: Final = 240
ONE_SENTENCE: Final = re.compile(r"[A-Z`0-9“][^\n]*[^.\s]\.")
NEXT_SENTENCE: Final = re.compile(r"(?<!e\.g)(?<!i\.e)[.!?] +[A-Z]")
INTERNAL: Final = re.compile(r"\bsheet\b|\.\./|\bsection \d|\bissue \d|\[[SDCI?](?:,[SDCI?])*\]")
"""What a stranger could not look up."""
JAVASCRIPT_TEST: Final = re.compile(r"""^\s*(?:test|it)\((['"`])(?P<title>.+?)\1""", re.MULTILINE)


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One behaviour of the protocol that a client could notice."""

    sentence: str
    source: str
    sure: Sure
    tests: tuple[str, ...] = ()
    differs: str | None = None
    chosen: str | None = None
    kept: Literal["no"] | None = None
    because: str | None = None


def read(folder: Path) -> tuple[dict[str, Requirement], list[str]]:
    """The requirements of all files by their ids, and what is wrong with the form of the files."""
    found: dict[str, Requirement] = {}
    faults: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            tables = msgspec.toml.decode(path.read_bytes(), type=dict[str, object])
        except msgspec.DecodeError as error:
            faults.append(f"{path.name}: no TOML, or an id twice: {error}")
            continue
        if not tables.pop("title", None):
            faults.append(f"{path.name}: has no title")
        for id, table in tables.items():
            if not re.fullmatch(rf"{path.stem}(?:\.[a-z0-9_-]+)+", id):
                faults.append(f"{id}: an id is `{path.stem}.` and words in small letters")
            try:
                found[id] = msgspec.convert(table, Requirement)
            except msgspec.ValidationError as error:
                faults.append(f"{id}: {error}")
        faults += [f"{after}: belongs before {before}" for before, after in pairwise(tables) if after < before]
    return found, faults


def faults(root: Path) -> list[str]:
    """All that is wrong with the manifest of a repository, one line each; empty when it holds."""
    requirements, found = read(root / "contract" / "requirements")
    for id, requirement in requirements.items():
        found += [f"{id}: {fault}" for fault in (*_worded(requirement), *_shown(requirement, root))]
    said: dict[str, str] = {}
    for id, requirement in requirements.items():
        if (first := said.setdefault(requirement.sentence, id)) != id:
            found.append(f"{id}: says the same as {first}")
    named = {test for requirement in requirements.values() for test in requirement.tests}
    for path in sorted((root / "tests" / "contract").glob("test_*.py")):
        if path.name == "test_requirements.py":
            continue  # shows the manifest, not the protocol
        tests = {f"{path.relative_to(root).as_posix()}::{test}" for test in names_in(path)}
        found += [f"{test}: is named by no requirement" for test in sorted(tests - named)]
    return found


def _worded(requirement: Requirement) -> Iterator[str]:
    sentence = requirement.sentence
    if not ONE_SENTENCE.fullmatch(sentence) or NEXT_SENTENCE.search(sentence) or len(sentence) > SENTENCE_LETTERS:
        yield f"wants one sentence of at most {SENTENCE_LETTERS} letters"
    if not requirement.source.strip():
        yield "has no source"
    for text in (sentence, requirement.source, requirement.differs, requirement.chosen, requirement.because):
        if text and (internal := INTERNAL.search(text)):
            yield f"{internal[0]!r} says nothing to a stranger"
    if (requirement.sure == "unknown") != bool(requirement.chosen):
        yield "what is unknown needs `chosen`, and nothing else does"


def _shown(requirement: Requirement, root: Path) -> Iterator[str]:
    if requirement.kept == "no":
        if not requirement.because or requirement.tests or requirement.differs:
            yield "what is not kept has `because`, and neither tests nor `differs`"
        return
    if requirement.because:
        yield '`because` goes with `kept = "no"`; what is kept otherwise has `differs`'
    if not requirement.tests:
        yield 'has no test; name one, or say `kept = "no"` and `because`'
    if list(requirement.tests) != sorted(set(requirement.tests)):
        yield "its tests are not sorted, or one is named twice"
    for test in requirement.tests:
        file, _, name = test.partition("::")
        if name not in names_in(root / file):
            yield f"there is no test {test}"


@cache
def names_in(path: Path) -> frozenset[str]:
    """Names of the tests in a file of Python (`function`, `Class::function`) or JavaScript (titles)."""
    if not path.is_file():
        return frozenset()
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".mjs":
        return frozenset(match["title"] for match in JAVASCRIPT_TEST.finditer(text))
    tree = ast.parse(text)
    classes = {f"{node.name}::": node.body for node in tree.body if isinstance(node, ast.ClassDef)}
    return frozenset(
        f"{owner}{node.name}"
        for owner, body in {"": tree.body, **classes}.items()
        for node in body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )
