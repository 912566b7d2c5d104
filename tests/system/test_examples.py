"""Every example runs as its first lines say, against a server on this computer."""

import asyncio
import os
import sys
import wave
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from tests.browser.visitor import visit
from tests.viva import Viva, spoken
from vivavoce.audio.frame import from_bytes, sample_count, silence, to_bytes
from vivavoce.audio.meter import measure

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
TOLD: Final = {"text_turn.py", "voice_file.py", "tool.py", "mcp_tool.py", "token_endpoint.py"}
ELSEWHERE: Final = {"agent_desk.py"}  # in `test_agents_python.py`

pytestmark = pytest.mark.xdist_group("viva_server")


@asynccontextmanager
async def running(viva: Viva, example: str, *arguments: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """An example that runs until the context ends."""
    environment = {**os.environ, "OPENAI_BASE_URL": f"{viva.url}/v1", "OPENAI_API_KEY": viva.key}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLES / example), *arguments, env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def printed(viva: Viva, example: str, *arguments: str) -> str:
    """All that an example says until it ends well."""
    async with asyncio.timeout(40), running(viva, example, *arguments) as process:
        said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()


def test_every_example_is_run_here() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == TOLD | ELSEWHERE


async def test_a_text_turn(viva_server: Viva) -> None:
    said = await printed(viva_server, "text_turn.py", "What is twelve times twelve?")
    assert "144" in said
    assert "(completed)" in said


async def test_a_tool(viva_server: Viva) -> None:
    said = await printed(viva_server, "tool.py", "What is the weather in Bern?")
    assert 'calls get_weather({"city": "Bern"})' in said.replace('":"', '": "')
    assert "sunny" in said


async def test_a_tool_of_an_mcp_server(viva_server: Viva) -> None:
    said = await printed(viva_server, "mcp_tool.py", "What is the weather in Bern?")
    assert said.splitlines() == [
        "tools: get_weather",
        'allows get_weather({"city":"Bern"})',
        "get_weather says: It is sunny in Bern, at 21 degrees.",
        "It is sunny in Bern, at 21 degrees.",
    ]


@pytest.mark.realtime
async def test_a_question_from_a_file(viva_server: Viva, tmp_path: Path) -> None:
    question, reply = tmp_path / "question.wav", tmp_path / "reply.wav"
    with wave.open(str(question), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        lead = silence(sample_count(500))
        file.writeframes(to_bytes(np.concatenate((lead, await spoken("What time is it?"), lead))))
    said = await printed(viva_server, "voice_file.py", str(question), str(reply))
    assert "user: what time is it" in said
    assert "assistant: It is" in said
    with wave.open(str(reply), "rb") as file:
        heard = from_bytes(file.readframes(file.getnframes()))
    assert measure(heard).peak_db > -20


@pytest.mark.realtime
async def test_a_page_with_a_token_endpoint(viva_server: Viva) -> None:
    async with asyncio.timeout(40), running(viva_server, "token_endpoint.py", "0") as process:
        assert process.stdout is not None
        address = (await process.stdout.readline()).decode().removeprefix("open ").strip()
        async with visit(address) as visitor:
            await visitor.page.click("button")
            await visitor.until("document.querySelector('output').value === 'session.created'")
            assert visitor.complaints == []
