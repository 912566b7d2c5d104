"""Coming back to a call whose connection was lost."""

import asyncio
import json
import logging
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest
from starlette.testclient import WebSocketTestSession

from tests.unit.gateway.stand import ANSWER, KEY, OFFER, OTHER_KEY, Reply, Stand, settings, standing
from vivavoce.gateway.settings import Limits, SecretUse
from vivavoce.transport.interface import Inbound, Text
from vivavoce.transport.memory import MemoryTransport
from vivavoce.wire.resumption import Ticket, read_ticket

HOUSE = "/v1/realtime?model=house"
PING = '{"type":"connection.ping","event_id":"ping_1"}'
UNKNOWN = (404, "call_id_not_found", "call_id")


def said(number: int) -> str:
    return json.dumps({"type": "any", "event_id": f"said_{number}"})


@dataclass
class Lost:
    """A conversation whose connection broke: how to come back to it."""

    path: str
    token: str
    last_event_id: str | None = "said_0"

    def headers(self, *, key: str | None = KEY, **more: str) -> dict[str, str]:
        bearer = {} if key is None else {"authorization": f"Bearer {key}"}
        last = {} if self.last_event_id is None else {"last_event_id": self.last_event_id}
        return {"viva_resume": self.token} | last | bearer | more


def ticket(headers: dict[str, str]) -> Ticket:
    read = read_ticket(headers["viva-resume"])
    assert read is not None
    return read


def handshake(socket: WebSocketTestSession) -> dict[str, str]:
    headers: list[tuple[bytes, bytes]] = socket.extra_headers or []
    return {name.decode(): value.decode() for name, value in headers}


def ping(socket: WebSocketTestSession) -> None:
    socket.send_text('{"type":"connection.ping","event_id":"ping_1"}')
    assert socket.receive_text() == '{"type":"connection.pong","ping_event_id":"ping_1"}'


def lose(stand: Stand, *, key: str = KEY) -> Lost:
    """A conversation whose connection breaks."""
    with stand.socket(HOUSE, authorization=f"Bearer {key}") as socket:
        headers = handshake(socket)
        ping(socket)
        socket.send_text(said(0))
        assert socket.receive_text() == said(0)
        socket.send_text(said(1))
        stand.part(socket)
    return Lost(f"{headers['location']}/resume", ticket(headers).token)


# ── over a WebSocket ────────────────────────────────────────────────────────────────────────────────────


def test_a_conversation_goes_on_over_another_socket_and_nothing_is_lost(stand: Stand) -> None:
    lost = lose(stand)
    assert stand.running() == 1
    with stand.socket(lost.path, **lost.headers()) as socket:
        headers = handshake(socket)
        assert headers["viva-last-event"] == "said_1"
        assert f"{headers['location']}/resume" == lost.path
        assert ticket(headers).max_age_s == 60
        assert ticket(headers).token != lost.token
        assert socket.receive_text() == said(1)
        socket.send_text(said(2))
        assert socket.receive_text() == said(2)
    assert stand.running() == 0
    assert len(stand.answerer.conversations) == 1


def test_a_browser_says_in_subprotocols_how_it_comes_back_and_none_is_echoed(stand: Stand) -> None:
    lost = lose(stand)
    offered = [
        "realtime",
        f"openai-insecure-api-key.{KEY}",
        f"viva-resume.{lost.token}",
        f"viva-last-event.{lost.last_event_id}",
    ]
    with stand.socket(lost.path, subprotocols=offered) as socket:
        assert socket.accepted_subprotocol == "realtime"
        assert socket.receive_text() == said(1)


def test_who_comes_back_takes_over_from_a_connection_that_seems_alive(stand: Stand) -> None:
    with stand.socket(HOUSE, authorization=f"Bearer {KEY}") as old:
        first = handshake(old)
        ping(old)
        lost = Lost(f"{first['location']}/resume", ticket(first).token, None)
        with stand.socket(lost.path, **lost.headers()) as socket:
            assert old.receive()["type"] == "websocket.close"
            socket.send_text(said(2))
            assert socket.receive_text() == said(2)


def test_a_token_is_good_until_whoever_came_back_has_spoken(stand: Stand) -> None:
    lost = lose(stand)
    for _ in range(12):
        with stand.socket(lost.path, **lost.headers()) as socket:
            # The reply got lost on its way: the same token again.
            stand.part(socket)
    with stand.socket(lost.path, **lost.headers()) as socket:
        newer = ticket(handshake(socket)).token
        assert socket.receive_text() == said(1)
        ping(socket)
        assert stand.running() == 1  # and the server has had its turn
        assert stand.refusal(lost.path, **lost.headers()).error == UNKNOWN
        stand.part(socket)
    lost.token = newer
    with stand.socket(lost.path, **lost.headers()) as socket:
        assert socket.receive_text() == said(1)


