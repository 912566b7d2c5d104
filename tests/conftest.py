"""What holds for every test: no key of the machine is used, no task is left, no secret is logged."""

import asyncio
import inspect
import logging
import os
import re
from collections.abc import AsyncIterator, Iterator
from typing import Final

import pytest
from hypothesis import settings

# A test must never place a call that somebody pays for, nor depend on what a developer has exported.
for _name in [name for name in os.environ if name.startswith(("OPENAI_", "AZURE_OPENAI_", "VIVA_"))]:
    del os.environ[_name]
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,::1,localhost"

# Others work on the same cores: a slow example is no news. The same tree gets the same verdict.
settings.register_profile("patient", deadline=None, derandomize=True)
settings.load_profile("patient")

# ── no task is left ─────────────────────────────────────────────────────────────────────────────────────

_TURNS_TO_END: Final = 20
"""Turns of the loop that a cancelled task may take to unwind. Turns, not time: nothing here waits."""


@pytest.fixture
async def _no_task_left() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    known = before | {asyncio.current_task()}
    for _ in range(_TURNS_TO_END):
        if asyncio.all_tasks() <= known:
            break
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - known
    if not left:
        return
    names = "\n".join(f"  {task!r}" for task in left)
    pytest.fail(f"These tasks outlived the test; each needs an owner that ends it:\n{names}", pytrace=False)


@pytest.fixture(autouse=True)
def _tasks_have_owners(request: pytest.FixtureRequest) -> None:
    # Asked for by name, so that only tests with a loop pay for one. First in, so checked last of all.
    if isinstance(request.node, pytest.Function) and inspect.iscoroutinefunction(request.node.obj):
        request.getfixturevalue("_no_task_left")


# ── no secret is logged ─────────────────────────────────────────────────────────────────────────────────

_SECRET: Final = re.compile(r"\b(?:sk-|ek_)[A-Za-z0-9_-]{6,}")
"""API keys and client secrets, as OpenAI and we write them. Keys made up for tests must look the same."""


class _Ear(logging.Handler):
    """Reads every record as a file would, with its traceback and its extra fields."""

    def __init__(self) -> None:
        super().__init__(level=1)
        self.leaks: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        written = f"{self.format(record)} {record.__dict__!r}"
        if _SECRET.search(written):
            self.leaks.append(f"{record.name} {record.levelname}: {_SECRET.sub('<secret>', record.getMessage())}")


@pytest.fixture(autouse=True)
def _secrets_stay_out_of_logs() -> Iterator[None]:
    ear = _Ear()
    root, ours = logging.getLogger(), logging.getLogger("vivavoce")
    levels = root.level, ours.level
    # Everything of ours, down to the least; of others what a server shows that is set to be talkative.
    ours.setLevel(1)
    root.setLevel(logging.INFO)
    root.addHandler(ear)
    yield
    root.removeHandler(ear)
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
    if ear.leaks:
        pytest.fail("A secret reached the log:\n  " + "\n  ".join(ear.leaks), pytrace=False)
