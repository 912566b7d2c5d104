"""Limits of what one key may use in a minute, as a program of the `openai` package meets them."""

from itertools import repeat

from openai.types.realtime import RateLimitsUpdatedEvent, ResponseDoneEvent

from tests.system.listener import Listener
from tests.system.sdk import MODEL, sdk
from tests.viva import engines, scripted_server
from vivavoce.gateway.settings import Limits, Settings
from vivavoce.testing.clock import ManualClock


async def answer(heard: Listener) -> tuple[str | None, dict[str | None, int | None]]:
    """How a response ended, and what the server says is left."""
    await heard.connection.response.create(response={"output_modalities": ["text"]})
    done = (await heard.until(ResponseDoneEvent)).response
    left = await heard.until(RateLimitsUpdatedEvent)
    return done.status, {limit.name: limit.remaining for limit in left.rate_limits}


async def test_all_calls_of_a_key_share_its_minute_and_the_next_minute_is_another() -> None:
    clock = ManualClock(wall=1_795_176_000.0)
    gateway = Settings(limits=Limits(responses_per_minute=2, tokens_per_minute=100_000))
    async with (
        scripted_server(engines(thought=repeat("Fine.")), clock=clock, gateway=gateway) as viva,
        sdk(viva).realtime.connect(model=MODEL) as one,
        sdk(viva).realtime.connect(model=MODEL) as other,
    ):
        first, second = Listener(one), Listener(other)
        status, left = await answer(first)
        assert (status, left["requests"]) == ("completed", 1)
        status, left = await answer(second)
        assert (status, left["requests"]) == ("completed", 0)
        tokens = left["tokens"]
        assert tokens is not None
        assert tokens < 100_000
        status, left = await answer(first)
        assert (status, left) == ("failed", {"requests": 0, "tokens": tokens})
        details = first.last(ResponseDoneEvent).response.status_details
        assert details is not None
        assert details.error is not None
        assert details.error.code == "rate_limit_exceeded"
        clock.advance(60.0)
        status, left = await answer(first)
        assert (status, left["requests"]) == ("completed", 1)
