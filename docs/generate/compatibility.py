"""Draws docs/reference/compatibility.md from the manifest of requirements."""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "compatibility.md"
FOLDER = ROOT / "contract" / "requirements"

Entry = Mapping[str, Any]

SURE = {
    "types": "types of the SDKs and the public API description",
    "documented": "guides and reference",
    "captured": "seen on the wire, by us or by others who told of it",
    "inferred": "follows from the others",
    "unknown": "nobody tells, or the sources contradict each other",
}
HEAD = ("| a client may count on | known from | here | shown by |", "|---|---|---|---|")
INTRODUCTION = """# Compatibility

*Drawn from [`contract/requirements`](../../contract/requirements/README.md) by `./dev docs`; do not edit.*

What a client of the OpenAI Realtime API may count on when its base URL is changed to this server's, behaviour by
behaviour: whether it is kept, how sure it is that the service behaves so, and the test that shows it. *Kept otherwise*
means that a client works and may notice a difference; *not kept* means that there is no such thing here, and that
whoever asks for it is told so.
"""


def areas() -> dict[str, tuple[str, dict[str, Entry]]]:
    """Title and entries of each file, by the name of the file."""
    found: dict[str, tuple[str, dict[str, Entry]]] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        found[path.stem] = (str(tables.pop("title")), tables)
    return found


def kept(entry: Entry) -> str:
    """In one of three words."""
    if entry.get("kept") == "no":
        return "not kept"
    return "kept otherwise" if "differs" in entry else "kept"


def cell(text: str) -> str:
    """A text that stays within its cell."""
    return text.replace("|", "\\|")


def summary(found: Mapping[str, tuple[str, dict[str, Entry]]]) -> Iterator[str]:
    """How many of which, area by area."""
    words = ["kept", "kept otherwise", "not kept", *SURE]
    yield "| area | " + " | ".join(words) + " |"
    yield "|---|" + "--:|" * len(words)
    total: Counter[str] = Counter()
    for name, (title, entries) in found.items():
        counts = Counter([word for entry in entries.values() for word in (kept(entry), entry["sure"])])
        total += counts
        yield f"| [{title}](#{name}) | " + " | ".join(str(counts[word] or "") for word in words) + " |"
    yield "| **all** | " + " | ".join(f"**{total[word]}**" for word in words) + " |"


def listed(found: Mapping[str, tuple[str, dict[str, Entry]]], key: str) -> Iterator[str]:
    """Everything that has something to say under a key."""
    for _, entries in found.values():
        for entry in entries.values():
            if key in entry:
                yield f"| {cell(entry['sentence'])} | {cell(entry[key])} |"


def row(entry: Entry) -> str:
    """One behaviour of an area."""
    shown = enumerate((test.partition("::") for test in entry.get("tests", ())), start=1)
    tests = " ".join(f'[{number}](../../{path} "{name}")' for number, (path, _, name) in shown)
    said = entry["sentence"] + (f" **Here:** {entry['chosen']}" if "chosen" in entry else "")
    how = {"kept": "kept", "kept otherwise": "kept otherwise¹", "not kept": "not kept²"}[kept(entry)]
    known = entry["source"] if entry["source"].startswith("types of") else f"{entry['sure']}: {entry['source']}"
    return f"| {cell(said)} | {cell(known)} | {how} | {tests} |"


def drawn() -> str:
    """The whole page."""
    found = areas()
    lines = [INTRODUCTION, *summary(found), "", "How sure:", ""]
    lines += [f"* *{word}*: {meaning};" for word, meaning in SURE.items()]
    lines[-1] = lines[-1].removesuffix(";") + "."
    for title, head, key in (
        ("Not kept", "why", "because"),
        ("Kept otherwise", "how, and why", "differs"),
        ("What nobody tells, and the way chosen here", "chosen", "chosen"),
    ):
        lines += ["", f"## {title}", "", f"| behaviour | {head} |", "|---|---|", *listed(found, key)]
    for name, (title, entries) in found.items():
        lines += ["", f'<a id="{name}"></a>', f"## {title}", "", *HEAD, *(row(entry) for entry in entries.values())]
    return "\n".join([*lines, "", "¹ See *Kept otherwise*. ² See *Not kept*.", ""])


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(drawn(), encoding="utf-8")
