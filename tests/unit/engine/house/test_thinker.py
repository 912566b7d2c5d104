"""What the house thinker says to what people say, and to what a recogniser makes of it."""

import asyncio
import json
from itertools import pairwise

import pytest

from tests.unit.engine.house.conversation import asked, call, house, output, user, wrote
from vivavoce.engine.house import open_thinker
from vivavoce.engine.house.exercise import MOST_NUMBERS
from vivavoce.engine.interface import Prompt, Thinking, Thought, ToolArguments, ToolCall, Words
from vivavoce.errors import ConfigError
from vivavoce.testing.clock import ManualClock
from vivavoce.wire.config import FunctionTool
from vivavoce.wire.item import AssistantMessage, InputImage, InputText, OutputText, SystemMessage, UserMessage

WEATHER = FunctionTool(
    name="get_weather",
    description="Get the current weather in a city",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
LIGHT = FunctionTool(
    name="set_light",
    description="Switch a light on or off",
    parameters={
        "type": "object",
        "properties": {"room": {"type": "string"}, "on": {"type": "boolean"}},
        "required": ["room", "on"],
    },
)
FAVOURITE = "What is the capital of France?"


async def think(prompt: Prompt, **options: str) -> list[Thinking]:
    """At noon UTC on Friday, 20 November 2026, unless the zone says otherwise."""
    async with open_thinker({"zone": "UTC", **options}, ManualClock()) as thinker:
        return [step async for step in thinker.think(prompt)]


async def answer(prompt: Prompt, **options: str) -> str:
    return "".join(step.delta for step in await think(prompt, **options) if isinstance(step, Words))


async def calls(prompt: Prompt) -> list[tuple[str, object]]:
    named: dict[int, str] = {}
    arguments: dict[int, str] = {}
    for step in await think(prompt):
        match step:
            case ToolCall(index, name):
                named[index] = name
            case ToolArguments(index, delta):
                arguments[index] = arguments.get(index, "") + delta
            case _:
                assert not isinstance(step, Words)
    return [(name, json.loads(arguments[index])) for index, name in sorted(named.items())]


# ── a table of what people say ──────────────────────────────────────────────────────────────────────────

GREETED = "What can I do for you?"
UNKNOWN = "Ask me what I can do."
TABLE = {
    # greetings, names and courtesies
    "Hello.": GREETED,
    "hello there": GREETED,
    "good morning": GREETED,
    "Who are you?": "I am Viva",
    "what is your name": "I am Viva",
    "my name is ann": "Nice to meet you, Ann.",
    "what can you do": "I tell the time and the date.",
    "Help!": "I tell the time and the date.",
    "can you help me what can i ask you": "I tell the time and the date.",
    "How are you?": "I am well",
    "can you hear me": "Yes, I hear you.",
    "Are you still there?": "Yes, I hear you.",
    "thank you very much": "You are welcome.",
    "Thanks, bye!": "You are welcome. Goodbye!",
    "goodbye": "Goodbye!",
    "stop": "All right.",
    "never mind": "All right.",
    "Okay.": "All right.",
    # time and date
    "What time is it?": "It is noon.",
    "what's the time please": "It is noon.",
    "what's a time please": "It is noon.",
    "so what is your name": "I am Viva",
    "do you know what time it is": "It is noon.",
    "What time is it in Tokyo?": "In Tokyo it is nine o'clock in the evening.",
    "what time is it in new york right now": "In New York it is seven o'clock in the morning.",
    "what time is it in atlantis": "It is noon.",
    "What is the date today?": "Today is Friday, the 20th of November 2026.",
    "what is the day today": "Today is Friday",
    "which day is it": "Today is Friday",
    "what day is it tomorrow": "Tomorrow is Saturday, the 21st of November 2026.",
    "what day was it yesterday": "Yesterday was Thursday, the 19th",
    "what year is it": "It is the year 2026.",
    "what month is it": "It is November 2026.",
    # sums
    "What is twelve times seven?": "12 times 7 is 84.",
    "what is twelve time seven": "12 times 7 is 84.",
    "what's two plus to": "2 plus 2 is 4.",
    "what is one hundred to minus thirty five": "100 minus 35 is 65.",
    "how much is nine divided by three": "9 divided by 3 is 3.",
    "What is 15 % of 80?": "15 percent of 80 is 12.",
    "what is fifteen percent of eighty": "15 percent of 80 is 12.",
    "what is the square root of eighty one": "The square root of 81 is 9.",
    "3 * (4 + 5)": "3 times (4 plus 5) is 27.",
    "what is ten divided by zero": "Nothing can be divided by zero.",
    "what is one divided by three": "1 divided by 3 is about 0.3333.",
    # counting
    "Count to ten.": "One, two, three, four, five. Six, seven, eight, nine, ten.",
    "count two ten": "One, two, three, four, five. Six,",
    "please count to twenty": "Sixteen, seventeen, eighteen, nineteen, twenty.",
    "account to thirty": "Twenty-six, twenty-seven, twenty-eight, twenty-nine, thirty.",
    "count from 3 to 9": "Three, four, five, six, seven. Eight, nine.",
    "out from three to nine": "Three, four, five, six, seven. Eight, nine.",
    "please come from one to thirty": "Twenty-six, twenty-seven, twenty-eight, twenty-nine, thirty.",
    "i want to outrun one to thirty": "Twenty-six, twenty-seven, twenty-eight, twenty-nine, thirty.",
    "come out down from five": "Five, four, three, two, one.",
    "come to the survey": "I heard “come to the survey”.",
    "count down from five": "Five, four, three, two, one.",
    "count from one to nine by two": "One, three, five, seven, nine.",
    "count to two": "One, two.",
    "count to for": "One, two, three, four.",
    "can you count": "Six, seven, eight, nine, ten.",
    "count to a million": "at most one thousand numbers",
    # spelling and repeating
    "Spell banana.": "Banana: B, A, N, A, N, A.",
    "how do you spell elephant": "Elephant: E, L, E, P, H, A, N, T.",
    "can you spell the word cat please": "Cat: C, A, T.",
    "spell new york": "New york: N, E, W. Y, O, R, K.",
    "how is knight spelled": "Knight: K, N, I, G, H, T.",
    "spell": "Which word shall I spell?",
    "repeat after me the sky is blue": "The sky is blue.",
    "Please repeat after me: I promise.": "I promise.",
    "Say hello world!": "Hello world!",
    "could you say “good night, Bob”": "Good night, Bob.",
    "say five plus five": "Five plus five.",
    # what was said before
    "what did i just say": f"You said: {FAVOURITE}",
    "why did i just say": f"You said: {FAVOURITE}",
    "What was my last question?": f"You said: {FAVOURITE}",
    "What did you say?": "I said: I heard “What is the capital",
    "say that again": "I said: I heard “What is the capital",
    "repeat that please": "I said: I heard “What is the capital",
    "what was the last answer": "I said: I heard “What is the capital",
    "Pardon?": "I said: I heard “What is the capital",
    # everything else is honest
    "Tell me a joke.": "I heard “Tell me a joke”. I have no rule for that either.",
    "to open them up": "I heard “to open them up”.",
    "call me on 555-1234": "I heard “call me on 555-1234”.",
    "have a nice day": "I heard “have a nice day”.",
    "你好": "I heard “你好”.",
    "?!": "I did not catch that.",
}


@pytest.mark.parametrize(("said", "gist"), TABLE.items())
async def test_the_answer_has_the_expected_gist(said: str, gist: str) -> None:
    before = (user(FAVOURITE), house(f"I heard “{FAVOURITE}”. I am only a small set of rules and have none for that."))
    for words in (user(said), wrote(said)):
        assert gist in await answer(asked(*before, words))


def test_the_table_is_long_enough_to_mean_something() -> None:
    assert len(TABLE) >= 60


async def test_the_first_unknown_words_come_with_a_hint() -> None:
    assert await answer(asked(user("tell me a joke"))) == (
        "I heard “tell me a joke”. I am only a small set of rules and have none for that. Ask me what I can do."
    )


@pytest.mark.parametrize("nothing", ["", "  ", "...", "<sil>", "[NOISE]", "++BREATH++"])
async def test_a_turn_without_words_was_not_caught(nothing: str) -> None:
    assert await answer(asked(user(nothing))) == "I did not catch that."


async def test_a_turn_that_was_never_written_down_was_not_caught() -> None:
    assert await answer(asked(UserMessage(content=[]))) == "I did not catch that."


async def test_a_picture_is_not_pretended_to_be_seen() -> None:
    picture = InputImage(image_url="data:image/png;base64,AAAA")
    assert "cannot see" in await answer(asked(UserMessage(content=[picture])))
    assert "noon" in await answer(asked(UserMessage(content=[picture, InputText(text="What time is it?")])))


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Europe/London", "It is noon."),
        ("Asia/Kolkata", "It is five thirty in the afternoon."),
        ("Pacific/Auckland", "It is one o'clock at night."),
        ("America/New_York", "It is seven o'clock in the morning."),
        ("Asia/Kathmandu", "It is five forty-five in the afternoon."),
        ("Etc/GMT+12", "It is midnight."),
        ("Europe/Moscow", "It is three o'clock in the afternoon."),
        ("Asia/Seoul", "It is nine o'clock in the evening."),
    ],
)
async def test_the_time_is_that_of_the_zone(zone: str, said: str) -> None:
    assert await answer(asked(user("what time is it")), zone=zone) == said


