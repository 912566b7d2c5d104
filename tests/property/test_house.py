"""Laws of the house thinker, whatever people say and applications declare."""

import json
from datetime import UTC, datetime
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engine.house.argument import Arguments
from vivavoce.engine.house.outcome import tell
from vivavoce.engine.house.thinker import answer
from vivavoce.engine.house.turn import Outcome, Turn
from vivavoce.engine.house.value import listing, mapping
from vivavoce.engine.interface import Prompt
from vivavoce.wire.item import AssistantMessage, InputText, Item, OutputAudio, UserMessage

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
WORDS = [
    *[
        "what",
        "is",
        "the",
        "time",
        "count",
        "to",
        "ten",
        "spell",
        "say",
        "repeat",
        "after",
        "me",
        "two",
        "plus",
        "times",
    ],
    *[
        "square",
        "root",
        "of",
        "percent",
        "half",
        "point",
        "minus",
        "hundred",
        "thousand",
        "in",
        "for",
        "called",
        "monday",
    ],
    *[
        "on",
        "off",
        "not",
        "and",
        "my",
        "name",
        "you",
        "did",
        "hello",
        "3.5",
        "1,000",
        "(",
        ")",
        "^",
        "!",
        "?",
        ",",
        '"',
    ],
]
said = st.one_of(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join), st.text(max_size=200))

names = st.sampled_from(["city", "to", "text", "date", "title", "minutes", "volume", "on", "kind", "itemsList"])
Schema: TypeAlias = dict[str, object]


def typed(kind: str) -> Schema:
    return {"type": kind}


def bounded(kind: str, low: int, size: int) -> Schema:
    return {"type": kind, "minimum": low, "maximum": low + size}


def chosen(choices: list[object]) -> Schema:
    return {"enum": choices}


def array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[Schema]) -> Schema:
    properties = draw(st.dictionaries(names, inner, max_size=4))
    required = [name for name in properties if draw(st.booleans())]
    return {"type": "object", "properties": properties, "required": required}


scalars: st.SearchStrategy[Schema] = st.one_of(
    st.builds(typed, st.sampled_from(["string", "boolean", "null"])),
    st.builds(bounded, st.sampled_from(["integer", "number"]), st.integers(-100, 100), st.integers(0, 100)),
    st.builds(chosen, st.lists(st.sampled_from(["red", "two words", 3]), min_size=1)),
)


def nested(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    return st.one_of(objects(inner), st.builds(array, inner))


schemas = st.recursive(scalars, nested, max_leaves=8)


def keeps(value: object, schema: Schema) -> bool:
    """Whether a value is what its schema asks for."""
    if "enum" in schema:
        return value in listing(schema["enum"])
    match schema["type"]:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "null":
            return value is None
        case "integer" | "number" as kind:
            low, high = schema["minimum"], schema["maximum"]
            assert isinstance(low, int)
            assert isinstance(high, int)
            return isinstance(value, int if kind == "integer" else (int, float)) and low <= value <= high
        case "array":
            return all(keeps(one, mapping(schema["items"])) for one in listing(value)) and isinstance(value, list)
        case _:
            properties, filled = mapping(schema["properties"]), mapping(value)
            named = set(listing(schema["required"])) <= set(filled) <= set(properties)
            return (
                isinstance(value, dict)
                and named
                and all(keeps(filled[name], mapping(properties[name])) for name in filled)
            )


@given(said, objects(schemas))
def test_arguments_are_what_their_schema_asks_for(text: str, schema: dict[str, object]) -> None:
    assert keeps(Arguments(text, NOW, frozenset({"set"})).fill(schema), schema)


@given(st.lists(said, max_size=4), said)
def test_everything_gets_an_answer(before: list[str], text: str) -> None:
    items: list[Item] = []
    for turn in before:
        items += [
            UserMessage(content=[InputText(text=turn)]),
            AssistantMessage(content=[OutputAudio(transcript=turn)]),
        ]
    items.append(UserMessage(content=[InputText(text=text)]))
    prompt = Prompt(model="house", instructions=text, items=tuple(items))
    assert answer(Turn.of(prompt, "Viva", NOW)).strip()


def inside(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4))


leaves: st.SearchStrategy[object] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20)
)
json_values = st.recursive(leaves, inside, max_leaves=12)


@given(st.one_of(json_values.map(json.dumps), st.text(max_size=50)))
def test_every_output_is_told(output: str) -> None:
    assert tell([Outcome("get_thing", output)]).strip()
