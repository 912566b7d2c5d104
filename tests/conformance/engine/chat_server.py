"""A chat server on loopback that says what a test wrote down for it, byte for byte, over real HTTP."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Self


class Ending(Enum):
    """How the server leaves an answer."""

    WHOLE = "whole"
    DROP = "drop"
    """The connection breaks in the middle of the response."""
    MUTE = "mute"
    """The connection closes instead of any response, as one does that was kept too long."""
    STALL = "stall"
    """Nothing more comes until the client goes away."""


@dataclass(frozen=True)
class Answer:
    """One HTTP response; each piece is one chunk of the transfer encoding."""

    pieces: tuple[bytes, ...] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream"})
    ending: Ending = Ending.WHOLE


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, object]


Script = Callable[[Asked], Answer]


class ChatServer:
    """Answers requests one after another from a list, the last one for ever, or from a function of the request."""

    def __init__(self, *answers: Answer, script: Script | None = None) -> None:
        self._answers = list(answers)
        self._script = script
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self.asked: list[Asked] = []
        self.connections = 0
        self.left = asyncio.Event()
        """Set when a client has closed the connection of an answer that was still going on."""
        self.stalled = asyncio.Event()
        """Set when an answer has said all its pieces and stalls."""

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        async with asyncio.timeout(5):
            await self._idle.wait()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        self._idle.clear()
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self._writers.discard(writer)
            if not self._writers:
                self._idle.set()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        asked = Asked(head[0].split(" ")[1], headers, body)
        self.asked.append(asked)
        return await self._answer(self._next(asked), reader, writer)

    def _next(self, asked: Asked) -> Answer:
        if self._script is not None:
            return self._script(asked)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    async def _answer(self, answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if answer.ending is Ending.MUTE:
            return False
        lines = [f"HTTP/1.1 {answer.status} Whatever", "transfer-encoding: chunked"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        for piece in answer.pieces:
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            await writer.drain()
        match answer.ending:
            case Ending.WHOLE:
                writer.write(b"0\r\n\r\n")
                await writer.drain()
                return True
            case Ending.DROP:
                writer.write(b"ffff\r\ndata: {")
                await writer.drain()
                return False
            case _:
                self.stalled.set()
                await reader.read(1)
                self.left.set()
                return False


def sse(*events: object, end: str = "\n\n") -> bytes:
    """Events as bytes; anything but a string is written as JSON."""
    texts = [event if isinstance(event, str) else json.dumps(event, ensure_ascii=False) for event in events]
    return "".join(f"data: {text}{end}" for text in texts).encode()


def chunk(delta: dict[str, object] | None = None, finish: str | None = None, **more: object) -> dict[str, object]:
    """A `chat.completion.chunk` with one choice."""
    choice = {"index": 0, "delta": delta or {}, "logprobs": None, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [choice],
        **more,
    }


def usage(prompt: int, completion: int, **more: object) -> dict[str, object]:
    """The last chunk, which counts tokens and has no choices."""
    counted = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion, **more}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "choices": [], "usage": counted}


def words(*deltas: str) -> tuple[bytes, ...]:
    """A whole answer of plain words."""
    said = (sse(chunk({"content": delta})) for delta in deltas)
    return (*said, sse(chunk(finish="stop"), usage(7, len(deltas)), "[DONE]"))


def refusal(status: int, message: str, **headers: str) -> Answer:
    """A refusal in OpenAI's shape."""
    body = json.dumps({"error": {"message": message, "type": "invalid_request_error", "code": None}}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer((body,), status, {"content-type": "application/json", **named})
