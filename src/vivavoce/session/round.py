"""Calls of the model and the one request for an answer that follows them.

All calls of one response are answered before the model is asked to go on, once. Whether a program runs the function or
the application sends the output by hand makes no difference to that, but only after a program's output is the request
made for the application. Tools of MCP servers are run by the server, which does not go on by itself either (OpenAI's
guide to Realtime with tools).
"""

from collections import OrderedDict
from collections.abc import Collection
from enum import Enum
from typing import Final

from msgspec import Struct

from vivavoce.session.errand import CallTool
from vivavoce.wire.item import FunctionCall, Item, McpCall

REMEMBERED: Final = 1024
"""Calls whose ids are kept so that none is made twice."""


class Stage(Enum):
    """How far a function call is."""

    RUNNING = "running"  # by a program, or by the server
    LEFT = "left"  # to the application
    ANSWERED = "answered"


class Rounds:
    """The calls of all responses. `tools` names the functions that a program runs."""

    def __init__(self, tools: Collection[str] = ()) -> None:
        self._tools = frozenset(tools)
        self._response_of: OrderedDict[str, str] = OrderedDict()
        self._calls: dict[str, dict[str, Stage]] = {}
        self._owed: set[str] = set()
        self._served: set[str] = set()
        """Calls that the server makes."""

    @property
    def waiting(self) -> bool:
        """Whether something still runs, or an answer is to be asked for. The application is not waited for."""
        return self.due or any(Stage.RUNNING in calls.values() for calls in self._calls.values())

    @property
    def due(self) -> bool:
        """Whether an answer should be asked for now, as far as the calls go."""
        return any(self._over(response_id) for response_id in self._owed)

    def call(self, item: FunctionCall | McpCall, response_id: str) -> list[CallTool]:
        """The model has made a call: what to do about it, which is nothing the second time one hears of it.

        A call whose making was broken off is none.
        """
        if isinstance(item, McpCall):
            self._follow(item, response_id)
            return []
        call_id = item.call_id
        if not isinstance(call_id, str) or item.status == "incomplete" or call_id in self._response_of:
            return []
        stage = Stage.RUNNING if item.name in self._tools else Stage.LEFT
        self._note(call_id, response_id, stage)
        return [CallTool(call_id, item.name, item.arguments)] if stage is Stage.RUNNING else []

    def answer(self, call_id: str) -> None:
        """Its output is on the way to the server. A program's output obliges us to ask for an answer."""
        response_id = self._response_of.get(call_id, "")
        calls = self._calls.get(response_id, {})
        if call_id not in calls:
            return
        if calls[call_id] is Stage.RUNNING:
            self._owed.add(response_id)
        calls[call_id] = Stage.ANSWERED

    def ended(self, item: Item) -> None:
        """An item is as it will stay: a call that the server makes has its end, maybe after its response."""
        if isinstance(item, McpCall) and (isinstance(item.output, str) or isinstance(item.error, Struct)):
            self.answer(str(item.id))

    def stop(self, response_id: str) -> None:
        """The response was stopped: what the server ran for it needs no answer any more."""
        calls = self._calls.get(response_id, {})
        for id in [id for id in calls if id in self._served]:
            del calls[id]
        if not calls:
            self._calls.pop(response_id, None)
            self._owed.discard(response_id)

    def part(self) -> None:
        """The session is gone, and with it the calls that its server was making."""
        for response_id in list(self._calls):
            self.stop(response_id)

    def _follow(self, item: McpCall, response_id: str) -> None:
        """A call that the server makes itself, and that may have ended."""
        if not isinstance(item.id, str):
            return
        if item.id not in self._response_of:
            self._served.add(item.id)
            self._note(item.id, response_id, Stage.RUNNING)
        self.ended(item)

    def _note(self, call_id: str, response_id: str, stage: Stage) -> None:
        self._response_of[call_id] = response_id
        self._calls.setdefault(response_id, {})[call_id] = stage
        while len(self._response_of) > REMEMBERED:
            self._served.discard(self._response_of.popitem(last=False)[0])

    def asked(self) -> None:
        """An answer is being made: rounds whose calls are all answered are over."""
        for response_id in [id for id in self._calls if self._over(id)]:
            del self._calls[response_id]
            self._owed.discard(response_id)

    def _over(self, response_id: str) -> bool:
        return all(stage is Stage.ANSWERED for stage in self._calls[response_id].values())
