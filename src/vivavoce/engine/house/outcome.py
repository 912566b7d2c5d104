"""Says in a short sentence what a function returned."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from vivavoce.engine.house.exercise import sentence
from vivavoce.engine.house.name import words_of_name
from vivavoce.engine.house.turn import Outcome
from vivavoce.engine.house.value import listing, mapping

_MOST_FACTS: Final = 8
_MOST_TEXT: Final = 400
_UNITS: Final = {
    "c": "degrees",
    "celsius": "degrees",
    "f": "degrees Fahrenheit",
    "fahrenheit": "degrees Fahrenheit",
    "percent": "percent",
    "pct": "percent",
    "km": "kilometres",
    "kmh": "kilometres per hour",
    "kph": "kilometres per hour",
    "mph": "miles per hour",
    "minutes": "minutes",
    "seconds": "seconds",
}
"""Last word of a key to the unit that is said after its value."""
_EMPTY_WORDS: Final = frozenset({"result", "output", "value", "answer", "data", "response", "message", "text"})
_GOOD: Final = frozenset({"", "ok", "okay", "done", "success", "true", "null", "{}", "[]"})


def tell(outcomes: Sequence[Outcome]) -> str:
    """Sentences about what functions returned, one function after the other."""
    return " ".join(_tell(outcome) for outcome in outcomes)


def _tell(outcome: Outcome) -> str:
    called = words_of_name(outcome.name) or "the function"
    try:
        return _tell_value(called, _decoded(outcome.output.strip()))
    except RecursionError:
        return f"{called.capitalize()} returned more than I can put into words."


def _decoded(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _tell_value(called: str, value: object) -> str:
    fields = mapping(value)
    if problem := fields.get("error"):
        return f"{called.capitalize()} failed: {sentence(_scalar(problem))}"
    if len(fields) == 1 and next(iter(fields)) in _EMPTY_WORDS:
        [value] = fields.values()
    if mapping(value) or listing(value):
        return _tell_facts(list(_facts(value, ())))
    said = _scalar(value)
    if isinstance(value, str) and said.lower() not in _GOOD:
        told = sentence(said if len(said) <= _MOST_TEXT else f"{said[:_MOST_TEXT].rsplit(' ', 1)[0]}…")
    else:
        told = "" if isinstance(value, str) or value is True else f"The answer is {said}."
    return told or f"{called.capitalize()} is done."


def _tell_facts(facts: list[tuple[str, object]]) -> str:
    told = [_fact(name, value) for name, value in facts[:_MOST_FACTS]]
    if len(facts) > _MOST_FACTS:
        told.append(f"there are {len(facts) - _MOST_FACTS} more")
    said = _listed(told)
    return f"{said[0].upper()}{said[1:]}." if said else "There is nothing."


def _fact(name: str, value: object) -> str:
    words = name.split()
    if isinstance(value, bool):
        bare = " ".join(words[1:] if words[:1] == ["is"] else words)
        return f"it is {bare}" if value else f"it is not {bare}"
    unit = _UNITS.get(words[-1]) if len(words) > 1 and isinstance(value, int | float) else None
    if unit:
        return f"the {' '.join(words[:-1])} is {_scalar(value)} {unit}"
    return f"the {name} is {_scalar(value)}" if name else _scalar(value)


def _facts(value: object, path: tuple[str, ...]) -> Iterator[tuple[str, object]]:
    """Keys and values, those inside others under both names."""
    if fields := mapping(value):
        for key, inner in fields.items():
            words = words_of_name(key)
            yield from _facts(inner, path if words in _EMPTY_WORDS else (*path, words))
    elif (parts := listing(value)) and mapping(parts[0]):
        for at, inner in enumerate(parts, start=1):
            yield from _facts(inner, (*path, f"number {at}") if len(parts) > 1 else path)
    else:
        yield " ".join(path), value


def _scalar(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return f"{value:.10g}".replace("-", "minus ", 1)
        case str():
            return " ".join(value.split())
        case {"message": str() as message}:
            return message
        case _ if mapping(value):
            return _listed([_fact(name, inner) for name, inner in _facts(value, ())])
        case _:
            return _listed([_scalar(part) for part in listing(value)]) or "nothing"


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))
