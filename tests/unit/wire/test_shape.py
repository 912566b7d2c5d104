"""Each kind of value, read strictly and tolerantly."""

import pytest
from msgspec import Meta, Struct

from vivavoce.wire.misfit import Misfit
from vivavoce.wire.shape import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    MAX_VALUES,
    Choice,
    Either,
    Extras,
    Flag,
    Free,
    Kin,
    Map,
    Null,
    Number,
    Record,
    Row,
    Shape,
    Text,
    listed,
    set_aside,
)

TEXT = Text(None)
WHOLE = Number(None, whole=True)


class Pair(Struct, frozen=True, kw_only=True):
    left: int
    right: int = 0
    mark: str = ""


class Tagged(Struct, frozen=True, kw_only=True, tag="tagged"):
    size: int = 0


PAIR = Record(Pair, {"left": WHOLE, "right": WHOLE, "mark": TEXT}, server_only={"mark"})
TAGGED = Record(Tagged, {"size": WHOLE}, server_only=())
KIN = Kin("type", {"tagged": TAGGED})


def refusal(shape: Shape, raw: object) -> tuple[str, str]:
    with pytest.raises(Misfit) as misfit:
        shape.read(raw, "at", None)
    return misfit.value.code, misfit.value.path


@pytest.mark.parametrize(
    ("shape", "raw"),
    [
        (TEXT, "x"),
        (Text(Meta(max_length=2)), "xy"),
        (Text(Meta(pattern="^a+$")), "aaa"),
        (Flag(), False),
        (Null(), None),
        (WHOLE, 3),
        (Number(None, whole=False), 0.5),
        (Number(Meta(ge=0, le=1), whole=False), 1.0),
        (Choice(("a", "b")), "b"),
        (Choice((24000,)), 24000),
        (Free(), {"a": [1, None, {"b": 0.5}]}),
        (Row(TEXT, None), ["a", "b"]),
        (Map(TEXT, WHOLE, None), {"a": 1}),
        (Either([TEXT, WHOLE]), 7),
    ],
)
def test_what_fits_is_kept(shape: Shape, raw: object) -> None:
    assert shape.read(raw, "at", None) == raw
    extras: Extras = {}
    assert shape.read(raw, "at", extras) == raw
    assert extras == {}


@pytest.mark.parametrize(
    ("shape", "raw"),
    [
        (TEXT, 3),
        (Flag(), 1),
        (Null(), 0),
        (WHOLE, True),
        (WHOLE, "3"),
        (WHOLE, 3.5),
        (WHOLE, float("nan")),
        (Number(None, whole=False), None),
        (Choice(("a",)), None),
        (Choice((1,)), True),
        (Row(TEXT, None), {}),
        (Map(TEXT, TEXT, None), []),
        (PAIR, "left"),
        (KIN, ["tagged"]),
        (Either([TEXT, WHOLE]), []),
    ],
)
def test_another_kind_of_value_is_refused(shape: Shape, raw: object) -> None:
    assert refusal(shape, raw) == ("invalid_type", "at")
    with pytest.raises(Misfit):
        shape.read(raw, "at", {})


@pytest.mark.parametrize(
    ("shape", "raw"),
    [
        (Text(Meta(max_length=2)), "xyz"),
        (Text(Meta(pattern="^a+$")), "aab"),
        (Text(Meta(pattern="^a+$")), "aa\n"),
        (Number(Meta(ge=1), whole=True), 0),
        (Number(Meta(le=1), whole=False), 1.5),
        (Row(TEXT, Meta(min_length=1)), []),
        (Row(TEXT, Meta(max_length=1)), ["a", "b"]),
        (Row(TEXT, None), ["a"] * (MAX_ELEMENTS + 1)),
        (Map(TEXT, TEXT, Meta(max_length=1)), {"a": "", "b": ""}),
    ],
)
def test_a_value_out_of_range_is_refused_from_a_client_and_kept_from_a_server(shape: Shape, raw: object) -> None:
    assert refusal(shape, raw) == ("invalid_value", "at")
    assert shape.read(raw, "at", {}) == raw


@pytest.mark.parametrize("raw", [2**63, -(2**63) - 1, 10**400])
def test_an_integer_that_cannot_be_written_again_is_refused_from_anybody(raw: int) -> None:
    for shape in (WHOLE, Number(None, whole=False), Free()):
        assert refusal(shape, raw) == ("invalid_value", "at")
        with pytest.raises(Misfit):
            shape.read(raw, "at", {})
    assert refusal(Free(), {"deep": [raw]}) == ("invalid_value", "at")


def test_a_whole_number_may_be_written_with_a_point() -> None:
    read = WHOLE.read(3.0, "at", None)
    assert (read, type(read)) == (3, int)
    read = Number(None, whole=False).read(3, "at", None)
    assert (read, type(read)) == (3.0, float)