# ── who may ─────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_else_comes_back_and_nobody_learns_why_not(stand: Stand) -> None:
    lost = lose(stand)
    for headers in (
        lost.headers(key=OTHER_KEY),
        lost.headers(viva_resume="viva_resume_of-somebody-else"),
        {name: value for name, value in lost.headers().items() if name != "viva_resume"},
    ):
        assert stand.refusal(lost.path, **headers).error == UNKNOWN
    elsewhere = "/v1/realtime/calls/rtc_nobody/resume"
    assert stand.refusal(elsewhere, **lost.headers()).error == UNKNOWN
    assert stand.refusal(lost.path, **lost.headers(key="sk-of-nobody-0123456789")).status == 401
    with stand.socket(lost.path, **lost.headers()) as socket:
        assert socket.receive_text() == said(1)


def test_an_expired_secret_does_not_come_back_but_a_fresh_one_of_the_same_owner_does(stand: Stand) -> None:
    secret = stand.secret('{"expires_after":{"anchor":"created_at","seconds":10}}')
    lost = lose(stand, key=secret)
    stand.clock.advance(11)
    assert stand.refusal(lost.path, **lost.headers(key=secret)).status == 401
    fresh = stand.secret()
    with stand.socket(lost.path, **lost.headers(key=fresh)) as socket:
        assert socket.receive_text() == said(1)
        # What the fresh one came back to, it may end.
        assert stand.post(f"{lost.path.removesuffix('/resume')}/hangup", key=fresh).status == 200
    assert stand.refusal(lost.path, **lost.headers(key=stand.secret())).error == UNKNOWN


def test_a_secret_for_one_use_is_used_up_by_coming_back() -> None:
    with standing(settings(use=SecretUse.ONCE)) as stand:
        lost = lose(stand, key=stand.secret())
        fresh = stand.secret()
        with stand.socket(lost.path, **lost.headers(key=fresh)) as socket:
            assert socket.receive_text() == said(1)
        assert stand.refusal(HOUSE, authorization=f"Bearer {fresh}").status == 401


