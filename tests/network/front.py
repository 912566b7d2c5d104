"""A provider's front door: passes HTTP and WebSockets on to the server behind it, unless told to answer otherwise.

    python -m tests.network.front HOST PORT PORT_BEHIND

Says `ready`, then reads one line of JSON for each of the next requests for a call, which are answered so in that order:
`{"status": 429, "headers": {"Retry-After": "2"}}`, or `{}` for a request that is never answered. With the first of them
it drops the connections that HTTP keeps, so that none is used again. Requests for client secrets always pass.
"""

import asyncio
import json
import sys
from asyncio import StreamReader, StreamWriter, TaskGroup
from collections import deque
from contextlib import suppress
from typing import Final, TypedDict

_PIECE: Final = 2**16


class Said(TypedDict, total=False):
    """What to answer; nothing without a status."""

    status: int
    headers: dict[str, str]


class Front:
    """The door."""

    def __init__(self, host: str, behind: int) -> None:
        self._host = host
        self._behind = behind
        self._answers: deque[Said] = deque()
        self._open: set[StreamWriter] = set()

    def told(self, answer: Said) -> None:
        """The next request that is not spoken for is to be answered so."""
        if not self._answers:
            for writer in self._open:
                writer.close()
        self._answers.append(answer)

    async def take(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One connection."""
        try:
            with suppress(OSError, EOFError):
                head = await reader.readuntil(b"\r\n\r\n")
                if b"upgrade: websocket" not in head.lower():
                    self._open.add(writer)
                if self._answers and b"/client_secrets" not in head.partition(b"\r\n")[0]:
                    await self._answer(self._answers.popleft(), reader, writer)
                else:
                    await self._pass(head, reader, writer)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, answer: Said, reader: StreamReader, writer: StreamWriter) -> None:
        if "status" not in answer:
            await reader.read()  # until the client gives up
            return
        headers = {**answer.get("headers", {}), "Content-Type": "application/json", "Connection": "close"}
        body = json.dumps({"error": {"message": "As told.", "type": "server_error", "code": None, "param": None}})
        lines = [f"HTTP/1.1 {answer['status']} As told", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write("\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode())
        writer.write_eof()
        await reader.read()  # what is closed with something unread is reset, and the answer lost

    async def _pass(self, head: bytes, reader: StreamReader, writer: StreamWriter) -> None:
        there, onward = await asyncio.open_connection(self._host, self._behind)
        try:
            onward.write(head)
            async with TaskGroup() as ways:
                ways.create_task(_pump(reader, onward))
                ways.create_task(_pump(there, writer))
        finally:
            onward.close()


async def _pump(source: StreamReader, sink: StreamWriter) -> None:
    with suppress(OSError):
        while piece := await source.read(_PIECE):
            sink.write(piece)
            await sink.drain()
        sink.close()


async def main(host: str, port: int, behind: int) -> None:
    """Stand there until the input ends."""
    front = Front(host, behind)
    async with await asyncio.start_server(front.take, host, port):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while line := await asyncio.to_thread(sys.stdin.readline):
            front.told(json.loads(line))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
