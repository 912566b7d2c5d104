"""`viva check` names the hop that is at fault, says what to do about it, and ends with the code of that fault."""

import asyncio
import io
import json
import socket
import ssl
import subprocess
from asyncio import StreamReader, StreamWriter, TaskGroup
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Any, Final, cast
from urllib.parse import urlsplit

import pytest
from aioice import stun
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.system.certificate import Forged, forge
from tests.unit.client.server import KEY, serving
from tests.unit.client.test_proxied import BASE_URL, HOST, behind_a_proxy
from tests.viva import MovableClock, engines
from vivavoce.answer.job import Engines
from vivavoce.assembly import ServerSettings, server_app
from vivavoce.check.case import Case, Order
from vivavoce.check.checklist import HOPS
from vivavoce.check.hop import Hop
from vivavoce.check.hop import examine as walk
from vivavoce.check.verdict import Passed, Skipped, Verdict
from vivavoce.cli.check import check
from vivavoce.cli.exit_code import ExitCode
from vivavoce.cli.main import main
from vivavoce.cli.terminal import Terminal
from vivavoce.client.endpoint import Endpoint, Provider
from vivavoce.clock import Clock, SystemClock
from vivavoce.engine.fake import ScriptedSpeaker, Span
from vivavoce.gateway.identity import Keyring
from vivavoce.gateway.settings import Settings as GatewaySettings
from vivavoce.telemetry.secret import Secret
from vivavoce.transport.ice import IceServer
from vivavoce.transport.pacer import Pacer
from vivavoce.transport.webrtc.answerer import WebRtcAnswerer
from vivavoce.transport.webrtc.settings import HostCandidates, OfferedCandidates, WebRtcSettings

QUICK_S: Final = 0.4
"""How long a look waits for a server that never answers."""
BRIEF_S: Final = 1.2
"""Likewise, where much must go well before."""


@dataclass(frozen=True)
class Examined:
    """What the command has found, and how it ended."""

    code: int
    found: dict[str, Any]
    shown: str

    @property
    def outcomes(self) -> dict[str, str]:
        return {hop["name"]: hop["outcome"] for hop in self.found["hops"]}

    def hop(self, name: str) -> dict[str, Any]:
        return next(hop for hop in self.found["hops"] if hop["name"] == name)

    def names(self, hop: str, code: ExitCode, remedy: str) -> None:
        """It names this hop before all others, advises that, and ends so."""
        assert self.found["first"] == hop, self.shown
        assert remedy.lower() in self.hop(hop)["remedy"].lower(), self.shown
        assert self.code == self.found["exit_code"] == code, self.shown
        assert self.hop(hop)["remedy"] in " ".join(self.shown.split())
        assert KEY not in self.shown + json.dumps(self.found)


Examine = Callable[..., Awaitable[Examined]]


@pytest.fixture
def examine(capsys: pytest.CaptureFixture[str]) -> Examine:
    async def examine(
        base_url: str,
        *,
        key: str = KEY,
        model: str | None = None,
        patience_s: float = 5.0,
        clock: Clock | None = None,
        ice_servers: tuple[IceServer, ...] = (),
        talk: bool = False,
        cut: bool = False,
    ) -> Examined:
        order = Order(
            base_url, model, key, ice_servers=ice_servers, patience_s=patience_s, steady_s=0.2, talk=talk, cut=cut
        )
        shown = io.StringIO()
        code = await check(order, Terminal(shown), clock or SystemClock(), json_too=True)
        return Examined(code, json.loads(capsys.readouterr().out), shown.getvalue())

    return examine


def refusal(status: int, code: str) -> Response:
    return JSONResponse({"error": {"message": f"No: {code}. Your key is {KEY}.", "code": code}}, status)


Tamper = Callable[[Scope, Receive, Send], Awaitable[bool]]
"""Answers a request in place of the server; False leaves it alone."""


@asynccontextmanager
async def tampered(
    tamper: Tamper, webrtc: WebRtcSettings | None = None, script: Engines | None = None
) -> AsyncGenerator[str]:
    """Our own server, with something before it that spoils one thing; its base URL."""
    settings = ServerSettings(
        GatewaySettings(api_keys=(Secret(KEY),)),
        webrtc or WebRtcSettings(offered_candidates=OfferedCandidates.ALL, host_candidates=HostCandidates.LOOPBACK),
    )
    own = server_app(settings, Keyring((Secret(KEY),)), script or engines())

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if not await tamper(scope, receive, send):
            await own(scope, receive, send)

    async with serving(app) as url:
        yield f"{url}/v1"


async def nothing(scope: Scope, receive: Receive, send: Send) -> bool:
    return False


