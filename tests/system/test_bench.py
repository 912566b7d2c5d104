"""`./dev bench calls` really places calls and says what they cost."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]


@pytest.mark.realtime
async def test_one_call_with_our_own_server_fills_a_line_of_the_table(tmp_path: Path) -> None:
    written = tmp_path / "calls.json"
    asked = ["--servers", "ours", "--calls", "1", "--seconds", "2", "--rounds", "1", "--json", str(written)]
    bench = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.calls", *asked), cwd=ROOT, stdout=PIPE, stderr=PIPE
    )
    try:
        async with asyncio.timeout(50):
            said, progress = await bench.communicate()
    finally:
        if bench.returncode is None:
            bench.kill()
            await bench.wait()
    table = said.decode()
    assert bench.returncode == 0, progress.decode()
    assert "viva serve" in table
    assert "only ratios between the lines travel" in table

    result: dict[str, Any] = json.loads(written.read_bytes())
    assert result["troubles"] == []
    (row,) = result["rows"]
    assert (row["server"], row["calls"]) == ("ours", 1)
    # The agent was heard; no more than was spoken. How much and how fast is the machine's affair.
    assert 0 < row["talk"] <= 1.1
    assert row["cpu_ms"] > 0
    assert 0 < row["answer_p50_ms"] < row["connect_p50_ms"] <= row["connect_p95_ms"]
    assert row["gap_p99_ms"] > 0
    assert row["threads"] > 1
    assert row["ratio"] is None, "without the bare echo there is nothing to compare with"
    assert result["load"][0]["cpu_ms"] > 0
