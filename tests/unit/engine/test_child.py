"""Child processes: real ones, that fail in real ways."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from tests.unit.engine.processes import gone
from vivavoce.engine.child import Child
from vivavoce.engine.pipe import Kind
from vivavoce.errors import EngineError

PARROT = "tests.unit.engine.parrot_worker"


async def parrot(*arguments: str, patience_s: float = 20) -> Child:
    return await Child.spawn("parrot", PARROT, arguments, patience_s=patience_s)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_it_answers_what_it_is_asked() -> None:
    child = await parrot()
    talk = child.talk()
    talk.send(Kind.WORDS, b"hello")
    assert (await talk.receive(10)).body == b"hello"
    await child.close()
    assert not is_running(child.pid)


async def test_what_a_library_prints_does_not_disturb_the_answers() -> None:
    child = await parrot()
    talk = child.talk()
    talk.send(Kind.WORDS, b"print")
    talk.send(Kind.WORDS, b"next")
    assert [(await talk.receive(10)).body for _ in range(2)] == [b"printed", b"next"]
    await child.close()


async def test_answers_to_a_job_given_up_are_not_taken_for_the_next_ones() -> None:
    child = await parrot()
    first = child.talk()
    first.send(Kind.WORDS, b"old")
    first.close()
    second = child.talk()
    second.send(Kind.WORDS, b"new")
    assert (await second.receive(10)).body == b"new"
    await child.close()


async def test_a_job_that_fails_says_why_and_the_child_lives_on() -> None:
    child = await parrot()
    talk = child.talk()
    talk.send(Kind.WORDS, b"raise")
    with pytest.raises(EngineError, match="told to raise"):
        await talk.receive(10)
    talk.send(Kind.WORDS, b"still here")
    assert (await talk.receive(10)).body == b"still here"
    await child.close()


async def test_a_child_that_ends_tells_its_code_and_last_words() -> None:
    child = await parrot()
    talk = child.talk()
    talk.send(Kind.WORDS, b"exit")
    with pytest.raises(EngineError, match=r"exit code 3.*last words"):
        await talk.receive(10)
    assert not child.alive
    with pytest.raises(EngineError, match="exit code 3"):
        child.talk().send(Kind.WORDS, b"anybody?")


async def test_a_killed_child_ends_every_job_that_waits_for_it() -> None:
    child = await parrot()
    talks = [child.talk() for _ in range(3)]
    os.kill(child.pid, signal.SIGKILL)
    for talk in talks:
        with pytest.raises(EngineError, match="signal 9"):
            await talk.receive(10)


async def test_a_child_that_hangs_is_killed() -> None:
    child = await parrot()
    os.kill(child.pid, signal.SIGSTOP)
    talk = child.talk()
    talk.send(Kind.WORDS, b"hello")
    with pytest.raises(EngineError, match=r"did not answer for 0\.2 s"):
        await talk.receive(0.2)
    assert not child.alive
    await child.close()
    assert not is_running(child.pid)


async def test_nonsense_in_the_pipe_ends_the_child() -> None:
    child = await parrot()
    talk = child.talk()
    talk.send(Kind.WORDS, b"nonsense")
    with pytest.raises(EngineError, match="nonsense"):
        await talk.receive(10)
    await child.close()


async def test_a_child_that_cannot_work_says_so() -> None:
    with pytest.raises(EngineError, match="this machine has no parrot"):
        await parrot("refuse")


async def test_a_child_that_dies_while_loading_is_an_error() -> None:
    with pytest.raises(EngineError, match="exit code 7"):
        await parrot("die")


async def test_a_child_that_never_gets_ready_is_killed() -> None:
    with pytest.raises(EngineError, match="did not answer"):
        await parrot("hang", patience_s=1)


async def test_a_module_that_is_not_there_is_named() -> None:
    with pytest.raises(EngineError, match="no_such_module"):
        await Child.spawn("ghost", "no_such_module", patience_s=20)


async def test_closing_ends_a_child_that_is_stopped() -> None:
    child = await parrot()
    os.kill(child.pid, signal.SIGSTOP)
    await child.close(grace_s=0.1)
    assert not is_running(child.pid)


async def test_ctrl_c_is_for_the_parent_to_act_on() -> None:
    child = await parrot()
    os.kill(child.pid, signal.SIGINT)
    talk = child.talk()
    talk.send(Kind.WORDS, b"still here")
    assert (await talk.receive(10)).body == b"still here"
    await child.close()


async def test_a_child_leaves_when_its_parent_dies() -> None:
    script = (
        "import asyncio, os\n"
        "from vivavoce.engine.child import Child\n"
        "async def main():\n"
        f"    child = await Child.spawn('parrot', {PARROT!r}, patience_s=20)\n"
        "    print(child.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=subprocess.PIPE, env=env)
    async with asyncio.timeout(30):
        out, _ = await process.communicate()
    await gone(int(out))
