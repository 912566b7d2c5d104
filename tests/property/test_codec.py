"""Laws of the codec, for every event type and whatever arrives."""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Final, Literal, Union, cast, get_args, get_origin

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import fields
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from vivavoce.errors import RequestError
from vivavoce.wire.codec import decode_client, decode_server, decode_session, encode, extra
from vivavoce.wire.config import CustomVoice, RealtimeSession, Session, merge
from vivavoce.wire.event import ClientEvent, ServerEvent, UnknownEvent
from vivavoce.wire.struct import SERVER_ONLY

relaxed = settings(deadline=None)  # others work on the same cores: a slow example is no news

CODES: Final = {"invalid_json", "invalid_type", "invalid_value", "missing_required_parameter", "unknown_parameter"}
CLIENT: Final[tuple[type[Struct], ...]] = get_args(ClientEvent)
SERVER: Final[tuple[type[Struct], ...]] = get_args(ServerEvent)

# ── values of any wire type, made from its annotations ──────────────────────────────────────────────────

words = st.text(st.characters(codec="utf-8"), max_size=12)
integers = st.integers(-(2**63), 2**63 - 1)
numbers = st.floats(allow_nan=False, allow_infinity=False)
free = st.recursive(
    st.none() | st.booleans() | integers | numbers | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


class Maker:
    """Makes values of wire types.

    `client` leaves out what only a server sends. `openai` leaves out nothing optional, but what the package lacks.
    """

    def __init__(self, *, client: bool = False, openai: bool = False) -> None:
        self.client = client
        self.openai = openai
        self._made: dict[object, SearchStrategy[object]] = {}

    def struct(self, struct: type[Struct]) -> SearchStrategy[Struct]:
        """Structs of a type with any of their optional keys."""
        required: dict[str, SearchStrategy[object]] = {}
        optional: dict[str, SearchStrategy[object]] = {}
        for info in fields(struct):
            if self.client and any(SERVER_ONLY in get_args(part) for part in get_args(info.type)):
                continue
            always = info.required or self.openai
            (required if always else optional)[info.name] = self.value(info.type)
        return st.fixed_dictionaries(required, optional=optional).map(lambda keys: struct(**keys))

    def value(self, annotation: object) -> SearchStrategy[object]:
        """Values that a key may have, ranges kept, without `UNSET`."""
        if annotation not in self._made:
            self._made[annotation] = self._make(annotation)
        return self._made[annotation]

    def _make(self, annotation: object) -> SearchStrategy[object]:
        if get_origin(annotation) in (Union, UnionType):
            left_out = (UnsetType, CustomVoice) if self.openai else (UnsetType,)
            return st.one_of([self.value(member) for member in get_args(annotation) if member not in left_out])
        meta = Meta()
        if get_origin(annotation) is Annotated:
            annotation, meta = get_args(annotation)
        origin = get_origin(annotation) or annotation
        arguments = get_args(annotation)
        if isinstance(origin, type) and issubclass(origin, Struct):
            return self.struct(origin)
        if origin is Literal:
            return st.sampled_from(arguments)
        if origin is list:
            size = (meta.min_length or 0, meta.max_length or 3)
            return st.lists(self.value(arguments[0]), min_size=size[0], max_size=size[1])
        if origin is dict:
            inner = words if self.openai and arguments[1] is object else self.value(arguments[1])
            return st.dictionaries(words, inner, max_size=3)
        return scalar(cast("object", origin), meta)


def scalar(origin: object, meta: Meta) -> SearchStrategy[object]:
    """Values of a scalar type in its range."""
    if origin is str and meta.pattern:
        return st.from_regex(meta.pattern.rstrip("$"), fullmatch=True)
    if origin is int:
        least, most = meta.ge, meta.le
        return st.integers(-(2**63) if least is None else int(least), 2**63 - 1 if most is None else int(most))
    if origin is float:
        return numbers if meta.ge is None else st.floats(meta.ge, meta.le)
    return {str: words, bool: st.booleans(), NoneType: st.none(), object: free}[cast("type", origin)]


client_events = cast("SearchStrategy[ClientEvent]", Maker(client=True).value(ClientEvent))
server_events = cast("SearchStrategy[ServerEvent]", Maker().value(ServerEvent))
sessions = cast("SearchStrategy[Session]", Maker(client=True).value(Session))
realtime_sessions = cast("SearchStrategy[RealtimeSession]", Maker(client=True).struct(RealtimeSession))

# ── what is written is read ─────────────────────────────────────────────────────────────────────────────


@relaxed
@given(client_events)
def test_a_client_event_is_read_as_it_was_written(event: ClientEvent) -> None:
    assert decode_client(encode(event)) == event


@relaxed
@given(server_events)
def test_a_server_event_is_read_as_it_was_written(event: ServerEvent) -> None:
    read = decode_server(encode(event))
    assert read == event
    assert not isinstance(read, UnknownEvent)
    assert extra(read) == {}


@relaxed
@given(sessions)
def test_a_session_is_read_as_it_was_written(session: Session) -> None:
    assert decode_session(encode(session)) == session


OPENAI: Final[TypeAdapter[object]] = TypeAdapter(RealtimeServerEvent)


@relaxed
@given(Maker(openai=True).value(ServerEvent))
def test_the_openai_package_reads_what_we_write(event: object) -> None:
    OPENAI.validate_json(encode(cast("Struct", event)), strict=True)


# ── what no type names ──────────────────────────────────────────────────────────────────────────────────


def objects(value: object, raw: object, path: str = "") -> Iterator[tuple[str, dict[str, object]]]:
    """Every object inside an event that has fixed keys: where it is, and its JSON."""
    if isinstance(value, Struct):
        pairs = cast("dict[str, object]", raw)
        yield path, pairs
        for info in fields(value):
            if info.name in pairs:
                yield from objects(getattr(value, info.name), pairs[info.name], inside(path, info.name))
    elif isinstance(value, list):
        for index, pair in enumerate(zip(cast("list[object]", value), cast("list[object]", raw), strict=True)):
            yield from objects(*pair, f"{path}[{index}]")


def inside(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def as_json(event: Struct) -> dict[str, object]:
    return msgspec.json.decode(encode(event), type=dict[str, object])


def read(text: str | bytes) -> ClientEvent | RequestError:
    try:
        return decode_client(text)
    except RequestError as refused:
        return refused


unknown_keys = words.map(lambda word: f"zz_{word}")


@relaxed
@given(client_events, unknown_keys, free, st.data())
def test_a_key_that_no_type_names_is_refused_by_its_path(
    event: ClientEvent, key: str, value: object, data: st.DataObject
) -> None:
    raw = as_json(event)
    path, place = data.draw(st.sampled_from(list(objects(event, raw))))
    place[key] = value
    with pytest.raises(RequestError) as refused:
        decode_client(msgspec.json.encode(raw))
    assert (refused.value.code, refused.value.param) == ("unknown_parameter", inside(path, key))
    assert refused.value.event_id == raw.get("event_id")


@relaxed
@given(server_events, unknown_keys, free, st.data())
def test_a_key_of_a_newer_server_is_kept_and_changes_nothing_else(
    event: ServerEvent, key: str, value: object, data: st.DataObject
) -> None:
    raw = as_json(event)
    path, place = data.draw(st.sampled_from(list(objects(event, raw))))
    place[key] = value
    read = decode_server(msgspec.json.encode(raw))
    assert read == event
    assert not isinstance(read, UnknownEvent)
    assert extra(read) == {inside(path, key): value}


@relaxed
@given(client_events, free, st.data())
def test_a_spoilt_value_is_refused_by_its_path_or_harmless(
    event: ClientEvent, value: object, data: st.DataObject
) -> None:
    raw = as_json(event)
    path, place = data.draw(st.sampled_from(list(objects(event, raw))))
    keys = [key for key in place if key not in ("type", "role", "event_id")]
    assume(keys)
    key = data.draw(st.sampled_from(keys))
    place[key] = value
    match read(msgspec.json.encode(raw)):
        case RequestError(param=str() as param):
            assert param.startswith(inside(path, key))
        case RequestError():
            pytest.fail("a spoilt value has a path")
        case _:
            pass


# ── whatever arrives ────────────────────────────────────────────────────────────────────────────────────

names = sorted({name for event in (*CLIENT, *SERVER) for name in event.__struct_fields__} | {"zz"})
tags = st.sampled_from([cast("str", event.__struct_config__.tag) for event in (*CLIENT, *SERVER)])
bodies = st.fixed_dictionaries({"type": tags}, optional=dict.fromkeys(names, free))
noise = st.one_of(st.binary(max_size=200), st.text(max_size=200), (free | bodies).map(msgspec.json.encode))


@relaxed
@given(noise)
def test_whatever_a_client_sends_is_an_event_or_a_refusal(text: str | bytes) -> None:
    match read(text):
        case RequestError() as refused:
            assert refused.code in CODES
            assert refused.type == "invalid_request_error"
            assert refused.message
        case event:
            assert read(encode(event)) == event


@relaxed
@given(noise)
def test_whatever_a_server_sends_is_an_event_or_kept_as_unknown(text: str | bytes) -> None:
    event = decode_server(text)
    if isinstance(event, UnknownEvent):
        assert encode(event) == (text if isinstance(text, str) else text.decode(errors="replace"))
        assert event.why
    else:
        assert decode_server(encode(event)) == event


# ── merging ─────────────────────────────────────────────────────────────────────────────────────────────


@relaxed
@given(realtime_sessions, realtime_sessions)
def test_an_update_counts_once_and_leaves_alone_what_it_does_not_name(
    effective: RealtimeSession, update: RealtimeSession
) -> None:
    merged = merge(effective, update)
    assert merge(merged, update) == merged
    for info in fields(merged):
        if getattr(update, info.name) is UNSET:
            assert getattr(merged, info.name) == getattr(effective, info.name)
        elif info.name != "audio":
            assert getattr(merged, info.name) == getattr(update, info.name)


@relaxed
@given(realtime_sessions)
def test_an_empty_update_changes_nothing(effective: RealtimeSession) -> None:
    assert merge(effective, RealtimeSession()) == effective
