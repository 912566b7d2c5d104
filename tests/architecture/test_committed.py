"""What is committed holds no address of a package registry, no place on somebody's disk and no key."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.source import ROOT, committed

ADDRESSES: Final = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|yarnpkg\.com|proxy\.golang\.org|crates\.io|registry\.[a-z]+\.[a-z]+"
    r"|^\s*(?:--index-url|--extra-index-url|--find-links)\b|\"resolved\":",
    re.MULTILINE,
)
PLACES: Final = re.compile(r"(?<![\w.])/(?:home|Users|root|work|mnt|opt/homebrew)/\w|[A-Z]:\\\\?Users")
LOCKED: Final = ("requirements/", "package-lock.json", "package.json")


def texts() -> dict[Path, str]:
    found: dict[Path, str] = {}
    for path in committed():
        try:
            found[path] = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


@pytest.fixture(scope="module")
def committed_texts() -> dict[Path, str]:
    return texts()


def test_no_file_names_a_package_registry(committed_texts: dict[Path, str]) -> None:
    assert {str(path): found[0] for path, text in committed_texts.items() if (found := ADDRESSES.search(text))} == {}


def test_no_file_names_a_place_on_a_machine(committed_texts: dict[Path, str]) -> None:
    assert {str(path): found[0] for path, text in committed_texts.items() if (found := PLACES.search(text))} == {}


def test_lists_of_packages_hold_sums_and_no_address(committed_texts: dict[Path, str]) -> None:
    lists = {path: text for path, text in committed_texts.items() if str(path).startswith(LOCKED)}
    # npm notes where packages ask for money, too; nothing is got from there.
    addresses = re.compile(r'^(?! *"url": ).*https?://', re.MULTILINE)
    assert [str(path) for path, text in lists.items() if addresses.search(text)] == []
    pinned = [text for path, text in lists.items() if path.suffix == ".txt"]
    assert len(pinned) == 5
    for text in pinned:
        for entry in re.split(r"\n(?=\S)", text.strip()):
            assert re.match(r"[\w.-]+==\S+", entry), entry
            assert "--hash=sha256:" in entry, entry
    lock = lists[Path("package-lock.json")]
    assert lock.count('"integrity"') == lock.count('"node_modules/')


def test_every_dependency_of_the_package_is_pinned(committed_texts: dict[Path, str]) -> None:
    # A new dependency without `./dev lock` would be missing from a fresh clone.
    project = committed_texts[Path("pyproject.toml")].partition("[project.scripts]")[0]
    wanted = {name.lower() for name in re.findall(r'^  "([\w.-]+)[<>=!~]', project, re.MULTILINE)}
    pinned = set(re.findall(r"^([\w.-]+)==", committed_texts[Path("requirements/runtime.txt")], re.MULTILINE))
    assert len(wanted) > 5
    assert wanted - pinned == set()
