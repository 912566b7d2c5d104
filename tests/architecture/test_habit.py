"""Habits that the linter cannot see: no mock, no sleep, no silent skip, no hidden task, no hidden import."""

import ast
import re
from typing import Final

import pytest

from tests.architecture.source import Source, dotted, python_files

SLEEPS: Final = {"asyncio.sleep", "time.sleep", "anyio.sleep", "trio.sleep", "sleep"}
VIRTUAL: Final = re.compile(r"\bvirtual\b|^vivavoce\.testing\.loop\b")
"""Who imports such a module runs on time that jumps: a sleep there is a moment of the script and no wait."""

PATCHES: Final = {"setattr", "delattr", "setitem", "delitem"}
"""What pytest's monkeypatch may not do here; environment, folder and path are welcome."""

SURROUNDINGS: Final = {"sys", "os.environ"}
"""Not behaviour but where a program finds itself: its arguments, its path, its environment."""


def everywhere() -> list[Source]:
    return [source for folder in ("src", "tests", "bench", "examples", "fuzz") for source in python_files(folder)]


def imported(source: Source) -> set[str]:
    names: set[str] = set()
    for node in source.every(ast.Import, ast.ImportFrom):
        match node:
            case ast.Import(names=aliases):
                names |= {alias.name for alias in aliases}
            case ast.ImportFrom(module=str(module), names=aliases):
                names |= {module} | {f"{module}.{alias.name}" for alias in aliases}
            case _:
                pass
    return names


pytestmark = pytest.mark.xdist_group("architecture")  # one worker reads the sources once


def test_nothing_is_mocked() -> None:
    mockers = {"unittest.mock", "mock", "pytest_mock", "respx", "responses", "freezegun", "time_machine"}
    assert [str(source.path) for source in everywhere() if imported(source) & mockers] == []
    patched = [
        source.at(call)
        for source in python_files("tests")
        for name, call in source.calls()
        if name.rpartition(".")[0].endswith("monkeypatch")
        and name.rpartition(".")[2] in PATCHES
        and not (call.args and dotted(call.args[0]) in SURROUNDINGS)
    ]
    assert patched == []


def test_no_test_sleeps() -> None:
    # sleep(0) is no wait: it lets the loop take one turn.
    slept = [
        source.at(call)
        for source in python_files("tests")
        if not any(VIRTUAL.search(module) for module in imported(source))
        for name, call in source.calls()
        if name in SLEEPS and not (call.args and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0)
    ]
    assert slept == []


def test_every_skip_and_every_expected_failure_gives_its_reason() -> None:
    silent: list[str] = []
    for source in python_files("tests"):
        for name, call in source.calls():
            reasons = [keyword.value for keyword in call.keywords if keyword.arg in ("reason", "msg")]
            if name in ("pytest.skip", "pytest.xfail", "pytest.importorskip"):
                reasons += call.args if name != "pytest.importorskip" else []
            elif name not in ("pytest.mark.skip", "pytest.mark.skipif", "pytest.mark.xfail"):
                continue
            if not reasons or any(isinstance(reason, ast.Constant) and not reason.value for reason in reasons):
                silent.append(source.at(call))
        silent += [
            source.at(node)
            for node in source.every(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
            for decorator in node.decorator_list
            if dotted(decorator) in ("pytest.mark.skip", "pytest.mark.skipif", "pytest.mark.xfail")
        ]
    assert silent == []


def task_groups(source: Source) -> set[str]:
    """Names, without what stands before their last dot, that are bound to a task group or declared as one."""
    names: set[str] = set()
    # Assignments twice, since a group may be handed on before its making is met in this order.
    for node in source.every(ast.arg, ast.withitem, ast.AnnAssign, ast.Assign, ast.Assign):
        match node:
            case ast.withitem(context_expr=value, optional_vars=ast.AST() as target):
                bound = [(target, value)]
            case ast.Assign(targets=targets, value=value):
                bound = [(target, value) for target in targets]
            case ast.AnnAssign(target=target, annotation=value):
                bound = [(target, value)]
            case ast.arg(arg=name, annotation=ast.AST() as value):
                bound = [(ast.Name(name), value)]
            case _:
                continue
        for target, value in bound:
            # Handing a group on (`self._tasks = tasks`) keeps it one.
            if "TaskGroup" in ast.unparse(value) or (isinstance(value, ast.Name) and value.id in names):
                names.add(dotted(target).rpartition(".")[2])
    return names


def test_every_task_is_started_by_a_group() -> None:
    # A group's own `create_task` is the one right way; any other callee of that name starts an orphan.
    orphans: list[str] = []
    for source in everywhere():
        started = [(name, call) for name, call in source.calls() if name.endswith(("create_task", "ensure_future"))]
        groups = task_groups(source) if started else set[str]()
        for name, call in started:
            if name.rpartition(".")[0].rpartition(".")[2] not in groups:
                orphans.append(f"{source.at(call)} {name}")
    assert orphans == []


def test_only_assembly_imports_late() -> None:
    hidden = [
        source.at(inner)
        for source in python_files("src")
        if source.path.name != "assembly.py"
        if any(node.col_offset for node in source.every(ast.Import, ast.ImportFrom))
        for node in source.every(ast.FunctionDef, ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def always_raises(body: list[ast.stmt]) -> bool:
    """Whether every way through these statements ends in a `raise`."""
    match body[-1]:
        case ast.Raise():
            return True
        case ast.If(body=then, orelse=[_, *_] as otherwise):
            return always_raises(then) and always_raises(otherwise)
        case ast.Match(cases=cases):
            return all(always_raises(case.body) for case in cases)
        case _:
            return False


def test_every_broad_except_says_why() -> None:
    broad: list[str] = []
    for source in python_files("src"):
        lines = source.text.splitlines()
        for node in source.every(ast.ExceptHandler):
            if always_raises(node.body):
                continue  # what is raised again, or as something of ours, is not swallowed
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(each is None or dotted(each) in ("Exception", "BaseException") for each in caught):
                near = lines[node.lineno - 1] + lines[node.body[0].lineno - 2]
                if "#" not in near:
                    broad.append(source.at(node))
    assert broad == []


def test_suppressions_are_few_and_say_why() -> None:
    marks = re.compile(
        r"#\s*(?:type: ignore|pyright: ignore|noqa)\b(?P<code>\[[\w, -]+\]|:[ A-Z0-9,]+)?(?P<reason>\s*[#-] .+)?"
    )
    found = {
        f"{source.path}:{number}": match
        for source in python_files("src")
        for number, line in enumerate(source.text.splitlines(), start=1)
        if (match := marks.search(line))
    }
    assert {place for place, match in found.items() if not match["code"] or not match["reason"]} == set()
    assert len(found) <= 10


def test_modules_are_named_by_what_they_are() -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "common", "misc", "tools"}
    assert [str(source.path) for source in everywhere() if vague & set(source.path.with_suffix("").parts)] == []
