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
from vivavoce.client.line import Configured, Dialled, MediaLine, SocketLine, Step, update_of
from vivavoce.client.secret import Fetched, Given, Kind, Source
from vivavoce.client.signalling import Claim, Terms
from vivavoce.errors import ConfigError, RefusedError
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.interface import SoundPath, Transport
from vivavoce.transport.memory import MemoryTransport, join
from vivavoce.wire.config import RealtimeSession, TranscriptionSession
from vivavoce.wire.resumption import Ticket

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


class Socket(MemoryTransport):
    """A WebSocket to a server that can be come back to."""

    handshake: Mapping[str, str] = {
        "location": "/v1/realtime/calls/rtc_7",
        "viva-heartbeat": "ping",
        "viva-resume": "t1; max-age=60",
    }

    def __init__(self) -> None:
        super().__init__(SoundPath.TEXT)


TOKEN = Secret("t1")
CLAIM = Claim("rtc_7", TOKEN, "event_9", 1.25)
TICKETS = {"Viva-Heartbeat": "ping", "Viva-Resume": "t2; max-age=60", "Viva-Last-Event": "event_4"}


class Desk:
    """A provider's addresses, and what was asked of them."""

    def __init__(self, status: int = 201) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self._status = status

    async def _take(self, request: Request) -> Response:
        self.asked.append((request.url.path, dict(request.headers), await request.body()))
        if request.url.path.endswith("client_secrets"):
            return Response('{"value":"ek_minted0123456789","expires_at":5}', 200)
        more = TICKETS if request.url.path.endswith("resume") else {}
        return Response(ANSWER, self._status, {"Location": "/v1/realtime/calls/rtc_7", **more})

    @asynccontextmanager
    async def up(self, provider: Provider = Provider.OPENAI) -> AsyncGenerator[Endpoint]:
        paths = ("/v1/realtime/client_secrets", "/v1/realtime/calls", "/v1/realtime/calls/rtc_7/resume")
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
    assert (placed.configured, placed.terms.call_id, offering.fate) == (Configured.ALREADY, "rtc_7", "accepted")
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

    async def dial(url: str, headers: Mapping[str, str]) -> Dialled:
        dialled.append((url, headers))
        return Socket()

    place, steps = endpoint("http://127.0.0.1:1/v1"), Steps()
    placed = await SocketLine(place, Fetched(fetch), dial, timeout_s=5).open(SESSION, steps)
    assert placed.terms == Terms("rtc_7", pings=True, ticket=Ticket("t1", 60))
    assert placed.configured is Configured.NOT_YET
    assert steps == ["Minting", "Negotiating", "Connecting"]
    assert dialled == [
        ("ws://127.0.0.1:1/v1/realtime?model=m", {"Authorization": "Bearer ek_fetched0123456789"}),
    ]
    await SocketLine(place, keyed(), dial, timeout_s=5).open(TranscriptionSession(), Steps())
    assert dialled[1][0] == "ws://127.0.0.1:1/v1/realtime?intent=transcription"
    with pytest.raises(ConfigError):
        await SocketLine(place, keyed(), dial, timeout_s=5).open(RealtimeSession(), Steps())


async def test_a_session_is_come_back_to_over_webrtc_with_a_fresh_offer_and_secret() -> None:
    desk, offering = Desk(), ScriptedOffering()
    async with desk.up() as place:
        placed = await MediaLine(place, Fetched(fetch), lambda _: offering, timeout_s=5).resume(lambda: CLAIM)
    assert (placed.configured, offering.fate) == (Configured.ALREADY, "accepted")
    assert placed.terms == Terms("rtc_7", pings=True, ticket=Ticket("t2", 60), last_read="event_4")
    path, headers, body = desk.asked[-1]
    assert (path, body.decode()) == ("/v1/realtime/calls/rtc_7/resume", OFFER)
    assert headers["authorization"] == "Bearer ek_fetched0123456789"
    told = (headers["viva-resume"], headers["last-event-id"], headers["viva-silent-ms"])
    assert told == ("t1", "event_9", "1250")


async def test_a_server_that_will_not_have_it_back_is_understood_and_the_offer_given_up() -> None:
    desk, offering = Desk(status=410), ScriptedOffering()
    async with desk.up() as place:
        with pytest.raises(RefusedError) as refused:
            await MediaLine(place, keyed(), lambda _: offering, timeout_s=5).resume(lambda: CLAIM)
    assert (refused.value.status, offering.fate) == (410, "abandoned")


async def test_a_session_is_come_back_to_over_a_websocket() -> None:
    dialled: list[tuple[str, Mapping[str, str]]] = []

    async def dial(url: str, headers: Mapping[str, str]) -> Dialled:
        dialled.append((url, headers))
        return Socket()

    async with Desk().up() as place:
        placed = await SocketLine(place, keyed(), dial, timeout_s=5).resume(lambda: Claim("rtc_7", TOKEN, None, 0.0))
    assert placed.terms.last_read is None
    ((url, headers),) = dialled
    assert url == f"ws://{place.base.netloc}/v1/realtime/calls/rtc_7/resume"
    assert headers == {
        "Authorization": "Bearer sk-0123456789abcdef",
        "Viva-Resume": "t1",
        "Viva-Silent-Ms": "0",
    }


def test_what_is_told_once_a_session_has_begun_is_all_but_the_model() -> None:
    assert update_of(SESSION) == RealtimeSession(instructions="ours")
    assert update_of(RealtimeSession(model="m")) is None
    assert update_of(TranscriptionSession()) is None
    assert update_of(TranscriptionSession(include=None)) == TranscriptionSession(include=None)
