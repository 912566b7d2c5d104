"""Fills the parameters of a function from the user's words, as its JSON schema wants them.

Only what was said is filled in, except that required parameters always get a value of their type: the schema's
default, its first choice, or the plainest value that it allows.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from vivavoce.engine.house import number
from vivavoce.engine.house.name import stem, words_of_name
from vivavoce.engine.house.phrase import ANY, KINDS, Phrases, kind_of
from vivavoce.engine.house.turn import words_of
from vivavoce.engine.house.value import listing, mapping

_DEEPEST: Final = 6
"""Schemas nest no deeper than this in what a voice fills in."""
_MOST_VALUES: Final = 200
"""Values in all; a schema that refers to itself could ask for any number."""
_UNKNOWN: Final = "unknown"
_YES: Final = frozenset(["yes", "on", "true", "enable", "enabled", "open", "start", "activate", "with"])
_NO: Final = frozenset(
    ["no", "off", "false", "disable", "disabled", "close", "stop", "without", "not", "never", "cannot"]
)
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NEAR_DAYS: Final = {"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1}
_SECONDS: Final = {"second": 1, "minut": 60, "hour": 3600, "day": 86_400, "week": 604_800}
"""Stems of units of time and their length."""
_EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_URI: Final = re.compile(r"https?://\S+")


class _Nothing:
    """The user said nothing for this parameter."""


_NOTHING: Final = _Nothing()


@dataclass(frozen=True)
class _Number:
    """A number and the stems of the words around it."""

    value: Fraction
    before: frozenset[str]
    after: str


class Arguments:
    """What can be taken from one utterance; each number and phrase is taken once.

    Args:
        text: the user's words.
        now: to turn "tomorrow" into a date.
        own: words that name the function itself and therefore no parameter of it.
    """

    def __init__(self, text: str, now: datetime, own: frozenset[str]) -> None:
        self._text = text
        self._words = words_of(text)
        self._now = now
        self._phrases = Phrases(text, own)
        self._numbers = _numbers(self._words)
        self._root: Mapping[str, object] = {}
        self._spare = _MOST_VALUES

    def fill(self, schema: Mapping[str, object]) -> dict[str, object]:
        """Arguments for an object schema; an empty object for any other."""
        self._root = schema
        return self._object(schema, 0)

    def _object(self, schema: Mapping[str, object], depth: int) -> dict[str, object]:
        properties = mapping(schema.get("properties"))
        required = listing(schema.get("required"))
        self._spare -= len(properties)
        if self._spare < 0:
            return {}
        filled: dict[str, object] = {}
        # Parameters that tell by name what they want choose before those that take what is left.
        for name in sorted(properties, key=lambda name: kind_of(words_of_name(name).split()) is None):
            known = self._resolved(mapping(properties[name]))
            must = name in required
            said = self._said(words_of_name(name).split(), known, must=must, depth=depth + 1)
            if said is not _NOTHING or must:
                filled[name] = self._plainest(known, depth + 1) if said is _NOTHING else said
        return {name: filled[name] for name in properties if name in filled}

    def _said(self, name: Sequence[str], schema: Mapping[str, object], *, must: bool, depth: int) -> object:
        if depth > _DEEPEST:
            return _NOTHING
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._choice(listing(schema["enum"]))
        match _type(schema):
            case "boolean":
                return self._boolean(name)
            case "integer" | "number" as kind:
                found = self._number(name)
                return _NOTHING if found is None else _within(found, kind, schema)
            case "array":
                return self._array(name, schema, must=must, depth=depth)
            case "object":
                return self._object(schema, depth) or _NOTHING
            case "null":
                return None
            case _:
                found = self._string(name, schema, must=must)
                return _NOTHING if found is None else found

    # ── values by type ──────────────────────────────────────────────────────────────────────────────

    def _choice(self, choices: Sequence[object]) -> object:
        """The longest choice that was said; "light_blue" before "blue"."""
        plain = f" {' '.join(map(stem, self._words))} "
        for choice in sorted(choices, key=lambda choice: -len(str(choice))):
            wanted = " ".join(map(stem, words_of_name(str(choice)).split()))
            if wanted and f" {wanted} " in plain:
                return choice
        return _NOTHING

    def _boolean(self, name: Sequence[str]) -> object:
        said = set(self._words)
        if said & _NO:
            return False
        if said & _YES or set(map(stem, name)) & set(map(stem, said)):
            return True
        return _NOTHING

    def _number(self, name: Sequence[str]) -> Fraction | None:
        """The number next to the parameter's name, or the first that nobody has taken."""
        stems = set(map(stem, name))
        if not self._numbers:
            return None
        near = [found for found in self._numbers if found.after in stems or found.before & stems]
        found = near[0] if near else self._numbers[0]
        self._numbers.remove(found)
        unit = next((_SECONDS[word] for word in stems if word in _SECONDS), None)
        if unit and (said := _SECONDS.get(found.after)):
            return found.value * said / unit
        return found.value

    def _array(self, name: Sequence[str], schema: Mapping[str, object], *, must: bool, depth: int) -> object:
        items = self._resolved(mapping(schema.get("items")))
        found: list[object] = []
        if "enum" in items:
            said = set(map(stem, self._words))
            found = [choice for choice in listing(items["enum"]) if set(map(stem, words_of(str(choice)))) <= said]
        elif _type(items) in {"integer", "number"}:
            while (value := self._number(name)) is not None:
                found.append(_within(value, _type(items), items))
        elif _type(items) == "string":
            phrase = self._string(name, {}, must=must, whole=True) or ""
            found = [part for part in re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", phrase) if part]
        else:
            value = self._said(name, items, must=must, depth=depth + 1)
            found = [] if value is _NOTHING else [value]
        return found or _NOTHING

    def _string(
        self, name: Sequence[str], schema: Mapping[str, object], *, must: bool, whole: bool = False
    ) -> str | None:
        kind = kind_of(name)
        match schema.get("format"):
            case "date":
                return self._day()
            case "date-time":
                day = self._day()
                return day and f"{day}T{self._now:%H:%M:%S%z}"
            case "email":
                return self._address(_EMAIL)
            case "uri":
                return self._address(_URI)
            case _:
                pass
        if kind in {"text", "name"} and (quoted := self._phrases.quoted()):
            return quoted
        mentioned = [word for word in name if word in self._words]
        if found := self._phrases.after(mentioned, whole=whole):
            return found
        if kind == "moment" and (day := next((word for word in self._words if word in {*_NEAR_DAYS, *_DAYS}), None)):
            return day
        if kind and (found := self._phrases.after_of(KINDS[kind][0])):
            return found
        if kind and (found := self._phrases.after(KINDS[kind][1], whole=whole or kind == "text")):
            return found
        return self._phrases.after(ANY, whole=whole) or self._phrases.rest() if must else None

    def _address(self, form: re.Pattern[str]) -> str | None:
        found = form.search(self._text)
        return found[0] if found else None

    def _day(self) -> str | None:
        """The date of the day that was named, that of the next weekday of that name included."""
        for word in self._words:
            if word in _NEAR_DAYS:
                return (self._now + timedelta(days=_NEAR_DAYS[word])).date().isoformat()
            if word in _DAYS:
                ahead = (_DAYS.index(word) - self._now.weekday() - 1) % 7 + 1
                return (self._now + timedelta(days=ahead)).date().isoformat()
        return None

    # ── when nothing was said ───────────────────────────────────────────────────────────────────────

    def _plainest(self, schema: Mapping[str, object], depth: int) -> object:
        for key in ("default", "const"):
            if key in schema:
                return schema[key]
        if choices := listing(schema.get("enum")):
            return choices[0]
        match _type(schema):
            case "boolean":
                return False
            case "integer" | "number" as kind:
                return _within(Fraction(0), kind, schema)
            case "array":
                fewest = schema.get("minItems")
                items = self._resolved(mapping(schema.get("items")))
                count = min(fewest, self._spare) if isinstance(fewest, int) and depth <= _DEEPEST else 0
                self._spare -= count
                return [self._plainest(items, depth + 1) for _ in range(count)]
            case "object":
                return self._object(schema, depth) if depth <= _DEEPEST else {}
            case "null":
                return None
            case _:
                return self._plainest_string(schema)

    def _plainest_string(self, schema: Mapping[str, object]) -> str:
        match schema.get("format"):
            case "date":
                return self._now.date().isoformat()
            case "date-time":
                return self._now.isoformat(timespec="seconds")
            case "time":
                return self._now.time().isoformat(timespec="seconds")
            case _:
                return _UNKNOWN

    def _resolved(self, schema: Mapping[str, object]) -> Mapping[str, object]:
        """A schema without references and alternatives: of those, the first that is not null."""
        for _ in range(_DEEPEST):
            if isinstance(reference := schema.get("$ref"), str):
                schema = _follow(self._root, reference)
                continue
            options = [mapping(one) for key in ("anyOf", "oneOf", "allOf") for one in listing(schema.get(key))]
            if not options:
                return schema
            bare = {key: value for key, value in schema.items() if key not in {"anyOf", "oneOf", "allOf"}}
            schema = {**next((one for one in options if one.get("type") != "null"), options[0]), **bare}
        return {}


def _numbers(words: Sequence[str]) -> list[_Number]:
    found: list[_Number] = []
    place = 0
    while place < len(words):
        if read := number.read(words, place):
            value, end = read
            after = stem(words[end]) if end < len(words) else ""
            found.append(_Number(value, frozenset(map(stem, words[max(0, place - 2) : place])), after))
            place = end
        else:
            place += 1
    return found


def _within(value: Fraction, kind: str, schema: Mapping[str, object]) -> int | float:
    """A number inside the schema's bounds."""
    step = 1 if kind == "integer" else Fraction(1, 1000)
    lows = [_bound(schema.get("minimum"), 0), _bound(schema.get("exclusiveMinimum"), step)]
    highs = [_bound(schema.get("maximum"), 0), _bound(schema.get("exclusiveMaximum"), -step)]
    for low in lows:
        value = value if low is None else max(value, low)
    for high in highs:
        value = value if high is None else min(value, high)
    return round(value) if kind == "integer" or value.denominator == 1 else float(value)


def _bound(limit: object, step: Fraction | int) -> Fraction | None:
    return Fraction(limit) + step if isinstance(limit, int | float) and not isinstance(limit, bool) else None


def _type(schema: Mapping[str, object]) -> str:
    match schema.get("type"):
        case str() as name:
            return name
        case None:
            return "object" if "properties" in schema else "string"
        case names:
            return next((str(name) for name in listing(names) if name != "null"), "null")


def _follow(root: Mapping[str, object], reference: str) -> Mapping[str, object]:
    found = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        found = mapping(found.get(step))
    return found
