"""Readers made from annotations."""

from typing import Annotated, Literal

import pytest
from msgspec import UNSET, Meta, Struct, UnsetType

from vivavoce.wire.misfit import Misfit
from vivavoce.wire.schema import schema
from vivavoce.wire.struct import SERVER_ONLY


class Plain(Struct, frozen=True, kw_only=True):
    size: Annotated[int, Meta(ge=0)] | None | UnsetType = UNSET
    mark: Annotated[str, SERVER_ONLY] | UnsetType = UNSET


class Other(Struct, frozen=True, kw_only=True):
    size: int


class Cat(Struct, frozen=True, kw_only=True, tag="animal"):
    size: int = 0
    voice: Literal["miaow"] = "miaow"


class Dog(Struct, frozen=True, kw_only=True, tag="animal"):
    size: int = 0
    voice: Literal["woof", "wuff"] | Literal["bow"] = "woof"


class Cow(Struct, frozen=True, kw_only=True, tag="animal"):
    voice: Literal["moo"] = "moo"


class Stone(Struct, frozen=True, kw_only=True, tag="stone"):
    weight: float


@pytest.mark.parametrize(
    ("annotation", "raw"),
    [
        (str, "x"),
        (bool, True),
        (int, 1),
        (float, 0.5),
        (None, None),
        (object, {"any": [1]}),
        (Literal["a", 1], 1),
        (list[str], ["x"]),
        (dict[str, int], {"x": 1}),
        (str | None, None),
        (Literal["inf"] | int, "inf"),
        (Annotated[dict[str, str], Meta(max_length=1)], {"a": "b"}),
        (list[str | int] | None, ["a", 1]),
    ],
)
def test_plain_values_are_read_as_they_are(annotation: object, raw: object) -> None:
    assert schema(annotation if annotation is not None else type(None)).read(raw, "at", None) == raw


def test_a_struct_is_read_by_its_keys_and_their_notes() -> None:
    assert schema(Plain).read({"size": None}, "at", None) == Plain(size=None)
    assert schema(Plain).read({"mark": "x"}, "at", {}) == Plain(mark="x")
    with pytest.raises(Misfit) as out_of_range:
        schema(Plain).read({"size": -1}, "at", None)
    with pytest.raises(Misfit) as servers_own:
        schema(Plain).read({"mark": "x"}, "at", None)
    assert (out_of_range.value.code, servers_own.value.code) == ("invalid_value", "unknown_parameter")


def test_a_union_is_told_apart_by_tag() -> None:
    either = schema(Cat | Stone | None)
    assert either.read({"type": "stone", "weight": 1}, "at", None) == Stone(weight=1.0)
    assert either.read({"type": "animal", "size": 1}, "at", None) == Cat(size=1)
    assert either.read(None, "at", None) is None


def test_structs_of_one_tag_are_told_apart_by_a_literal() -> None:
    either = schema(Cat | Cow | Stone)
    assert either.read({"type": "animal", "voice": "moo"}, "at", None) == Cow()
    assert either.read({"type": "animal", "voice": "miaow", "size": 3}, "at", None) == Cat(size=3)
    with pytest.raises(Misfit) as missing:
        either.read({"type": "animal"}, "at", None)
    with pytest.raises(Misfit) as wrong:
        either.read({"type": "animal", "voice": "woof"}, "at", None)
    assert (missing.value.code, missing.value.path) == ("missing_required_parameter", "at.voice")
    assert (wrong.value.code, wrong.value.path) == ("invalid_value", "at.voice")


@pytest.mark.parametrize("annotation", [Plain | Other, Plain | Stone, Cat | Dog, bytes, set[str]])
def test_a_type_that_cannot_be_read_for_sure_is_refused_when_it_is_made(annotation: object) -> None:
    with pytest.raises(TypeError):
        schema(annotation)


def test_a_reader_is_made_once() -> None:
    assert schema(Cat | Stone) is schema(Cat | Stone)
