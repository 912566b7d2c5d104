"""A call that may cost only so much."""

import pytest

from tests.unit.client.far import PATIENCE_S, answered, call_to
from vivavoce.client.state import Closed, Connected
from vivavoce.errors import BudgetError
from vivavoce.session.peer import Activity
from vivavoce.transport.interface import ClosedBy, SoundPath
from vivavoce.wire.event import ConversationItemCreate, ResponseCreate

SESSION = '{"type":"session.created","session":{"type":"realtime","model":"m"}}'
DOLLAR = 15_625  # tokens of sound, at the price that `far` gives the model


def event(kind: str, response: str = "r1", rest: str = "") -> str:
    return f'{{"type":"{kind}","response_id":"{response}"{rest}}}'


def created(response: str) -> str:
    return f'{{"type":"response.created","response":{{"id":"{response}","conversation_id":"c"}}}}'


def done(response: str, audio: int, status: str = "completed") -> str:
    usage = f'{{"output_tokens":{audio},"output_token_details":{{"audio_tokens":{audio},"text_tokens":0}}}}'
    return f'{{"type":"response.done","response":{{"id":"{response}","status":"{status}","usage":{usage}}}}}'


async def test_an_answer_that_spends_the_budget_is_heard_to_its_end_and_no_other_is_begun() -> None:
    call, far = call_to(SoundPath.MEDIA, budget=1.0)
    async with answered(far, SESSION), call:
        far.tell(created("r1"), event("output_audio_buffer.started"), done("r1", 2 * DOLLAR))
        await call.until(lambda call: call.cost.usd == 2.0, PATIENCE_S)
        assert call.activity is Activity.SPEAKING
        assert isinstance(call.state, Connected)
        with pytest.raises(BudgetError, match="No answer is begun"):
            await call.response.create()
        far.tell(event("output_audio_buffer.stopped"))
        await call.until(lambda call: isinstance(call.state, Closed), PATIENCE_S)
        assert call.state == Closed(ClosedBy.US, 1000, "The budget of 1 USD is spent: the call has cost 2.0000 USD.")


async def test_who_interrupts_the_last_answer_ends_the_call_and_the_part_that_was_made_is_billed() -> None:
    call, far = call_to(SoundPath.MEDIA, budget=1.0)
    async with answered(far, SESSION), call:
        far.tell(created("r1"), event("output_audio_buffer.started"))
        far.tell(event("output_audio_buffer.cleared"), done("r1", DOLLAR, "cancelled"))
        await call.until(lambda call: isinstance(call.state, Closed), PATIENCE_S)
    assert call.cost.usd == 1.0


async def test_a_functions_result_asks_for_no_answer_that_the_budget_does_not_cover() -> None:
    def look() -> str:
        """Look."""
        return "seen"

    call, far = call_to(SoundPath.MEDIA, functions=[look], budget=1.0)
    calls = '"output_index":0,"item":{"type":"function_call","call_id":"c1","name":"look","arguments":"{}"}'
    async with answered(far, SESSION), call:
        far.tell(created("r1"), event("output_audio_buffer.started"))
        far.tell(event("response.output_item.done", rest="," + calls), done("r1", DOLLAR))
        told = await far.told()
        assert isinstance(told, ConversationItemCreate)
        far.tell(event("output_audio_buffer.stopped"))
        await call.until(lambda call: isinstance(call.state, Closed), PATIENCE_S)
        assert far.silent


async def test_below_the_budget_a_call_goes_on() -> None:
    call, far = call_to(SoundPath.MEDIA, budget=1.0)
    async with answered(far, SESSION), call:
        far.tell(created("r1"), done("r1", DOLLAR - 1))
        await call.until(lambda call: bool(call.cost.turns), PATIENCE_S)
        await call.response.create()
        assert isinstance(await far.told(), ResponseCreate)
        assert isinstance(call.state, Connected)
