"""Parameters of functions out of people's words."""

from datetime import UTC, datetime

import pytest

from vivavoce.engine.house.argument import Arguments

FRIDAY = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def filled(text: str, /, own: str = "", required: str = "", **properties: object) -> dict[str, object]:
    schema = {"type": "object", "properties": properties, "required": required.split()}
    return Arguments(text, FRIDAY, frozenset(own.split())).fill(schema)


def one(text: str, name: str, schema: dict[str, object]) -> object:
    return Arguments(text, FRIDAY, frozenset()).fill({"properties": {name: schema}}).get(name)


STRING: dict[str, object] = {"type": "string"}
INTEGER: dict[str, object] = {"type": "integer"}
NUMBER: dict[str, object] = {"type": "number"}
BOOLEAN: dict[str, object] = {"type": "boolean"}


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("what is the weather in Paris?", "city", "Paris"),
        ("what is the weather in new york today", "location", "new york"),
        ("the weather for the city of rome please", "place", "rome"),
        ("turn on the light in the living room", "room", "living room"),
        ("send a message to bob saying i am late", "recipient", "bob"),
        ("send a message to bob saying i am late", "message", "i am late"),
        ("remind me to buy milk and bread", "task", "buy milk and bread"),
        ("search for red shoes", "query", "red shoes"),
        ('add "buy milk, now" to my list', "item", "buy milk, now"),
        ("make a list called groceries", "name", "groceries"),
        ("play the title yesterday once more", "title", "yesterday once more"),
        ("a flight from london to rome", "origin", "london"),
        ("a flight from london to rome", "destination", "rome"),
        ("book a table for tomorrow", "date", "tomorrow"),
        ("book a table at eight on monday", "day", "monday"),
        ("book a table at noon", "time", "noon"),
        ("play a song by the beatles", "artist", None),
        ("what is the weather", "city", None),
    ],
)
def test_a_phrase_is_found_by_what_stands_before_it(text: str, name: str, value: str | None) -> None:
    assert one(text, name, STRING) == value


def test_two_parameters_do_not_take_the_same_words() -> None:
    assert filled("a flight from london to rome", origin=STRING, destination=STRING) == {
        "origin": "london",
        "destination": "rome",
    }
    assert filled("send to bob that i am late", required="to body", to=STRING, body=STRING) == {
        "to": "bob",
        "body": "i am late",
    }


def test_a_required_string_takes_what_is_left() -> None:
    assert filled("play jazz", own="play music", required="genre", genre=STRING) == {"genre": "jazz"}
    assert filled("translate hello into french", own="translate", required="thing", thing=STRING) == {
        "thing": "hello into french"
    }
    assert filled("", required="genre", genre=STRING) == {"genre": "unknown"}


@pytest.mark.parametrize(
    ("text", "value"),
    [("tomorrow", "2026-11-21"), ("on monday", "2026-11-23"), ("next friday", "2026-11-27"), ("today", "2026-11-20")],
)
def test_a_date_is_written_as_one(text: str, value: str) -> None:
    assert filled(text, when={"type": "string", "format": "date"}) == {"when": value}
    moment = filled(text, when={"type": "string", "format": "date-time"})["when"]
    assert moment == f"{value}T12:00:00+0000"


def test_addresses_are_found_by_their_form() -> None:
    text = "write to ann@example.com about https://example.com/x"
    email, uri = {"type": "string", "format": "email"}, {"type": "string", "format": "uri"}
    assert filled(text, who=email, link=uri) == {"who": "ann@example.com", "link": "https://example.com/x"}
    assert filled("write to ann", who=email) == {}


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("set the volume to seven", "volume", 7),
        ("set a timer for ten minutes", "minutes", 10),
        ("set a timer for ten minutes", "seconds", 600),
        ("set a timer for two hours", "duration_minutes", 120),
        ("a timer of 90 seconds", "seconds", 90),
        ("no number here", "volume", None),
    ],
)
def test_a_number_is_taken_in_the_unit_of_the_parameter(text: str, name: str, value: int | None) -> None:
    assert one(text, name, INTEGER) == value


def test_numbers_go_where_their_neighbours_say() -> None:
    assert filled("bass to seven and volume to five", volume=INTEGER, bass=INTEGER) == {"volume": 5, "bass": 7}
    assert filled("three point five and two", a=NUMBER, b=INTEGER) == {"a": 3.5, "b": 2}


@pytest.mark.parametrize(
    ("bounds", "value"),
    [
        ({"minimum": 0, "maximum": 100}, 100),
        ({"exclusiveMaximum": 100}, 99),
        ({"minimum": 500}, 500),
        ({"exclusiveMinimum": 500}, 501),
        ({"minimum": True}, 200),
    ],
)
def test_a_number_stays_within_its_bounds(bounds: dict[str, object], value: int) -> None:
    assert filled("set it to two hundred", level={"type": "integer", **bounds}) == {"level": value}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("turn on the light", True),
        ("turn off the light", False),
        ("do not do it", False),
        ("make it loud", True),
        ("well", None),
    ],
)
def test_a_choice_between_yes_and_no_is_heard(text: str, value: bool | None) -> None:
    assert filled(text, loud=BOOLEAN).get("loud") == value


