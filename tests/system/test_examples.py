"""Every example runs as it stands, with only the key and the URL in its environment."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.viva import Viva

pytestmark = pytest.mark.realtime

EXAMPLES = Path(__file__).parents[2] / "examples"
SAID = {"text_turn": "84", "tool": "Bern"}
"""A word that each prints."""


def test_no_example_is_left_out() -> None:
    assert {example.stem for example in EXAMPLES.glob("*.py")} == set(SAID)


@pytest.mark.parametrize("name", SAID)
async def test_the_example_prints_an_answer(viva_server: Viva, name: str) -> None:
    environment = {**os.environ, "OPENAI_API_KEY": viva_server.key, "OPENAI_BASE_URL": f"{viva_server.url}/v1"}
    async with asyncio.timeout(45):
        example = await asyncio.create_subprocess_exec(
            sys.executable,
            str(EXAMPLES / f"{name}.py"),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, complaints = await example.communicate()
    assert example.returncode == 0, complaints.decode()
    assert SAID[name] in printed.decode()
    assert not complaints