def test_free_json_has_a_depth_that_can_be_written_again() -> None:
    nested: object = 0
    for _ in range(MAX_DEPTH - 1):
        nested = [nested]
    assert Free().read(nested, "at", None) is nested
    assert refusal(Free(), [nested]) == ("invalid_value", "at")


def test_free_json_has_an_end() -> None:
    assert Free().read([0] * (MAX_VALUES - 1), "at", None)
    assert refusal(Free(), [0] * MAX_VALUES) == ("invalid_value", "at")


def test_one_bad_element_is_refused_by_its_index_or_left_out() -> None:
    raw = ["a", 1, "b"]
    extras: Extras = {}
    assert refusal(Row(TEXT, None), raw) == ("invalid_type", "at[1]")
    assert Row(TEXT, None).read(raw, "at", extras) == ["a", "b"]
    assert extras == {"at[1]": 1}


def test_one_bad_pair_is_refused_by_its_key_or_left_out() -> None:
    raw: dict[str, object] = {"a": "x", "b": 1}
    extras: Extras = {}
    assert refusal(Map(TEXT, TEXT, None), raw) == ("invalid_type", "at.b")
    assert Map(TEXT, TEXT, None).read(raw, "at", extras) == {"a": "x"}
    assert extras == {"at.b": 1}


def test_a_key_too_long_is_refused() -> None:
    assert refusal(Map(Text(Meta(max_length=2)), TEXT, None), {"abc": ""}) == ("invalid_value", "at.abc")


def test_a_key_that_must_be_there_is_missed_by_anybody() -> None:
    assert refusal(PAIR, {"right": 1}) == ("missing_required_parameter", "at.left")
    with pytest.raises(Misfit):
        PAIR.read({"right": 1}, "at", {})
    with pytest.raises(Misfit):
        PAIR.read({"left": "x"}, "at", {})


def test_an_unknown_key_is_refused_by_its_path_or_kept() -> None:
    raw: dict[str, object] = {"left": 1, "up": 2}
    extras: Extras = {}
    assert refusal(PAIR, raw) == ("unknown_parameter", "at.up")
    assert PAIR.read(raw, "at", extras) == Pair(left=1)
    assert extras == {"at.up": 2}


def test_an_optional_value_that_does_not_fit_is_refused_or_kept_apart() -> None:
    raw: dict[str, object] = {"left": 1, "right": "x"}
    extras: Extras = {}
    assert refusal(PAIR, raw) == ("invalid_type", "at.right")
    assert PAIR.read(raw, "", extras) == Pair(left=1)
    assert extras == {"right": "x"}


def test_what_only_a_server_says_is_unknown_from_a_client() -> None:
    raw: dict[str, object] = {"left": 1, "mark": "x"}
    assert refusal(PAIR, raw) == ("unknown_parameter", "at.mark")
    assert PAIR.read(raw, "at", {}) == Pair(left=1, mark="x")
    with pytest.raises(Misfit) as misfit:
        PAIR.read({"left": 1, "up": 2}, "at", None)
    assert "mark" not in misfit.value.message


def test_what_stood_inside_a_value_left_out_is_not_reported_twice() -> None:
    shape = Row(Record(Pair, {"left": WHOLE, "right": WHOLE, "mark": TEXT}, server_only=()), None)
    extras: Extras = {}
    raw: list[object] = [{"up": 1, "left": "x"}]
    assert shape.read(raw, "at", extras) == []
    assert extras == {"at[0]": {"up": 1, "left": "x"}}


def test_setting_aside_spares_the_neighbours() -> None:
    extras: Extras = {"item_id": 1, "item.a": 2, "item[0]": 3}
    set_aside(extras, "item", 4)
    assert extras == {"item_id": 1, "item": 4}


def test_a_tagged_object_is_told_by_its_tag() -> None:
    assert KIN.read({"type": "tagged", "size": 1}, "at", None) == Tagged(size=1)
    assert KIN.read({"type": "tagged", "size": 1}, "at", {}) == Tagged(size=1)
    assert refusal(KIN, {"size": 1}) == ("missing_required_parameter", "at.type")
    assert refusal(KIN, {"type": 1}) == ("invalid_type", "at.type")
    assert refusal(KIN, {"type": "other"}) == ("invalid_value", "at.type")
    assert refusal(KIN, {"type": "tagged", "up": 1}) == ("unknown_parameter", "at.up")


def test_a_union_says_all_that_it_would_take() -> None:
    with pytest.raises(Misfit) as misfit:
        Either([Choice(("inf",)), WHOLE, Null()]).read([], "at", None)
    assert "'inf' or an integer or null" in misfit.value.message


def test_allowed_values_are_listed() -> None:
    assert listed(["a"]) == "'a'"
    assert listed(["a", "b"]) == "one of 'a', 'b'"
