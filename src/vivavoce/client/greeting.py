"""How a new session is made ready, before anything else is said in it: its config, and the conversation so far."""

from dataclasses import dataclass
from typing import assert_never

from vivavoce.errors import Fault, RefusedError
from vivavoce.session.effect import Ids
from vivavoce.session.past import Retold
from vivavoce.session.settings import known
from vivavoce.wire.config import Session
from vivavoce.wire.event import (
    ClientEvent,
    ConversationItemAdded,
    ConversationItemCreate,
    ConversationItemCreated,
    Error,
    ErrorBody,
    ServerEvent,
    SessionCreated,
    SessionUpdate,
    SessionUpdated,
    UnknownEvent,
)
from vivavoce.wire.item import Item


@dataclass(frozen=True, slots=True)
class Expecting:
    """The session has not begun."""


@dataclass(frozen=True, slots=True)
class Configuring:
    """It is being told its config, by the command of that id."""

    event_id: str


@dataclass(frozen=True, slots=True)
class Retelling:
    """It is being told what was said, by commands whose ids are waited for."""

    waiting: dict[str, Item]


@dataclass(frozen=True, slots=True)
class Ready:
    """It knows everything, but for so many items that it would not take."""

    refused: int


@dataclass(frozen=True, slots=True)
class Refused:
    """It will not have the config."""

    error: RefusedError


Stage = Expecting | Configuring | Retelling | Ready | Refused


class Greeting:
    """One new session. Knows neither time nor transport; `complaint` is the last thing that went wrong in it."""

    def __init__(self, config: Session | None, retold: Retold, ids: Ids) -> None:
        """Begin.

        Args:
            config: what the server has not been told yet.
            retold: the conversation so far.
            ids: makes identifiers of commands.
        """
        self.stage: Stage = Expecting()
        self.complaint: ErrorBody | None = None
        self.retold = retold
        self._config = config
        self._ids = ids
        self._refused = 0

    def take(self, event: ServerEvent | UnknownEvent) -> list[ClientEvent]:
        """One event of the server; what to send next."""
        if isinstance(event, Error):
            self.complaint = event.error
        match self.stage:
            case Expecting():
                return self._begin() if isinstance(event, SessionCreated) else []
            case Configuring(event_id):
                if isinstance(event, SessionUpdated):
                    return self._retell()
                if isinstance(event, Error) and known(event.error.event_id, None) == event_id:
                    self.stage = Refused(refused(event.error))
                return []
            case Retelling(waiting):
                self._check(event, waiting)
                return []
            case Ready() | Refused():
                return []
            case _:
                assert_never(self.stage)

    def _begin(self) -> list[ClientEvent]:
        if self._config is None:
            return self._retell()
        update = SessionUpdate(session=self._config, event_id=self._ids("event"))
        self.stage = Configuring(str(update.event_id))
        return [update]

    def _retell(self) -> list[ClientEvent]:
        waiting = {self._ids("event"): item for item in self.retold.items}
        self.stage = Retelling(waiting) if waiting else Ready(0)
        return [ConversationItemCreate(item=item, event_id=event_id) for event_id, item in waiting.items()]

    def _check(self, event: ServerEvent | UnknownEvent, waiting: dict[str, Item]) -> None:
        match event:
            case Error():
                if waiting.pop(known(event.error.event_id, None) or "", None) is not None:
                    self._refused += 1
            case ConversationItemAdded() | ConversationItemCreated():
                told = next((id for id, item in waiting.items() if item.id == event.item.id), None)
                waiting.pop(told or "", None)
            case _:
                return
        if not waiting:
            self.stage = Ready(self._refused)


def refused(error: ErrorBody) -> RefusedError:
    """An error event that ends the making of a call."""
    code = error.code if isinstance(error.code, str) else None
    at = f" at {error.param}" if isinstance(error.param, str) else ""
    return RefusedError(f"The server refused the session{at}: {error.message}", code=code, fault=Fault.CALLER)
