"""Function calls of the model and the one request for an answer that follows them.

All calls of one response are answered before the model is asked to go on, once. Whether a program runs the function or
the application sends the output by hand makes no difference to that, but only after a program's output is the request
made for the application.
"""

from collections import OrderedDict
from collections.abc import Collection
from enum import Enum
from typing import Final

from vivavoce.session.errand import CallTool
from vivavoce.wire.item import FunctionCall

REMEMBERED: Final = 1024
"""Calls whose ids are kept so that none is made twice."""


class Stage(Enum):
    """How far a function call is."""

    RUNNING = "running"  # by a program
    LEFT = "left"  # to the application
    ANSWERED = "answered"


class Rounds:
    """The function calls of all responses. `tools` names the functions that a program runs."""

    def __init__(self, tools: Collection[str] = ()) -> None:
        self._tools = frozenset(tools)
        self._response_of: OrderedDict[str, str] = OrderedDict()
        self._calls: dict[str, dict[str, Stage]] = {}
        self._owed: set[str] = set()

    @property
    def waiting(self) -> bool:
        """Whether a program is still running, or an answer is to be asked for. The application is not waited for."""
        return self.due or any(Stage.RUNNING in calls.values() for calls in self._calls.values())

    @property
    def due(self) -> bool:
        """Whether an answer should be asked for now, as far as the calls go."""
        return any(self._over(response_id) for response_id in self._owed)

    def call(self, item: FunctionCall, response_id: str) -> list[CallTool]:
        """The model has made a call: what to do about it, which is nothing the second time one hears of it.

        A call whose making was broken off is none.
        """
        call_id = item.call_id
        if not isinstance(call_id, str) or item.status == "incomplete" or call_id in self._response_of:
            return []
        self._response_of[call_id] = response_id
        stage = Stage.RUNNING if item.name in self._tools else Stage.LEFT
        self._calls.setdefault(response_id, {})[call_id] = stage
        while len(self._response_of) > REMEMBERED:
            self._response_of.popitem(last=False)
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

    def asked(self) -> None:
        """An answer is being made: rounds whose calls are all answered are over."""
        for response_id in [id for id in self._calls if self._over(id)]:
            del self._calls[response_id]
            self._owed.discard(response_id)

    def _over(self, response_id: str) -> bool:
        return all(stage is Stage.ANSWERED for stage in self._calls[response_id].values())
