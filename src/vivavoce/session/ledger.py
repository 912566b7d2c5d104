"""What a call costs, entry by entry, and when that is enough.

Fed with every event of the server, over all sessions of the call. A response that was cut short is billed for what had
been made of it, and says so in its `response.done` like any other.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vivavoce.errors import BudgetError
from vivavoce.session.price import Price, response_cost, transcription_cost
from vivavoce.session.settings import known
from vivavoce.session.tokens import Tokens, response_tokens, transcription_tokens
from vivavoce.wire.config import (
    AudioConfig,
    AudioInput,
    RealtimeSession,
    Response,
    Session,
    Transcription,
    TranscriptionAudioConfig,
    Usage,
)
from vivavoce.wire.event import (
    ConversationItemAdded,
    ConversationItemCreated,
    ConversationItemInputAudioTranscriptionCompleted,
    ResponseCreated,
    ResponseDone,
    ServerEvent,
    SessionCreated,
    SessionUpdated,
    UnknownEvent,
)
from vivavoce.wire.item import UserMessage


@dataclass(frozen=True, slots=True)
class TurnCost:
    """What was billed for one thing that the user said or wrote, and for all answers until the next.

    Attributes:
        item_id: the user's item; None for what was answered before the user had said anything.
        tokens: by kind.
        usd: US dollars; None if a part of it has no known price.
    """

    item_id: str | None
    tokens: Tokens
    usd: float | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call has cost so far.

    Attributes:
        usd: US dollars; None if a part of it has no known price.
        priced_usd: the part that has one.
        unreported: responses whose usage the server never told, because the connection was lost or it does not tell.
            They may have cost something that is missing here.
        turns: the same by turn, oldest first; turns that cost nothing are left out.
    """

    usd: float | None
    priced_usd: float
    unreported: int
    turns: tuple[TurnCost, ...]


class Ledger:
    """The entries of one call."""

    def __init__(self, prices: Mapping[str, Price], budget: float | None = None) -> None:
        """Begin.

        Args:
            prices: by model, those of the server that is called.
            budget: US dollars; None for no limit. What has no known price does not count.
        """
        self._prices = prices
        self._budget = budget
        self._model: str | None = None
        self._transcriber: str | None = None
        self._turn: str | None = None
        self._running: dict[str, str | None] = {}
        self._entries: dict[str | None, TurnCost] = {}
        self._priced = 0.0
        self._unreported = 0
        self._overrun = False

    @property
    def cost(self) -> Cost:
        """What all of it comes to."""
        whole = all(entry.usd is not None for entry in self._entries.values())
        turns = tuple(self._entries.values())
        return Cost(self._priced if whole else None, self._priced, self._unreported, turns)

    @property
    def spent(self) -> bool:
        """Whether the budget is used up: no answer may be begun."""
        return self._budget is not None and self._priced >= self._budget

    def check(self) -> None:
        """See that an answer may be begun.

        Raises:
            BudgetError: the budget is spent.
        """
        if self.spent:
            raise BudgetError(f"{self._words} No answer is begun any more.")

    @property
    def _words(self) -> str:
        return f"The budget of {self._budget or 0.0:g} USD is spent: the call has cost {self._priced:.4f} USD."

    def over(self, *, audible: bool) -> str | None:
        """Why the call is to end now; None while it may go on, or while an answer that was begun in time is finished.

        Args:
            audible: whether the assistant is being heard.
        """
        if not self.spent or ((self._running or audible) and not self._overrun):
            return None
        return self._words

    def take(self, event: ServerEvent | UnknownEvent) -> None:
        """One event of the server."""
        match event:
            case SessionCreated():
                self._unreported += len(self._running)
                self._running.clear()
                self._configure(event.session)
            case SessionUpdated():
                self._configure(event.session)
            case ConversationItemAdded(item=UserMessage(id=str() as id)):
                self._turn = id
            case ConversationItemCreated(item=UserMessage(id=str() as id)):
                self._turn = id
            case ResponseCreated(response=Response(id=str() as id)):
                self._overrun = self.spent
                self._running[id] = self._turn
            case ResponseDone():
                self._answered(event.response)
            case ConversationItemInputAudioTranscriptionCompleted():
                price = self._prices.get(self._transcriber or "")
                usd = transcription_cost(event.usage, price)
                self._enter(event.item_id, transcription_tokens(event.usage), usd)
            case _:
                pass

    def _answered(self, response: Response) -> None:
        turn = self._running.pop(known(response.id, ""), self._turn)
        if not isinstance(response.usage, Usage):
            self._unreported += 1
            return
        tokens = response_tokens(response.usage)
        self._enter(turn, tokens, response_cost(tokens, self._prices.get(self._model or "")))

    def _enter(self, turn: str | None, tokens: Tokens, usd: float | None) -> None:
        so_far = self._entries.get(turn, TurnCost(turn, Tokens(), 0.0))
        total = None if so_far.usd is None or usd is None else so_far.usd + usd
        self._entries[turn] = TurnCost(turn, so_far.tokens + tokens, total)
        self._priced += usd or 0.0

    def _configure(self, session: Session) -> None:
        self._model, self._transcriber = _model(session), _transcriber(session)


def billed_models(session: Session) -> list[str]:
    """The models that a session would be billed for, as far as it names them."""
    return [model for model in (_model(session), _transcriber(session)) if model is not None]


def _model(session: Session) -> str | None:
    return known(session.model, None) if isinstance(session, RealtimeSession) else None


def _transcriber(session: Session) -> str | None:
    if isinstance(session, RealtimeSession):
        hears = known(known(session.audio, AudioConfig()).input, AudioInput())
    else:
        hears = known(known(session.audio, TranscriptionAudioConfig()).input, AudioInput())
    transcription = known(hears.transcription, None)
    return known(transcription.model, None) if isinstance(transcription, Transcription) else None
