"""Events out of an HTTP response, with a limit to every wait."""

import asyncio
from contextlib import suppress
from typing import Final

import httpx2

from vivavoce.engine.chat.events import Document, Events
from vivavoce.engine.chat.options import ChatOptions
from vivavoce.engine.chat.reply import Stage
from vivavoce.errors import EngineError, Fault, Never, Retry

_TAIL_S: Final = 1.0
"""How long to wait for the count of tokens after the last word; the answer itself is already whole."""
_DRAIN_S: Final = 0.2
"""How long to wait for the end of a response that is over, so that its connection can be used again."""


class Feed:
    """The events of one response, piece by piece.

    Args:
        response: begun well, not read yet.
        options: for how long silence is borne.
        deadline: on the event loop's clock, when the first event must be there; each further one may take
            `stall_s`. Comments do not count: they keep a proxy patient, not a listener.
    """

    def __init__(self, response: httpx2.Response, options: ChatOptions, deadline: float) -> None:
        self._pieces = response.aiter_bytes()
        self._events = Document() if "json" in response.headers.get("content-type", "") else Events()
        self._options = options
        self._left_s = deadline - asyncio.get_running_loop().time()
        """How much more waiting is borne; only time spent waiting counts, a slow reader is not the server's fault."""
        self._waited_in = Stage.WAITING
        self._ended = False

    async def next(self, stage: Stage) -> list[str] | None:
        """More events, perhaps none yet; None when there will be no more.

        Raises:
            EngineError: the server fell silent or the connection broke before the answer was whole.
        """
        if self._ended or stage is Stage.DONE:
            return None
        piece = await self._piece(stage)
        if piece is None:
            return None
        if not piece:
            self._ended = True
            return self._events.finish()
        try:
            events = self._events.push(piece)
        except ValueError as error:
            raise EngineError(f"the chat server sent something that is no completion: {error}", next=Never()) from error
        if events and stage is not Stage.FINISHED:
            self._left_s = self._options.stall_s
        return events

    async def drain(self) -> None:
        """Reads the little that follows a whole answer."""
        with suppress(TimeoutError, httpx2.HTTPError):
            async with asyncio.timeout(_DRAIN_S):
                while await anext(self._pieces, b""):
                    pass

    async def _piece(self, stage: Stage) -> bytes | None:
        """More bytes, none at the end, None when it broke after the answer was whole and nobody need care."""
        if stage is Stage.FINISHED and self._waited_in is not stage:
            self._left_s = _TAIL_S
        self._waited_in = stage
        clock = asyncio.get_running_loop()
        began = clock.time()
        try:
            async with asyncio.timeout(self._left_s):
                return await anext(self._pieces, b"")
        except TimeoutError as error:
            if stage is Stage.FINISHED:
                return None
            if stage is Stage.WAITING:
                raise silent("sent nothing of its answer", self._options.first_s) from error
            raise silent("fell silent in the middle of its answer", self._options.stall_s) from error
        except httpx2.HTTPError as error:
            if stage is Stage.FINISHED:
                return None
            raise broken(error) from error
        finally:
            self._left_s -= clock.time() - began


def silent(what: str, seconds: float) -> EngineError:
    """The failure of a server that makes us wait."""
    return EngineError(f"the chat server {what} for {seconds:g} s", fault=Fault.PROVIDER, next=Retry())


def broken(error: httpx2.HTTPError) -> EngineError:
    """The failure of a connection."""
    reason = str(error) or type(error).__name__
    match error:
        case httpx2.ConnectError() | httpx2.ConnectTimeout():
            return EngineError(f"no chat server can be reached: {reason}", fault=Fault.NETWORK, next=Retry(1.0))
        case httpx2.PoolTimeout():
            return EngineError("too many calls ask the chat server at once", fault=Fault.OURS, next=Retry(1.0))
        case _:
            return EngineError(f"the connection to the chat server broke: {reason}", fault=Fault.NETWORK, next=Retry())
