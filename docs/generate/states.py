"""Draws the state diagrams of docs/explain from the machines' own tables."""

import re
from pathlib import Path

from vivavoce.client import state
from vivavoce.session import output, response, turn
from vivavoce.session.moves import Moves

FOLDER = Path(__file__).parents[1] / "explain"
PAGES = {"architecture.md": (turn.MOVES, response.MOVES, output.MOVES), "reliability.md": (state.MOVES,)}


def drawn(page: str, machines: tuple[Moves, ...]) -> str:
    """The page with every diagram redrawn; a diagram stands behind `<!-- states: NAME -->`.

    Raises:
        KeyError: a machine that the page does not show.
    """
    for machine in machines:
        diagram = "\n".join([f"<!-- states: {machine.name} -->", "```mermaid", *machine.lines(), "```"])
        pattern = rf"<!-- states: {machine.name} -->\n```mermaid\n.*?```"
        page, found = re.subn(pattern, lambda _, text=diagram: text, page, flags=re.DOTALL)
        if found != 1:
            raise KeyError(machine.name)
    return page


if __name__ == "__main__":
    for name, machines in PAGES.items():
        page = FOLDER / name
        page.write_text(drawn(page.read_text(encoding="utf-8"), machines), encoding="utf-8")