def instead(path: str, reply: Response) -> Tamper:
    """Give this reply to requests for a path."""

    async def tamper(scope: Scope, receive: Receive, send: Send) -> bool:
        if scope["type"] != "http" or not scope["path"].endswith(path):
            return False
        await reply(scope, receive, send)
        return True

    return tamper


def everywhere(reply: Response) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await reply(scope, receive, send)

    return app


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


# ── all is well ─────────────────────────────────────────────────────────────────────────────────────────


def answers(*, level: int = 8_000) -> Engines:
    """Somebody is heard for the first half second, and answered so loud."""
    return engines(
        heard=["What is twelve times seven?"],
        thought=["Yes."],
        spans=[Span(2_400, 12_000)],
        speaker=ScriptedSpeaker(level=level),
    )


async def test_of_a_server_without_fault_every_hop_passes(examine: Examine) -> None:
    async with tampered(nothing, script=answers()) as url:
        examined = await examine(url, talk=True)
    outcomes = examined.outcomes
    assert {hop for hop, outcome in outcomes.items() if outcome == "skipped"} == {"tls", "stun", "turn", "return"}
    assert {"failed", "blocked"}.isdisjoint(outcomes.values()), examined.shown
    assert examined.hop("udp")["figures"]["path"] == "host/udp"
    assert examined.hop("sound")["figures"]["transcript"] == "What is twelve times seven?"
    assert examined.hop("sound")["figures"]["peak_db"] > -30
    assert examined.code in (ExitCode.DONE, ExitCode.POOR)  # the machine that runs this may be slow


async def test_on_azure_offers_are_made_with_a_client_secret() -> None:
    async def tamper(scope: Scope, receive: Receive, send: Send) -> bool:
        if scope["type"] != "http" or not scope["path"].endswith("/calls"):
            return False
        return (b"api-key", KEY.encode()) in scope["headers"] and await refuse(scope, receive, send)

    async with tampered(tamper) as url:

        async def at_azure(case: Case) -> Verdict:
            case.place = Endpoint(urlsplit(url), Provider.AZURE)
            return Passed("there")

        hops = (Hop("url", at_azure), *HOPS[1 : [hop.name for hop in HOPS].index("offer") + 1])
        order = Order(url, api_key=KEY, model="gpt-realtime-2.1")
        findings = await walk(order, hops, SystemClock(), lambda _: None, lambda _: None)
    verdicts = {finding.hop: finding.verdict for finding in findings}
    assert isinstance(verdicts["key"], Skipped)
    assert isinstance(verdicts["secret"], Passed), verdicts
    assert isinstance(verdicts["offer"], Passed), verdicts


async def refuse(scope: Scope, receive: Receive, send: Send) -> bool:
    await refusal(401, "invalid_api_key")(scope, receive, send)
    return True


@pytest.mark.slow
async def test_a_call_that_is_cut_comes_back(examine: Examine) -> None:
    async with tampered(nothing) as url:
        examined = await examine(url, cut=True)
    figures = examined.hop("return")["figures"]
    assert examined.outcomes["return"] == "passed", examined.shown
    assert 0 < figures["took_s"] < 10
    assert figures["complete"]
    assert examined.outcomes["clean-up"] == "passed", examined.shown


async def test_what_is_asked_for_can_be_told_from_a_shell(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["check", "--help"])
    told = capsys.readouterr().out
    assert all(option in told for option in ("--no-talk", "--no-cut", "--seconds", "--json", "--ice-server"))
    assert "10" in told


# ── faults of names, ports and certificates ─────────────────────────────────────────────────────────────


async def test_a_url_that_is_none(examine: Examine) -> None:
    (await examine("api.example.com/v1")).names("url", ExitCode.USAGE, "mend")


async def test_a_name_that_does_not_resolve(examine: Examine) -> None:
    examined = await examine("https://no-such-host.invalid/v1")
    examined.names("name", ExitCode.UNREACHABLE, "spelled right")
    assert set(examined.outcomes.values()) == {"passed", "failed", "blocked"}


async def test_a_port_that_is_closed(examine: Examine) -> None:
    examined = await examine(f"http://127.0.0.1:{free_port()}/v1")
    examined.names("tcp", ExitCode.UNREACHABLE, "nothing listens")
    assert list(examined.outcomes.values()).count("failed") == 1


async def test_a_host_that_swallows_connections(examine: Examine) -> None:
    # A queue of one that is full: the kernel drops what asks to come in, as a firewall would.
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for each in (first, second):
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        examined = await examine(f"http://127.0.0.1:{full.getsockname()[1]}/v1", patience_s=QUICK_S)
    examined.names("tcp", ExitCode.UNREACHABLE, "firewall")


