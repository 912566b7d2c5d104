"""Which utterances sound finished by their words, and which do not."""

import pytest

from vivavoce.session.completeness import COMPLETE, NEUTRAL, OPEN, completeness

FINISHED = [
    "what time is it",
    "where are you from",
    "what are you looking for",
    "turn on the lights in the kitchen",
    "turn the lights on",
    "i would like to order a pizza",
    "yes",
    "okay",
    "no thanks",
    "good morning",
    "thank you very much",
    "that's all",
    "yes please",
    "i think so",
    "yes i do",
    "can you tell me what time it is",
    "what would you like",
    "tell me a joke",
    "set a timer for five minutes",
    "i am twenty one",
    "because i was late",
    "who was the first president of the united states",
]
UNFINISHED = [
    "um",
    "i would like to uh",
    "well",
    "let me see",
    "hold on",
    "i would like to",
    "i would like a",
    "what is the",
    "my name is",
    "i want",
    "i went to the store and",
    "and then",
    "so",
    "i was thinking that",
    "i'd like to know if",
    "if it rains tomorrow",
    "when i was young",
    "my number is four one",
    "my phone number is five five five",
    "the number is one point",
    "it's about my",
    "can you tell me",
    "could you",
    "turn on the",
    "do you know what",
    "i",
]


@pytest.mark.parametrize("words", FINISHED)
def test_a_finished_sentence_sounds_finished(words: str) -> None:
    assert completeness(words) > 0.6


@pytest.mark.parametrize("words", UNFINISHED)
def test_an_unfinished_sentence_sounds_unfinished(words: str) -> None:
    assert completeness(words) <= 0.3


def test_nothing_said_tells_nothing() -> None:
    assert completeness("") == completeness(" … ".replace("…", "")) == completeness("'") == NEUTRAL


@pytest.mark.parametrize("words", ["it is five five five one two three four", "my name is spelt r o b", "code 4711"])
def test_after_a_number_or_a_letter_another_may_follow(words: str) -> None:
    assert completeness(words) < NEUTRAL


def test_an_amount_is_a_word_like_others() -> None:
    assert completeness("i would like two") > NEUTRAL
    assert completeness("wake me at seven thirty") > NEUTRAL


@pytest.mark.parametrize("mark", ["...", "…", ",", " -", ":"])
def test_marks_that_hang_leave_a_sentence_open(mark: str) -> None:
    assert completeness("I would like a pizza" + mark) == OPEN


def test_a_recognisers_full_stop_makes_no_open_word_whole() -> None:
    assert completeness("I want to.") == completeness("i want to") == OPEN
    assert completeness("I like pizza.") == COMPLETE > completeness("i like pizza")


@pytest.mark.parametrize("text", ["Wie spät ist es?", "今天天气怎么样？", "Stop!", '"Is it me?"'])
def test_a_question_mark_is_understood_in_every_language(text: str) -> None:
    assert completeness(text) > COMPLETE


@pytest.mark.parametrize("text", ["ich möchte ein bier und um", "je voudrais un café avec so", "quiero ir a la"])
def test_the_rules_of_english_are_for_english(text: str) -> None:
    assert completeness(text) == NEUTRAL
    assert completeness(text + ".") == COMPLETE


def test_the_language_that_a_client_names_decides() -> None:
    assert completeness("so", ["de"]) == NEUTRAL
    assert completeness("so", ["de", "en-GB"]) == OPEN
    assert completeness("quiero ir a la", ["en"]) != NEUTRAL
