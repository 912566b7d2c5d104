"""What a call costs, entry by entry, and when that is enough."""

import pytest

from vivavoce.session.ledger import Ledger
from vivavoce.session.price import Price
from vivavoce.session.tokens import Tokens
from vivavoce.wire.codec import decode_server

PRICES = {"m": Price(audio_out=64.0, text_in=4.0), "t": Price(minute=0.006)}
DOLLAR = 15_625  # tokens of sound


def session(kind: str = "created", model: str = "m", transcriber: str = "t") -> str:
    hears = f'{{"input":{{"transcription":{{"model":"{transcriber}"}}}}}}'
    return f'{{"type":"session.{kind}","session":{{"type":"realtime","model":"{model}","audio":{hears}}}}}'


def user(item: str) -> str:
    said = f'{{"id":"{item}","type":"message","role":"user","content":[]}}'
    return f'{{"type":"conversation.item.added","previous_item_id":null,"item":{said}}}'


def created(response: str) -> str:
    return f'{{"type":"response.created","response":{{"id":"{response}"}}}}'


def done(response: str, audio: int, status: str = "completed") -> str:
    usage = f'{{"output_tokens":{audio},"output_token_details":{{"audio_tokens":{audio},"text_tokens":0}}}}'
    return f'{{"type":"response.done","response":{{"id":"{response}","status":"{status}","usage":{usage}}}}}'


def transcribed(item: str, seconds: int) -> str:
    usage = f'{{"type":"duration","seconds":{seconds}}}'
    place = f'"item_id":"{item}","content_index":0,"transcript":""'
    return f'{{"type":"conversation.item.input_audio_transcription.completed",{place},"usage":{usage}}}'


def fed(ledger: Ledger, *texts: str) -> Ledger:
    for text in texts:
        ledger.take(decode_server(text))
    return ledger


def test_a_turn_costs_its_transcript_and_all_answers_until_the_next() -> None:
    answers = [created("r1"), done("r1", DOLLAR), created("r2"), done("r2", DOLLAR), transcribed("u1", 60)]
    cost = fed(Ledger(PRICES), session(), user("u1"), *answers, user("u2"), created("r3"), done("r3", DOLLAR)).cost
    assert [(turn.item_id, turn.usd) for turn in cost.turns] == [("u1", pytest.approx(2.006)), ("u2", 1.0)]
    assert cost.turns[0].tokens == Tokens(output_audio=2 * DOLLAR, transcription_s=60.0)
    assert cost.usd == cost.priced_usd == pytest.approx(3.006)


def test_an_answer_belongs_to_what_it_answers_although_the_user_has_gone_on() -> None:
    ledger = fed(Ledger(PRICES), session(), user("u1"), created("r1"), user("u2"), done("r1", DOLLAR, "cancelled"))
    assert [(turn.item_id, turn.usd) for turn in ledger.cost.turns] == [("u1", 1.0)]


def test_a_greeting_belongs_to_no_turn_of_the_user() -> None:
    assert fed(Ledger(PRICES), session(), created("r1"), done("r1", DOLLAR)).cost.turns[0].item_id is None


def test_a_cost_with_a_part_of_no_known_price_is_unknown_and_the_rest_is_told() -> None:
    ledger = fed(Ledger(PRICES), session(), created("r1"), done("r1", DOLLAR))
    fed(ledger, session("updated", transcriber="other"), user("u1"), transcribed("u1", 60))
    assert ledger.cost.usd is None
    assert ledger.cost.priced_usd == 1.0
    assert [turn.usd for turn in ledger.cost.turns] == [1.0, None]


def test_an_answer_that_was_lost_with_its_connection_is_counted_as_unreported() -> None:
    ledger = fed(Ledger(PRICES), session(), created("r1"), done("r1", DOLLAR), created("r2"))
    assert ledger.cost.unreported == 0
    fed(ledger, session(), created("r3"), done("r3", DOLLAR), created("r4"))
    assert (ledger.cost.usd, ledger.cost.unreported) == (2.0, 1)
    fed(ledger, '{"type":"response.done","response":{"id":"r4","status":"cancelled","usage":null}}')
    assert ledger.cost.unreported == 2


def test_a_budget_lets_an_answer_finish_that_was_begun_in_time() -> None:
    ledger = fed(Ledger(PRICES, budget=1.0), session(), user("u1"), created("r1"), done("r1", DOLLAR - 1))
    assert not ledger.spent
    assert ledger.over(audible=False) is None
    fed(ledger, created("r2"), transcribed("u1", 60))
    assert ledger.spent
    assert ledger.over(audible=False) is None, "r2 was begun in time"
    fed(ledger, done("r2", 0))
    assert ledger.over(audible=True) is None, "it is still being heard"
    assert ledger.over(audible=False) == "The budget of 1 USD is spent: the call has cost 1.0059 USD."


def test_an_answer_that_the_server_begins_beyond_the_budget_ends_the_call_at_once() -> None:
    ledger = fed(Ledger(PRICES, budget=1.0), session(), created("r1"), done("r1", DOLLAR))
    assert ledger.over(audible=True) is None
    assert fed(ledger, created("r2")).over(audible=True) is not None


def test_without_a_budget_a_call_is_never_over() -> None:
    ledger = fed(Ledger(PRICES), session(), created("r1"), done("r1", 1_000 * DOLLAR))
    assert ledger.over(audible=False) is None
