"""Our wire types against those of the installed `openai` package: every event, key, kind and enum, both ways.

What differs on purpose stands in `ALLOWED` with its reason. A difference that is not listed fails, and so does a listed
one that is gone, so the list is always the whole truth.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin

import typing_extensions as typing_x
from msgspec import Struct, UnsetType
from msgspec.structs import fields
from openai.types.realtime import ClientSecretCreateResponse, RealtimeClientEventParam, RealtimeServerEvent
from openai.types.realtime.client_secret_create_params import ClientSecretCreateParams
from openai.types.realtime.response_create_event_with_references_param import ResponseCreateEventWithReferencesParam
from pydantic import BaseModel

from vivavoce.wire.event import ClientEvent, ResponseCreate, ServerEvent
from vivavoce.wire.secret import ClientSecret, ClientSecretRequest

ALLOWED: Final[Mapping[str, str]] = {
    # what the sender fills in
    "*.event_id: required only theirs": "the server stamps events after they are made",
    "InputAudioBufferDtmfEventReceived.event_id: only ours": "never sent; kept so that every server event has the key",
    "Mcp*.id: required only theirs": "the server makes ids for items that come without, as for all other items",
    "Mcp*.object: only ours": "one base for all items; unset where nobody sets it",
    "Mcp*.status: only ours": "one base for all items; unset where nobody sets it",
    # one type for a config sent and a config echoed
    "RealtimeSession.id: *": "the server's echo has it, the client's update must not; the package has two types",
    "RealtimeSession.object: *": "the same",
    "RealtimeSession.expires_at: only ours": "the same; the package's events reuse the type of the request",
    "RealtimeSession.parallel_tool_calls: only ours": "the package's reply to client_secrets leaves it out",
    "RealtimeSession.include: null only ours": "captured as null in session.created",
    "TranscriptionSession.id: *": "as for RealtimeSession",
    "TranscriptionSession.object: *": "as for RealtimeSession; the package takes any string",
    "TranscriptionSession.expires_at: only ours": "as for RealtimeSession",
    "TranscriptionSession.include: null only ours": "as for RealtimeSession",
    "AudioInput.noise_reduction: null only ours": "captured as null in session.created",
    "AudioInput.transcription: null only ours": "captured as null in session.created",
    "AudioOutput.voice: *": "the package's reply to client_secrets has no custom voice; its request has",
    "ResponseAudioOutput.voice: *": "the package's response object has no custom voice; response.create has",
    "ServerVad/SemanticVad.*: *only ours": "the package's reply for a transcription session knows a loose server_vad",
    # what a server may leave out, and a client may not
    "ClientSecret.session: required only theirs": "a caller needs the secret, not the echo",
    "ConversationItemInputAudioTranscriptionCompleted.usage: required only theirs": "other servers do not bill",
    "ResponseFunctionCallArgumentsDone.name: required only theirs": "servers from before 2026 leave it out",
    "*.type: required only ours": "what tells the members of a union apart cannot be left out",
    "InputText.text: required only ours": "a text without text is none",
    "FunctionTool.name: required only ours": "a function without a name cannot be called",
    "FunctionTool.parameters: * only *": "the package takes anything; a JSON schema is an object",
    # null and open values
    "*.transcript: null only ours": "captured as null in committed items",
    "ResponseConfig.instructions: null only ours": "livekit's agents send null where a response has none of its own",
    "ResponseConfig.conversation: closed only ours": "the package takes any string; only two have a meaning",
    "ResponseConfig.input[[]]: type 'item_reference' only ours": "the package has it in a second type of the event",
    "PromptReference.variables[[]]: * only *": "stored prompts end in 2026: kept and echoed, never read",
}

# ── a type, whoever wrote it ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Key:
    """One key of an object."""

    required: bool
    annotation: object


@dataclass(frozen=True)
class Thing:
    """An object with fixed keys. `tag` is its `type`, with its `role` where it has one."""

    types: tuple[object, ...]
    tag: str
    keys: Mapping[str, Key]

    @property
    def name(self) -> str:
        return "/".join(getattr(each, "__name__", "") for each in self.types)


@dataclass(frozen=True)
class Sort:
    """What a JSON value may be. `values` is empty where any value of the kind will do."""

    kinds: frozenset[str]
    nullable: bool
    values: frozenset[object]
    element: object | None
    things: tuple[Thing, ...]


SCALARS: Final[Mapping[object, str]] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    object: "any",
}
LISTS: Final = {"list", "Iterable", "Sequence", "SequenceNotStr"}


def members(annotation: object) -> Iterator[object]:
    """The members of a union, however it is wrapped."""
    if isinstance(annotation, typing_x.TypeAliasType):
        annotation = annotation.__value__
    origin = get_origin(annotation)
    if origin is Annotated or origin in (typing_x.Required, typing_x.NotRequired):
        yield from members(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from members(member)
    elif annotation is not UnsetType:
        yield annotation


def sort(annotation: object) -> Sort:
    """A type as what JSON it takes."""
    kinds: set[str] = set()
    values: set[object] = set()
    element: object | None = None
    things: list[Thing] = []
    for member in members(annotation):
        origin = get_origin(member) or member
        if origin is Literal:
            values.update(get_args(member))
            kinds.update(SCALARS[type(value)] for value in get_args(member))
        elif origin in SCALARS:
            kinds.add(SCALARS[origin])
        elif getattr(origin, "__name__", "") in LISTS:
            kinds.add("list")
            element = get_args(member)[0]
        elif origin is dict:
            kinds.add("map")
            element = get_args(member)[1]
        elif origin is not NoneType:
            kinds.add("object")
            things.append(thing(member))
    open_strings = any(member is str for member in members(annotation))
    nullable = any(member is NoneType or member is object for member in members(annotation))
    return Sort(frozenset(kinds), nullable, frozenset() if open_strings else frozenset(values), element, tuple(things))


def thing(annotation: object) -> Thing:
    """An object's type: our struct, the package's model or its typed dictionary."""
    assert isinstance(annotation, type), annotation
    annotation = cast("type[object]", annotation)
    keys: dict[str, Key] = {}
    if issubclass(annotation, Struct):
        tag_key, tag = annotation.__struct_config__.tag_field, annotation.__struct_config__.tag
        keys = {info.encode_name: Key(info.required, info.type) for info in fields(annotation)}
        if "role" in keys:
            keys["role"] = Key(True, keys["role"].annotation)
        if tag_key is not None:
            keys[tag_key] = Key(True, Literal[tag])
    elif issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            keys[field.alias or name] = Key(field.is_required(), field.annotation)
    else:
        assert typing_x.is_typeddict(annotation), annotation
        total = bool(getattr(annotation, "__total__", False))
        for name, hint in typing_x.get_type_hints(annotation, include_extras=True).items():
            required = get_origin(hint) is typing_x.Required or (total and get_origin(hint) is not typing_x.NotRequired)
            keys[name] = Key(required, hint)
    return Thing((annotation,), tag_of(keys), keys)


def tag_of(keys: Mapping[str, Key]) -> str:
    """What tells an object from its siblings."""
    parts: list[str] = []
    for name in ("type", "role"):
        if name in keys:
            values = sort(keys[name].annotation).values
            parts += [str(value) for value in values] if len(values) == 1 else []
    return "/".join(parts)


def merged(things: tuple[Thing, ...]) -> Thing:
    """Several of our structs as the one loose object that the package has for them."""
    keys: dict[str, Key] = {}
    for each in things:
        for name, key in each.keys.items():
            known = keys[name].annotation if name in keys else key.annotation
            keys[name] = Key(False, cast("Any", known) | key.annotation if known != key.annotation else known)
    return Thing(tuple(type for each in things for type in each.types), "", keys)


# ── comparing ───────────────────────────────────────────────────────────────────────────────────────────


class Comparison:
    """Walks two types side by side and notes each difference once, under the name of our struct."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self._seen: set[tuple[object, object]] = set()

    def compare(self, ours: object, theirs: object, at: str) -> None:
        """Two annotations."""
        mine, other = sort(ours), sort(theirs)
        for kind in mine.kinds ^ other.kinds:
            self.found.add(f"{at}: {kind} only {'ours' if kind in mine.kinds else 'theirs'}")
        if mine.nullable and not other.nullable:
            self.found.add(f"{at}: null only ours")
        if bool(mine.values) != bool(other.values):
            self.found.add(f"{at}: {'closed' if mine.values else 'open'} only ours")
        else:
            for value in mine.values ^ other.values:
                self.found.add(f"{at}: {value!r} only {'ours' if value in mine.values else 'theirs'}")
        if mine.element is not None and other.element is not None:
            self.compare(mine.element, other.element, f"{at}[]")
        self._pair(mine.things, other.things, at)

    def _pair(self, ours: tuple[Thing, ...], theirs: tuple[Thing, ...], at: str) -> None:
        if len(theirs) == 1 and len(ours) > 1:
            ours = (merged(ours),)
        if len(ours) == 1 and len(theirs) == 1:
            self._objects(*ours, *theirs)
            return
        mine = {each.tag: each for each in ours}
        other = {each.tag: each for each in theirs}
        assert len(other) == len(theirs), f"{at}: nothing tells their types apart"
        for tag in mine.keys() ^ other.keys():
            self.found.add(f"{at}: type {tag!r} only {'ours' if tag in mine else 'theirs'}")
        for tag in mine.keys() & other.keys():
            self._objects(mine[tag], other[tag])

    def _objects(self, ours: Thing, theirs: Thing) -> None:
        if (ours.types, theirs.types) in self._seen:
            return
        self._seen.add((ours.types, theirs.types))
        for name in ours.keys.keys() ^ theirs.keys.keys():
            self.found.add(f"{ours.name}.{name}: only {'ours' if name in ours.keys else 'theirs'}")
        for name in ours.keys.keys() & theirs.keys.keys():
            mine, other = ours.keys[name], theirs.keys[name]
            if mine.required != other.required:
                self.found.add(f"{ours.name}.{name}: required only {'ours' if mine.required else 'theirs'}")
            self.compare(mine.annotation, other.annotation, f"{ours.name}.{name}")


