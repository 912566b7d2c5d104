"""Reads a raw JSON value as a wire type, and finds every key of it that the type lacks.

One walk serves both readers. The strict one stops at the first misfit, unknown keys included. The tolerant one
is given a place for extras: it puts there, by path, each unknown key and each optional value or list element that
does not fit, and goes on without them; ranges and lengths do not bother it. What it cannot do without still raises.

A shape is one kind of type; `schema` makes it from the annotation.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from types import NoneType
from typing import Final, cast

from msgspec import Meta, Struct, structs

from vivavoce.wire.misfit import Misfit, Path, child, missing, shown, unknown, wrong_type, wrong_value

MAX_DEPTH: Final = 64
"""Nesting allowed inside free JSON, far below what a JSON writer can recurse into."""

MAX_ELEMENTS: Final = 10_000
"""Elements of one list or mapping that a client may send, so that reading one event cannot hold up every call."""

MAX_VALUES: Final = 100_000
"""Values of all levels inside one piece of free JSON, for the same reason."""

INTEGERS: Final = range(-(2**63), 2**63)
"""What every JSON writer in reach can write."""

Extras = dict[Path, object]


class Shape(ABC):
    """Reads one type. `kinds` are the Python types that the JSON reader yields for it."""

    kinds: tuple[type, ...]
    called: str

    @abstractmethod
    def read(self, raw: object, path: Path, extras: Extras | None) -> object:
        """The value, built.

        Args:
            raw: what the JSON reader made of it.
            path: where it stands.
            extras: where a tolerant walk leaves what does not fit; None makes it strict.

        Raises:
            Misfit: it does not fit.
        """


class Text(Shape):
    """A string."""

    kinds = (str,)
    called = "a string"

    def __init__(self, meta: Meta | None) -> None:
        self.most = meta.max_length if meta else None
        self.pattern = re.compile(meta.pattern) if meta and meta.pattern else None

    def read(self, raw: object, path: Path, extras: Extras | None) -> object:
        """The string, within its length and form."""
        if not isinstance(raw, str):
            raise wrong_type(path, self.called, raw)
        if extras is None:
            if self.most is not None and len(raw) > self.most:
                raise wrong_value(path, f"{len(raw)} characters long", f"at most {self.most}")
            if self.pattern is not None and not self.pattern.fullmatch(raw):
                raise wrong_value(path, "of another form", f"a match of {self.pattern.pattern}")
        return raw


class Flag(Shape):
    """True or false."""

    kinds = (bool,)
    called = "a boolean"

    def read(self, raw: object, path: Path, extras: Extras | None) -> object:
        """The boolean."""
        if not isinstance(raw, bool):
            raise wrong_type(path, self.called, raw)
        return raw


class Null(Shape):
    """An explicit null."""

    kinds = (NoneType,)
    called = "null"

    def read(self, raw: object, path: Path, extras: Extras | None) -> object:
        """None."""
        if raw is not None:
            raise wrong_type(path, self.called, raw)
        return raw


class Number(Shape):
    """A number; `whole` ones may be written `3.0`, since JavaScript knows no other."""

    kinds = (int, float)

    def __init__(self, meta: Meta | None, *, whole: bool) -> None:
        self.least = meta.ge if meta else None
        self.most = meta.le if meta else None
        self.whole = whole
        self.called = "an integer" if whole else "a number"

    def read(self, raw: object, path: Path, extras: Extras | None) -> object:
        """The number, within 64 bits and its range."""
        if isinstance(raw, bool) or not isinstance(raw, (int, float)):
            raise wrong_type(path, self.called, raw)
        if self.whole and raw % 1 != 0:
            raise wrong_type(path, self.called, raw)
        number = int(raw) if self.whole else raw
        if isinstance(number, int) and number not in INTEGERS:
            raise wrong_value(path, "too large", "an integer of 64 bits")
        if extras is None:
            self._weigh(number, path)
        return number if self.whole else float(number)

    def _weigh(self, value: float, path: Path) -> None:
        if self.least is not None and value < self.least:
            raise wrong_value(path, shown(value), f"at least {self.least}")
        if self.most is not None and value > self.most:
            raise wrong_value(path, shown(value), f"at most {self.most}")


class Choice(Shape):
    """One of a few strings, or one of a few integers."""

    def __init__(self, allowed: tuple[object, ...]) -> None:
        self.allowed = allowed
        self.kinds = tuple({type(value) for value in allowed})
        self.called = listed(allowed)

    def read(self, raw: object, path: Path, extras: Extras | None) -> object:
        """The value, if it is one of those allowed."""
        if type(raw) not in self.kinds:
            raise wrong_type(path, self.called, raw)
        if raw not in self.allowed:
            raise wrong_value(path, shown(raw), self.called)
        return raw


class Free(Shape):
    """Any JSON, kept as it is, as long as it can be written again."""

    kinds = (str, bool, int, float, list, dict, NoneType)
    called = "any value"

    def read(self, raw: object, path: Path, extras: Extras | None) -> object:
        """The value itself, if it is not nested too deeply and its integers can be written."""
        level: list[object] = [raw]
        values = 0
        for _ in range(MAX_DEPTH):
            values += len(level)
            if values > MAX_VALUES:
                raise wrong_value(path, "too large", f"at most {MAX_VALUES} values")
            below: list[object] = []
            for value in level:
                if isinstance(value, dict):
                    below.extend(cast("dict[str, object]", value).values())
                elif isinstance(value, list):
                    below.extend(cast("list[object]", value))
                elif isinstance(value, int) and value not in INTEGERS:
                    raise wrong_value(path, "or holds an integer too large", "integers of 64 bits")
            if not below:
                return raw
            level = below
        raise wrong_value(path, "nested too deeply", f"at most {MAX_DEPTH} levels")


class Row(Shape):
    """A list. A tolerant walk leaves out the elements that do not fit."""

    kinds = (list,)
    called = "an array"

    def __init__(self, element: Shape, meta: Meta | None) -> None:
        self.element = element
        self.least = (meta.min_length if meta else None) or 0
        self.most = (meta.max_length if meta else None) or MAX_ELEMENTS

    def read(self, raw: object, path: Path, extras: Extras | None) -> object:
        """The elements, in order."""
        if not isinstance(raw, list):
            raise wrong_type(path, self.called, raw)
        elements = cast("list[object]", raw)
        if extras is None:
            if len(elements) < self.least:
                raise wrong_value(path, f"of length {len(elements)}", f"at least {self.least}")
            if len(elements) > self.most:
                raise wrong_value(path, f"of length {len(elements)}", f"at most {self.most}")
            return [self.element.read(element, f"{path}[{index}]", None) for index, element in enumerate(elements)]
        kept: list[object] = []
        for index, element in enumerate(elements):
            at = f"{path}[{index}]"
            try:
                kept.append(self.element.read(element, at, extras))
            except Misfit:
                set_aside(extras, at, element)
        return kept


class Map(Shape):
    """An object with free keys."""

    kinds = (dict,)
    called = "an object"

    def __init__(self, key: Shape, value: Shape, meta: Meta | None) -> None:
        self.key = key
        self.value = value
        self.most = (meta.max_length if meta else None) or MAX_ELEMENTS

    def read(self, raw: object, path: Path, extras: Extras | None) -> object:
        """The pairs, in order."""
        if not isinstance(raw, dict):
            raise wrong_type(path, self.called, raw)
        pairs = cast("dict[str, object]", raw)
        if extras is None and len(pairs) > self.most:
            raise wrong_value(path, f"an object of {len(pairs)} keys", f"at most {self.most}")
        read: dict[str, object] = {}
        for key, value in pairs.items():
            at = child(path, key)
            self.key.read(key, at, extras)
            try:
                read[key] = self.value.read(value, at, extras)
            except Misfit:
                if extras is None:
                    raise
                set_aside(extras, at, value)
        return read


class Record(Shape):
    """An object with fixed keys: a struct."""

    kinds = (dict,)
    called = "an object"

    def __init__(self, struct: type[Struct], fields: Mapping[str, Shape], *, server_only: Collection[str]) -> None:
        self.struct = struct
        self.fields = fields
        self.server_only = server_only
        self.tag_key = struct.__struct_config__.tag_field
        self.required = tuple(info.encode_name for info in structs.fields(struct) if info.required)
        self.known = [key for key in (self.tag_key, *fields) if key and key not in server_only]

    def read(self, raw: object, path: Path, extras: Extras | None) -> object:
        """The struct."""
        if not isinstance(raw, dict):
            raise wrong_type(path, self.called, raw)
        pairs = cast("dict[str, object]", raw)
        values = self._strictly(pairs, path) if extras is None else self._tolerantly(pairs, path, extras)
        for key in self.required:
            if key not in values:
                raise missing(child(path, key))
        return self.struct(**values)

    def _strictly(self, pairs: dict[str, object], path: Path) -> dict[str, object]:
        values: dict[str, object] = {}
        for key, value in pairs.items():
            at = f"{path}.{key}" if path else key
            known = self.fields.get(key)
            if known is not None and key not in self.server_only:
                values[key] = known.read(value, at, None)
            elif key != self.tag_key:
                raise unknown(at, self.known)
        return values

    def _tolerantly(self, pairs: dict[str, object], path: Path, extras: Extras) -> dict[str, object]:
        values: dict[str, object] = {}
        for key, value in pairs.items():
            at = f"{path}.{key}" if path else key
            known = self.fields.get(key)
            if known is not None:
                try:
                    values[key] = known.read(value, at, extras)
                except Misfit:
                    if key in self.required:
                        raise
                    set_aside(extras, at, value)
            elif key != self.tag_key:
                extras[at] = value
        return values


class Kin(Shape):
    """Objects told apart by the value of one key."""

    kinds = (dict,)
    called = "an object"

    def __init__(self, key: str, members: Mapping[str, Shape]) -> None:
        self.key = key
        self.members = members

    def read(self, raw: object, path: Path, extras: Extras | None) -> object:
        """The struct that the key names."""
        if not isinstance(raw, dict):
            raise wrong_type(path, self.called, raw)
        at = child(path, self.key)
        values = cast("dict[str, object]", raw)
        if self.key not in values:
            raise missing(at)
        name = values[self.key]
        if not isinstance(name, str):
            raise wrong_type(at, "a string", name)
        member = self.members.get(name)
        if member is None:
            raise wrong_value(at, shown(name), listed(self.members))
        return member.read(values, path, extras)


class Either(Shape):
    """A union; which member is meant shows in the kind of JSON value."""

    def __init__(self, members: Iterable[Shape]) -> None:
        self.by_kind = {kind: member for member in members for kind in member.kinds}
        self.kinds = tuple(self.by_kind)
        self.called = " or ".join(dict.fromkeys(member.called for member in self.by_kind.values()))

    def read(self, raw: object, path: Path, extras: Extras | None) -> object:
        """What the member for this kind of value makes of it."""
        member = self.by_kind.get(type(raw))
        if member is None:
            raise wrong_type(path, self.called, raw)
        return member.read(raw, path, extras)


def set_aside(extras: Extras, path: Path, value: object) -> None:
    """Leave out a value that does not fit, and with it what was left out inside it before that was known."""
    for inner in [known for known in extras if known.startswith((f"{path}.", f"{path}["))]:
        del extras[inner]
    extras[path] = value


def listed(values: Iterable[object]) -> str:
    """Allowed values for a message."""
    names = [repr(value) for value in values]
    return names[0] if len(names) == 1 else f"one of {', '.join(names)}"
