"""Which words are certain."""

from vivavoce.engine.agreement import BEHIND, Agreement, Heard

TURN, ON, OFF, LIGHTS = Heard("turn", 0, 30), Heard("on", 31, 50), Heard("off", 31, 50), Heard("lights", 51, 90)
LATE = 90 + BEHIND


def test_a_word_is_given_out_at_the_second_look_that_agrees() -> None:
    agreement = Agreement()
    assert agreement.look([TURN], LATE) == []
    assert agreement.look([TURN], LATE) == ["turn"]
    assert agreement.look([TURN], LATE) == []


def test_a_recent_word_waits() -> None:
    agreement = Agreement()
    agreement.look([TURN, ON], 50 + BEHIND - 1)
    assert agreement.look([TURN, ON], 50 + BEHIND - 1) == ["turn"]
    assert agreement.look([TURN, ON], 50 + BEHIND) == ["on"]


def test_a_word_that_still_changes_holds_back_those_after_it() -> None:
    agreement = Agreement()
    agreement.look([TURN, OFF, LIGHTS], LATE)
    assert agreement.look([TURN, ON, LIGHTS], LATE) == ["turn"]
    assert agreement.look([TURN, ON, LIGHTS], LATE) == ["on", "lights"]


def test_the_end_gives_out_what_is_left() -> None:
    agreement = Agreement()
    agreement.look([TURN], LATE)
    agreement.look([TURN], LATE)
    assert agreement.finish([TURN, ON, LIGHTS]) == ["on", "lights"]


def test_the_end_never_takes_a_word_back_nor_says_it_twice() -> None:
    agreement = Agreement()
    agreement.look([TURN, OFF], LATE)
    assert agreement.look([TURN, OFF], LATE) == ["turn", "off"]
    assert agreement.look([TURN, ON], LATE) == []
    assert agreement.finish([TURN, ON, LIGHTS]) == ["lights"]


def test_nothing_heard_gives_nothing() -> None:
    agreement = Agreement()
    assert agreement.look([], 1_000) == []
    assert agreement.finish([]) == []