def differences() -> set[str]:
    """Everything in which the two differ."""
    comparison = Comparison()
    comparison.compare(ClientEvent, RealtimeClientEventParam, "client events")
    comparison.compare(ResponseCreate, ResponseCreateEventWithReferencesParam, "response.create")
    comparison.compare(ServerEvent, RealtimeServerEvent, "server events")
    comparison.compare(ClientSecretRequest, ClientSecretCreateParams, "client_secrets")
    comparison.compare(ClientSecret, ClientSecretCreateResponse, "client_secrets reply")
    return comparison.found


def test_our_types_are_those_of_the_openai_package_but_for_what_is_listed() -> None:
    found = differences()
    assert {difference for difference in found if not any(fnmatchcase(difference, known) for known in ALLOWED)} == set()
    assert {known for known in ALLOWED if not any(fnmatchcase(difference, known) for difference in found)} == set()


def test_no_event_is_missing_on_either_side() -> None:
    assert len(sort(RealtimeClientEventParam).things) == len(sort(ClientEvent).things) == 11
    assert len(sort(RealtimeServerEvent).things) == len(sort(ServerEvent).things) == 46


# ── the comparison itself ───────────────────────────────────────────────────────────────────────────────


class Inner(BaseModel):
    kind: Literal["a", "b"]
    gone: int


class Outer(BaseModel):
    type: Literal["outer"]
    inner: list[Inner]
    size: int | None = None


class OurInner(Struct):
    kind: Literal["a", "c"]
    new: int


class OurOuter(Struct, tag="outer"):
    inner: list[OurInner]
    size: str | None


def test_the_comparison_sees_keys_kinds_enums_and_what_is_required() -> None:
    comparison = Comparison()
    comparison.compare(OurOuter, Outer, "root")
    assert comparison.found == {
        "OurInner.gone: only theirs",
        "OurInner.new: only ours",
        "OurInner.kind: 'b' only theirs",
        "OurInner.kind: 'c' only ours",
        "OurOuter.size: string only ours",
        "OurOuter.size: integer only theirs",
        "OurOuter.size: required only ours",
    }


def test_the_comparison_sees_a_null_that_only_we_take_and_a_member_that_only_they_have() -> None:
    comparison = Comparison()
    comparison.compare(OurOuter | None, Outer, "root")
    comparison.compare(OurOuter, Outer | Inner, "wide")
    assert {"root: null only ours", "wide: type '' only theirs"} <= comparison.found
