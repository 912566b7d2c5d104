"""A reader can hold each part in the head: limits taken from the best code of this field, checked."""

import ast
from statistics import quantiles
from typing import Final

import pytest

from tests.architecture.source import Source, python_files

FILE_LINES: Final = 700
FUNCTION_LINES: Final = 80
CLASS_LINES: Final = 350
MOST_FILES: Final = 400
"""Nine files of ten stay below this."""
MOST_FUNCTIONS: Final = 40
"""Nineteen functions of twenty stay below this."""
ATTRIBUTES: Final = 15


pytestmark = pytest.mark.xdist_group("architecture")  # one worker reads the sources once


def sources() -> list[Source]:
    return [source for folder in ("src", "tests", "bench", "examples", "fuzz") for source in python_files(folder)]


def length(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def functions(source: Source) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return source.every(ast.FunctionDef, ast.AsyncFunctionDef)


def classes(source: Source) -> list[ast.ClassDef]:
    return source.every(ast.ClassDef)


def test_no_file_needs_a_table_of_contents() -> None:
    lengths = {source.path: len(source.text.splitlines()) for source in sources()}
    assert {path: lines for path, lines in lengths.items() if lines > FILE_LINES} == {}


def test_most_files_are_read_in_one_sitting() -> None:
    lengths = [len(source.text.splitlines()) for source in python_files("src")]
    assert quantiles(lengths, n=10)[-1] <= MOST_FILES


def test_no_function_goes_on_for_pages() -> None:
    lengths = {f"{source.at(node)} {node.name}": length(node) for source in sources() for node in functions(source)}
    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES} == {}


def test_most_functions_fit_on_a_screen() -> None:
    lengths = [length(node) for source in python_files("src") for node in functions(source)]
    assert quantiles(lengths, n=20)[-1] <= MOST_FUNCTIONS


def test_no_class_grows_beyond_what_one_can_hold() -> None:
    lengths = {f"{source.at(node)} {node.name}": length(node) for source in sources() for node in classes(source)}
    assert {name: lines for name, lines in lengths.items() if lines > CLASS_LINES} == {}


def test_no_object_carries_more_state_than_one_can_follow() -> None:
    crowded: dict[str, int] = {}
    for source in python_files("src"):
        for node in classes(source):
            attributes = {
                target.attr
                for inner in ast.walk(node)
                if isinstance(inner, ast.Assign | ast.AnnAssign)
                for target in (inner.targets if isinstance(inner, ast.Assign) else [inner.target])
                if isinstance(target, ast.Attribute)
                and isinstance(target.value, ast.Name)
                and target.value.id == "self"
            }
            if len(attributes) > ATTRIBUTES:
                crowded[f"{source.at(node)} {node.name}"] = len(attributes)
    assert crowded == {}


def test_no_class_of_ours_is_inherited_more_than_twice_over() -> None:
    bases = {
        node.name: [base.id for base in node.bases if isinstance(base, ast.Name)]
        for source in python_files("src")
        for node in classes(source)
    }

    def depth(name: str) -> int:
        return 1 + max((depth(base) for base in bases.get(name, []) if base in bases and base != name), default=0)

    # The tree of failures is deeper on purpose: who catches a branch catches its leaves.
    failures = {name for name in bases if name.endswith("Error")}
    assert {name: depth(name) for name in bases if name not in failures and depth(name) > 3} == {}
