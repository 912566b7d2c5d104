"""What a program sees of a call's costs and quality while its connections come and go."""

from math import inf, nan

import pytest

from tests.scenario.coming_back import Stage, play
from vivavoce.client.quality import Snapshot
from vivavoce.client.state import Connected
from vivavoce.errors import ConfigError
from vivavoce.transport.interface import Link


def created(response: str) -> str:
    return f'{{"type":"response.created","response":{{"id":"{response}","conversation_id":"c"}}}}'


def done(response: str, tokens: int) -> str:
    usage = f'{{"output_tokens":{tokens}}}'
    return f'{{"type":"response.done","response":{{"id":"{response}","status":"completed","usage":{usage}}}}}'


def test_costs_go_on_in_the_session_that_takes_the_place_of_a_lost_one() -> None:
    async def act(stage: Stage) -> None:
        first = stage.exchange.far[0]
        first.tell(created("r1"), done("r1", 5), created("r2"))
        await stage.call.until(lambda call: call.tokens.total == 5)
        first.transport.vanish()
        second = await stage.exchange.next(2)
        await stage.call.until(lambda call: isinstance(call.state, Connected))
        second.tell(created("r3"), done("r3", 2))
        await stage.call.until(lambda call: call.tokens.total == 7)
        cost = stage.call.cost
        assert sum(turn.tokens.total for turn in cost.turns) == 7
        assert cost.unreported == 1, "what r2 had cost when it was lost was never told"

    play(act)


def test_snapshots_come_as_often_as_wanted_over_all_connections_and_end_with_the_call() -> None:
    seen: list[Snapshot] = []

    def figures(now: float) -> Link:
        return Link(round_trip_ms=20.0, packets_received=int(50 * now), packets_lost=0, bytes_received=int(5000 * now))

    async def act(stage: Stage) -> None:
        stage.exchange.figures = figures
        async for snapshot in stage.call.stats(every_s=0.5):
            seen.append(snapshot)
            if len(seen) == 4:
                stage.exchange.far[0].transport.vanish()
                await stage.exchange.next(2)
            if len(seen) == 8:
                await stage.call.close()

    play(act)
    assert [b.at - a.at for a, b in zip(seen, seen[1:], strict=False)] == pytest.approx([0.5] * 7)
    assert seen[1].received_bps == pytest.approx(40_000, rel=0.01)
    assert all(snapshot.loss_ratio == 0.0 for snapshot in seen[1:])
    assert seen[-1].mos == pytest.approx(4.40, abs=0.02)


@pytest.mark.parametrize("every_s", [0.0, -1.0, nan, inf])
def test_snapshots_without_any_time_between_them_are_refused(every_s: float) -> None:
    async def act(stage: Stage) -> None:
        with pytest.raises(ConfigError, match="more than 0"):
            await anext(stage.call.stats(every_s))

    play(act)
