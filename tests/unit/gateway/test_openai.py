"""The unmodified `openai` package against the gateway, over HTTP in process."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import openai
import pytest

from tests.unit.gateway.stand import ANSWER, DATA_ONLY, KEY, OFFER, FakeAnswerer, settings
from vivavoce.gateway.app import gateway_app
from vivavoce.gateway.identity import open_keyring
from vivavoce.gateway.settings import Limits
from vivavoce.store.memory import MemoryStore
from vivavoce.testing.clock import ManualClock
from vivavoce.transport.websocket import take
from vivavoce.wire.config import RealtimeSession


@dataclass
class Sdk:
    """The package's client, once with the key and ready for others."""

    client: openai.AsyncOpenAI
    answerer: FakeAnswerer


@pytest.fixture
async def sdk() -> AsyncIterator[Sdk]:
    chosen, clock, answerer = settings(limits=Limits(calls_per_identity=2)), ManualClock(), FakeAnswerer()
    app = gateway_app(chosen, open_keyring(chosen), answerer, MemoryStore(clock), clock, take, page=None)
    async with app.router.lifespan_context(app), httpx2.AsyncClient(transport=httpx2.ASGITransport(app)) as http:
        yield Sdk(
            openai.AsyncOpenAI(api_key=KEY, base_url="http://127.0.0.1:8000/v1", http_client=http, max_retries=0),
            answerer,
        )


async def test_a_call_is_placed_and_ended(sdk: Sdk) -> None:
    reply = await sdk.client.realtime.calls.create(sdp=OFFER, session={"type": "realtime", "model": "parrot"})
    assert reply.response.status_code == 201
    assert reply.content == ANSWER.encode()
    call_id = reply.response.headers["location"].rpartition("/")[2]
    assert sdk.answerer.call_requests[0].session == RealtimeSession(model="parrot")
    await sdk.client.realtime.calls.hangup(call_id)
    with pytest.raises(openai.NotFoundError) as refused:
        await sdk.client.realtime.calls.hangup(call_id)
    assert refused.value.code == "call_id_not_found"


@pytest.mark.parametrize("session", [openai.omit, None])
async def test_a_call_without_a_session_is_placed_in_both_shapes_of_the_package(
    sdk: Sdk, session: openai.Omit | None
) -> None:
    reply = await sdk.client.realtime.calls.create(sdp=OFFER, session=session)  # pyright: ignore[reportArgumentType]
    assert reply.response.status_code == 201
    assert sdk.answerer.call_requests[0].offer == OFFER


async def test_a_secret_is_made_and_places_a_call(sdk: Sdk) -> None:
    secret = await sdk.client.realtime.client_secrets.create(
        expires_after={"anchor": "created_at", "seconds": 60},
        session={"type": "realtime", "model": "house", "instructions": "Be brief."},
        extra_headers={"OpenAI-Safety-Identifier": "hash"},
    )
    assert secret.session.type == "realtime"
    browser = sdk.client.with_options(api_key=secret.value)
    reply = await browser.realtime.calls.create(sdp=OFFER)
    assert reply.response.status_code == 201
    assert sdk.answerer.call_requests[0].session == RealtimeSession(model="house", instructions="Be brief.")
    with pytest.raises(openai.PermissionDeniedError):
        await browser.realtime.client_secrets.create()


async def test_models_are_listed(sdk: Sdk) -> None:
    assert [model.id async for model in sdk.client.models.list()] == ["house", "parrot"]
    assert (await sdk.client.models.retrieve("house")).owned_by == "vivavoce"


async def test_each_refusal_becomes_the_packages_own_error(sdk: Sdk) -> None:
    calls = sdk.client.realtime.calls
    with pytest.raises(openai.BadRequestError) as bad_offer:
        await calls.create(sdp=DATA_ONLY)
    assert (bad_offer.value.code, bad_offer.value.param) == ("invalid_offer", None)
    with pytest.raises(openai.NotFoundError) as no_model:
        await calls.create(sdp=OFFER, session={"type": "realtime", "model": "gpt-x"})
    assert no_model.value.code == "model_not_found"
    with pytest.raises(openai.AuthenticationError) as no_key:
        await sdk.client.with_options(api_key="sk-wrong-key-0000").realtime.calls.create(sdp=OFFER)
    assert no_key.value.code == "invalid_api_key"
    for _ in range(2):
        await calls.create(sdp=OFFER)
    with pytest.raises(openai.RateLimitError) as full:
        await calls.create(sdp=OFFER)
    assert full.value.code == "rate_limit_exceeded"
    with pytest.raises(openai.BadRequestError) as sip:
        await calls.accept("rtc_1", type="realtime")
    assert sip.value.code == "sip_not_supported"
