"""What a client says over HTTP to place a call, and what it makes of the answer, by real requests."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from email.parser import BytesParser
from email.policy import HTTP

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.unit.client.server import serving
from vivavoce.client.endpoint import endpoint
from vivavoce.client.secret import Credential, Kind
from vivavoce.client.signalling import LARGEST_REPLY, Signalling
from vivavoce.errors import (
    Fault,
    Never,
    NewSecret,
    OfferError,
    RefusedError,
    Retry,
    TransportError,
)
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.ice import IceServer
from vivavoce.wire.config import RealtimeSession

KEY = Credential(Secret("sk-0123456789abcdef"), Kind.API_KEY)
EPHEMERAL = Credential(Secret("ek_0123456789abcdef"), Kind.CLIENT_SECRET)
OFFER = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\n"
ANSWER = "v=0\r\no=- 2 2 IN IP4 0.0.0.0\r\ns=-\r\n"
AGREED = Response(ANSWER, 201, {"Location": "/v1/realtime/calls/rtc_1"}, "application/sdp")


class Provider:
    """Answers every request alike and keeps the last one."""

    def __init__(self, reply: Response) -> None:
        self.reply = reply
        self.headers: dict[str, str] = {}
        self.body = b""

    async def take(self, request: Request) -> Response:
        self.headers = dict(request.headers)
        self.body = await request.body()
        return self.reply

    @asynccontextmanager
    async def up(self) -> AsyncGenerator[Signalling]:
        routes = [Route(path, self.take, methods=["OPTIONS", "POST"]) for path in PATHS]
        async with serving(Starlette(routes=routes)) as url:
            yield Signalling(endpoint(url), 5.0)

    def form(self) -> dict[str, tuple[str, str]]:
        """The parts of a form: content type and text of each by name."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        parts = BytesParser(policy=HTTP).parsebytes(head + self.body).iter_parts()
        return {
            str(part.get_param("name", header="content-disposition")): (
                part.get_content_type(),
                str(part.get_payload()),
            )
            for part in parts
        }


PATHS = ("/v1/realtime/calls", "/v1/realtime/client_secrets")


def refusing(status: int, code: str | None = None, message: str = "No.", **headers: str) -> Provider:
    body = {"error": {"type": "x", "code": code, "message": message, "param": None}}
    return Provider(Response(json.dumps(body), status, headers, "application/json"))


async def test_with_a_key_offer_and_session_go_as_one_form() -> None:
    provider = Provider(AGREED)
    async with provider.up() as signalling:
        answer = await signalling.place(KEY, OFFER, RealtimeSession(model="m", instructions="Be brief."))
    assert (answer.sdp, answer.terms.call_id) == (ANSWER, "rtc_1")
    assert provider.headers["authorization"] == "Bearer sk-0123456789abcdef"
    assert provider.headers["accept"] == "application/sdp"
    kind, sdp = provider.form()["sdp"]
    assert (kind, sdp.replace("\r\n", "\n")) == ("application/sdp", OFFER.replace("\r\n", "\n"))
    kind, session = provider.form()["session"]
    assert kind == "application/json"
    assert json.loads(session) == {"type": "realtime", "model": "m", "instructions": "Be brief."}


async def test_a_session_that_holds_the_boundary_does_not_break_the_form() -> None:
    provider = Provider(AGREED)
    async with provider.up() as signalling:
        words = "\n--viva-voce-form-data\r\nviva-voce-form-data--"
        await signalling.place(KEY, OFFER, RealtimeSession(model="m", instructions=words))
    assert json.loads(provider.form()["session"][1])["instructions"] == words


async def test_with_a_client_secret_the_offer_goes_alone() -> None:
    provider = Provider(AGREED)
    async with provider.up() as signalling:
        await signalling.place(EPHEMERAL, OFFER, None)
    assert provider.headers["content-type"] == "application/sdp"
    assert provider.body.decode() == OFFER


async def test_a_client_secret_is_made_for_a_session() -> None:
    provider = Provider(Response('{"value":"ek_1","expires_at":5,"session":{"type":"realtime"}}', 200))
    async with provider.up() as signalling:
        made = await signalling.mint(KEY, RealtimeSession(model="m"))
    assert (made.secret.reveal(), made.kind) == ("ek_1", Kind.CLIENT_SECRET)
    assert json.loads(provider.body) == {"session": {"type": "realtime", "model": "m"}}


async def test_a_reply_without_a_secret_is_no_secret() -> None:
    async with Provider(Response('{"hello":1}', 200)).up() as signalling:
        with pytest.raises(RefusedError):
            await signalling.mint(KEY, RealtimeSession(model="m"))


async def test_an_answer_without_a_location_has_no_name() -> None:
    async with Provider(Response(ANSWER, 201)).up() as signalling:
        assert (await signalling.place(EPHEMERAL, OFFER, None)).terms.call_id is None


