"""The thinker that asks its rules."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vivavoce.clock import Clock
from vivavoce.engine.house.arithmetic import compute
from vivavoce.engine.house.errand import errands
from vivavoce.engine.house.exercise import count, repeat, spell
from vivavoce.engine.house.moment import tell_date, tell_time
from vivavoce.engine.house.name import words_of_name
from vivavoce.engine.house.outcome import tell
from vivavoce.engine.house.small_talk import courtesies, earlier_words, names, own_name, unknown, unprompted
from vivavoce.engine.house.turn import Cue, Turn, texts_of
from vivavoce.engine.interface import Prompt, Thinker, ThinkerTraits, Thinking, Thought, ToolArguments, ToolCall, Words
from vivavoce.errors import ConfigError

NAME: Final = "Viva"

Rule = Callable[[Turn], str | None]

_LITERAL: Final[tuple[Rule, ...]] = (repeat, spell, earlier_words)
"""Rules about the words themselves: the words in them ask for nothing, so no function is called for them."""
_RULES: Final[tuple[Rule, ...]] = (
    count,
    lambda turn: compute(turn.text),
    tell_time,
    tell_date,
    names,
    courtesies,
)
_TOKEN: Final = re.compile(r"\S+\s*")


def open_thinker(options: Mapping[str, str], clock: Clock) -> Thinker:
    """The `house` engine.

    Options: `name`, by which it calls itself where the instructions give no other; `zone`, such as `Europe/London`,
    in which it tells the time; by default that of the machine.

    Raises:
        ConfigError: an unknown option or zone.
    """
    if unknown_options := sorted(set(options) - {"name", "zone"}):
        raise ConfigError(f"the house engine has no option {unknown_options[0]!r}; it has name and zone")
    return House(clock, options.get("name", NAME), _zone(options["zone"]) if "zone" in options else None)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(f"there is no time zone {name!r} here; write one such as Europe/London") from error


class House:
    """Answers by rules; a word is a token.

    Args:
        clock: for the time and the date.
        name: what it calls itself.
        zone: where it is; the machine's own when None.
    """

    def __init__(self, clock: Clock, name: str = NAME, zone: tzinfo | None = None) -> None:
        self._clock = clock
        self._name = name
        self._zone = zone

    @property
    def traits(self) -> ThinkerTraits:
        """Answers to any model's name, takes text only."""
        return ThinkerTraits(name="house", models=("house",))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    async def think(self, prompt: Prompt) -> AsyncGenerator[Thinking, None]:
        """The answer word by word; other tasks run in between. It never fails."""
        read = sum(len(text.split()) for text in texts_of(prompt))
        written = 0
        for step in self._steps(prompt):
            if prompt.max_output_tokens is not None and written >= prompt.max_output_tokens:
                yield Thought("max_output_tokens", input_tokens=read, cached_tokens=0, output_tokens=written)
                return
            written += 1
            yield step
            await asyncio.sleep(0)
        yield Thought(input_tokens=read, cached_tokens=0, output_tokens=written)

    def _steps(self, prompt: Prompt) -> Iterator[Words | ToolCall | ToolArguments]:
        """The answer in pieces of one token each."""
        now = datetime.fromtimestamp(self._clock.wall(), UTC).astimezone(self._zone)
        turn = Turn.of(prompt, own_name(prompt.instructions, self._name), now)
        wanted = [] if _settled(turn, prompt) else errands(prompt, turn)
        for index, errand in enumerate(wanted):
            yield ToolCall(index, errand.name)
            for token in _TOKEN.finditer(errand.arguments):
                yield ToolArguments(index, token[0])
        if not wanted:
            for token in _TOKEN.finditer(answer(turn)):
                yield Words(token[0])


def _settled(turn: Turn, prompt: Prompt) -> bool:
    """Whether words are the answer, and no function need be looked for."""
    if prompt.tool_choice == "required" or prompt.tool_choice.startswith("function:"):
        return False
    return turn.cue is not Cue.WORDS or any(rule(turn) for rule in _LITERAL)


def answer(turn: Turn) -> str:
    """What the rules say to a turn; never empty."""
    match turn.cue:
        case Cue.WORDS:
            return next((said for rule in (*_LITERAL, *_RULES) if (said := rule(turn))), unknown(turn))
        case Cue.PICTURE:
            return "I cannot see pictures. Tell me about it."
        case Cue.SILENCE:
            return "I did not catch that."
        case Cue.OUTPUT:
            return tell(turn.outcomes)
        case Cue.CALL:
            return f"I am still waiting for {words_of_name(turn.waiting_for)}."
        case Cue.NOTHING:
            return unprompted(turn)
