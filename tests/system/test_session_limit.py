"""The end of a session's longest life, as each party of a conversation is told of it."""

from typing import Final

import pytest
from openai.types.realtime import RealtimeErrorEvent, SessionCreatedEvent
from websockets.exceptions import ConnectionClosedOK

from tests.system.caller import calling
from tests.system.listener import Listener
from tests.system.sdk import MODEL, sdk
from tests.system.test_openai_sdk import placed_by
from tests.viva import MovableClock, engines, scripted_server

LIFETIME_S: Final = 90.0
TOLD: Final = "Your session hit the maximum duration of 1.5 minutes."


async def test_a_socket_is_told_and_closed_with_the_same_words() -> None:
    clock = MovableClock()
    async with (
        scripted_server(engines(), clock=clock, lifetime_s=LIFETIME_S) as viva,
        sdk(viva).realtime.connect(model=MODEL) as connection,
    ):
        heard = Listener(connection)
        created = await heard.until(SessionCreatedEvent)
        assert created.session.model_extra is not None
        assert abs(created.session.model_extra["expires_at"] - clock.wall() - LIFETIME_S) < 5
        clock.advance(LIFETIME_S)
        await connection.input_audio_buffer.clear()
        refused = (await heard.until(RealtimeErrorEvent)).error
        assert (refused.code, refused.type, refused.message) == ("session_expired", "invalid_request_error", TOLD)
        with pytest.raises(ConnectionClosedOK) as closed:
            await heard.until_closed()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, TOLD)


@pytest.mark.realtime
async def test_caller_and_sideband_of_a_call_are_told_alike() -> None:
    clock = MovableClock()
    async with (
        scripted_server(engines(), clock=clock, lifetime_s=LIFETIME_S) as viva,
        sdk(viva) as client,
        calling(placed_by(client)) as caller,
        client.realtime.connect(call_id=caller.id) as connection,
    ):
        heard = Listener(connection)
        await heard.until(SessionCreatedEvent)
        clock.advance(LIFETIME_S)
        await connection.input_audio_buffer.clear()
        for told in (await heard.until(RealtimeErrorEvent), await caller.until(RealtimeErrorEvent)):
            assert (told.error.code, told.error.message) == ("session_expired", TOLD)
        with pytest.raises(ConnectionClosedOK) as closed:
            await heard.until_closed()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, TOLD)
        await caller.until_closed()
        await viva.until_calls(0)
