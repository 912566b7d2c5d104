import logging

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from tests.unit.gateway.stand import KEY, OFFER, Stand
from vivavoce.gateway.guard import Guard
from vivavoce.testing.clock import ManualClock


def fields(record: logging.LogRecord) -> dict[str, object]:
    return vars(record)["viva_fields"]


def test_every_reply_has_an_id_that_the_log_has_too(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    first, second = stand.call(), stand.call(key="sk-wrong-key-0000")
    ids = [reply.headers["x-request-id"] for reply in (first, second)]
    logged = [fields(record) for record in caplog.records if record.getMessage() == "request"]
    assert [each["request_id"] for each in logged] == ids
    assert [(each["method"], each["path"], each["status"]) for each in logged] == [
        ("POST", "/v1/realtime/calls", 201),
        ("POST", "/v1/realtime/calls", 401),
    ]


def test_the_log_gets_neither_keys_nor_queries_nor_offers(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    secret = stand.secret('{"session":{"type":"realtime","instructions":"Speak of roses."}}')
    stand.call(key=secret, path="/v1/realtime/calls?api-key=in-the-query")
    stand.post(
        "/v1/realtime/calls", content=OFFER, content_type="application/sdp", OpenAI_Safety_Identifier="who-it-is"
    )
    with stand.socket("/v1/realtime?model=house", authorization=f"Bearer {KEY}"):
        pass
    ours = [f"{record.getMessage()} {vars(record)}" for record in caplog.records if record.name.startswith("vivavoce")]
    assert len(ours) > 4
    for hidden in (secret, KEY, "in-the-query", "roses", "who-it-is", "m=audio"):
        assert not [line for line in ours if hidden in line]


def test_replies_are_not_cached_and_not_guessed_at(stand: Stand) -> None:
    for reply in (stand.call(), stand.mint(), stand.get("/healthz"), stand.get("/nowhere")):
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["x-content-type-options"] == "nosniff"


async def run(app: "Broken") -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    await Guard(app, ManualClock(), lambda prefix: f"{prefix}_1")(
        {"type": "http", "method": "GET", "path": "/", "headers": []}, receive, send
    )
    return sent


class Broken:
    """An application that breaks, before or after it has begun to reply."""

    def __init__(self, error: Exception, *begun: Message) -> None:
        self._error = error
        self._begun = begun

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for message in self._begun:
            await send(message)
        raise self._error


async def test_what_nobody_foresaw_is_a_500_in_json() -> None:
    sent = await run(Broken(ValueError("sk-inner-key-000")))
    assert sent[0]["status"] == 500
    assert b"server_error" in sent[1]["body"]
    assert b"sk-inner" not in sent[1]["body"]


async def test_a_reply_that_broke_half_way_is_cut_off_and_not_mended() -> None:
    with pytest.raises(ValueError):
        await run(Broken(ValueError("late"), {"type": "http.response.start", "status": 200, "headers": []}))


async def test_a_client_that_left_gets_no_reply() -> None:
    assert await run(Broken(ClientDisconnect())) == []