def test_the_token_is_written_down_nowhere(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    lost = lose(stand)
    with stand.socket(lost.path, **lost.headers()) as socket:
        newer = ticket(handshake(socket)).token
    stand.refusal(lost.path, **lost.headers())
    assert "call_detached" in caplog.text
    assert lost.token not in caplog.text
    assert newer not in caplog.text


# ── refusals ────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_no_longer_kept_is_not_passed_over_and_the_call_gives_up_its_place(stand: Stand) -> None:
    lost = lose(stand)
    refused = stand.refusal(lost.path, **lost.headers(last_event_id="event_long_ago"))
    assert refused.error == (410, "events_lost", "Last-Event-ID")
    assert stand.running() == 0
    assert stand.refusal(lost.path, **lost.headers()).error == UNKNOWN


def test_a_call_does_not_come_back_by_what_it_was_not_lost_by(stand: Stand) -> None:
    lost = lose(stand)
    headers = lost.headers(content_type="application/sdp")
    assert stand.post(lost.path, content=OFFER, **headers).error == (409, "transport_changed", None)
    with stand.socket(lost.path, **lost.headers()) as socket:
        assert socket.receive_text() == said(1)


def test_without_the_extension_nothing_is_promised_and_nothing_kept() -> None:
    with standing(settings(keep_s=0)) as stand:
        with stand.socket(HOUSE, authorization=f"Bearer {KEY}") as socket:
            assert handshake(socket).keys() == {"location", "viva-heartbeat"}
            ping(socket)
            stand.part(socket)
        assert stand.running() == 0
        assert "viva-resume" not in stand.call().headers


def test_a_client_that_never_sent_a_ping_is_not_waited_for(stand: Stand) -> None:
    with stand.socket(HOUSE, authorization=f"Bearer {KEY}") as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "echo hello"
        stand.part(socket)
    assert stand.running() == 0


# ── limits ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_session_that_waits_holds_its_place() -> None:
    with standing(settings(limits=Limits(calls_per_identity=1))) as stand:
        lost = lose(stand)
        assert stand.refusal(HOUSE, authorization=f"Bearer {KEY}").status == 429
        with stand.socket(lost.path, **lost.headers()) as socket:
            assert socket.receive_text() == said(1)
            stand.part(socket, 1000)
        with stand.socket(HOUSE, authorization=f"Bearer {KEY}"):
            pass


def test_who_comes_back_counts_among_those_that_are_connecting() -> None:
    with standing(settings(limits=Limits(half_open=1))) as stand:
        lost = lose(stand)
        stand.call()
        assert stand.refusal(lost.path, **lost.headers()).status == 429
        stand.arrive(stand.answerer.calls[0])
        with stand.socket(lost.path, **lost.headers()) as socket:
            assert socket.receive_text() == said(1)


def test_a_server_that_ends_waits_for_nobody() -> None:
    with standing() as stand:
        lose(stand)
        assert stand.running() == 1
    assert stand.answerer.closed == 1


def test_fifty_times_away_and_back_leave_nothing_behind(stand: Stand) -> None:
    lost = lose(stand)
    for _ in range(50):
        with stand.socket(lost.path, **lost.headers()) as socket:
            lost.token = ticket(handshake(socket)).token
            assert socket.receive_text() == said(1)
            stand.part(socket)
    assert stand.running() == 1
    with stand.socket(lost.path, **lost.headers()):
        pass
    assert stand.running() == 0


# ── over WebRTC ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Line:
    """The caller's end of a connection that the fake made."""

    stand: Stand
    end: MemoryTransport
    got: list[str]

    def send(self, text: str) -> None:
        self.do(lambda: self.end.send(text))

    def vanish(self) -> None:
        self.do(self.end.vanish)

    def do(self, act: Callable[[], None]) -> None:
        async def and_settle() -> None:
            act()
            for _ in range(20):
                await asyncio.sleep(0)

        assert self.stand.client.portal is not None
        self.stand.client.portal.call(and_settle)


@contextmanager
def line(stand: Stand) -> Generator[Line]:
    portal = stand.client.portal
    assert portal is not None
    here = Line(stand, stand.answerer.lines[-1], [])

    def take(arrived: Inbound) -> None:
        if isinstance(arrived, Text):
            here.got.append(arrived.text)

    running = portal.start_task_soon(here.end.run, take)
    try:
        yield here
    finally:
        running.cancel()


def resume(stand: Stand, reply: Reply, last: str | None, **more: str) -> Reply:
    headers = {"viva_resume": ticket(reply.headers).token, "content_type": "application/sdp"} | more
    if last is not None:
        headers["last_event_id"] = last
    return stand.post(f"{reply.headers['location']}/resume", content=OFFER, **headers)


def test_a_webrtc_call_goes_on_over_another_peer() -> None:
    with standing() as stand, ExitStack() as lines:
        stand.answerer.connects = True
        reply = stand.call()
        assert ticket(reply.headers).max_age_s == 60
        first = lines.enter_context(line(stand))
        first.send(PING)
        first.send(said(1))
        first.vanish()
        assert stand.running() == 1
        again = resume(stand, reply, None, viva_silent_ms="700")
        assert (again.status, again.body) == (201, ANSWER.encode())
        assert again.headers["location"] == reply.headers["location"]
        assert again.headers["viva-last-event"] == "said_1"
        second = lines.enter_context(line(stand))
        second.send(said(2))
        assert second.got == [said(1), said(2)]
        assert resume(stand, reply, None).error == UNKNOWN
        assert stand.post(f"{reply.headers['location']}/hangup").status == 200
        assert resume(stand, again, None).error == UNKNOWN


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({"content_type": "text/plain"}, (415, "unsupported_content_type", None)),
        ({"content_type": "multipart/form-data; boundary=b"}, (415, "unsupported_content_type", None)),
        ({"viva_silent_ms": "long"}, (400, "invalid_value", "Viva-Silent-Ms")),
        ({"viva_silent_ms": "-1"}, (400, "invalid_value", "Viva-Silent-Ms")),
        ({"last_event_id": "x" * 513}, (400, "invalid_value", "Last-Event-ID")),
        ({"viva_resume": ""}, UNKNOWN),
    ],
)
def test_what_cannot_be_read_is_refused_and_loses_nothing(headers: dict[str, str], refusal: object) -> None:
    with standing() as stand, ExitStack() as lines:
        stand.answerer.connects = True
        reply = stand.call()
        first = lines.enter_context(line(stand))
        first.send(PING)
        first.vanish()
        assert resume(stand, reply, None, **headers).error == refusal
        assert resume(stand, reply, None).status == 201


def test_an_offer_that_cannot_be_answered_leaves_the_connection_there_is() -> None:
    with standing() as stand, ExitStack() as lines:
        stand.answerer.connects = True
        reply = stand.call()
        first = lines.enter_context(line(stand))
        first.send(PING)
        headers = {"viva_resume": ticket(reply.headers).token, "content_type": "application/sdp"}
        refused = stand.post(f"{reply.headers['location']}/resume", content="v=0\r\n", **headers)
        assert refused.error == (400, "invalid_offer", None)
        first.send(said(1))
        assert first.got[-1] == said(1)