@pytest.mark.parametrize(
    ("provider", "credential", "fault", "following"),
    [
        (refusing(401, "invalid_api_key"), KEY, Fault.CALLER, Never()),
        (refusing(401), EPHEMERAL, Fault.CALLER, NewSecret()),
        (refusing(403), EPHEMERAL, Fault.CALLER, NewSecret()),
        (refusing(404, "model_not_found"), KEY, Fault.CALLER, Never()),
        (refusing(400, "invalid_offer"), KEY, Fault.CALLER, Never()),
        (refusing(429, "rate_limit_exceeded", **{"Retry-After": "7"}), KEY, Fault.PROVIDER, Retry(7)),
        (refusing(429, "insufficient_quota"), KEY, Fault.CALLER, Never()),
        (refusing(503), KEY, Fault.PROVIDER, Retry(1)),
        (refusing(302, Location="/elsewhere"), KEY, Fault.CALLER, Never()),
    ],
)
async def test_a_refusal_says_whose_fault_it_is_and_what_to_do(
    provider: Provider, credential: Credential, fault: Fault, following: object
) -> None:
    async with provider.up() as signalling:
        with pytest.raises(RefusedError) as refused:
            await signalling.place(credential, OFFER, None)
    assert (refused.value.status, refused.value.fault, refused.value.next) == (
        provider.reply.status_code,
        fault,
        following,
    )


async def test_a_refusal_that_quotes_the_key_is_not_passed_on() -> None:
    message = f"Incorrect API key provided: {KEY.secret.reveal()}, or was it sk-proj-******wxyz?"
    async with refusing(401, "invalid_api_key", message).up() as signalling:
        with pytest.raises(RefusedError) as refused:
            await signalling.place(KEY, OFFER, None)
    assert refused.value.code == "invalid_api_key"
    assert "sk-" not in refused.value.message


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"error":"x"}', '{"error":{"code":5}}', "[" * 5000])
async def test_a_refusal_in_any_form_is_understood(body: str) -> None:
    async with Provider(PlainTextResponse(body, 500)).up() as signalling:
        with pytest.raises(RefusedError) as refused:
            await signalling.place(KEY, OFFER, None)
    assert refused.value.code is None


async def test_a_page_in_place_of_an_answer_is_no_answer() -> None:
    async with Provider(PlainTextResponse("<html>Welcome</html>", 200)).up() as signalling:
        with pytest.raises(OfferError):
            await signalling.place(KEY, OFFER, None)


async def test_a_reply_without_end_is_not_read_to_the_end() -> None:
    async with Provider(PlainTextResponse("v=0" * LARGEST_REPLY, 201)).up() as signalling:
        with pytest.raises(RefusedError):
            await signalling.place(KEY, OFFER, None)


async def test_nobody_at_the_address_is_told_as_unreachable() -> None:
    async with Provider(AGREED).up() as gone:
        pass
    with pytest.raises(TransportError) as unreachable:
        await gone.place(KEY, OFFER, None)
    assert isinstance(unreachable.value.next, Retry)


async def test_a_server_that_hangs_is_given_up() -> None:
    heard, leave = asyncio.Event(), asyncio.Event()

    async def hang(_: Request) -> Response:
        heard.set()
        await leave.wait()
        return PlainTextResponse("")

    async with serving(Starlette(routes=[Route("/v1/realtime/calls", hang, methods=["POST"])])) as url:
        with pytest.raises(TransportError):
            await Signalling(endpoint(url), 0.2).place(KEY, OFFER, None)
        leave.set()
    assert heard.is_set()


async def test_relays_are_read_where_the_server_hands_them_out() -> None:
    value = '<turn:relay.example>; rel="ice-server"; username="me"; credential="hunter2"'
    provider = Provider(Response(status_code=204, headers={"Link": value}))
    async with provider.up() as signalling:
        assert await signalling.ice_servers(KEY) == (IceServer(("turn:relay.example",), "me", Secret("hunter2")),)
    assert provider.headers["authorization"] == "Bearer sk-0123456789abcdef"


@pytest.mark.parametrize("status", [404, 405])
async def test_a_server_that_knows_no_relays_hands_out_none(status: int) -> None:
    async with refusing(status).up() as signalling:
        assert await signalling.ice_servers(KEY) == ()


async def test_a_server_hands_nothing_to_a_stranger() -> None:
    async with refusing(401).up() as signalling:
        with pytest.raises(RefusedError):
            await signalling.ice_servers(KEY)


async def test_a_call_over_webrtc_needs_a_model() -> None:
    async with Provider(AGREED).up() as signalling:
        with pytest.raises(OfferError):
            await signalling.place(KEY, OFFER, RealtimeSession())


async def test_a_server_is_asked_for_again_while_an_answer_is_still_out() -> None:
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                asked.append(head.decode().partition(" ")[0])
                if len(asked) > 1:  # the first one gets lost
                    writer.write(b"HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Signalling(endpoint(f"http://127.0.0.1:{port}"), 5.0).reached():
        assert asked == ["HEAD", "HEAD"]
