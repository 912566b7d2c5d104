"""Who may call, as the `openai` package finds out: keys and client secrets that are right, wrong, expired or used.

At each door that the package knows: HTTP, WebSocket, and the offer of a WebRTC call.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Final

import openai
import pytest
from openai.types.realtime import RealtimeErrorEvent, RealtimeSessionCreateRequest, SessionCreatedEvent
from websockets.exceptions import InvalidStatus

from tests.system.caller import calling, placed_by
from tests.system.listener import Listener
from tests.system.sdk import MODEL, sdk
from tests.viva import MovableClock, Viva, engines, scripted_server
from vivavoce.gateway.settings import SecretUse
from vivavoce.gateway.settings import Settings as GatewaySettings

WRONG: Final = "sk-proj-this_is_nobodys_key"
ONCE: Final = GatewaySettings(secret_use=SecretUse.ONCE)

Outcome = tuple[int, str | None]
"""Status and code of a refusal, or `SERVED`."""
SERVED: Final[Outcome] = (200, None)
REFUSED: Final[Outcome] = (401, "invalid_api_key")

Knock = Callable[[openai.AsyncOpenAI], Awaitable[Outcome]]
"""Tries to start a session."""


async def by_socket(client: openai.AsyncOpenAI) -> Outcome:
    """A session over a WebSocket."""
    try:
        async with client.realtime.connect(model=MODEL) as connection:
            await Listener(connection).until(SessionCreatedEvent)
    except InvalidStatus as refused:
        return refused.response.status_code, json.loads(refused.response.body or b"")["error"]["code"]
    return SERVED


async def by_call(client: openai.AsyncOpenAI) -> Outcome:
    """A session in a WebRTC call."""
    try:
        async with calling(placed_by(client)) as caller:
            await caller.until(SessionCreatedEvent)
    except openai.AuthenticationError as refused:
        return refused.status_code, refused.code
    return SERVED


DOORS: Final = pytest.mark.parametrize(
    "knock", [by_socket, pytest.param(by_call, marks=pytest.mark.realtime)], ids=["websocket", "webrtc"]
)


async def secret_of(viva: Viva, seconds: int = 600) -> str:
    """A client secret, made as a backend makes one."""
    async with sdk(viva) as client:
        made = await client.realtime.client_secrets.create(
            expires_after={"anchor": "created_at", "seconds": seconds},
            session={"type": "realtime", "model": MODEL, "instructions": "Be brief."},
        )
    return made.value


async def test_a_wrong_key_is_refused_as_openai_refuses_it() -> None:
    async with scripted_server(engines()) as viva, sdk(viva, WRONG) as client:
        with pytest.raises(openai.AuthenticationError) as refused:
            await client.realtime.client_secrets.create()
        assert (refused.value.status_code, refused.value.code) == (401, "invalid_api_key")
        assert WRONG not in str(refused.value)
        with pytest.raises(openai.AuthenticationError) as refused:
            await client.realtime.calls.create(sdp="v=0\r\n")
        assert refused.value.code == "invalid_api_key"
        with pytest.raises(openai.AuthenticationError):
            await client.realtime.calls.hangup("rtc_nobody")
        assert await by_socket(client) == REFUSED


@DOORS
async def test_a_secret_starts_as_many_sessions_as_it_is_asked_to(knock: Knock) -> None:
    async with scripted_server(engines()) as viva, sdk(viva, await secret_of(viva)) as browser:
        assert [await knock(browser) for _ in range(3)] == [SERVED] * 3


@DOORS
async def test_a_secret_for_one_use_starts_one_session(knock: Knock) -> None:
    async with scripted_server(engines(), gateway=ONCE) as viva, sdk(viva, await secret_of(viva)) as browser:
        assert [await knock(browser) for _ in range(3)] == [SERVED, REFUSED, REFUSED]


@DOORS
async def test_an_expired_secret_starts_nothing(knock: Knock) -> None:
    clock = MovableClock()
    async with scripted_server(engines(), clock=clock) as viva, sdk(viva, await secret_of(viva, 60)) as browser:
        assert await knock(browser) == SERVED
        clock.advance(61)
        assert await knock(browser) == REFUSED


async def test_a_secret_carries_its_session_and_a_session_outlives_it() -> None:
    clock = MovableClock()
    async with scripted_server(engines(), clock=clock) as viva, sdk(viva, await secret_of(viva, 60)) as browser:
        async with browser.realtime.connect(model=MODEL) as connection:
            heard = Listener(connection)
            session = (await heard.until(SessionCreatedEvent)).session
            assert isinstance(session, RealtimeSessionCreateRequest)
            assert session.instructions == "Be brief."
            clock.advance(61)
            await connection.response.cancel()
            await heard.until(RealtimeErrorEvent)
        # A secret may do nothing but start calls.
        with pytest.raises(openai.AuthenticationError):
            await browser.realtime.client_secrets.create()
