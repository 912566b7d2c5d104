"""A thinker made of rules: no model, no network, the same answer every time."""

from vivavoce.engine.house.thinker import open_thinker

__all__ = ["open_thinker"]
