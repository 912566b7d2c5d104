"""JSON in and out.

What a client sends is read strictly: the first key, kind or value that the protocol does not know is a `RequestError`
in the protocol's words. What a server sends is read tolerantly: what no type names is kept beside the event, and an
event that no type fits becomes an `UnknownEvent`. Nobody but this module turns bytes into wire types.
"""

import re
from collections.abc import Mapping
from typing import Final, cast

import msgspec
from msgspec import Struct

from vivavoce.errors import Fault, RefusedError, RequestError
from vivavoce.wire.config import Session
from vivavoce.wire.event import ClientEvent, ServerEvent, UnknownEvent
from vivavoce.wire.misfit import Misfit
from vivavoce.wire.schema import schema
from vivavoce.wire.secret import ClientSecret, ClientSecretRequest
from vivavoce.wire.shape import Extras, Shape

CLIENT_EVENT: Final = schema(ClientEvent)
SERVER_EVENT: Final = schema(ServerEvent)
SESSION: Final = schema(Session)
SESSION_OR_NULL: Final = schema(Session | None)
SECRET_REQUEST: Final = schema(ClientSecretRequest)
SECRET: Final = schema(ClientSecret)

EVENT_ID_CHARS: Final = 512
"""Longest `event_id` that a client may choose."""

LONG: Final = 64 * 1024
"""Characters up to which no JSON takes long to read, whatever is in it."""
MOST_MARKS: Final = 100_000
"""Commas and opening brackets of a longer text: a bound on its values that costs little to know, however long it is.

Texts of many values take a hundred times as long to read as sound or a picture of the same length.
"""
_PIECE: Final = 2**20

_STEP: Final = re.compile(r"[^.\[\]]+")
EXTRAS: Final = "extras"
"""Where a server event keeps, beside its fields, what no type names."""

# ── events ──────────────────────────────────────────────────────────────────────────────────────────────


def decode_client(text: str | bytes) -> ClientEvent:
    """A client's event, read strictly.

    Raises:
        RequestError: with `code` `invalid_json` (it is not JSON, or nested without end), `invalid_type`,
            `missing_required_parameter`, `unknown_parameter` or `invalid_value`, the dotted path of the fault as
            `param`, and the client's own `event_id` where there was a usable one. The live service's code for text that
            is not JSON is not known; `invalid_json` is ours, of the type `invalid_request_error` like all the others.
    """
    raw = parse(text)
    return cast("ClientEvent", strictly(CLIENT_EVENT, raw, event_id=own_id(raw)))


def decode_server(text: str | bytes) -> ServerEvent | UnknownEvent:
    """A server's event, read tolerantly; never raises.

    Unknown keys at any depth, and optional values that do not fit, are left out of the event and kept for `extra`.
    """
    try:
        raw = parse(text)
    except RequestError as error:
        return UnknownEvent(type="", raw=as_text(text), body={}, why=error.message)
    extras: Extras = {}
    try:
        event = cast("ServerEvent", SERVER_EVENT.read(raw, "", extras))
    except Misfit as misfit:
        return unknown_event(raw, as_text(text), misfit)
    if extras:
        vars(event)[EXTRAS] = extras
    return event


def extra(event: ServerEvent) -> Mapping[str, object]:
    """What a received event held beyond its type: path to value, `{"response.output[0].phase": "commentary"}`.

    Empty for an event that was not received, `msgspec.structs.replace` of a received one included.
    """
    return cast("Mapping[str, object]", vars(event).get(EXTRAS, {}))


def whole(event: ServerEvent | UnknownEvent) -> dict[str, object]:
    """A received event as the JSON object that it was, what no type names included."""
    if isinstance(event, UnknownEvent):
        return event.body
    body = cast("dict[str, object]", msgspec.json.decode(msgspec.json.encode(event)))
    for path, value in extra(event).items():
        _put(body, _STEP.findall(path), value)
    return body


def _put(place: object, way: list[str], value: object) -> None:
    """Put back what was left out; what has no place any more (a key of a map may hold a dot) stays out."""
    step, *rest = way
    if isinstance(place, dict):
        fields = cast("dict[str, object]", place)
        if not rest:
            fields[step] = value
        elif step in fields:
            _put(fields[step], rest, value)
    elif isinstance(place, list) and step.isdecimal():
        elements = cast("list[object]", place)
        if not rest:
            elements.insert(int(step), value)
        elif int(step) < len(elements):
            _put(elements[int(step)], rest, value)