async def test_minutes_below_ten_are_said_with_an_oh() -> None:
    clock = ManualClock()
    clock.advance(5 * 60)
    async with open_thinker({"zone": "UTC"}, clock) as thinker:
        words = [step.delta async for step in thinker.think(asked(user("what time is it"))) if isinstance(step, Words)]
    assert "".join(words) == "It is twelve oh five in the afternoon."


async def test_without_a_zone_the_machines_own_is_told() -> None:
    async with open_thinker({}, ManualClock()) as thinker:
        words = [step.delta async for step in thinker.think(asked(user("what time is it"))) if isinstance(step, Words)]
    assert "".join(words).startswith("It is ")


# ── names and instructions ──────────────────────────────────────────────────────────────────────────────


async def test_it_bears_the_name_that_it_is_given() -> None:
    who = user("who are you")
    assert "I am Hal," in await answer(asked(who), name="Hal")
    assert "I am Marvin," in await answer(asked(who, instructions="Be kind. Your name is Marvin and you help."))
    assert "I am Mary Ann," in await answer(asked(who, instructions="your name is Mary Ann."))


async def test_it_remembers_the_users_name() -> None:
    told = (user("My name is Bob"), house("Nice to meet you, Bob."))
    assert await answer(asked(*told, user("what is my name"))) == "Your name is Bob."
    assert await answer(asked(user("what is my name"))) == "You have not told me your name."


