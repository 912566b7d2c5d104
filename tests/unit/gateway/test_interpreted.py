import asyncio
import json
import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from vivavoce.audio.frame import silence
from vivavoce.gateway.interpreted import LONG, Interpreted
from vivavoce.transport.interface import Closed, ClosedBy, Deliver, Inbound, Opened, SoundPath, Text
from vivavoce.transport.memory import MemoryTransport, join
from vivavoce.transport.playback import FRAME
from vivavoce.wire.beta.interpreter import Interpreter
from vivavoce.wire.codec import encode
from vivavoce.wire.config import RealtimeSession
from vivavoce.wire.event import ConversationItemDone, SessionCreated
from vivavoce.wire.item import UserMessage

CREATED = encode(SessionCreated(event_id="event_1", session=RealtimeSession(output_modalities=["audio"])))


@asynccontextmanager
async def standing() -> AsyncGenerator[tuple[Interpreted, list[Inbound], MemoryTransport, list[Inbound]]]:
    """The server's end with an interpreter over it and what it is told, the client's end and what that is told."""
    near, far = join()
    server, heard, told = Interpreted(near, Interpreter(lambda prefix: f"{prefix}_1")), list[Inbound](), list[Inbound]()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(server.run(heard.append))
        tasks.create_task(far.run(told.append))
        await settle()
        yield server, heard, far, told
        await server.close(4000, "over")


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def texts(arrived: Sequence[Inbound]) -> list[dict[str, Any]]:
    return [json.loads(each.text) for each in arrived if isinstance(each, Text)]


async def test_text_is_translated_and_all_else_is_handed_on() -> None:
    async with standing() as (server, heard, far, told):
        assert server.traits == far.traits
        server.send(CREATED)
        far.send('{"type":"session.update","session":{"modalities":["text"]}}')
        server.send(encode(ConversationItemDone(event_id="event_2", item=UserMessage(content=[]))))
        await settle()
        assert heard[0] == Opened()
        session = {"type": "realtime", "output_modalities": ["text"]}
        assert texts(heard) == [{"type": "session.update", "session": session}]
        (created,) = texts(told)
        assert created["session"]["modalities"] == ["audio", "text"]
        server.play(silence(2 * FRAME))
        assert server.flush() == server.played() == 0
        assert (await server.link()).path == "memory"
    assert heard[-1] == Closed(ClosedBy.US, 4000, "over")
    assert told[-1] == Closed(ClosedBy.PEER, 4000, "over")


async def test_a_mistake_is_told_after_the_greeting_and_never_reaches_the_server() -> None:
    async with standing() as (server, heard, far, told):
        far.send('{"type":"session.update","event_id":"mine","session":{"voise":"ash"}}')
        await settle()
        assert texts(told) == []
        server.send(CREATED)
        far.send('{"type":"session.begin"}')
        await settle()
        assert texts(heard) == []
        greeting, *refusals = texts(told)
        assert greeting["type"] == "session.created"
        assert [each["error"]["param"] for each in refusals] == ["session.voise", "type"]
        assert [each["error"]["event_id"] for each in refusals] == ["mine", None]


class Noted(Interpreter):
    """Notes in which thread it works."""

    def __init__(self) -> None:
        super().__init__(lambda prefix: f"{prefix}_1")
        self.threads: list[int] = []

    def to_server(self, text: str) -> str:
        self.threads.append(threading.get_ident())
        return super().to_server(text)

    def to_client(self, text: str) -> str | None:
        self.threads.append(threading.get_ident())
        return super().to_client(text)


def said(text: str) -> str:
    return json.dumps({"type": "session.update", "session": {"instructions": text}})


async def test_a_long_text_is_translated_aside_and_what_follows_comes_after_it_the_end_too() -> None:
    near, far = join()
    interpreter, heard = Noted(), list[Inbound]()
    server = Interpreted(near, interpreter)
    far.send(said("a" * LONG))
    far.send(said("b"))
    far.send(said("c" * LONG))
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(server.run(heard.append))
        tasks.create_task(far.run(lambda _: None))
        await settle()
        await far.close()
    assert [each["session"]["instructions"][0] for each in texts(heard)] == ["a", "b", "c"]
    assert isinstance(heard[-1], Closed)
    assert [thread == threading.get_ident() for thread in interpreter.threads] == [False, True, False]


async def test_a_long_answer_is_translated_aside_and_what_follows_comes_after_it_the_end_too() -> None:
    near, far = join(SoundPath.TEXT)
    interpreter, told = Noted(), list[Inbound]()
    server = Interpreted(near, interpreter)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(server.run(lambda _: None))
        tasks.create_task(far.run(told.append))
        await settle()
        for letter, length in (("a", 1), ("b", LONG), ("c", 1), ("d", LONG)):
            session = RealtimeSession(instructions=letter * length, output_modalities=["text"])
            server.send(encode(SessionCreated(event_id="event_1", session=session)))
        await server.close()
    assert [each["session"]["instructions"][0] for each in texts(told)] == ["a", "b", "c", "d"]
    assert told[-1] == Closed(ClosedBy.PEER)
    assert [thread == threading.get_ident() for thread in interpreter.threads] == [True, False, True, False]


async def test_a_long_answer_that_is_too_long_for_its_way_is_said_to_be_left_out() -> None:
    near, far = join(SoundPath.TEXT, largest_text=LONG)
    server, told = Interpreted(near, Interpreter(lambda prefix: f"{prefix}_1")), list[Inbound]()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(server.run(lambda _: None))
        tasks.create_task(far.run(told.append))
        await settle()
        server.send(CREATED)
        session = RealtimeSession(instructions="a" * LONG, output_modalities=["text"])
        server.send(encode(SessionCreated(event_id="event_1", session=session)))
        await server.close()
    greeting, refusal = texts(told)
    assert greeting["type"] == "session.created"
    assert refusal["error"]["type"] == "server_error"
    assert "was left out" in refusal["error"]["message"]


async def test_the_sender_of_a_long_text_is_held_back_until_it_has_been_taken() -> None:
    taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    held: list[asyncio.Future[None] | None] = []

    class Reading(MemoryTransport):
        async def run(self, deliver: Deliver) -> None:
            held.append(deliver(Text(said("a" * LONG))))

    heard: list[Inbound] = []

    def take(arrived: Inbound) -> asyncio.Future[None]:
        heard.append(arrived)
        return taken

    async with asyncio.timeout(10):
        await Interpreted(Reading(SoundPath.TEXT), Noted()).run(take)
        (waiting,) = held
        assert waiting is not None
        assert (len(heard), waiting.done()) == (1, False)
        taken.set_result(None)
        await waiting


async def test_a_mistake_in_a_long_text_is_told_and_holds_nobody_back() -> None:
    sent: list[str] = []

    class Mistaken(MemoryTransport):
        async def run(self, deliver: Deliver) -> None:
            waiting = deliver(Text(json.dumps({"type": "session.update", "session": {"voise": "a" * LONG}})))
            assert waiting is not None
            await waiting

        def send(self, text: str) -> None:
            sent.append(text)

    heard: list[Inbound] = []
    server = Interpreted(Mistaken(SoundPath.TEXT), Noted())
    server.send(CREATED)
    async with asyncio.timeout(10):
        await server.run(heard.append)
    assert json.loads(sent[1])["error"]["param"] == "session.voise"
    assert heard == []
