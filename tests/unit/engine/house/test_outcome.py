"""How the results of functions are told."""

import pytest

from vivavoce.engine.house.outcome import tell
from vivavoce.engine.house.turn import Outcome


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ('{"temperature": 21}', "The temperature is 21."),
        ('{"temperature_c": -3.5, "sky": "clear"}', "The temperature is minus 3.5 degrees and the sky is clear."),
        (
            '{"city": "Rome", "humidity_percent": 40, "wind_kmh": 12}',
            "The city is Rome, the humidity is 40 percent and the wind is 12 kilometres per hour.",
        ),
        ('{"isOpen": true, "crowded": false}', "It is open and it is not crowded."),
        ('{"wind": {"speed": 5, "from": "west"}}', "The wind speed is 5 and the wind from is west."),
        ('{"result": {"price": 3}}', "The price is 3."),
        ('{"result": 42}', "The answer is 42."),
        ('{"message": "the door is open"}', "The door is open."),
        ('{"tags": ["a", "b", "c"]}', "The tags is a, b and c."),
        ('{"next": null}', "The next is nothing."),
        ('["red", "green"]', "Red and green."),
        ('[{"name": "Ann"}, {"name": "Bob"}]', "The number 1 name is Ann and the number 2 name is Bob."),
        ('[{"name": "Ann"}]', "The name is Ann."),
        ("21", "The answer is 21."),
        ("-21", "The answer is minus 21."),
        ("false", "The answer is no."),
        ('"the door is open"', "The door is open."),
        ("the door is open", "The door is open."),
        ("It is 20\n degrees!", "It is 20 degrees!"),
        ("", "Get weather is done."),
        ("ok", "Get weather is done."),
        ("true", "Get weather is done."),
        ("null", "The answer is nothing."),
        ("{}", "The answer is nothing."),
        ('{"error": "no such city"}', "Get weather failed: No such city."),
        ('{"error": {"code": 5, "message": "no such city"}}', "Get weather failed: No such city."),
        ('{"error": {"code": 5}}', "Get weather failed: The code is 5."),
        ("{broken", "{broken."),
    ],
)
def test_an_output_is_told_in_a_sentence(output: str, told: str) -> None:
    assert tell([Outcome("get_weather", output)]) == told


def test_a_long_list_of_facts_is_not_read_to_the_end() -> None:
    output = "{" + ", ".join(f'"k{n}": {n}' for n in range(20)) + "}"
    told = tell([Outcome("f", output)])
    assert told.endswith("the k7 is 7 and there are 12 more.")


def test_a_long_text_is_not_read_to_the_end() -> None:
    assert len(tell([Outcome("f", "word " * 1000)])) < 420


def test_a_function_whose_call_is_not_known_can_still_be_told() -> None:
    assert tell([Outcome("", "ok")]) == "The function is done."


@pytest.mark.parametrize("output", ["[" * 5000 + "]" * 5000, '{"a":' * 900 + "1" + "}" * 900])
def test_an_output_without_bottom_is_given_up(output: str) -> None:
    assert len(tell([Outcome("f", output)])) < 2000
