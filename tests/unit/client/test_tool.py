"""What a model is told of a Python function, and what happens when it calls one."""

import json
import threading
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Literal

import pytest

from vivavoce.client.tool import Function, Tool, read_docstring, tools
from vivavoce.errors import ConfigError


class Unit(Enum):
    CELSIUS = "c"
    FAHRENHEIT = "f"


@dataclass
class Place:
    lat: float
    lon: float


def weather(city: str, days: int = 3, unit: Unit = Unit.CELSIUS) -> dict[str, object]:
    """Tell the weather.

    For a few days.

    Args:
        city: Name of a town,
            anywhere.
        days (int): How many days.
        unit: Which degrees.

    Returns:
        What the weather is.
    """
    return {"city": city, "days": days, "unit": unit.name}


async def distance(start: Place, to: Annotated[Place, "Where one goes"], by: Literal["car", "foot"]) -> float:
    """How far it is."""
    return abs(start.lat - to.lat) + abs(start.lon - to.lon) + len(by)


def test_a_model_is_told_what_a_function_is_for_and_what_it_takes() -> None:
    declared = Tool(weather).declaration
    assert declared.name == "weather"
    assert declared.description == "Tell the weather.\n\nFor a few days."
    parameters = json.loads(json.dumps(declared.parameters))
    assert parameters["required"] == ["city"]
    assert parameters["properties"]["city"] == {"type": "string", "description": "Name of a town, anywhere."}
    assert parameters["properties"]["days"] == {"type": "integer", "description": "How many days."}


def test_types_within_types_are_declared_too() -> None:
    parameters = json.loads(json.dumps(Tool(distance).declaration.parameters))
    assert parameters["type"] == "object"
    assert parameters["properties"]["by"]["enum"] == ["car", "foot"]
    assert parameters["properties"]["to"]["description"] == "Where one goes"
    assert set(parameters["$defs"]["Place"]["properties"]) == {"lat", "lon"}


async def test_a_function_gets_what_the_model_sent_and_its_own_defaults() -> None:
    assert json.loads(await Tool(weather).run('{"city":"Rome","unit":"f"}')) == {
        "city": "Rome",
        "days": 3,
        "unit": "FAHRENHEIT",
    }
    arguments = '{"start":{"lat":1,"lon":2},"to":{"lat":3,"lon":4},"by":"car"}'
    assert json.loads(await Tool(distance).run(arguments)) == 7.0


@pytest.mark.parametrize("arguments", ["", "{", "[]", '{"city":3}', '{"city":"Rome","colour":"red"}', "null"])
async def test_arguments_that_do_not_fit_are_told_to_the_model(arguments: str) -> None:
    assert "error" in json.loads(await Tool(weather).run(arguments))


async def test_a_function_that_fails_tells_the_model_why() -> None:
    def fail(reason: str) -> None:
        raise RuntimeError(reason)

    assert json.loads(await Tool(fail).run('{"reason":"no money"}')) == {"error": "RuntimeError: no money"}


async def test_a_plain_function_does_not_hold_up_the_call() -> None:
    def where() -> bool:
        return threading.current_thread() is threading.main_thread()

    assert await Tool(where).run("{}") == "false"


async def test_texts_are_handed_over_as_they_are_and_all_else_as_json() -> None:
    def text() -> str:
        return "Sunny."

    def nothing() -> None: ...

    def odd() -> object:
        return {object()}

    assert await Tool(text).run("{}") == "Sunny."
    assert await Tool(nothing).run("") == "null"
    assert "object" in await Tool(odd).run("{}")


def test_a_function_without_a_docstring_or_types_takes_texts() -> None:
    names: dict[str, Function] = {}
    exec("def search(words): return words", names)
    assert Tool(names["search"]).declaration.parameters == {
        "type": "object",
        "properties": {"words": {"type": "string"}},
        "required": ["words"],
        "additionalProperties": False,
    }


def test_what_has_no_name_cannot_be_called() -> None:
    with pytest.raises(ConfigError):
        Tool(lambda: 1)


def test_arguments_in_any_number_are_refused() -> None:
    def add(*numbers: int) -> int:
        return sum(numbers)

    with pytest.raises(ConfigError):
        Tool(add)


def test_a_type_that_json_has_not_is_refused() -> None:
    def look(at: threading.Thread) -> None: ...

    with pytest.raises(ConfigError):
        Tool(look)


def test_two_functions_of_one_name_are_refused() -> None:
    assert list(tools([weather, distance])) == ["weather", "distance"]
    with pytest.raises(ConfigError):
        tools([weather, weather])


def test_a_docstring_without_arguments_is_all_summary() -> None:
    assert read_docstring("One line.") == ("One line.", {})
    assert read_docstring("") == ("", {})