async def test_nothing_said_before_is_said_to_be_nothing() -> None:
    assert await answer(asked(user("what did i just say"))) == "You have not said anything before that."
    assert await answer(asked(user("what did you say"))) == "I have not said anything yet."


async def test_saying_it_again_twice_says_the_same() -> None:
    before = (user("what is two plus two"), house("2 plus 2 is 4."), user("pardon"), house("I said: 2 plus 2 is 4."))
    assert await answer(asked(*before, user("pardon"))) == "I said: 2 plus 2 is 4."


async def test_an_answer_that_nobody_asked_for_is_a_greeting() -> None:
    assert await answer(asked()) == "Hello, I am Viva. What can I do for you?"
    assert "still here" in await answer(asked(user("hi"), house("Hello.")))
    assert "still here" in await answer(asked(user("hi"), AssistantMessage(content=[OutputText(text="Hello.")])))


@pytest.mark.parametrize(
    "instructions",
    [
        'Say exactly: "The sky is blue."',
        "Say “the sky is blue”",
        "Repeat: the sky is blue",
        'Greet the user with "the sky is blue"',
    ],
)
async def test_instructions_may_put_words_into_its_mouth(instructions: str) -> None:
    assert await answer(asked(instructions=instructions)) == "The sky is blue."
    order = SystemMessage(content=[InputText(text=instructions)])
    assert await answer(asked(user("hi"), house("Hello."), order)) == "The sky is blue."


async def test_a_late_instruction_does_not_hide_the_question() -> None:
    order = SystemMessage(content=[InputText(text="Be brief.")])
    assert await answer(asked(user("what is two plus two"), order)) == "2 plus 2 is 4."


# ── functions ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "called"),
    [
        ("What is the weather in Paris?", [("get_weather", {"city": "Paris"})]),
        ("what is the weather in new york today", [("get_weather", {"city": "new york"})]),
        ("turn on the light in the kitchen", [("set_light", {"room": "kitchen", "on": True})]),
        ("switch the lights off in the bath room please", [("set_light", {"room": "bath room", "on": False})]),
        ("is it raining", []),
        ("hello", []),
    ],
)
async def test_words_that_ask_for_a_function_call_it(said: str, called: list[tuple[str, object]]) -> None:
    prompt = asked(user(said), tools=(WEATHER, LIGHT))
    if called:
        assert await calls(prompt) == called
    else:
        assert await answer(prompt)


async def test_words_about_words_call_nothing() -> None:
    for said in ("say the weather is fine", "spell weather", "what did i say about the weather"):
        assert await answer(asked(user(said), tools=(WEATHER,)))


async def test_no_function_is_called_when_none_may_be() -> None:
    prompt = asked(user("what is the weather in paris"), tools=(WEATHER,), choice="none")
    assert "I heard" in await answer(prompt)


