"""What the `openai` package itself would say of an event, if it were strict; and whether the event may come now.

The package's own parsing never fails: it builds objects without looking (`construct`), and takes what it does not know.
So each event is given to the model of the package that bears its `type`, as pydantic validates it in strict mode:

* the `type` must be one of the union `RealtimeServerEvent`; there is no model for anything else to fall back on;
* every required key must be there, at every depth, and every value of the very kind that is declared (no "1" for 1);
* where the package has a union without a discriminator (items, tools, content), one member must take the value whole;
* a key that the package does not declare fails, at every depth, unless it is listed in `BEYOND` with its reason;
* what the model writes back must be the very JSON that came, so nothing was read as something else.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Final, cast, get_args

from openai.types.realtime import RealtimeServerEvent
from pydantic import BaseModel, ValidationError

from vivavoce.testing.order import OrderChecker
from vivavoce.wire.codec import decode_server
from vivavoce.wire.event import UnknownEvent

_SESSION: Final = "the service sends it in session.created and .updated; the package's events reuse the request's type"

BEYOND: Final[Mapping[tuple[str, str], str]] = {
    ("RealtimeSessionCreateRequest", "id"): _SESSION,
    ("RealtimeSessionCreateRequest", "object"): _SESSION,
    ("RealtimeSessionCreateRequest", "expires_at"): _SESSION,
    ("RealtimeTranscriptionSessionCreateRequest", "id"): _SESSION,
    ("RealtimeTranscriptionSessionCreateRequest", "object"): _SESSION,
    ("RealtimeTranscriptionSessionCreateRequest", "expires_at"): _SESSION,
}
"""Model and key that we send although the package does not declare it."""


def _models() -> Iterator[tuple[str, type[BaseModel]]]:
    union: object = get_args(RealtimeServerEvent)[0]
    for member in cast("tuple[type[BaseModel], ...]", get_args(union)):
        (tag,) = get_args(member.model_fields["type"].annotation)
        yield tag, member


MODELS: Final = dict(_models())
"""The package's model of every server event that it knows."""


def parse(text: str | bytes) -> RealtimeServerEvent:
    """An event as the package's own object.

    Raises:
        AssertionError: it is not an event as the package declares it; says where and why.
    """
    raw: object = json.loads(text)
    assert isinstance(raw, dict), f"not an object: {text!r}"
    tag = cast("dict[str, object]", raw).get("type")
    assert isinstance(tag, str), f"no type: {text!r}"
    assert tag in MODELS, f"the package knows no event {tag!r}"
    try:
        event = MODELS[tag].model_validate_json(text, strict=True)
    except ValidationError as refused:
        raise AssertionError(f"{tag} is not as the package declares it: {refused}\n{text!r}") from None
    unknown = [f"{where}.{key}" for where, key in undeclared(event) if (where, key) not in BEYOND]
    assert unknown == [], f"{tag} has keys that the package does not declare: {unknown}"
    written = json.loads(event.model_dump_json(by_alias=True, exclude_unset=True))
    assert written == raw, f"{tag} was read as something else: {written} for {raw}"
    return cast(RealtimeServerEvent, event)


class Reader:
    """Reads one connection: every event must be as the package declares it, and come in the protocol's order."""

    def __init__(self) -> None:
        self.events: list[RealtimeServerEvent] = []
        """What has come, as the package's own objects."""
        self._order = OrderChecker()

    def sent(self, event_id: str) -> None:
        """An event was sent under this id, so that an error may name it."""
        self._order.sent(event_id)

    def read(self, text: str | bytes) -> RealtimeServerEvent:
        """The next event.

        Raises:
            AssertionError: it is not as it should be, or may not come here.
        """
        event = parse(text)
        self.events.append(event)
        ours = decode_server(text)
        assert not isinstance(ours, UnknownEvent), ours
        self._order.see(ours)
        return event


def undeclared(value: object) -> Iterator[tuple[str, str]]:
    """Every key in there that no model declares, with the name of the model that it was found in."""
    match value:
        case BaseModel():
            for key in value.model_extra or {}:
                yield type(value).__name__, key
            for each in value.__dict__.values():
                yield from undeclared(each)
        case list():
            for each in cast("list[object]", value):
                yield from undeclared(each)
        case _:
            pass
