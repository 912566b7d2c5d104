"""Stands between a client of the beta and a server that speaks GA."""

from collections import deque
from collections.abc import Callable
from typing import Final, cast, get_args

import msgspec
from msgspec import UNSET, Struct, UnsetType

from vivavoce.errors import RequestError
from vivavoce.wire.beta.config import BetaSession, BetaTranscriptionSession
from vivavoce.wire.beta.event import BetaChanged, BetaKept, BetaSessionUpdate
from vivavoce.wire.beta.inward import ga_event
from vivavoce.wire.beta.outward import CHANGED, DROPPED, RENAMED, beta_event
from vivavoce.wire.codec import decode_server, encode, own_id, parse, strictly
from vivavoce.wire.event import Error, ErrorBody, ServerEvent, SessionUpdated, UnknownEvent
from vivavoce.wire.schema import schema

TEMPERATURE: Final = 0.8
"""The beta's default."""

_EVENT: Final = schema(BetaChanged | BetaKept)
_SESSION: Final = schema(BetaSession)
_TRANSCRIPTION_SESSION: Final = schema(BetaTranscriptionSession)
_KEPT: Final = {str(event.__struct_config__.tag) for event in cast("tuple[type[Struct], ...]", get_args(BetaKept))}


class _Named(Struct):
    """As much of an event as must be read to know whether it has to be translated: megabytes of sound are not."""

    type: str


_name: Final = msgspec.json.Decoder(_Named)


class Interpreter:
    """Translates for one party. Knows of a conversation nothing but the temperature that GA has no word for."""

    def __init__(self, ids: Callable[[str], str], temperature: float = TEMPERATURE) -> None:
        """Begin.

        Args:
            ids: makes the ids of errors.
            temperature: what a client secret was bound to.
        """
        self._ids = ids
        self._temperature = temperature
        self._asked: deque[tuple[str | UnsetType, float | UnsetType]] = deque()
        """Updates that the server has not answered yet: their ids, and what temperature each wants."""

    def to_server(self, text: str) -> str:
        """One message of the client in GA's words.

        What cannot be read at all goes on as it is, for the server to say so.

        Raises:
            RequestError: it is no event of the beta, or not shaped like one; `refusal` says so to the client.
        """
        name = _type(text)
        if name is None or name in _KEPT:
            return text
        raw = parse(text)
        event_id = own_id(raw)
        event = cast("BetaChanged", strictly(_EVENT, raw, event_id=event_id))
        try:
            told = encode(ga_event(event))
        except RequestError as error:
            error.event_id = event_id
            raise
        if isinstance(event, BetaSessionUpdate):
            self._asked.append((event.event_id, event.session.temperature))
        return told

    def to_client(self, text: str) -> str | None:
        """One event of the server in the beta's words; None where the beta had none for it."""
        name = _type(text)
        if name in DROPPED:
            return None
        if name in RENAMED:
            return msgspec.json.encode({**msgspec.json.decode(text), "type": RENAMED[name]}).decode()
        if name not in CHANGED:
            return text
        event = decode_server(text)
        if isinstance(event, UnknownEvent):
            return text
        self._settle(event)
        translated = beta_event(event, self._temperature)
        return None if translated is None else encode(translated)

    def _settle(self, event: ServerEvent) -> None:
        """An update counts as a whole or not at all, its temperature too."""
        match event:
            case SessionUpdated() if self._asked:
                _, wanted = self._asked.popleft()
                self._temperature = self._temperature if isinstance(wanted, UnsetType) else wanted
            case Error(error=body):
                refused = body.event_id or UNSET
                # Of a copy: a thread may translate another update meanwhile.
                update = next((asked for asked in list(self._asked) if asked[0] == refused), None)
                if update is not None and (refused is not UNSET or str(body.param).startswith("session.")):
                    self._asked.remove(update)
            case _:
                pass

    def refusal(self, error: RequestError) -> str:
        """The event that tells a client what was wrong with its message."""
        body = ErrorBody(
            type=error.type, code=error.code, message=error.message, param=error.param, event_id=error.event_id
        )
        return encode(Error(event_id=self._ids("event"), error=body))


def decode_beta_session(raw: str | bytes) -> BetaSession:
    """The body of `POST /v1/realtime/sessions`, read strictly.

    Raises:
        RequestError: as `codec.decode_client`.
    """
    return cast("BetaSession", strictly(_SESSION, parse(raw)))


def decode_beta_transcription_session(raw: str | bytes) -> BetaTranscriptionSession:
    """The body of `POST /v1/realtime/transcription_sessions`, read strictly.

    Raises:
        RequestError: as `codec.decode_client`.
    """
    return cast("BetaTranscriptionSession", strictly(_TRANSCRIPTION_SESSION, parse(raw)))


def _type(text: str) -> str | None:
    try:
        return _name.decode(text).type
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
