"""One child process, spoken to in frames.

A child is born once and dies once; whoever needs another spawns another (`Pool`). Talks with it follow one another
but may overlap at the edges: answers to a talk that was given up are dropped, never taken for the next one's.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Self, cast

from vivavoce.engine.pipe import Frame, Kind, Unpacker
from vivavoce.errors import EngineError, Retry

_GRACE_S: Final = 1.0
_COMPLAINT_BYTES: Final = 2_000


class Child(asyncio.SubprocessProtocol):
    """A worker process and the pipes to it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._transport: asyncio.SubprocessTransport | None = None
        self._unpacker = Unpacker()
        self._talks: dict[int, Talk] = {}
        # By job; they outlive a talk that was given up, or a child that hangs would be handed from job to job.
        self._overdue: dict[int, asyncio.TimerHandle] = {}
        self._jobs = 0
        self._complaint = b""
        self._cause = ""
        self._deaf = False
        self._gone = asyncio.Event()

    @classmethod
    async def spawn(cls, name: str, module: str, arguments: Sequence[str] = (), *, patience_s: float) -> Self:
        """Start `python -m module` and wait until it is ready.

        Args:
            name: what messages call it.
            module: a module whose main calls `pipe.serve`.
            arguments: its command line.
            patience_s: how long loading may take.

        Raises:
            EngineError: it could not be started, said that it cannot work, died, or took too long.
        """
        loop = asyncio.get_running_loop()
        # -P: a file in the working directory must not stand in for a module.
        command = (sys.executable, "-P", "-m", module, *arguments)
        try:
            _, child = await loop.subprocess_exec(lambda: cls(name), *command, env=_environment())
        except OSError as error:
            raise EngineError(f"cannot start the {name} process: {error}", next=Retry(1.0)) from error
        ready = Talk(child, 0)
        child._talks[0] = ready
        try:
            await ready.receive(patience_s)
        except BaseException:
            await child.close(grace_s=0)
            raise
        ready.close()
        return child

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._transport is not None and not self._cause and not self._deaf

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._transport is not None, "a child is only handed out once it is connected"
        return self._transport.get_pid()

    def talk(self) -> "Talk":
        """A new job with it. Frames sent before are dealt with first, answers to them go to the older talks."""
        self._jobs += 1
        talk = self._talks[self._jobs] = Talk(self, self._jobs)
        return talk

    def send(self, frame: Frame) -> None:
        """Hand a frame to the child.

        Raises:
            EngineError: it is dead.
        """
        if not self.alive or self._transport is None:
            raise self.death()
        pipe = cast(asyncio.WriteTransport, self._transport.get_pipe_transport(0))
        pipe.write(frame.pack())

    def kill(self, cause: str) -> None:
        """End it now; everybody who talks with it hears the cause."""
        if not self._gone.is_set():
            self._cause = self._cause or cause
            self._end_talks()
            self._make_sure()

    async def close(self, *, grace_s: float = _GRACE_S) -> None:
        """Let it end by itself, or after `grace_s` seconds make it; returns when it is gone."""
        if self._transport is None:
            return
        self._cause = self._cause or "was closed"
        self._end_talks()
        stdin = self._transport.get_pipe_transport(0)
        if stdin is not None:
            stdin.close()
        try:
            async with asyncio.timeout(grace_s):
                await self._gone.wait()
        except TimeoutError:
            pass
        finally:
            self._make_sure()
        await self._gone.wait()

    def death(self) -> EngineError:
        """Why it cannot be asked any more, with what it last complained of."""
        lines = self._complaint.decode(errors="replace").strip().splitlines()
        last = f"; it said: {lines[-1]}" if lines else ""
        return EngineError(f"the {self.name} process {self._cause or 'has closed its pipe'}{last}", next=Retry(1.0))

    def expect(self, job: int, patience_s: float) -> None:
        """An answer to this job is due within `patience_s` seconds, or the child hangs and is killed."""
        self._answered(job)
        if not self._gone.is_set():
            cause = f"did not answer for {patience_s:g} s and was killed"
            self._overdue[job] = asyncio.get_running_loop().call_later(patience_s, self.kill, cause)

    def forget(self, job: int) -> None:
        """Drop what may still come for a job."""
        self._talks.pop(job, None)

    def _make_sure(self) -> None:
        """Kill the process, unless it is known to be dead."""
        if self._transport is not None and not self._gone.is_set():
            with suppress(ProcessLookupError):
                self._transport.kill()

    def _end_talks(self) -> None:
        for talk in tuple(self._talks.values()):
            talk.put(None)

    # ── what asyncio calls ─────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The process has started."""
        self._transport = cast(asyncio.SubprocessTransport, transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """It wrote something."""
        if fd != 1:
            self._complaint = (self._complaint + data)[-_COMPLAINT_BYTES:]
            return
        try:
            for frame in self._unpacker.feed(data):
                self._answered(frame.job)
                talk = self._talks.get(frame.job)
                if talk is not None:
                    talk.put(frame)
        except ValueError as error:
            self.kill(f"wrote nonsense ({error})")

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """It closed a pipe; without both it is of no use."""
        if fd != 2 and not self._deaf:
            self._deaf = True
            # Not at once: if it is dying by itself, its own end tells more than ours would.
            asyncio.get_running_loop().call_later(_GRACE_S, self._make_sure)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone, and all that it wrote has been read."""
        if self._transport is not None:
            self._cause = self._cause or _how_it_ended(self._transport.get_returncode())
            self._transport.close()
        self._gone.set()
        for job in tuple(self._overdue):
            self._answered(job)
        self._end_talks()

    def _answered(self, job: int) -> None:
        timer = self._overdue.pop(job, None)
        if timer is not None:
            timer.cancel()


def _environment() -> dict[str, str]:
    """Ours, so arranged that the child finds the same modules and needs one thread for its small sums."""
    places = os.pathsep.join(place for place in sys.path if place)
    return {**os.environ, "PYTHONPATH": places, "OPENBLAS_NUM_THREADS": "1"}


def _how_it_ended(code: int | None) -> str:
    return f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"


class Talk:
    """One job with a child: what it is asked and what it answers. Close it when done or given up."""

    def __init__(self, child: Child, job: int) -> None:
        self._child = child
        self._job = job
        self._answers: asyncio.Queue[Frame | None] = asyncio.Queue()

    def send(self, kind: Kind, body: bytes = b"") -> None:
        """Ask.

        Raises:
            EngineError: the child is dead.
        """
        self._child.send(Frame(kind, self._job, body))

    async def receive(self, patience_s: float) -> Frame:
        """Its next answer.

        Raises:
            EngineError: it failed at the job, is dead, or did not answer in `patience_s` seconds and was killed for it.
        """
        if self._answers.empty():
            self._child.expect(self._job, patience_s)
        frame = await self._answers.get()
        if frame is None:
            raise self._child.death()
        if frame.kind is Kind.FAILED:
            raise EngineError(f"{self._child.name} failed: {frame.body.decode(errors='replace')}")
        return frame

    def put(self, frame: Frame | None) -> None:
        """An answer has come, or with None the end of all answers."""
        self._answers.put_nowait(frame)

    def close(self) -> None:
        """Whatever still comes for this job is dropped."""
        self._child.forget(self._job)