def encode(value: Struct | UnknownEvent) -> str:
    """The JSON of an event or of any other wire struct; of an unknown event, the text as it came.

    Raises:
        UnicodeEncodeError: a string holds half a surrogate pair, which is no Unicode text.
    """
    if isinstance(value, UnknownEvent):
        return value.raw
    return msgspec.json.encode(value).decode()


# ── bodies of HTTP requests ─────────────────────────────────────────────────────────────────────────────


def decode_session(raw: str | bytes) -> Session:
    """A session config, read strictly; paths in errors start at `session`.

    Raises:
        RequestError: as `decode_client`.
    """
    return cast("Session", strictly(SESSION, parse(raw), path="session"))


def decode_session_part(raw: str | bytes) -> Session | None:
    """The same for the multipart `session` part, which some clients send as the JSON text `null`.

    Raises:
        RequestError: as `decode_client`.
    """
    return cast("Session | None", strictly(SESSION_OR_NULL, parse(raw), path="session"))


def decode_secret_request(raw: str | bytes) -> ClientSecretRequest:
    """The body of `POST /v1/realtime/client_secrets`, read strictly.

    Raises:
        RequestError: as `decode_client`.
    """
    return cast("ClientSecretRequest", strictly(SECRET_REQUEST, parse(raw)))


def decode_secret(raw: str | bytes) -> ClientSecret:
    """The reply to it, read tolerantly.

    Raises:
        RefusedError: the provider's reply holds no client secret. The message quotes nothing of it.
    """
    try:
        return cast("ClientSecret", SECRET.read(parse(raw), "", {}))
    except (RequestError, Misfit) as error:
        raise RefusedError(
            f"The reply to client_secrets holds no client secret: {error.message} Check the base URL and the provider.",
            fault=Fault.PROVIDER,
        ) from None


# ── steps ───────────────────────────────────────────────────────────────────────────────────────────────


def parse(text: str | bytes) -> object:
    """JSON as plain Python values.

    Raises:
        RequestError: `invalid_json`; or `invalid_value` where there are too many values to read them.
    """
    if len(text) > LONG and marks(text) > MOST_MARKS:
        raise RequestError(
            f"The message has more than {MOST_MARKS} commas and opening brackets: send less at once.",
            code="invalid_value",
        )
    try:
        return msgspec.json.decode(text)
    except RecursionError:
        raise RequestError("The message is nested too deeply: send a flatter one.", code="invalid_json") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        reason = str(error) if isinstance(error, msgspec.DecodeError) else "it is not UTF-8"
        raise RequestError(f"The message is not one JSON value: {reason}.", code="invalid_json") from None


def marks(text: str | bytes) -> int:
    """How many commas and opening brackets there are, those inside strings included: at least one for each value."""
    total = 0
    for start in range(0, len(text), _PIECE):  # in pieces, between which other threads go on
        piece = text[start : start + _PIECE]
        if isinstance(piece, str):
            total += piece.count(",") + piece.count("[") + piece.count("{")
        else:
            total += piece.count(b",") + piece.count(b"[") + piece.count(b"{")
    return total


def strictly(wanted: Shape, raw: object, *, path: str = "", event_id: str | None = None) -> object:
    """What a strict walk makes of a value.

    Raises:
        RequestError: the first misfit, in the protocol's words.
    """
    try:
        return wanted.read(raw, path, None)
    except Misfit as misfit:
        raise RequestError(misfit.message, code=misfit.code, param=misfit.path or None, event_id=event_id) from None


def unknown_event(raw: object, text: str, misfit: Misfit) -> UnknownEvent:
    """What a server sent and no type fits."""
    body = cast("dict[str, object]", raw) if isinstance(raw, dict) else {}
    name = body.get("type")
    why = "No event of this type is known here." if misfit.path == "type" else misfit.message
    return UnknownEvent(type=name if isinstance(name, str) else "", raw=text, body=body, why=why)


def own_id(raw: object) -> str | None:
    """The `event_id` that the client chose, if it can be given back."""
    event_id = cast("dict[str, object]", raw).get("event_id") if isinstance(raw, dict) else None
    return event_id if isinstance(event_id, str) and len(event_id) <= EVENT_ID_CHARS else None


def as_text(text: str | bytes) -> str:
    """What came, as text that can be shown."""
    return text if isinstance(text, str) else text.decode(errors="replace")
