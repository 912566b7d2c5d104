"""How much of a conversation the thinker is given: `truncation`.

The oldest items are left out when the conversation outgrows the model, or the client's own limit; they stay in the
conversation. A call of a function and its output go together, the last item always stays, and what was once left out
does not come back.
"""

from dataclasses import dataclass, field, replace
from math import inf
from typing import Final

from vivavoce.session.effect import Think
from vivavoce.session.recording import Archive
from vivavoce.session.result import Failed
from vivavoce.session.settings import known
from vivavoce.session.usage import instruction_tokens, item_tokens, reading_tokens
from vivavoce.wire.config import RetentionRatio, TokenLimits, Truncation
from vivavoce.wire.item import FunctionCall, FunctionCallOutput, Item

OUTPUT_TOKENS: Final = 4096
"""Kept free for the answer, where it has no limit of its own; never more than a quarter of what the model can hold."""


@dataclass(frozen=True, slots=True)
class Mind:
    """What a thinker can take in. `context_tokens` 0 is unknown, and then nothing is left out for its sake."""

    context_tokens: int = 0
    sees: bool = True


@dataclass(slots=True)
class _Unit:
    """Items that stay or go together.

    `read` is what the thinker reads of them, in tokens of text; `billed` what the client is told that they cost.
    """

    key: str
    items: list[Item] = field(default_factory=list[Item])
    read: int = 0
    billed: int = 0


class Window:
    """The thinker's view of one conversation."""

    def __init__(self, mind: Mind, archive: Archive) -> None:
        self._mind = mind
        self._archive = archive
        self._rule: Truncation = "auto"
        self._gone: set[str] = set()

    def fit(self, think: Think, rule: Truncation) -> Think | Failed:
        """The question with as much of the conversation as fits; a failure where the rule lets nothing be left out."""
        if rule != self._rule:
            self._rule, self._gone = rule, set()
        return self._fit(think, rule, self._gone)

    def fit_once(self, think: Think, rule: Truncation) -> Think | Failed:
        """The same for a question with a context of its own, which nobody will ask about again."""
        return self._fit(think, rule, set())

    def _fit(self, think: Think, rule: Truncation, gone: set[str]) -> Think | Failed:
        think = replace(think, sees=self._mind.sees)
        units = self._units(think)
        room = self._room(think)
        limit = _limit(rule)
        kept = [unit for unit in units if unit.key not in gone]
        if _fits(kept, room, limit):
            return think if len(kept) == len(units) else _with(think, kept)
        if rule == "disabled":
            return Failed(
                f"The conversation has about {sum(unit.read for unit in kept)} tokens, and the model can read {room} "
                "beside its instructions. Delete items, or let `truncation` drop the oldest.",
                code="context_length_exceeded",
                type="invalid_request_error",
            )
        share = rule.retention_ratio if isinstance(rule, RetentionRatio) else 1.0
        while len(kept) > 1 and not _fits(kept, room * share, limit * share):
            gone.add(kept.pop(0).key)
        return _with(think, kept)

    def _units(self, think: Think) -> list[_Unit]:
        units: dict[str, _Unit] = {}
        for item in think.items:
            key = f"call {item.call_id}" if isinstance(item, FunctionCall | FunctionCallOutput) else f"item {item.id}"
            unit = units.setdefault(key, _Unit(key))
            unit.items.append(item)
            unit.read += reading_tokens(item, sees=self._mind.sees)
            unit.billed += item_tokens(item, self._archive, sees=self._mind.sees).total
        # In the order of their ends: the output of an old call may be the news.
        ends = {id(unit.items[-1]): unit for unit in units.values()}
        return [ends[id(item)] for item in think.items if id(item) in ends]

    def _room(self, think: Think) -> float:
        """Tokens that the model can read beside instructions, tools and its answer."""
        if not self._mind.context_tokens:
            return inf
        reserve = min(think.max_output_tokens or OUTPUT_TOKENS, self._mind.context_tokens // 4)
        return max(0, self._mind.context_tokens - reserve - instruction_tokens(think))


def _limit(rule: Truncation) -> float:
    """The client's own limit to what comes after the instructions."""
    limits = known(rule.token_limits, TokenLimits()) if isinstance(rule, RetentionRatio) else TokenLimits()
    return known(limits.post_instructions, inf)


def _fits(units: list[_Unit], room: float, limit: float) -> bool:
    return sum(unit.read for unit in units) <= room and sum(unit.billed for unit in units) <= limit


def _with(think: Think, kept: list[_Unit]) -> Think:
    items = {id(item) for unit in kept for item in unit.items}
    return replace(think, items=tuple(item for item in think.items if id(item) in items))