def test_a_choice_is_taken_when_it_is_mentioned() -> None:
    colour = {"enum": ["blue", "light_blue", "red", 7, None]}
    assert filled("make it light blue", colour=colour) == {"colour": "light_blue"}
    assert filled("make it blue", colour=colour) == {"colour": "blue"}
    assert filled("make it seven 7", colour=colour) == {"colour": 7}
    assert filled("make it green", colour=colour) == {}
    assert filled("make it green", required="colour", colour=colour) == {"colour": "blue"}
    assert filled("make it green", required="colour", colour={**colour, "default": "red"}) == {"colour": "red"}
    assert filled("anything", fixed={"const": 3}) == {"fixed": 3}


def test_lists_take_all_that_was_said() -> None:
    texts = {"type": "array", "items": STRING}
    assert filled("add the items milk, bread and eggs", items=texts) == {"items": ["milk", "bread", "eggs"]}
    assert filled("the numbers one two and three", numbers={"type": "array", "items": INTEGER}) == {
        "numbers": [1, 2, 3]
    }
    days = {"type": "array", "items": {"enum": ["monday", "tuesday", "friday"]}}
    assert filled("on friday and monday", days=days) == {"days": ["monday", "friday"]}
    lamps = {"type": "array", "items": {"type": "object", "properties": {"room": STRING}}}
    assert filled("the lamp in the kitchen", lamps=lamps) == {"lamps": [{"room": "kitchen"}]}
    assert filled("nothing", days=days) == {}
    assert filled("nothing", required="days", days=days) == {"days": []}
    assert filled("nothing", required="days", days={**days, "minItems": 2}) == {"days": ["monday", "monday"]}


def test_required_values_are_always_there_and_of_their_type() -> None:
    said_nothing = filled(
        "",
        required="text number integer flag list object null date moment time chosen given any none",
        text=STRING,
        number={"type": "number", "minimum": 1.5},
        integer=INTEGER,
        flag=BOOLEAN,
        list={"type": "array"},
        object={"type": "object", "properties": {"a": STRING, "b": STRING}, "required": ["a"]},
        null={"type": "null"},
        date={"type": "string", "format": "date"},
        moment={"type": "string", "format": "date-time"},
        time={"type": "string", "format": "time"},
        chosen={"enum": ["x", "y"]},
        given={"type": "string", "default": "z"},
        any={},
        none={"type": ["null"]},
    )
    assert said_nothing == {
        "text": "unknown",
        "number": 1.5,
        "integer": 0,
        "flag": False,
        "list": [],
        "object": {"a": "unknown"},
        "null": None,
        "date": "2026-11-20",
        "moment": "2026-11-20T12:00:00+00:00",
        "time": "12:00:00",
        "chosen": "x",
        "given": "z",
        "any": "unknown",
        "none": None,
    }


def test_types_may_be_alternatives_and_references() -> None:
    schema: dict[str, object] = {
        "properties": {
            "city": {"anyOf": [{"type": "null"}, {"type": "string"}]},
            "days": {"type": ["null", "integer"]},
            "unit": {"$ref": "#/$defs/Unit"},
            "where": {"allOf": [{"$ref": "#/$defs/Where"}], "description": "a place"},
        },
        "required": ["city", "days", "unit"],
        "$defs": {
            "Unit": {"enum": ["celsius", "fahrenheit"]},
            "Where": {"type": "object", "properties": {"room": {"type": "string"}}},
        },
    }
    assert Arguments("the city of rome, three days, in fahrenheit", FRIDAY, frozenset()).fill(schema) == {
        "city": "rome",
        "days": 3,
        "unit": "fahrenheit",
        "where": {"room": "fahrenheit"},
    }


def test_a_reference_to_nowhere_asks_for_a_text() -> None:
    assert filled("", required="lost", lost={"$ref": "#/$defs/Lost"}) == {"lost": "unknown"}


def test_a_schema_that_refers_to_itself_comes_to_an_end() -> None:
    names = [f"p{n}" for n in range(10)]
    node: dict[str, object] = {
        "type": "object",
        "properties": {name: {"$ref": "#"} for name in names},
        "required": names,
    }
    assert set(Arguments("hello", FRIDAY, frozenset()).fill(node)) == set(names)
    assert Arguments("x", FRIDAY, frozenset()).fill({"properties": {"a": {"$ref": "#/properties/a"}}}) == {}
    lists: dict[str, object] = {"type": "array", "minItems": 50, "items": {"$ref": "#/properties/a"}}
    assert len(str(Arguments("x", FRIDAY, frozenset()).fill({"properties": {"a": lists}, "required": ["a"]}))) < 5000


@pytest.mark.parametrize(
    "schema", [{}, {"type": "string"}, {"properties": []}, {"properties": {"a": 5}, "required": 7}]
)
def test_a_schema_that_is_none_gets_no_arguments(schema: dict[str, object]) -> None:
    assert Arguments("hello", FRIDAY, frozenset()).fill(schema) == {}
