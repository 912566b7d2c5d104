"""An application of the agents SDK (`pages/agents.js`), in Node or in a browser, and what it was told.

Every event that reached it is held to the SDK's own schema, the types of the `openai` package and the protocol's order.
"""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from playwright.async_api import ConsoleMessage, Error

from tests.browser.visitor import Visitor, visit
from tests.strict import Reader
from vivavoce.audio.frame import Pcm, to_bytes

HERE: Final = Path(__file__).parent
PATIENCE_S: Final = 30.0
LINE: Final = 64 * 1024 * 1024
"""A record may hold a whole history with its sound."""

UNKNOWN_TO_SDK: Final = frozenset({"response.mcp_call.failed"})
"""Events of the `openai` package's types that the agents SDK 0.20 has no schema for; it lets them pass."""

Record = dict[str, Any]
"""Something that the application was told; JSON."""


class Refused(Exception):
    """The SDK threw; in the words that its user is shown."""


class Application:
    """The application, wherever it runs."""

    def __init__(self, perform: Callable[[str, Record], Awaitable[object]]) -> None:
        self._perform = perform
        self._news = asyncio.Event()
        self._awaited = 0
        self.told: list[Record] = []

    def hear(self, told: Record) -> None:
        """The application was told something."""
        self.told.append(told)
        self._news.set()

    async def act(self, act: str, **how: object) -> None:
        """Do something that its user can do.

        Raises:
            Refused: the SDK did not let it.
        """
        async with asyncio.timeout(PATIENCE_S):
            await self._perform(act, how)

    async def say(self, samples: Pcm) -> None:
        """Speak, where the application carries the sound itself."""
        await self.act("say", sound=b64encode(to_bytes(samples)).decode())

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is true of what was told."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def event(self, type: str) -> Record:
        """The next event of a type among those that have not been waited for."""
        found: list[Record] = []

        def arrived() -> bool:
            while not found and self._awaited < len(self.events):
                event = self.events[self._awaited]
                self._awaited += 1
                if event["type"] == type:
                    found.append(event)
            return bool(found)

        await self.until(arrived)
        return found[0]

    def all(self, kind: str) -> list[Record]:
        """Everything of a kind so far."""
        return [told for told in self.told if told["kind"] == kind]

    @property
    def events(self) -> list[Record]:
        """The protocol's events so far."""
        return [told["event"] for told in self.all("event")]

    @property
    def history(self) -> list[Record]:
        """The conversation, as the SDK has it now."""
        return self.all("history")[-1]["history"]

    def words(self, role: str) -> list[str | None]:
        """What somebody said in the conversation, as the SDK has it now."""
        said = [item for item in self.history if item.get("role") == role]
        return [part.get("transcript", part.get("text")) for item in said for part in item["content"]]


async def judge(events: Iterable[Record]) -> None:
    """Hold what the SDK was told to its schema, and to what `tests/strict.py` asks.

    Raises:
        AssertionError: something does not fit; the SDK would not have said so.
    """
    lines = [json.dumps(event) for event in events]
    reader = Reader()
    for line in lines:
        reader.read(line)
    process = await asyncio.create_subprocess_exec(
        "node",
        HERE / "schema.mjs",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    known = [line for line in lines if json.loads(line)["type"] not in UNKNOWN_TO_SDK]
    misfits, _ = await process.communicate("\n".join(known).encode())
    assert (process.returncode, misfits.decode()) == (0, "")


@asynccontextmanager
async def in_node(*servers: Record) -> AsyncGenerator[Application]:
    """The application in Node, over a WebSocket, with these MCP servers. Ends by itself once it is closed."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        "node", HERE / "agents.mjs", *map(json.dumps, servers), stdin=pipe, stdout=pipe, stderr=pipe, limit=LINE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout
    done: asyncio.Queue[Record] = asyncio.Queue()

    async def perform(act: str, how: Record) -> None:
        stdin.write(f"{json.dumps({'act': act, **how})}\n".encode())
        await stdin.drain()
        told = await done.get()
        if told["kind"] == "refused":
            raise Refused(told["message"])

    application = Application(perform)

    async def read() -> None:
        async for line in stdout:
            told: Record = json.loads(line)
            if told["kind"] in ("acted", "refused"):
                done.put_nowait(told)
            else:
                application.hear(told)

    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read())
        try:
            yield application
        except BaseException:
            process.kill()
            raise
        finally:
            stdin.close()
            await reading
            _, complaints = await process.communicate()
    assert (process.returncode, complaints.decode()) == (0, "")
    await judge(application.events)


def overhear(application: Application, message: ConsoleMessage) -> None:
    """Take what the page says to the console for what the application was told."""
    if message.type == "debug":
        application.hear(json.loads(message.text))


@asynccontextmanager
async def in_browser(
    address: str, *, microphone: Path | Literal["in hand"] = "in hand"
) -> AsyncGenerator[tuple[Application, Visitor]]:
    """The application in Chromium; over WebRTC, unless the address says otherwise."""
    async with visit(address, microphone=microphone) as visitor:

        async def perform(act: str, how: Record) -> None:
            try:
                await visitor.page.evaluate("async ([act, how]) => { await app[act](how); }", [act, how])
            except Error as error:
                raise Refused(error.message) from error

        application = Application(perform)
        visitor.page.on("console", partial(overhear, application))
        yield application, visitor
    await judge(application.events)
