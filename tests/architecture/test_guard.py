"""What `tests/conftest.py` watches in every test does make a test fail."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.architecture.source import ROOT

CULPRITS = """
import asyncio
import logging
import os


async def test_leaves_a_task():
    asyncio.get_running_loop().create_task(asyncio.Event().wait())


async def test_ends_its_tasks():
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(0))


def test_logs_a_key():
    logging.getLogger("vivavoce.gateway").debug("calling with %s", "sk-" + "a1b2c3d4")


def test_logs_a_secret_in_a_traceback():
    try:
        raise ValueError("ek_" + "a1b2c3d4")
    except ValueError:
        logging.getLogger("vivavoce.client").exception("refused")


def test_logs_a_secret_beside_the_message():
    logging.getLogger("other").warning("refused", extra={"header": "Bearer ek_" + "a1b2c3d4"})


def test_logs_something_harmless():
    logging.getLogger("vivavoce.gateway").debug("a task-based risk-free desk")


def test_sees_no_key_of_the_machine():
    assert "OPENAI_API_KEY" not in os.environ
"""


def test_leaked_tasks_and_logged_secrets_fail_the_test_they_come_from(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    (tmp_path / "test_culprits.py").write_text(CULPRITS)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-rEfp", "-p", "no:cacheprovider", "--tb=no", "--color=no", str(tmp_path)],
        cwd=tmp_path,
        env={"OPENAI_API_KEY": "sk-" + "of-somebody", "PATH": ""},
        capture_output=True,
        check=False,
        timeout=50,
        text=True,
    )
    errors = {line.split("::")[1].split(" ")[0] for line in ran.stdout.splitlines() if line.startswith("ERROR ")}
    assert errors == {
        "test_leaves_a_task",
        "test_logs_a_key",
        "test_logs_a_secret_in_a_traceback",
        "test_logs_a_secret_beside_the_message",
    }, ran.stdout + ran.stderr
    assert "7 passed, 4 errors" in ran.stdout
