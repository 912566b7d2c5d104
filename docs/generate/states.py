"""Draws the state diagrams of docs/explain/architecture.md from the machines' own tables."""

import re
from pathlib import Path

from vivavoce.session import output, response, turn

PAGE = Path(__file__).parents[1] / "explain" / "architecture.md"
MACHINES = (turn.MOVES, response.MOVES, output.MOVES)


def drawn(page: str) -> str:
    """The page with every diagram redrawn; a diagram stands behind `<!-- states: NAME -->`.

    Raises:
        KeyError: a machine that the page does not show.
    """
    for machine in MACHINES:
        diagram = "\n".join([f"<!-- states: {machine.name} -->", "```mermaid", *machine.lines(), "```"])
        pattern = rf"<!-- states: {machine.name} -->\n```mermaid\n.*?```"
        page, found = re.subn(pattern, lambda _, text=diagram: text, page, flags=re.DOTALL)
        if found != 1:
            raise KeyError(machine.name)
    return page


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
