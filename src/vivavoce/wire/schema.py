"""Makes the reader of a type from its annotation.

The types are read themselves: msgspec structs, their unions told apart by `type` (and by `role` where that is not
enough), literals, scalars, lists, mappings, `object` for free JSON. msgspec's own decoders are not used, since they
know neither a second discriminator nor the path of an unknown key.
"""

from collections.abc import Callable
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Final, Literal, TypeGuard, Union, get_args, get_origin

from msgspec import Meta, Struct, UnsetType
from msgspec.structs import fields

from vivavoce.wire.shape import Choice, Either, Flag, Free, Kin, Map, Null, Number, Record, Row, Shape, Text
from vivavoce.wire.struct import SERVER_ONLY


@cache
def schema(annotation: object) -> Shape:
    """The reader of a type.

    Raises:
        TypeError: a type that the wire does not use, or a union whose members nothing tells apart.
    """
    members = flat(annotation)
    shapes = [plain(member) for member in members if not is_struct(member)]
    structs = [member for member in members if is_struct(member)]
    if structs:
        shapes.append(kin(structs))
    return shapes[0] if len(shapes) == 1 else Either(shapes)


def flat(annotation: object) -> list[object]:
    """The members of a union without `UNSET`, which is absence and has no JSON."""
    if get_origin(annotation) not in (Union, UnionType):
        return [annotation]
    return [member for nested in get_args(annotation) if nested is not UnsetType for member in flat(nested)]


def plain(annotation: object) -> Shape:
    """The reader of anything but a union or a struct."""
    meta: Meta | None = None
    if get_origin(annotation) is Annotated:
        annotation, *notes = get_args(annotation)
        meta = next(note for note in notes if isinstance(note, Meta))
    arguments = get_args(annotation)
    origin = get_origin(annotation) or annotation
    if origin is Literal:
        return Choice(arguments)
    if origin is list:
        return Row(schema(arguments[0]), meta)
    if origin is dict:
        return Map(schema(arguments[0]), schema(arguments[1]), meta)
    make = SCALARS.get(origin)
    if make is None:
        raise TypeError(f"the wire has no JSON for {annotation!r}")
    return make(meta)


SCALARS: Final[dict[object, Callable[[Meta | None], Shape]]] = {
    str: Text,
    bool: lambda _: Flag(),
    int: lambda meta: Number(meta, whole=True),
    float: lambda meta: Number(meta, whole=False),
    NoneType: lambda _: Null(),
    object: lambda _: Free(),
}


def kin(structs: list[type[Struct]]) -> Shape:
    """The reader of one struct or of several, told apart by tag and, where tags agree, by a literal field."""
    by_tag: dict[str, list[type[Struct]]] = {}
    for struct in structs:
        by_tag.setdefault(str(struct.__struct_config__.tag or ""), []).append(struct)
    if by_tag.keys() == {""} and len(structs) == 1:
        return record(structs[0])
    if "" in by_tag:
        raise TypeError(f"nothing tells {structs!r} apart")
    return Kin("type", {tag: by_literal(group) for tag, group in by_tag.items()})


def by_literal(group: list[type[Struct]]) -> Shape:
    """The reader of structs with one tag: the first field that is a literal of one value, another in each, decides."""
    if len(group) == 1:
        return record(group[0])
    for name in group[0].__struct_fields__:
        values = [value for struct in group for value in only_value(struct, name)]
        if len(set(values)) == len(group):
            return Kin(name, {value: record(struct) for value, struct in zip(values, group, strict=True)})
    raise TypeError(f"nothing tells {group!r} apart")


def record(struct: type[Struct]) -> Record:
    """The reader of one struct."""
    infos = fields(struct)
    server_only = {info.encode_name for info in infos if is_server_only(info.type)}
    return Record(struct, {info.encode_name: schema(info.type) for info in infos}, server_only=server_only)


def only_value(struct: type[Struct], name: str) -> list[str]:
    """The one value that a literal field may have; empty when it is not such a field."""
    annotations = [info.type for info in fields(struct) if info.name == name and get_origin(info.type) is Literal]
    values = [value for annotation in annotations for value in get_args(annotation)]
    return values if len(values) == 1 else []


def is_struct(annotation: object) -> TypeGuard[type[Struct]]:
    """Whether an annotation is a struct class."""
    return isinstance(annotation, type) and issubclass(annotation, Struct)


def is_server_only(annotation: object) -> bool:
    """Whether a field's annotation bears the mark `SERVER_ONLY`."""
    return any(SERVER_ONLY in get_args(member)[1:] for member in flat(annotation) if get_origin(member) is Annotated)