async def test_a_server_that_accepts_and_says_nothing(examine: Examine) -> None:
    async def silent(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        examined = await examine(f"http://127.0.0.1:{port}/v1", patience_s=QUICK_S)
    examined.names("http", ExitCode.UNREACHABLE, "hangs")


@pytest.mark.parametrize(
    ("fault", "remedy"),
    [("expired", "renewed"), ("self-signed", "SSL_CERT_FILE"), ("wrong name", "one of these names")],
)
async def test_a_certificate_that_does_not_hold(
    examine: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Forged, remedy: str
) -> None:
    certificate = forge(tmp_path, fault)
    if fault != "self-signed":
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        examined = await examine(f"https://localhost:{port}/v1")
    examined.names("tls", ExitCode.UNREACHABLE, remedy)
    assert examined.hop("tls")["figures"]["issuer"] == "Voices Unlimited"


# ── faults of the server, and of the account ────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("reply", "remedy"),
    [(HTMLResponse("<h1>Welcome</h1>"), "no Realtime API"), (refusal(500, "server_error"), "log")],
    ids=["a web site", "500"],
)
async def test_something_that_is_no_realtime_api(examine: Examine, reply: Response, remedy: str) -> None:
    async with serving(everywhere(reply)) as url:
        examined = await examine(f"{url}/v1")
    examined.names("http", ExitCode.REFUSED, remedy)


async def test_a_clock_that_is_wrong(examine: Examine) -> None:
    clock = MovableClock()
    clock.advance(900)
    async with tampered(nothing) as url:
        examined = await examine(url, clock=clock)
    examined.names("clock", ExitCode.USAGE, "set the clock")
    assert "ahead of" in examined.hop("clock")["found"]
    assert examined.outcomes["session"] == "passed"


@pytest.mark.parametrize(
    ("reply", "remedy"),
    [(refusal(401, "invalid_api_key"), "copied whole"), (refusal(429, "insufficient_quota"), "billing")],
    ids=["a wrong key", "no quota"],
)
async def test_a_key_that_opens_nothing(examine: Examine, reply: Response, remedy: str) -> None:
    async with serving(everywhere(reply)) as url:
        examined = await examine(f"{url}/v1")
    examined.names("key", ExitCode.REFUSED, remedy)
    assert examined.outcomes["websocket"] == "blocked"


async def test_client_secrets_that_are_refused_while_calls_work(examine: Examine) -> None:
    async with tampered(instead("/client_secrets", refusal(403, "missing_scope"))) as url:
        examined = await examine(url)
    examined.names("secret", ExitCode.REFUSED, "permission")
    assert examined.outcomes["session"] == "passed"


async def test_a_model_that_the_server_does_not_have(examine: Examine) -> None:
    async with tampered(nothing) as url:
        examined = await examine(url, model="gpt-no-such")
    examined.names("secret", ExitCode.REFUSED, "--model")


# ── faults of media and sockets ─────────────────────────────────────────────────────────────────────────


async def test_udp_that_is_blocked(examine: Examine) -> None:
    elsewhere = WebRtcSettings(advertised=("203.0.113.9",), host_candidates=HostCandidates.NONE)
    async with tampered(nothing, elsewhere) as url:
        examined = await examine(url, patience_s=BRIEF_S)
    examined.names("udp", ExitCode.NO_WAY, "UDP is shut")
    assert "203.0.113.9" in examined.hop("udp")["found"]
    assert examined.outcomes["websocket"] == "passed"


async def test_a_session_that_never_begins(examine: Examine) -> None:
    async with Pacer() as pacer, TaskGroup() as tasks:
        answerer = WebRtcAnswerer(pacer, WebRtcSettings(offered_candidates=OfferedCandidates.ALL))

        async def calls(request: Request) -> Response:
            offer = (await request.body()).decode()
            if "authorization" not in request.headers or "m=audio" not in offer:
                return refusal(400, "invalid_offer")
            async with request.form() as form:
                transport, answer = await answerer.answer(str(form["sdp"]))
            tasks.create_task(transport.run(lambda _: None))
            return Response(answer, 201, media_type="application/sdp")

        app = Starlette(routes=[Route("/v1/realtime/calls", calls, methods=["POST"])])
        async with serving(app) as url:
            examined = await examine(f"{url}/v1", patience_s=BRIEF_S)
    examined.names("session", ExitCode.UNANSWERED, "then hangs")
    assert examined.outcomes["channel"] == "passed"
    assert examined.outcomes["secret"] == "poor"


async def test_a_proxy_that_does_not_pass_websockets(examine: Examine) -> None:
    async def tamper(scope: Scope, receive: Receive, send: Send) -> bool:
        if scope["type"] != "websocket":
            return False
        await receive()
        await send({"type": "websocket.http.response.start", "status": 426, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b""})
        return True

    async with tampered(tamper) as url:
        examined = await examine(url)
    examined.names("websocket", ExitCode.REFUSED, "proxy")
    assert examined.outcomes["session"] == "passed"


