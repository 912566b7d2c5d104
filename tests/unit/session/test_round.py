"""One request for an answer after all functions of a response, whoever ran them."""

from vivavoce.session.round import REMEMBERED, Rounds, Stage


def test_an_answer_is_due_when_the_last_function_has_returned() -> None:
    rounds = Rounds()
    assert rounds.begin("c1", "r", Stage.RUNNING)
    assert rounds.begin("c2", "r", Stage.LEFT)
    assert not rounds.begin("c1", "r", Stage.RUNNING)
    rounds.answer("c1")
    assert not rounds.due
    rounds.answer("c2")
    assert rounds.due
    rounds.asked()
    assert not rounds.due
    assert not rounds.waiting


def test_after_outputs_by_hand_the_application_asks_itself() -> None:
    rounds = Rounds()
    rounds.begin("c1", "r", Stage.LEFT)
    assert not rounds.waiting
    rounds.answer("c1")
    assert not rounds.due
    rounds.asked()


def test_a_new_answer_does_not_end_a_round_that_is_still_running() -> None:
    rounds = Rounds()
    rounds.begin("c1", "r", Stage.RUNNING)
    rounds.asked()
    assert rounds.waiting
    rounds.answer("c1")
    assert rounds.due


def test_strangers_and_the_long_forgotten_change_nothing() -> None:
    rounds = Rounds()
    rounds.answer("nobody")
    for number in range(REMEMBERED + 1):
        rounds.begin(f"c{number}", f"r{number}", Stage.LEFT)
    rounds.answer("c0")
    assert not rounds.due
