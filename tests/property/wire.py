"""JSON by chance, made from the wire's own types: what fits them, and what nearly does."""

from typing import Any, Final, cast

from hypothesis import strategies as st

from vivavoce.wire.shape import Choice, Either, Flag, Free, Kin, Map, Null, Number, Record, Row, Shape, Text

Json = Any

WORDS: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
FREE: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
ODD: Final[st.SearchStrategy[Json]] = st.sampled_from(
    [
        None,
        True,
        "",
        "x" * 600,
        -1,
        10**18,
        10**25,
        1e300,
        0.5,
        [],
        {},
        [[[]]],
        {"type": "x"},
        "\u0000",
        "é",
        ["text", 1],
    ]
)


def fitting(shape: Shape) -> st.SearchStrategy[Json]:
    """Values of a shape."""
    match shape:
        case Row():
            least = shape.least
            return st.lists(fitting(shape.element), min_size=least, max_size=max(least, min(shape.most, 3)))
        case Map():
            return st.dictionaries(fitting(shape.key), fitting(shape.value), max_size=3)
        case Record():
            return record(shape)
        case Kin():
            return st.one_of([member(shape.key, tag, each) for tag, each in shape.members.items()])
        case Either():
            return st.one_of([fitting(each) for each in dict.fromkeys(shape.by_kind.values())])
        case _:
            return scalar(shape)


def scalar(shape: Shape) -> st.SearchStrategy[Json]:
    match shape:
        case Text():
            return WORDS if shape.pattern is None else st.from_regex(shape.pattern, fullmatch=True)
        case Number():
            least, most = shape.least or 0, shape.most or 9
            return st.integers(int(least), int(most)) if shape.whole else st.floats(float(least), float(most))
        case Choice():
            return st.sampled_from(shape.allowed)
        case Flag():
            return st.booleans()
        case Null():
            return st.none()
        case Free():
            return FREE
        case _:
            raise TypeError(f"no values are known for {shape!r}")


def member(key: str, tag: str, shape: Shape) -> st.SearchStrategy[Json]:
    return fitting(shape).map(lambda value: {key: tag, **value})


def record(shape: Record) -> st.SearchStrategy[Json]:
    fields = {key: each for key, each in shape.fields.items() if key not in shape.server_only}
    return st.fixed_dictionaries(
        {key: fitting(each) for key, each in fields.items() if key in shape.required},
        optional={
            key: st.deferred(lambda each=each: fitting(each))
            for key, each in fields.items()
            if key not in shape.required
        },
    )


def keys_of(value: object) -> list[Any]:
    """What leads to the parts of a value."""
    if isinstance(value, dict):
        return list(cast("dict[str, object]", value))
    return list(range(len(cast("list[object]", value)))) if isinstance(value, list) else []


@st.composite
def spoilt(draw: st.DrawFn, whole: st.SearchStrategy[Json]) -> Json:
    """A value in one place of which something else stands, or is missing, or is too much."""
    value: Any = draw(whole)
    place: Any = value
    while True:
        keys = keys_of(place)
        if not keys:
            return value
        key = draw(st.sampled_from(keys))
        if not keys_of(place[key]) or draw(st.booleans()):
            break
        place = place[key]
    match draw(st.sampled_from(["other", "gone", "more"])):
        case "other":
            place[key] = draw(ODD)
        case "gone":
            del place[key]
        case _ if isinstance(key, str):
            place["whatever"] = draw(ODD)
        case _:
            place.append(draw(ODD))
    return value
