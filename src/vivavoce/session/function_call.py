"""One call of a function that the client runs, while a response makes it."""

from typing import Literal

from msgspec.structs import replace

from vivavoce.session.conversation import item_id
from vivavoce.session.outbox import Outbox
from vivavoce.wire.event import ResponseFunctionCallArgumentsDelta, ResponseFunctionCallArgumentsDone
from vivavoce.wire.item import FunctionCall


class LocalCall:
    """A function call from its name to its last argument. `index` is the thinker's number for it."""

    def __init__(self, out: Outbox, name: str, *, index: int, response_id: str, output_index: int) -> None:
        self.index = index
        self.output_index = output_index
        self.arguments = ""
        self._out = out
        self._call_id = out.ids("call")
        self._response_id = response_id
        self.item = FunctionCall(
            id=out.ids("item"), status="in_progress", call_id=self._call_id, name=name, arguments=""
        )

    def add(self, delta: str) -> None:
        """More of the arguments."""
        if not delta:
            return
        self.arguments += delta
        self._out.send(
            ResponseFunctionCallArgumentsDelta(
                response_id=self._response_id,
                item_id=item_id(self.item),
                output_index=self.output_index,
                call_id=self._call_id,
                delta=delta,
            )
        )

    def close(self, ending: Literal["completed", "incomplete"]) -> FunctionCall:
        """Tell the whole arguments and return the item as it stands."""
        arguments = self.arguments or ("{}" if ending == "completed" else "")
        self._out.send(
            ResponseFunctionCallArgumentsDone(
                response_id=self._response_id,
                item_id=item_id(self.item),
                output_index=self.output_index,
                call_id=self._call_id,
                name=self.item.name,
                arguments=arguments,
            )
        )
        self.item = replace(self.item, status=ending, arguments=arguments)
        return self.item