async def test_a_function_that_must_be_called_is_called_whatever_was_said() -> None:
    prompt = asked(user("hello"), tools=(LIGHT, WEATHER), choice="function:get_weather")
    assert await calls(prompt) == [("get_weather", {"city": "hello"})]
    [(name, _)] = await calls(asked(user("hello"), tools=(LIGHT, WEATHER), choice="required"))
    assert name == "set_light"
    [(name, _)] = await calls(asked(user("is it sunny in the city"), tools=(LIGHT, WEATHER), choice="required"))
    assert name == "get_weather"
    assert await calls(asked(tools=(WEATHER,), choice="required")) == [("get_weather", {"city": "unknown"})]


async def test_a_function_that_was_not_declared_cannot_be_called() -> None:
    assert "I heard" in await answer(asked(user("x y z"), choice="required"))
    assert "I heard" in await answer(asked(user("x y z"), tools=(LIGHT,), choice="function:get_weather"))


async def test_two_functions_are_called_at_once_only_when_that_is_allowed() -> None:
    words = user("turn on the light and tell me the weather in paris")
    light = FunctionTool(name="light")
    both = await calls(asked(words, tools=(WEATHER, light)))
    assert sorted(name for name, _ in both) == ["get_weather", "light"]
    assert len(await calls(asked(words, tools=(WEATHER, light), parallel=False))) == 1


async def test_what_a_function_returned_is_told() -> None:
    before = (user("what is the weather in paris"), call("get_weather", '{"city": "paris"}'))
    told = await answer(asked(*before, output('{"temperature_c": 21, "sky": "clear"}'), tools=(WEATHER,)))
    assert told == "The temperature is 21 degrees and the sky is clear."


async def test_what_several_functions_returned_is_told_one_by_one() -> None:
    items = (user("x"), call("a", call_id="c1"), call("b", call_id="c2"), output("21", "c1"), output("42", "c2"))
    assert await answer(asked(*items)) == "The answer is 21. The answer is 42."


async def test_a_function_that_has_not_returned_is_waited_for() -> None:
    assert await answer(asked(user("x"), call("get_weather"))) == "I am still waiting for get weather."


# ── how it thinks ───────────────────────────────────────────────────────────────────────────────────────


async def test_words_come_one_by_one_and_are_counted() -> None:
    steps = await think(asked(user("what is two plus two"), instructions="Be kind."))
    assert steps == [
        *(Words(word) for word in ("2 ", "plus ", "2 ", "is ", "4.")),
        Thought(input_tokens=7, cached_tokens=0, output_tokens=5),
    ]


async def test_the_limit_cuts_an_answer_short() -> None:
    assert await think(asked(user("what is two plus two"), most=2)) == [
        Words("2 "),
        Words("plus "),
        Thought(cut="max_output_tokens", input_tokens=5, cached_tokens=0, output_tokens=2),
    ]
    whole = await think(asked(user("what is two plus two"), most=5))
    assert whole[-1] == Thought(input_tokens=5, cached_tokens=0, output_tokens=5)


async def test_the_limit_cuts_a_call_short_too() -> None:
    steps = await think(asked(user("weather in paris"), tools=(WEATHER,), most=1))
    assert steps[:1] == [ToolCall(0, "get_weather")]
    assert isinstance(steps[-1], Thought)
    assert steps[-1].cut == "max_output_tokens"


async def test_other_tasks_run_between_two_words() -> None:
    order: list[str] = []

    async def speak(name: str) -> None:
        async with open_thinker({}, ManualClock()) as thinker:
            async for step in thinker.think(asked(user("count to five"))):
                if isinstance(step, Words):
                    order.append(name)

    async with asyncio.TaskGroup() as group:
        group.create_task(speak("a"))
        group.create_task(speak("b"))
    assert sum(one != other for one, other in pairwise(order)) >= 4


async def test_a_long_answer_is_made_of_sentences_that_can_be_said_one_by_one() -> None:
    text = await answer(asked(user(f"count to {MOST_NUMBERS}")))
    sentences = text.split(". ")
    assert len(sentences) == MOST_NUMBERS // 5
    assert all(len(sentence) >= 20 for sentence in sentences)


async def test_the_same_question_has_the_same_answer() -> None:
    assert len({await answer(asked(user("what can you do"))) for _ in range(5)}) == 1


def test_it_says_what_it_is() -> None:
    traits = open_thinker({}, ManualClock()).traits
    assert (traits.name, traits.sees) == ("house", False)


@pytest.mark.parametrize(
    "options", [{"colour": "red"}, {"zone": "Middle/Earth"}, {"zone": "../etc/passwd"}, {"zone": ""}]
)
def test_options_that_make_no_sense_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        open_thinker(options, ManualClock())
