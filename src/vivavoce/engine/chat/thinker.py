"""The thinker that asks a chat server over HTTP."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Final, Self

import httpx2
import msgspec

from vivavoce.clock import Clock
from vivavoce.engine.chat.body import body
from vivavoce.engine.chat.feed import Feed, broken, silent
from vivavoce.engine.chat.options import ChatOptions, Sight, Warmth
from vivavoce.engine.chat.refusal import Quirk, quirk, refused
from vivavoce.engine.chat.reply import Reply
from vivavoce.engine.interface import Prompt, Thinker, ThinkerTraits, Thinking
from vivavoce.errors import EngineError, Fault

_ERROR_BYTES: Final = 65_536
_STALE: Final = (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError)
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def open_thinker(options: Mapping[str, str], clock: Clock) -> Thinker:
    """The `chat` engine; see `ChatOptions.parse` for the options.

    Raises:
        ConfigError: an option is missing, unknown or impossible.
    """
    return Chat(ChatOptions.parse(options), clock)


class Chat:
    """Asks one model on one server, over kept connections that all calls share.

    Closing the iteration of `think` closes the HTTP response, which is how a chat server learns to stop. What a
    server refuses to read (`Quirk`) is left out of that request's next try and of all later ones.
    """

    def __init__(self, options: ChatOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._client: httpx2.AsyncClient | None = None
        self._quirks: set[Quirk] = set()

    @property
    def traits(self) -> ThinkerTraits:
        """What is known of the model without asking."""
        return ThinkerTraits(
            name="chat",
            models=(self._options.model,),
            sees=self._options.sight is Sight.YES,
            context_tokens=self._options.context,
        )

    async def __aenter__(self) -> Self:
        self._client = _client(self._options)
        if self._options.warmth is Warmth.YES:
            await self._warm()
        return self

    async def __aexit__(self, *exc: object) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def think(self, prompt: Prompt) -> AsyncGenerator[Thinking, None]:
        """The answer as the server streams it.

        Raises:
            EngineError: the server cannot be reached, refused, fell silent or broke off.
        """
        if self._client is None:
            raise EngineError("the chat engine is not open; enter it first", fault=Fault.OURS)
        deadline = asyncio.get_running_loop().time() + self._options.first_s
        response = await self._ask(self._client, prompt, deadline)
        try:
            reply = Reply(self._options.opening, None if prompt.parallel_tool_calls else 1)
            feed = Feed(response, self._options, deadline)
            while (events := await feed.next(reply.stage)) is not None:
                for event in events:
                    for step in reply.read(event):
                        yield step
            for step in reply.end():
                yield step
            await feed.drain()
        finally:
            await response.aclose()

    async def _warm(self) -> None:
        try:
            async for _ in self.think(Prompt(model="", instructions="", items=(), max_output_tokens=1)):
                pass
        except BaseException:
            await self.__aexit__()
            raise

    async def _ask(self, client: httpx2.AsyncClient, prompt: Prompt, deadline: float) -> httpx2.Response:
        """A response that has begun well; repeats the request without what the server did not like."""
        while True:
            tried = frozenset(self._quirks)
            wanted = body(prompt, self._options, tried)
            response = await self._send(client, wanted, deadline)
            if response.is_success:
                return response
            text = await self._refusal(response, deadline)
            found = quirk(response.status_code, text, wanted)
            if found is None or found in tried:
                raise refused(response.status_code, response.headers, text, self._clock.wall())
            self._quirks.add(found)

    async def _send(self, client: httpx2.AsyncClient, wanted: Mapping[str, object], deadline: float) -> httpx2.Response:
        content = msgspec.json.encode(wanted)
        try:
            async with asyncio.timeout_at(deadline):
                try:
                    return await client.send(
                        client.build_request("POST", self._options.url, content=content), stream=True
                    )
                except _STALE:
                    # People talk for longer than most servers keep an idle connection (often 5 s), and a request may
                    # cross with its closing. Nothing was answered yet, so asking again repeats nothing.
                    return await client.send(
                        client.build_request("POST", self._options.url, content=content), stream=True
                    )
        except TimeoutError as error:
            raise silent("began no answer", self._options.first_s) from error
        except httpx2.HTTPError as error:
            raise broken(error) from error

    async def _refusal(self, response: httpx2.Response, deadline: float) -> str:
        """The text of a refusal, as much of it as came; its status alone is enough to go on."""
        data = b""
        try:
            with suppress(TimeoutError, httpx2.HTTPError):
                async with asyncio.timeout_at(deadline):
                    async for piece in response.aiter_bytes():
                        data += piece
                        if len(data) >= _ERROR_BYTES:
                            break
        finally:
            await response.aclose()
        return data.decode(errors="replace")


def _client(options: ChatOptions) -> httpx2.AsyncClient:
    headers = {"content-type": "application/json", "accept": "text/event-stream", "accept-encoding": "identity"}
    if options.key:
        headers["authorization"] = f"Bearer {options.key.reveal()}"
    wait = options.connect_s
    return httpx2.AsyncClient(
        headers=headers,
        # Reading has deadlines of its own, which know how far the answer has come.
        timeout=httpx2.Timeout(connect=wait, write=wait, pool=wait, read=None),
        limits=httpx2.Limits(max_connections=options.calls, max_keepalive_connections=options.calls),
        # A proxy of the environment cannot reach this machine's own loopback.
        trust_env=httpx2.URL(options.url).host not in _LOOPBACK,
    )
