"""One call of an MCP tool in a response while it is being made, and the question that may come before it."""

from dataclasses import dataclass
from typing import Final, assert_never

import msgspec
from msgspec.structs import replace

from vivavoce.session.conversation import item_id
from vivavoce.session.declaration import address
from vivavoce.session.effect import CallTool, Cancel, Job
from vivavoce.session.outbox import Outbox
from vivavoce.session.result import Returned, ToolFailed
from vivavoce.session.toolset import RemoteTool
from vivavoce.wire.event import (
    ResponseMcpCallArgumentsDelta,
    ResponseMcpCallArgumentsDone,
    ResponseMcpCallCompleted,
    ResponseMcpCallFailed,
    ResponseMcpCallInProgress,
)
from vivavoce.wire.item import McpApprovalRequest, McpCall, McpError, McpToolExecutionError

CALL_PATIENCE_S: Final = 60.0
"""A tool that has not answered in so long is given up."""
OUTPUT_BYTES: Final = 32 * 1024
"""What is kept of a tool's output, in UTF-8: a thinker reads all of it again with every answer."""


@dataclass(frozen=True, slots=True)
class Writing:
    """The thinker is writing the arguments."""


@dataclass(frozen=True, slots=True)
class Running:
    """The tool has been called."""

    job: Job


@dataclass(frozen=True, slots=True)
class Over:
    """The tool has answered, or never will."""


class RemoteCall:
    """A call of an MCP tool, from its name to its outcome. `index` is the thinker's number for it."""

    def __init__(
        self,
        out: Outbox,
        tool: RemoteTool,
        *,
        index: int,
        response_id: str,
        output_index: int,
        approval_request_id: str | None,
    ) -> None:
        self.index = index
        self.output_index = output_index
        self.arguments = ""
        self.item = McpCall(
            id=out.ids("item"),
            server_label=tool.server.server_label,
            name=tool.name,
            arguments="",
            approval_request_id=approval_request_id,
            output=None,
            error=None,
        )
        self._out = out
        self._tool = tool
        self._response_id = response_id
        self._stage: Writing | Running | Over = Writing()

    @property
    def busy(self) -> bool:
        """Whether the tool has been called and has not answered."""
        return isinstance(self._stage, Running)

    @property
    def over(self) -> bool:
        """Whether its outcome is known."""
        return isinstance(self._stage, Over)

    def owns(self, job: Job) -> bool:
        """Whether this is the call that is running."""
        return isinstance(self._stage, Running) and self._stage.job == job

    def add(self, delta: str) -> None:
        """More of the arguments."""
        if not delta or not isinstance(self._stage, Writing):
            return
        self.arguments += delta
        self._out.send(
            ResponseMcpCallArgumentsDelta(
                response_id=self._response_id,
                item_id=item_id(self.item),
                output_index=self.output_index,
                delta=delta,
                # Hides the lengths of words from who watches the line; the agents SDK does not read the event without.
                obfuscation=self._out.ids("x"),
            )
        )

    def run(self) -> None:
        """The arguments are whole: call the tool."""
        self._tell_arguments()
        if not is_object(self.arguments):
            self._end(
                McpToolExecutionError(message="The model wrote arguments that are no JSON object; nothing was run.")
            )
            return
        self._out.send(ResponseMcpCallInProgress(item_id=item_id(self.item), output_index=self.output_index))
        work = CallTool(address(self._tool.server), self._tool.name, self.arguments)
        self._stage = Running(self._out.begin(work))

    def result(self, result: Returned | ToolFailed) -> None:
        """The tool's answer, or why there is none."""
        self._end(cut(result.output) if isinstance(result, Returned) else result.error)

    def give_up(self) -> None:
        """The tool takes too long."""
        self._abandon(f"The tool gave no answer for {CALL_PATIENCE_S:.0f} s. What it did is not known.")

    def close(self) -> McpCall:
        """The item as it stands. A call that is still running is abandoned."""
        match self._stage:
            case Writing():
                self._tell_arguments()
                self._end(McpToolExecutionError(message="The response was stopped before the tool was called."))
            case Running():
                self._abandon("The response was stopped while the tool was running. What it did is not known.")
            case Over():
                pass
            case _:
                assert_never(self._stage)
        return self.item

    def _tell_arguments(self) -> None:
        self.arguments = self.arguments or "{}"
        self.item = replace(self.item, arguments=self.arguments)
        self._out.send(
            ResponseMcpCallArgumentsDone(
                response_id=self._response_id,
                item_id=item_id(self.item),
                output_index=self.output_index,
                arguments=self.arguments,
            )
        )

    def _abandon(self, why: str) -> None:
        if isinstance(self._stage, Running):
            self._out.add(Cancel(self._stage.job))
        self._end(McpToolExecutionError(message=why))

    def _end(self, outcome: str | McpError) -> None:
        id, index = item_id(self.item), self.output_index
        if isinstance(outcome, str):
            self.item = replace(self.item, output=outcome)
            self._out.send(ResponseMcpCallCompleted(item_id=id, output_index=index))
        else:
            self.item = replace(self.item, error=outcome)
            self._out.send(ResponseMcpCallFailed(item_id=id, output_index=index))
        self._stage = Over()


@dataclass(slots=True)
class Question:
    """A call that the client must approve. It is shown when its arguments are whole, and then it ends."""

    index: int
    tool: RemoteTool
    arguments: str = ""

    def add(self, delta: str) -> None:
        """More of the arguments."""
        self.arguments += delta

    def item(self, id: str) -> McpApprovalRequest:
        """What the client is asked."""
        return McpApprovalRequest(
            id=id, server_label=self.tool.server.server_label, name=self.tool.name, arguments=self.arguments or "{}"
        )


def is_object(text: str) -> bool:
    """Whether a text is a JSON object."""
    try:
        msgspec.json.decode(text, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return False
    return True


def cut(output: str) -> str:
    """A tool's output, with a note in place of what is too much."""
    data = output.encode(errors="replace")  # half a surrogate pair could not be sent to anybody
    if len(data) <= OUTPUT_BYTES:
        return data.decode()
    kept = data[:OUTPUT_BYTES].decode(errors="ignore")
    return f"{kept}\n[The tool said more: {len(data) - len(kept.encode())} bytes were left out.]"