async def test_a_server_that_answers_without_a_voice(examine: Examine) -> None:
    async with tampered(nothing, script=answers(level=0)) as url:
        examined = await examine(url, talk=True)
    examined.names("sound", ExitCode.UNANSWERED, "speech engine")
    assert examined.outcomes["clean-up"] == "passed"


# ── faults of relays ────────────────────────────────────────────────────────────────────────────────────


class Relay(asyncio.DatagramProtocol):
    """A STUN server that is right, and a TURN server (RFC 8656) that knows nobody's credential."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        asked = stun.parse_message(data)
        told = asked.message_method == stun.Method.BINDING
        reply = stun.Message(
            message_method=asked.message_method,
            message_class=stun.Class.RESPONSE if told else stun.Class.ERROR,
            transaction_id=asked.transaction_id,
        )
        if told:
            reply.attributes["XOR-MAPPED-ADDRESS"] = ("203.0.113.5", addr[1])
        else:
            reply.attributes |= {"ERROR-CODE": (401, "Unauthorized"), "REALM": "voices", "NONCE": b"once"}
        self._transport.sendto(bytes(reply), addr)


async def test_a_relay_that_does_not_know_the_credential(examine: Examine) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Relay, ("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    servers = (IceServer((f"stun:127.0.0.1:{port}", f"turn:127.0.0.1:{port}"), "somebody", Secret("sk-relay-0123456")),)
    async with tampered(nothing) as url:
        examined = await examine(url, ice_servers=servers)
    transport.close()
    examined.names("turn", ExitCode.NO_WAY, "credential")
    assert "401" in examined.hop("turn")["found"]
    assert "sees 203.0.113.5" in examined.hop("stun")["words"]
    assert "sk-relay" not in examined.shown
    assert examined.outcomes["session"] == "passed"


@contextmanager
def coturn(credential: str) -> Generator[int]:
    """A real relay on loopback, for UDP and TCP; its port, once it listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    own = ["-n", "--no-cli", "--no-tls", "--no-dtls", "--no-multicast-peers", "--realm=test", "--lt-cred-mech"]
    where = ["--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}"]
    with TemporaryDirectory() as folder:
        files = ["--log-file=stdout", f"--pidfile={folder}/pid", f"--userdb={folder}/db"]
        with subprocess.Popen(
            ["turnserver", *own, *where, *files, f"--user=somebody:{credential}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
        ) as process:
            try:
                while process.poll() is None:
                    with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                        break
                assert process.poll() is None, "turnserver has ended"
                yield port
            finally:
                process.terminate()


@pytest.mark.skipif(which("turnserver") is None, reason="needs coturn's turnserver")
async def test_relays_that_lend_an_address_over_udp_and_tcp() -> None:
    words = "sk-relay-0123456789"
    hops = HOPS[: 1 + [hop.name for hop in HOPS].index("turn")]
    with coturn(words) as port:
        urls = tuple(f"turn:127.0.0.1:{port}?transport={way}" for way in ("udp", "tcp"))
        async with tampered(nothing) as url:
            order = Order(url, None, KEY, ice_servers=(IceServer(urls, "somebody", Secret(words)),))
            *_, turn = await walk(order, hops, SystemClock(), lambda _: None, lambda _: None)
    assert isinstance(turn.verdict, Passed), turn.verdict
    said = cast("dict[str, str]", turn.verdict.figures["servers"])
    assert [(url, words.partition("127.0.0.1")[0]) for url, words in said.items()] == [(url, "lends ") for url in urls]


# ── a proxy between ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("password", ["hunter2", "wrong"])
async def test_a_server_that_only_a_proxy_reaches(
    password: str, examine: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with behind_a_proxy(tmp_path, monkeypatch) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", f"//me:{password}@"))
        examined = await examine(BASE_URL)
    assert examined.hop("url")["figures"]["proxy"] == proxy.url
    assert password not in examined.shown + json.dumps(examined.found)
    if password == "wrong":
        examined.names("http", ExitCode.REFUSED, "HTTPS_PROXY=http://user:password@proxy")
        assert examined.outcomes["websocket"] == "blocked"
    else:
        assert examined.outcomes["tls"] == "skipped", "the proxy's end is not the server's"
        assert {"failed", "blocked"}.isdisjoint(examined.outcomes.values()), examined.shown
        assert examined.outcomes["session"] == examined.outcomes["websocket"] == "passed"
    assert set(proxy.asked) == {f"{HOST}:443"}
