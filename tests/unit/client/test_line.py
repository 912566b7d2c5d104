"""How a call is placed: what is asked of whom, in which order, and what is given back when it fails."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.unit.client.server import serving
from vivavoce.client.endpoint import Endpoint, Provider, endpoint
from vivavoce.client.line import Configured, MediaLine, SocketLine, Step, update_of
from vivavoce.client.secret import Fetched, Given, Kind, Source
from vivavoce.errors import ConfigError, RefusedError
from vivavoce.transport.interface import SoundPath, Transport
from vivavoce.transport.memory import join
from vivavoce.wire.config import RealtimeSession, TranscriptionSession

SESSION = RealtimeSession(model="m", instructions="ours")
OFFER, ANSWER = "v=0\r\noffer\r\n", "v=0\r\nanswer\r\n"


class ScriptedOffering:
    """The side that offers; remembers what became of its offer."""

    def __init__(self) -> None:
        self.fate = ""

    async def offer(self) -> str:
        self.fate = "offered"
        return OFFER

    async def accept(self, answer: str) -> Transport:
        assert answer == ANSWER
        self.fate = "accepted"
        return join(SoundPath.MEDIA)[0]

    async def abandon(self) -> None:
        self.fate = "abandoned"


class Desk:
    """A provider's two addresses, and what was asked of them."""

    def __init__(self, status: int = 201) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self._status = status

    async def _take(self, request: Request) -> Response:
        self.asked.append((request.url.path, dict(request.headers), await request.body()))
        if request.url.path.endswith("client_secrets"):
            return Response('{"value":"ek_minted0123456789","expires_at":5}', 200)
        return Response(ANSWER, self._status, {"Location": "/v1/realtime/calls/rtc_7"})

    @asynccontextmanager
    async def up(self, provider: Provider = Provider.OPENAI) -> AsyncGenerator[Endpoint]:
        paths = ("/v1/realtime/client_secrets", "/v1/realtime/calls")
        async with serving(Starlette(routes=[Route(path, self._take, methods=["POST"]) for path in paths])) as url:
            yield Endpoint(urlsplit(f"{url}/v1"), provider)


class Steps(list[str]):
    def __call__(self, step: Step) -> None:
        self.append(type(step).__name__)


async def fetch() -> str:
    return "ek_fetched0123456789"


def keyed() -> Source:
    return Given("sk-0123456789abcdef", Kind.API_KEY)


async def test_with_a_key_the_config_goes_with_the_offer() -> None:
    desk, offering, steps = Desk(), ScriptedOffering(), Steps()
    async with desk.up() as place:
        placed = await MediaLine(place, keyed(), lambda _: offering, timeout_s=5).open(SESSION, steps)
    assert (placed.configured, placed.call_id, offering.fate) == (Configured.ALREADY, "rtc_7", "accepted")
    assert steps == ["Negotiating", "Connecting"]
    assert [path for path, _, _ in desk.asked] == ["/v1/realtime/calls"]
    assert b'"instructions":"ours"' in desk.asked[0][2]


async def test_with_a_fetched_secret_the_config_waits_for_the_session() -> None:
    desk, offering, steps = Desk(), ScriptedOffering(), Steps()
    async with desk.up() as place:
        placed = await MediaLine(place, Fetched(fetch), lambda _: offering, timeout_s=5).open(SESSION, steps)
    assert placed.configured is Configured.NOT_YET
    assert steps == ["Minting", "Negotiating", "Connecting"]
    assert desk.asked[0][1]["authorization"] == "Bearer ek_fetched0123456789"
    assert desk.asked[0][2].decode() == OFFER


async def test_on_azure_a_key_gets_a_secret_first_since_offers_are_taken_under_secrets_only() -> None:
    desk, offering, steps = Desk(), ScriptedOffering(), Steps()
    async with desk.up(Provider.AZURE) as place:
        placed = await MediaLine(place, keyed(), lambda _: offering, timeout_s=5).open(SESSION, steps)
    assert placed.configured is Configured.ALREADY
    assert steps == ["Minting", "Negotiating", "Connecting"]
    (first, headers, body), (second, bearer, offer) = desk.asked
    assert (first, second) == ("/v1/realtime/client_secrets", "/v1/realtime/calls")
    assert headers["api-key"] == "sk-0123456789abcdef"
    assert json.loads(body)["session"] == {"type": "realtime", "model": "m", "instructions": "ours"}
    assert bearer["authorization"] == "Bearer ek_minted0123456789"
    assert offer.decode() == OFFER


async def test_an_offer_that_is_refused_is_given_up_properly() -> None:
    desk, offering = Desk(status=403), ScriptedOffering()
    async with desk.up() as place:
        with pytest.raises(RefusedError):
            await MediaLine(place, keyed(), lambda _: offering, timeout_s=5).open(SESSION, Steps())
    assert offering.fate == "abandoned"


async def test_a_websocket_is_dialled_with_model_and_key() -> None:
    dialled: list[tuple[str, Mapping[str, str]]] = []

    async def dial(url: str, headers: Mapping[str, str]) -> Transport:
        dialled.append((url, headers))
        return join(SoundPath.TEXT)[0]

    place, steps = endpoint("http://127.0.0.1:1/v1"), Steps()
    placed = await SocketLine(place, Fetched(fetch), dial).open(SESSION, steps)
    assert placed.configured is Configured.NOT_YET
    assert steps == ["Minting", "Negotiating", "Connecting"]
    assert dialled == [
        ("ws://127.0.0.1:1/v1/realtime?model=m", {"Authorization": "Bearer ek_fetched0123456789"}),
    ]
    await SocketLine(place, keyed(), dial).open(TranscriptionSession(), Steps())
    assert dialled[1][0] == "ws://127.0.0.1:1/v1/realtime?intent=transcription"
    with pytest.raises(ConfigError):
        await SocketLine(place, keyed(), dial).open(RealtimeSession(), Steps())


def test_what_is_told_once_a_session_has_begun_is_all_but_the_model() -> None:
    assert update_of(SESSION) == RealtimeSession(instructions="ours")
    assert update_of(RealtimeSession(model="m")) is None
    assert update_of(TranscriptionSession()) is None
    assert update_of(TranscriptionSession(include=None)) == TranscriptionSession(include=None)
