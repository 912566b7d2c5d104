"""The page's modules, by the test runner that comes with Node: each file of tests beside this one."""

import asyncio
from pathlib import Path

import pytest

FILES = sorted(Path(__file__).parent.glob("*.test.mjs"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
async def test_the_modules_of_the_page(file: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        "node",
        "--test",
        "--test-reporter=spec",
        str(file),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()


def test_there_are_tests_to_run() -> None:
    assert len(FILES) >= 5
