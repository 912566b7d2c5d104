"""Calls of MCP tools that wait for a client's word, and those that have it and wait for their turn."""

from collections import deque
from typing import Final

from vivavoce.errors import RequestError
from vivavoce.session.answers import Answers
from vivavoce.session.response import Approved, Brief
from vivavoce.wire.config import ResponseConfig
from vivavoce.wire.item import McpApprovalResponse

PARAM: Final = "item.approval_request_id"


class Approvals:
    """What the client has said to the questions of all responses.

    What it allows is carried out as soon as the conversation is free. Of what it refuses the model is told, once all
    questions of a response are answered and nothing was allowed: then nobody else would ask it to go on.
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._verdicts: dict[str, bool] = {}
        self._due: deque[tuple[Brief, Approved]] = deque()
        self._refused: Brief | None = None
        self._held: ResponseConfig | None = None

    def check(self, answer: McpApprovalResponse) -> None:
        """Whether there is such a question.

        Raises:
            RequestError: nobody asked, or it was answered before (`invalid_value`).
        """
        id = answer.approval_request_id
        if id not in self._answers.questions:
            raise RequestError(f"There is no approval request '{id}' to answer.", code="invalid_value", param=PARAM)
        if id in self._verdicts:
            raise RequestError(f"The approval request '{id}' was answered before.", code="invalid_value", param=PARAM)

    def take(self, answer: McpApprovalResponse) -> None:
        """The client's word on a question that there is."""
        id = answer.approval_request_id
        question = self._answers.questions[id]
        self._verdicts[id] = answer.approve
        if answer.approve:
            self._due.append((question.brief, Approved(id, question.tool, question.arguments)))
            return
        siblings = [other for other, asked in self._answers.questions.items() if asked.brief is question.brief]
        if all(self._verdicts.get(other) is False for other in siblings):
            self._refused = question.brief

    def hold(self, config: ResponseConfig) -> bool:
        """Whether a response that is asked for has to wait: for a call that was approved a moment before.

        One may wait; whoever asks for another is told that the conversation has a response.
        """
        if self._held is not None or not self._answers.carrying_out:
            return False
        self._held = config
        return True

    @property
    def owed(self) -> ResponseConfig | None:
        """The response that the conversation should get now: one that had to wait, or one that tells of a refusal."""
        if self._held is not None:
            return self._held
        refused = self._refused is not None and self._refused.conversation_id is not None
        return ResponseConfig() if refused else None

    def told(self) -> None:
        """The conversation gets a response, which knows all that was done and refused."""
        self._held = self._refused = None

    def go_on(self, now: float) -> None:
        """Carry out what was allowed, as far as the conversation is free."""
        while self._due and self._answers.carry_out(*self._due[0], now):
            self._due.popleft()

    def stop(self) -> None:
        """The call is over."""
        self._due.clear()
        self.told()
