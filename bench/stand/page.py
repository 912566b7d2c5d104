"""Where measured tables stand in the documentation."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from vivavoce.clock import SystemClock

EXPLAIN: Final = Path(__file__).parents[2] / "docs" / "explain"
PAGE: Final = EXPLAIN / "reliability.md"
END: Final = "<!-- measured: end -->"


def put(name: str, table: str) -> None:
    """Put a table between `<!-- measured: NAME -->` and the end of it.

    Raises:
        KeyError: the page has no such place.
    """
    mark = f"<!-- measured: {name} -->"
    page = PAGE.read_text(encoding="utf-8")
    drawn, found = re.subn(f"{mark}.*?{END}", lambda _: f"{mark}\n\n{table}\n\n{END}", page, flags=re.DOTALL)
    if found != 1:
        raise KeyError(mark)
    PAGE.write_text(drawn, encoding="utf-8")


def today() -> str:
    """The day, as the page writes it."""
    return datetime.fromtimestamp(SystemClock().wall(), UTC).strftime("%d %B %Y").lstrip("0")
